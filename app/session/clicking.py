"""Clicks and boxes: what they mean is asked of the segmenter."""

from dataclasses import dataclass, replace

from PySide6.QtCore import QObject, Slot

from app.core.document import Entry, Key, Origin
from app.engine.jobs import Segment
from app.engine.segment import Candidate
from app.session.editing import Editing
from app.session.engine import Engine
from app.session.objects import ObjectEdits
from app.session.signals import SessionState
from app.session.workspace import Workspace
from models.api import Box, Click


@dataclass(frozen=True)
class _Answer:
    """The masks that a prompt could mean, and which of them is shown."""

    job: Segment
    candidates: tuple[Candidate, ...]
    shown: int = 0


class Clicking(QObject):
    """Turns clicks and boxes on the current frame into masks of the selected object.

    A click while the one before is not answered yet asks for both at once: of the questions about
    one object on one frame, the newest is the only one whose answer counts.
    """

    def __init__(
        self,
        workspace: Workspace,
        engine: Engine,
        objects: ObjectEdits,
        editing: Editing,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._workspace, self._engine = workspace, engine
        self._objects, self._editing = objects, editing
        self._asked: dict[Key, Segment] = {}  # not answered yet, the newest last
        self._hover: Segment | None = None
        self._hovering_since = 0  # the first preview asked for in this place; later ones count, too
        self._answer: _Answer | None = None
        self._applying = False
        engine.segmented.connect(self._on_segmented)
        engine.ended.connect(self._on_ended)
        workspace.on_document_change(self._on_document_change)
        workspace.signals.frame_changed.connect(self._on_moved)
        workspace.signals.selection_changed.connect(self._on_moved)

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
            self._workspace.report("warning", text)
        elif (prompt := self._prompt()) is not None:
            self._ask(replace(prompt, clicks=(*prompt.clicks, click)))

    def set_box(self, box: Box) -> None:
        """Ask for the selected object's mask in `box` on the current frame."""
        if (prompt := self._prompt()) is not None:
            # A box says the whole extent, so what was there before does not count.
            self._ask(replace(prompt, box=box, mask=None, clicks=()))

    def preview_click(self, click: Click | None) -> None:
        """Show as a ghost what a click would give, without giving it; None takes it away."""
        workspace = self._workspace
        key = Key(workspace.frame, workspace.selected or 0)
        if click is None or workspace.video is None:
            if self._hover is not None:
                workspace.signals.preview_changed.emit(None)
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
        return _named(self._workspace, next(reversed(self._asked))) if self._asked else ""

    def take_back(self) -> None:
        """Forget the newest click or box that is not answered yet."""
        if self._asked:
            self._workspace.report("info", f"{self.asked}: taken back.")
            self._asked.popitem()
            self._rest()

    def drop(self) -> None:
        """Forget every question that is not answered yet."""
        self._asked.clear()
        self._hover = None
        self._rest()
        self._set_answer(None)

    def _has_anything(self) -> bool:
        """Whether the selected object has a mask here, or is asked for one."""
        key = Key(self._workspace.frame, self._workspace.selected or 0)
        entry = self._workspace.entry(key)
        return key in self._asked or (entry is not None and entry.mask is not None)

    def _prompt(self) -> Segment | None:
        """Return what was asked so far on the current frame of the selected object."""
        workspace = self._workspace
        if workspace.video is None:
            return None
        number = workspace.selected or self._objects.add()
        if number is None:
            return None
        if workspace.refuses(number):
            return None
        key = Key(workspace.frame, number)
        return self._asked.get(key) or self._from_entry(key)

    def _from_entry(self, key: Key) -> Segment:
        entry = self._workspace.entry(key)
        return Segment(0, key, entry.clicks, None, entry.mask) if entry else Segment(0, key)

    def _ask(self, prompt: Segment) -> None:
        self._asked.pop(prompt.key, None)
        self._asked[prompt.key] = asked = replace(prompt, id=self._engine.next_id())
        self._hover = None
        if self._workspace.activity is SessionState.IDLE:
            self._workspace.enter(SessionState.SEGMENTING)
        self._engine.put(asked)

    @Slot(int, object)
    def _on_segmented(self, job_id: int, candidates: tuple[Candidate, ...]) -> None:
        # A pointer that moves asks faster than it is answered: the last answer is shown meanwhile.
        if self._hover is not None and self._hovering_since <= job_id <= self._hover.id:
            frame, number = self._hover.key
            self._workspace.signals.preview_changed.emit((frame, number, candidates[0].mask))
        # The answer may have waited in the event queue while its job was replaced.
        if (asked := self._take(job_id)) is None:
            return
        if candidates[0].mask is None:
            name = self._workspace.name_of(asked.key.object)
            self._workspace.report("warning", f"Nothing found there for {name}. Click elsewhere.")
            return
        usable = tuple(each for each in candidates if each.mask is not None)
        self._apply(_Answer(asked, usable))

    @Slot(int, object)
    def _on_ended(self, job_id: int, error: Exception | None) -> None:
        if self._take(job_id) is not None:
            self._workspace.report("error", str(error))
        self._rest()

    def _take(self, job_id: int) -> Segment | None:
        """Return the question with this id and wait for its answer no longer."""
        key = next((key for key, asked in self._asked.items() if asked.id == job_id), None)
        return None if key is None else self._asked.pop(key)

    def _rest(self) -> None:
        """Say that nothing is asked any more, where that is so."""
        if not self._asked and self._workspace.activity is SessionState.SEGMENTING:
            self._workspace.enter(SessionState.IDLE)

    def _apply(self, answer: _Answer) -> None:
        job, (mask, score) = answer.job, answer.candidates[answer.shown]
        entry = Entry(mask, Origin.CLICKED, score=score, clicks=job.clicks)
        self._applying = True
        text = _named(self._workspace, job.key)
        made = self._editing.make({job.key: entry}, text, series=job.id)
        self._applying = False
        self._set_answer(answer if made else None)

    def _on_document_change(self, keys: frozenset[Key]) -> None:
        if self._answer is not None and not self._applying and self._answer.job.key in keys:
            self._set_answer(None)

    def _offered(self) -> _Answer | None:
        """Return the last answer where its frame and object are those looked at."""
        here = Key(self._workspace.frame, self._workspace.selected or 0)
        return self._answer if self._answer and self._answer.job.key == here else None

    @Slot()
    def _on_moved(self) -> None:
        if self._answer is not None:
            self._workspace.signals.candidates_changed.emit()

    def _set_answer(self, answer: _Answer | None) -> None:
        if answer is not self._answer:
            self._answer = answer
            self._workspace.signals.candidates_changed.emit()


def _named(workspace: Workspace, key: Key) -> str:
    return f"Click {workspace.name_of(key.object)}, frame {key.frame}"
