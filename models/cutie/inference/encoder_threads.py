"""Threads that encode frames while the memory is at work on the one before, for CPUs.

One product of matrices after the other leaves part of several cores waiting for the slowest; a
frame for each core does not.
"""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import ParamSpec, TypeVar

import torch

_MOST = 4  # frames at once: more would wait long for the memory, which goes frame by frame
_P = ParamSpec("_P")
_R = TypeVar("_R")


class EncoderThreads:
    """As many threads as pay, each with its share of torch's CPU threads.

    `reading` is held by whoever fetches a frame: a video is read by one thread at a time.
    """

    def __init__(self) -> None:
        self.reading = threading.Lock()
        whole = torch.get_num_threads()
        self.count = min(whole, _MOST)
        self._share = whole // self.count
        started = threading.Barrier(self.count + 1)

        def take_share() -> None:
            torch.set_num_threads(self._share)
            started.wait()

        self._pool = ThreadPoolExecutor(self.count, "encoder", initializer=take_share)
        for _ in range(self.count):
            self._pool.submit(int)
        started.wait()
        torch.set_num_threads(whole)  # which a thread also sets for those that start later

    def submit(self, work: Callable[_P, _R], /, *args: _P.args, **kwargs: _P.kwargs) -> Future[_R]:
        """Let the next free thread do the work."""
        return self._pool.submit(work, *args, **kwargs)

    @contextmanager
    def beside(self) -> Iterator[None]:
        """Let the caller's own work, too, take no more than its share."""
        whole = torch.get_num_threads()
        torch.set_num_threads(self._share)
        try:
            yield
        finally:
            torch.set_num_threads(whole)

    def close(self) -> None:
        """End the threads, with the frames that they are at; nothing is waited for."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def beside(threads: EncoderThreads | None) -> AbstractContextManager[None]:
    """Leave the other threads, where there are any, their share."""
    return nullcontext() if threads is None else threads.beside()
