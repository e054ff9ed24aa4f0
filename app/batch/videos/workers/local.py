"""The workers of one machine: processes of their own, so that one that dies costs one video."""

import multiprocessing
import os
import threading
import traceback
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from multiprocessing.connection import wait as wait_for

from app.batch.videos.carry_out import Outcome
from app.batch.videos.plan import VideoTask

Work = Callable[[VideoTask], Outcome]  # what it raises is an outcome, too; its process may die
TRIES = 2  # after which a video that ends its process is left
_DIED = "Its process ended again (killed, or out of memory). Try it with a smaller size."


class LocalWorkers:
    """As many processes as `count`; each holds one video, the others wait on disk.

    Worker n computes on `devices[n]`; without devices each does as its tasks say.
    """

    def __init__(self, work: Work, count: int, devices: Sequence[str] = ()) -> None:
        self._workers = [_Worker(work, devices[n] if devices else "") for n in range(count)]

    def outcomes(self, tasks: Iterable[VideoTask]) -> Generator[Outcome, None, None]:
        """Yield each video's outcome as it ends. Close it to stop the others."""
        waiting, deaths = iter(tasks), Counter[str]()
        again: deque[VideoTask] = deque()
        running: dict[Future[Outcome], tuple[_Worker, VideoTask]] = {}
        idle = list(self._workers)
        try:
            while True:
                while idle and (task := again.popleft() if again else next(waiting, None)):
                    worker = idle.pop()
                    running[worker.start(task)] = worker, task
                if not running:
                    return
                ended, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in ended:
                    worker, task = running.pop(future)
                    idle.append(worker)
                    outcome = worker.ended(future, task)
                    if outcome is not None:
                        yield outcome
                        continue
                    deaths[task.name] += 1
                    if deaths[task.name] > TRIES:
                        yield Outcome(task.name, error=_DIED)
                    else:
                        again.append(task)
        finally:
            for worker in self._workers:
                worker.close()


class _Worker:
    """One process, and another in its place where it dies."""

    def __init__(self, work: Work, device: str) -> None:
        self._work, self._device = work, device
        self._pool = _new_pool()

    def start(self, task: VideoTask) -> Future[Outcome]:
        if self._device:
            task = replace(task, options=replace(task.options, device=self._device))
        try:
            return self._pool.submit(self._work, task)
        except BrokenProcessPool:  # it died while it had nothing to do
            self._pool = _new_pool()
            return self._pool.submit(self._work, task)

    def ended(self, future: Future[Outcome], task: VideoTask) -> Outcome | None:
        """Return what became of a video, None where the process died."""
        error = future.exception()
        if error is None:
            return future.result()
        if not isinstance(error, BrokenProcessPool):
            text = f"{type(error).__name__}: {error}"
            return Outcome(task.name, error=text, log="".join(traceback.format_exception(error)))
        self._pool.shutdown(wait=False)
        self._pool = _new_pool()
        return None

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)


def _new_pool() -> ProcessPoolExecutor:
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(1, mp_context=context, initializer=_end_with_the_driver)


def _end_with_the_driver() -> None:
    """See to it that this process ends when the one that started it does, even if it is killed."""
    driver = multiprocessing.parent_process()
    if driver is None:
        return
    sentinel = driver.sentinel

    def watch() -> None:
        wait_for([sentinel])
        os._exit(1)

    threading.Thread(target=watch, name="watch the driver", daemon=True).start()
