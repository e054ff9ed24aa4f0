"""The clicks and boxes: what they mean is asked of the segmenter."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from PySide6.QtCore import QObject, Signal, Slot

from app.core.document import Entry, Key, Origin
from app.engine.jobs import Segment
from app.engine.segment import Candidate
from app.session.edits.edit import Edit
from app.session.edits.masks import MaskEdits
from app.session.edits.objects import ObjectEdits
from app.session.edits.prompts import Prompts, Question
from app.session.inference.engine import Engine
from app.session.state.context import SessionContext
from app.session.state.interactions import interaction
from app.session.state.masks import Masks
from app.session.state.status import SessionState, Topic, topic_of
from models.api import Box, Click


@dataclass(frozen=True)
class _Answer:
    """The masks that a prompt could mean, and which of them is shown.

    `keeping` are the objects that give nothing to any of them, `edit` is what showing it changed.
    """

    job: Segment
    candidates: tuple[Candidate, ...]
    keeping: frozenset[int]
    shown: int = 0
    edit: Edit | None = None


class Clicks(QObject):
    """Turns clicks and boxes on the current frame into masks of the selected object.

    Each is one undo step. A click while the one before is not answered yet waits for that answer,
    on which it builds; those on other frames and objects do not wait for each other.
    """

    candidates_changed = Signal()  # of the last click
    preview_changed = Signal(object)  # tuple[int, int, Mask | None]: frame, object; or None
    waiting_changed = Signal(object)  # tuple[Question, ...]: what is not answered yet
    settled = Signal(object, bool)  # Key where nothing waits any more; whether all was answered

    def __init__(
        self,
        context: SessionContext,
        engine: Engine,
        objects: ObjectEdits,
        edit: MaskEdits,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._interactions = context.interactions
        self._video, self._masks, self._view = context.video, context.masks, context.view
        self._engine, self._objects, self._edit = engine, objects, edit
        self._status = context.status
        self._waiting: tuple[Question, ...] = ()  # not answered yet, the newest last
        self._asked: dict[Key, Segment] = {}  # the first of those of each key
        self._prompts = Prompts(context.masks, edit)
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

    @interaction("clicks", clicks=1)
    def click(self, click: Click) -> None:
        """Add a point on the current frame to the selected object; one is made if none is.

        A point that takes away needs something to take from.
        """
        entry = self._masks.entry(self._here())
        is_empty = entry is None or entry.mask is None
        if not click.positive and is_empty and not self.waits_at(self._here()):
            text = "There is nothing here to take away from. Click on the object first."
            self._status.report("warning", text)
        elif owner := self._prompts.owner(self._here(), click):
            text = f"This belongs to {owner}, which is locked or hidden. Unlock or show it."
            self._status.report("warning", text)
        elif (key := self._target()) is not None:
            self._add(Question(key, click))

    @interaction("clicks", clicks=1)
    def set_box(self, box: Box) -> None:
        """Ask for the selected object's mask in `box` on the current frame."""
        if (key := self._target()) is not None:
            self._add(Question(key, box=box))

    def preview(self, click: Click | None) -> None:
        """Show as a ghost what a click would give, without giving it; None takes it away."""
        key = self._here()
        if click is None or not self._video.is_open:
            if self._hover is not None:
                self.preview_changed.emit(None)
            self._hover = None
            return
        before, question = self._hover, Question(key, click)
        self._hover = self._prompts.request(question, self._engine.next_id(), hover=True)
        if before is None or before.key != key:
            self._hovering_since = self._hover.id
        self._engine.put(self._hover)

    @interaction("clicks", clicks=1)
    def next_candidate(self) -> None:
        """Show the next of the masks that the last click or box could mean."""
        offered = self._offered()
        if offered is not None and len(offered.candidates) > 1:
            following = (offered.shown + 1) % len(offered.candidates)
            self._apply(replace(offered, shown=following))

    @property
    def asked(self) -> str:
        """The newest click or box that is not answered yet, by name; empty where there is none."""
        return _named(self._masks, self._waiting[-1].key) if self._waiting else ""

    def waits_at(self, key: Key) -> bool:
        """Whether a click or box of this object on this frame is not answered yet."""
        return any(each.key == key for each in self._waiting)

    @interaction("clicks")
    def take_back(self) -> None:
        """Forget the newest click or box that is not answered yet."""
        if self._waiting:
            self._status.report("info", f"{self.asked}: taken back.")
            *others, newest = self._waiting
            if not any(each.key == newest.key for each in others):
                self._asked.pop(newest.key, None)
            self._set_waiting(others)
            self.settled.emit(newest.key, False)

    def drop(self) -> None:
        """Forget every question that is not answered yet."""
        keys = {each.key for each in self._waiting}
        if self._waiting:
            text = f"{self.asked}: dropped, as it is not answered yet."
            self._status.report("info", text, Topic.ENDED)
        self._asked.clear()
        self._prompts.clear()
        self.preview(None)
        self._set_waiting(())
        self._set_answer(None)
        for key in keys:
            self.settled.emit(key, False)

    def _target(self) -> Key | None:
        """Return the selected object on the current frame; None where it may not be edited."""
        if not self._video.is_open:
            return None
        number = self._view.selected or self._objects.add()
        if number is None or self._edit.refuses(number):
            return None
        return Key(self._view.frame, number)

    def _add(self, question: Question) -> None:
        self._hover = None
        self._set_waiting((*self._waiting, question))
        self._ask_next(question.key)

    def _ask_next(self, key: Key) -> None:
        """Ask the first question about `key`, unless it is asked already."""
        question = next((each for each in self._waiting if each.key == key), None)
        if question is not None and key not in self._asked:
            self._asked[key] = asked = self._prompts.request(question, self._engine.next_id())
            self._engine.put(asked)

    @Slot(int, object)
    def _on_segmented(self, job_id: int, candidates: tuple[Candidate, ...]) -> None:
        # A pointer that moves asks faster than it is answered: the last answer is shown meanwhile.
        if self._hover is not None and self._hovering_since <= job_id <= self._hover.id:
            frame, number = self._hover.key
            self.preview_changed.emit((frame, number, candidates[0].mask))
        # The answer may have waited in the event queue while its question was taken back.
        if (asked := self._take(job_id)) is None:
            return
        self._engine.accept()
        usable = tuple(each for each in candidates if each.mask is not None)
        if usable:
            keeping = self._prompts.keeping(asked.key, asked.clicks, asked.box)
            made = self._apply(_Answer(asked, usable, keeping))
        else:
            made = False
            name = self._masks.name_of(asked.key.object)
            self._status.report("warning", f"Nothing found there for {name}. Click elsewhere.")
        self._go_on(asked.key, made=made)

    @Slot(int, object)
    def _on_ended(self, job_id: int, error: Exception | None) -> None:
        if (asked := self._take(job_id)) is not None:
            self._engine.accept()
            self._status.report("error", str(error), topic_of(error))
            self._go_on(asked.key, made=False)

    def _take(self, job_id: int) -> Segment | None:
        """Return what was asked with this id and wait for its answer no longer."""
        key = next((key for key, asked in self._asked.items() if asked.id == job_id), None)
        return None if key is None else self._asked.pop(key)

    def _go_on(self, key: Key, *, made: bool) -> None:
        """Go on with the next question about `key` once one is answered, or say that all are."""
        answered = next(each for each in self._waiting if each.key == key)
        self._set_waiting(each for each in self._waiting if each is not answered)
        self._ask_next(key)
        if not made or not self.waits_at(key):
            self.settled.emit(key, made)

    def _set_waiting(self, questions: Iterable[Question]) -> None:
        self._waiting = tuple(questions)
        state = self._status.state
        if self._waiting and state is SessionState.IDLE:
            self._status.enter(SessionState.SEGMENTING)
        elif not self._waiting and state is SessionState.SEGMENTING:
            self._status.enter(SessionState.IDLE)
        self.waiting_changed.emit(self._waiting)

    def _apply(self, answer: _Answer) -> bool:
        """Show one of the masks in place of the one before the click; return whether it is."""
        job, (mask, score) = answer.job, answer.candidates[answer.shown]
        entry = Entry(mask, Origin.CLICKED, score=score, clicks=job.clicks)
        self._applying = True
        edit = self._edit.put(
            job.key,
            entry,
            _named(self._masks, job.key),
            keeping=answer.keeping,
            series=job.id,
            instead_of=answer.edit,
        )
        self._applying = False
        shown = edit or answer.edit
        self._set_answer(replace(answer, edit=shown) if shown is not None else None)
        return edit is not None

    @Slot()
    def _end_with_objects(self) -> None:
        """Forget what was asked about objects that are gone."""
        there = {info.id for info in self._masks.objects}
        gone = {each.key for each in self._waiting if each.key.object not in there}
        if gone:
            for key in gone:
                self._asked.pop(key, None)
            self._set_waiting(each for each in self._waiting if each.key not in gone)
            for key in gone:
                self.settled.emit(key, False)

    @Slot(object)
    def _on_document_change(self, keys: frozenset[Key]) -> None:
        if self._applying:
            return
        self._prompts.forget(keys)
        if self._answer is not None and self._answer.job.key in keys:
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


def _named(masks: Masks, key: Key) -> str:
    return f"Click {masks.name_of(key.object)}, frame {key.frame}"
