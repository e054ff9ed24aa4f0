"""Work in the background: a thread of its own, and what comes back from it."""

import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from PySide6.QtCore import QObject, Qt, Signal, Slot

from app.core.evaluate import EvaluationError
from app.errors import MaskwrightError

_T = TypeVar("_T")


class Background(QObject):
    """Does one thing after another in a thread of its own, and has each result taken in this one.

    What was asked before it is stopped or forgotten is dropped. The thread begins with the first
    thing to do.
    """

    failed = Signal(str)  # what the person should know of what could not be done
    _told = Signal(object, object, object)  # opening, what to do, with what

    def __init__(self, name: str, parent: QObject) -> None:
        super().__init__(parent)
        self._name = name
        self._worker: ThreadPoolExecutor | None = None
        self._opening = object()  # another one once all is forgotten
        self._cancelled = threading.Event()  # set once what is under way is wanted no more
        # Queued, so that who asks has gone on before it is answered, however soon that is.
        self._told.connect(self._on_told, Qt.ConnectionType.QueuedConnection)

    def do(self, work: Callable[[], _T], then: Callable[[_T], None]) -> None:
        """Have `work` done in the background, and `then` called with what came of it."""
        self._worker = self._worker or ThreadPoolExecutor(1, self._name)
        self.ask(self._worker.submit(work), then)

    def ask(self, future: Future[_T], then: Callable[[_T], None]) -> None:
        """Have `then` called with what another thread works out."""
        future.add_done_callback(self.relay(partial(self._take, then)))

    def relay(self, then: Callable[[_T], None]) -> Callable[[_T], None]:
        """Return what any thread may call, to have `then` called in this one."""
        opening = self._opening
        return lambda value: self._told.emit(opening, then, value)

    def check(self) -> None:
        """Raise CancelledError where what is under way is wanted no more."""
        if self._cancelled.is_set():
            raise CancelledError

    def forget(self) -> None:
        """Drop what was asked for until now."""
        self._opening = object()

    def stop(self) -> None:
        """Drop what was asked for; waits until what is under way has ended or given up."""
        self._cancelled.set()
        self.forget()
        self._end(drops=True)
        self._cancelled = threading.Event()

    def finish(self) -> None:
        """Wait until all is done that was asked for; what comes of it is still taken.

        What looks at `check` gives up.
        """
        self._cancelled.set()
        self._end(drops=False)
        self._cancelled = threading.Event()

    def _end(self, *, drops: bool) -> None:
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.shutdown(cancel_futures=drops)

    def _take(self, then: Callable[[_T], None], done: Future[_T]) -> None:
        if done.cancelled():
            return
        error = done.exception()
        if error is None:
            then(done.result())
        elif isinstance(error, MaskwrightError | EvaluationError | OSError):
            self.failed.emit(str(error))
        elif isinstance(error, MemoryError):
            self.failed.emit("There is not enough memory. Close other programs and try again.")
        elif not isinstance(error, CancelledError):
            raise error

    @Slot(object, object, object)
    def _on_told(self, opening: object, then: Callable[[object], None], value: object) -> None:
        if opening is self._opening:
            then(value)
