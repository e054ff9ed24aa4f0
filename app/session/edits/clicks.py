"""The clicks and boxes: what they mean is asked of the segmenter."""

from dataclasses import dataclass, replace

from PySide6.QtCore import QObject, Signal, Slot

from app.core.document import Entry, Key, Origin
from app.engine.jobs import Segment
from app.engine.segment import Candidate
from app.session.edits.masks import MaskEdits
from app.session.edits.objects import ObjectEdits
from app.session.inference.engine import Engine
from app.session.state.context import SessionContext
from app.session.state.masks import Masks
from app.session.state.status import SessionState
from models.api import Box, Click


@dataclass(frozen=True)
class _Answer:
    """The masks that a prompt could mean, and which of them is shown."""

    job: Segment
    candidates: tuple[Candidate, ...]
    shown: int = 0


class Clicks(QObject):
    """Turns clicks and boxes on the current frame into masks of the selected object.

    A click while the one before is not answered yet asks for both at once: of the questions about
    one object on one frame, the newest is the only one whose answer counts.
    """

    candidates_changed = Signal()  # of the last click
    preview_changed = Signal(object)  # tuple[int, int, Mask | None]: frame, object; or None

    def __init__(
        self,
        context: SessionContext,
        engine: Engine,
        objects: ObjectEdits,
        edit: MaskEdits,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._video, self._masks, self._view = context.video, context.masks, context.view
        self._engine, self._objects, self._edit = engine, objects, edit
        self._status = context.status
        self._asked: dict[Key, Segment] = {}  # not answered yet, the newest last
        self._hover: Segment | None = None
        self._hovering_since = 0  # the first preview asked for in this place; later ones count, too
        self._answer: _Answer | None = None
        self._applying = False
        engine.segmented.connect(self._on_segmented)
        engine.ended.connect(self._on_ended)
        context.masks.document_changed.connect(self._on_document_change)
        context.masks.objects_changed.connect(self._end_with_objects)
        context.view.frame_changed.connect(self._on_moved)
        context.view.selection_changed.connect(self._on_moved)

    @property
    def candidates(self) -> tuple[int, int]:
        """(which is shown, how many there are) of the last click's masks; (0, 0) = none here."""
        offered = self._offered()
        return (offered.shown, len(offered.candidates)) if offered else (0, 0)

    def click(self, click: Click) -> None:
        """Add a point on the current frame to the selected object; one is made if none is.

        A point that takes away needs something to take from.
        """
        if not click.positive and not self._has_anything():
            text = "There is nothing here to take away from. Click on the object first."
            self._status.report("warning", text)
        elif (prompt := self._prompt()) is not None:
            self._ask(replace(prompt, clicks=(*prompt.clicks, click)))

    def set_box(self, box: Box) -> None:
        """Ask for the selected object's mask in `box` on the current frame."""
        if (prompt := self._prompt()) is not None:
            # A box says the whole extent, so what was there before does not count.
            self._ask(replace(prompt, box=box, mask=None, clicks=()))

    def preview(self, click: Click | None) -> None:
        """Show as a ghost what a click would give, without giving it; None takes it away."""
        key = self._here()
        if click is None or not self._video.is_open:
            if self._hover is not None:
                self.preview_changed.emit(None)
            self._hover = None
            return
        asked, before = self._from_entry(key), self._hover
        clicks = (*asked.clicks, click)
        self._hover = replace(asked, id=self._engine.next_id(), clicks=clicks, hover=True)
        if before is None or before.key != key:
            self._hovering_since = self._hover.id
        self._engine.put(self._hover)

    def next_candidate(self) -> None:
        """Show the next of the masks that the last click or box could mean."""
        offered = self._offered()
        if offered is not None and len(offered.candidates) > 1:
            following = (offered.shown + 1) % len(offered.candidates)
            self._apply(replace(offered, shown=following))

    @property
    def asked(self) -> str:
        """The newest click or box that is not answered yet, by name; empty where there is none."""
        return _name(self._masks, next(reversed(self._asked))) if self._asked else ""

    @property
    def is_asking(self) -> bool:
        """Whether a click or box is not answered yet."""
        return bool(self._asked)

    def take_back(self) -> None:
        """Forget the newest click or box that is not answered yet."""
        if self._asked:
            self._status.report("info", f"{self.asked}: taken back.")
            self._asked.popitem()
            self._end_asking()

    def drop(self) -> None:
        """Forget every question that is not answered yet."""
        self._asked.clear()
        self._hover = None
        self._end_asking()
        self._set_answer(None)

    def _has_anything(self) -> bool:
        """Whether the selected object has a mask here, or is asked for one."""
        key = self._here()
        entry = self._masks.entry(key)
        return key in self._asked or (entry is not None and entry.mask is not None)

    def _prompt(self) -> Segment | None:
        """Return what was asked so far on the current frame of the selected object."""
        if not self._video.is_open:
            return None
        number = self._view.selected or self._objects.add()
        if number is None or self._edit.refuses(number):
            return None
        key = Key(self._view.frame, number)
        return self._asked.get(key) or self._from_entry(key)

    def _from_entry(self, key: Key) -> Segment:
        entry = self._masks.entry(key)
        return Segment(0, key, entry.clicks, None, entry.mask) if entry else Segment(0, key)

    def _ask(self, prompt: Segment) -> None:
        self._asked.pop(prompt.key, None)
        self._asked[prompt.key] = asked = replace(prompt, id=self._engine.next_id())
        self._hover = None
        if self._status.state is SessionState.IDLE:
            self._status.enter(SessionState.SEGMENTING)
        self._engine.put(asked)

    @Slot(int, object)
    def _on_segmented(self, job_id: int, candidates: tuple[Candidate, ...]) -> None:
        # A pointer that moves asks faster than it is answered: the last answer is shown meanwhile.
        if self._hover is not None and self._hovering_since <= job_id <= self._hover.id:
            frame, number = self._hover.key
            self.preview_changed.emit((frame, number, candidates[0].mask))
        # The answer may have waited in the event queue while its job was replaced.
        if (asked := self._take(job_id)) is None:
            return
        if candidates[0].mask is None:
            name = self._masks.name_of(asked.key.object)
            self._status.report("warning", f"Nothing found there for {name}. Click elsewhere.")
            return
        usable = tuple(each for each in candidates if each.mask is not None)
        self._apply(_Answer(asked, usable))

    @Slot(int, object)
    def _on_ended(self, job_id: int, error: Exception | None) -> None:
        if self._take(job_id) is not None:
            self._status.report("error", str(error))
        self._end_asking()

    def _take(self, job_id: int) -> Segment | None:
        """Return the question with this id and wait for its answer no longer."""
        key = next((key for key, asked in self._asked.items() if asked.id == job_id), None)
        return None if key is None else self._asked.pop(key)

    def _end_asking(self) -> None:
        """Say that nothing is asked any more, where that is so."""
        if not self._asked and self._status.state is SessionState.SEGMENTING:
            self._status.enter(SessionState.IDLE)

    def _apply(self, answer: _Answer) -> None:
        job, (mask, score) = answer.job, answer.candidates[answer.shown]
        entry = Entry(mask, Origin.CLICKED, score=score, clicks=job.clicks)
        self._applying = True
        text = _name(self._masks, job.key)
        made = self._edit.make({job.key: entry}, text, series=job.id)
        self._applying = False
        self._set_answer(answer if made else None)

    @Slot()
    def _end_with_objects(self) -> None:
        """Forget what was asked about objects that are gone."""
        there = {info.id for info in self._masks.objects}
        if gone := [key for key in self._asked if key.object not in there]:
            for key in gone:
                del self._asked[key]
            self._end_asking()

    @Slot(object)
    def _on_document_change(self, keys: frozenset[Key]) -> None:
        if self._answer is not None and not self._applying and self._answer.job.key in keys:
            self._set_answer(None)

    def _offered(self) -> _Answer | None:
        """Return the last answer where its frame and object are those looked at."""
        here = self._here()
        return self._answer if self._answer and self._answer.job.key == here else None

    def _here(self) -> Key:
        """Return what is looked at; object 0 where none is selected."""
        return Key(self._view.frame, self._view.selected or 0)

    @Slot()
    def _on_moved(self) -> None:
        if self._answer is not None:
            self.candidates_changed.emit()

    def _set_answer(self, answer: _Answer | None) -> None:
        if answer is not self._answer:
            self._answer = answer
            self.candidates_changed.emit()


def _name(masks: Masks, key: Key) -> str:
    return f"Click {masks.name_of(key.object)}, frame {key.frame}"
