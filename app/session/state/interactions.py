"""The interactions of the person with the session, told as they are made."""

import functools
import inspect
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Concatenate, ParamSpec, Protocol, TypeVar

from PySide6.QtCore import QObject, Signal, Slot

from app.core.document import Key
from app.core.effort import Answer, Interaction, Plain, Tally
from app.storage.interactions import encode

if TYPE_CHECKING:
    from app.session.state.video import CurrentVideo
    from app.session.state.view import ViewState

VIEW = "view.show"  # what it is called that the person looks elsewhere
_known: set[str] = {VIEW}

_P = ParamSpec("_P")
_R = TypeVar("_R")


class Interactions(QObject):
    """Tells what the person does with the session, and which answers of models it came after.

    What is done on the way, by an interaction or by an answer, is none of its own. The same
    interactions between the same answers make the same masks: a log of them can be replayed.
    """

    made = Signal(object)  # Interaction
    began = Signal()  # with another video, or none: `tally` is that of its own

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._depth = 0
        self._requests: dict[int, int] = {}  # job id -> which request it is
        self._answers: list[Answer] = []  # that came since the last interaction
        self._within: list[Answer] | None = None  # that came in the one under way
        self._current: Answer | None = None  # that is being taken in
        self._looked: Interaction | None = None  # to be told, where the person does not go on
        self._last = time.monotonic()
        self._view: ViewState | None = None
        self.tally = Tally()

    def watch(self, video: "CurrentVideo", view: "ViewState") -> None:
        """Tell where the person looks, too."""
        self._view = view
        video.opened.connect(self._begin)
        view.frame_changed.connect(self._on_looked)
        view.selection_changed.connect(self._on_looked)
        view.range_changed.connect(self._on_looked)

    def asked(self, job_id: int) -> None:
        """Take note that models were asked for what may change a mask.

        What is asked outside of interactions is for something else, as a run to compare with.
        """
        if self.is_inside:
            self._requests[job_id] = len(self._requests)

    def request_of(self, job_id: int) -> int | None:
        """Return which request a job is, from 0 on; None where it changes no mask."""
        return self._requests.get(job_id)

    @property
    def is_inside(self) -> bool:
        """Whether an interaction or an answer is under way."""
        return self._depth > 0

    @contextmanager
    def answering(self, kind: str, job_id: int) -> Iterator[None]:
        """Hold while an answer of a model is taken in."""
        before, self._current = self._current, None
        if (request := self._requests.get(job_id)) is not None:
            self._current = Answer(kind, request)
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
            self._current = before

    def accept(self) -> None:
        """Take note that the answer under way is used: nobody waits for others any more."""
        if self._current is not None:
            (self._answers if self._within is None else self._within).append(self._current)
            self._current = None

    @contextmanager
    def making(self, what: str, clicks: int, given: Mapping[str, object]) -> Iterator[None]:
        """Hold while an interaction is carried out; what is `given` counts as it is at the end."""
        self._tell_looked()
        after, self._answers, self._within = tuple(self._answers), [], []
        frame, number = self._place(given)
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
            within, self._within = tuple(self._within), None
            plain = {name: encode(value) for name, value in given.items()}
            if number is None:
                number = self._selected  # the object may have been made by it
            self._tell(
                Interaction(what, frame, number, self._elapsed(), clicks, plain, after, within)
            )

    def finish(self) -> tuple[Answer, ...]:
        """Tell what is left to tell; return the answers that came since."""
        self._tell_looked()
        after, self._answers = tuple(self._answers), []
        return after

    def _place(self, given: Mapping[str, object]) -> tuple[int, int | None]:
        """Return the frame and object that an interaction is about."""
        frame, number = given.get("frame"), given.get("object_id")
        keys = given.get("keys")
        if isinstance(keys, list) and keys and isinstance(keys[0], Key):
            frame, number = keys[0]
        here = self._view.frame if self._view is not None else 0
        return (
            frame if isinstance(frame, int) else here,
            number if isinstance(number, int) else self._selected,
        )

    @property
    def _selected(self) -> int | None:
        return self._view.selected if self._view is not None else None

    def _elapsed(self) -> float:
        before, self._last = self._last, time.monotonic()
        return self._last - before

    def _tell(self, interaction: Interaction) -> None:
        self.tally.add(interaction)
        self.made.emit(interaction)

    def _tell_looked(self) -> None:
        looked, self._looked = self._looked, None
        if looked is not None:
            self._tell(looked)

    @Slot()
    def _on_looked(self) -> None:
        """Take note of where the person looks; of a way only the end counts."""
        view = self._view
        if view is None or self.is_inside:
            return
        seconds, earlier = self._elapsed(), self._looked
        after = tuple(self._answers)
        if earlier is not None:
            if after:
                self._tell(earlier)
            else:
                seconds, after = seconds + earlier.seconds, earlier.after
        self._answers = []
        given: dict[str, Plain] = {
            "frame": view.frame,
            "selected": view.selected,
            "first": view.in_point,
            "last": view.out_point,
        }
        self._looked = Interaction(
            VIEW, view.frame, view.selected, seconds, given=given, after=after
        )

    @Slot()
    def _begin(self) -> None:
        self._requests, self._answers, self._looked = {}, [], None
        self._last, self.tally = time.monotonic(), Tally()
        self.began.emit()


class Interactive(Protocol):
    """A part of the session that tells of what is done with it."""

    _interactions: Interactions


_S = TypeVar("_S", bound=Interactive)


def interaction(
    part: str, *, clicks: int = 0
) -> Callable[[Callable[Concatenate[_S, _P], _R]], Callable[Concatenate[_S, _P], _R]]:
    """Make a method of a part of the session an interaction; it takes so many `clicks`."""

    def decorate(method: Callable[Concatenate[_S, _P], _R]) -> Callable[Concatenate[_S, _P], _R]:
        what = f"{part}.{method.__name__}"
        _known.add(what)
        signature = inspect.signature(method)

        @functools.wraps(method)
        def told(self: _S, /, *args: _P.args, **kwargs: _P.kwargs) -> _R:
            interactions = self._interactions
            if interactions.is_inside:
                return method(self, *args, **kwargs)
            bound = signature.bind(self, *args, **kwargs)
            # What can be gone through once only is gone through here.
            given = {
                name: list(value) if isinstance(value, Iterator) else value
                for name, value in list(bound.arguments.items())[1:]
            }
            bound.arguments.update(given)
            with interactions.making(what, clicks, given):
                return method(*bound.args, **bound.kwargs)

        return told

    return decorate


def is_interaction(what: str) -> bool:
    """Whether a part and its method are an interaction."""
    return what in _known
