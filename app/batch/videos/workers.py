"""The workers of one machine: processes of their own, so that one that dies costs one video."""

import multiprocessing
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool

from app.batch.videos.carry_out import Outcome
from app.batch.videos.plan import VideoTask

Work = Callable[[VideoTask], Outcome]  # never raises; its process may die
TRIES = 2  # after which a video that ends its process is left
_DIED = "Its process ended again (killed, or out of memory). Try it with a smaller size."


class LocalWorkers:
    """As many processes as `count`; each holds one video, the others wait on disk."""

    def __init__(self, work: Work, count: int) -> None:
        self._work, self._count = work, count
        self._pool = self._new_pool()
        self._running: dict[Future[Outcome], VideoTask] = {}
        self._isolates = False  # whether the one that runs is to run alone

    def outcomes(self, tasks: Iterable[VideoTask]) -> Generator[Outcome, None, None]:
        """Yield each video's outcome as it ends. Close it to stop the others."""
        waiting, deaths = iter(tasks), Counter[str]()
        # A process that dies takes the pool with it: those that ran then run again, one by one, so
        # that the video which ends its process is the only one that is blamed.
        alone: deque[VideoTask] = deque()
        try:
            while self._hand_out(waiting, alone):
                for task, outcome in self._ended():
                    if outcome is not None:
                        yield outcome
                        continue
                    deaths[task.name] += 1
                    if deaths[task.name] > TRIES:
                        yield Outcome(task.name, error=_DIED)
                    else:
                        alone.append(task)
        finally:
            self._pool.shutdown(wait=False, cancel_futures=True)

    def _hand_out(self, waiting: Iterator[VideoTask], alone: deque[VideoTask]) -> bool:
        """Give the processes something to do; return whether anything runs."""
        if self._isolates and self._running:
            return True
        self._isolates = bool(alone)
        most = 1 if alone else self._count
        while len(self._running) < most:
            task = alone.popleft() if alone else next(waiting, None)
            if task is None:
                break
            self._running[self._pool.submit(self._work, task)] = task
        return bool(self._running)

    def _ended(self) -> list[tuple[VideoTask, Outcome | None]]:
        """Wait, and return what ended: None where its process died."""
        ended, _ = wait(self._running, return_when=FIRST_COMPLETED)
        found: list[tuple[VideoTask, Outcome | None]] = []
        for future in ended:
            task = self._running.pop(future)
            try:
                found.append((task, future.result()))
            except BrokenProcessPool:
                found.append((task, None))
        if any(outcome is None for _, outcome in found):
            found += [(task, None) for task in self._running.values()]
            self._running.clear()
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = self._new_pool()
        return found

    def _new_pool(self) -> ProcessPoolExecutor:
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(self._count, mp_context=context)
