"""What comes back from other threads, for as long as one video is open."""

from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from functools import partial
from typing import TypeVar

from PySide6.QtCore import QObject, Signal, Slot

from app.core.evaluate import EvaluationError
from app.errors import MaskwrightError

_T = TypeVar("_T")


class Answers(QObject):
    """Has answers taken in this thread. What was asked before `forget` is dropped."""

    failed = Signal(str)  # what the person should know of an answer that could not be given
    _told = Signal(object, object, object)  # opening, what to do, with what

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._opening = object()  # told apart from that of the video before
        self._told.connect(self._on_told)

    def ask(self, future: Future[_T], then: Callable[[_T], None]) -> None:
        """Have `then` called with the result."""
        future.add_done_callback(self.relay(partial(self._take, then)))

    def relay(self, then: Callable[[_T], None]) -> Callable[[_T], None]:
        """Return what any thread may call, to have `then` called in this one."""
        opening = self._opening
        return lambda value: self._told.emit(opening, then, value)

    def forget(self) -> None:
        """Take no answer any more that was asked for until now."""
        self._opening = object()

    def _take(self, then: Callable[[_T], None], done: Future[_T]) -> None:
        if done.cancelled():
            return
        error = done.exception()
        if error is None:
            then(done.result())
        elif isinstance(error, MaskwrightError | EvaluationError | OSError):
            self.failed.emit(str(error))
        elif not isinstance(error, CancelledError):
            raise error

    @Slot(object, object, object)
    def _on_told(self, opening: object, then: Callable[[object], None], value: object) -> None:
        if opening is self._opening:
            then(value)
