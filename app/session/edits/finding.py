"""The finding of objects by words: what is found is proposed, and a person takes or leaves it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from PySide6.QtCore import QObject, Signal, Slot

from app.core.document import Entry, Key, Origin
from app.core.proposals import Existing, FindRequest, Proposal
from app.core.recognition import kind_of
from app.engine.jobs import Find
from app.errors import StorageError
from app.session.edits.masks import MaskEdits
from app.session.edits.objects import ObjectEdits
from app.session.inference.engine import Engine
from app.session.jobs.runner import JobRunner
from app.session.state.context import SessionContext
from app.session.state.interactions import interaction
from app.session.state.status import topic_of
from app.storage.classes import noun_classes
from models.text.nouns import phrase_of

_HANDS = ("left hand", "right hand")
# Objects that are only proposed have numbers below zero, so that none is ever another object's.
_NEW = range(-1, -255, -1)


@dataclass(frozen=True, slots=True)
class _Search:
    """A search under way: what is looked for, how far it is, and whether it is taken at once."""

    request: FindRequest
    detector: str
    takes: bool
    job: int = -1
    done: int = 0

    @property
    def frame(self) -> int:
        """The frame that is looked at."""
        return self.request.frames[self.done]


class Finding(QObject):
    """Looks for things frame by frame; every proposal waits until it is taken or discarded.

    A proposal is of an object that has no mask on that frame, or of a new one, whose number is
    below zero until then. What gets a mask meanwhile is proposed no more.
    """

    changed = Signal()  # the proposals, or how far the search is

    def __init__(
        self,
        context: SessionContext,
        engine: Engine,
        jobs: JobRunner,
        objects: ObjectEdits,
        edit: MaskEdits,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._interactions = context.interactions
        self._video, self._masks, self._view = context.video, context.masks, context.view
        self._status, self._engine, self._jobs = context.status, engine, jobs
        self._objects, self._edit = objects, edit
        self._search: _Search | None = None
        self._proposals: dict[Key, Proposal] = {}
        self._left_out: set[Key] = set()
        engine.found.connect(self._on_found)
        engine.ended.connect(self._on_ended)
        context.masks.entries_changed.connect(self._drop_settled)
        context.masks.objects_changed.connect(self._drop_settled)
        context.video.opened.connect(self._forget)

    @property
    def proposals(self) -> tuple[Proposal, ...]:
        """What was found, frames rising; on each those first that are of objects there are."""
        return tuple(self._proposals[key] for key in sorted(self._proposals, key=_order))

    @property
    def progress(self) -> tuple[int, int] | None:
        """How many frames were looked at, of how many; None = no search is under way."""
        search = self._search
        return (search.done, len(search.request.frames)) if search else None

    def proposed(self, frame: int) -> tuple[Proposal, ...]:
        """Return what was found on a frame."""
        return tuple(each for each in self.proposals if each.key.frame == frame)

    @interaction("finding")
    def look(
        self,
        phrases: Sequence[str],
        frames: Sequence[int] | None = None,
        *,
        all_of_kind: bool = True,
        detector: str = "",
    ) -> None:
        """Look for what the phrases say, by default on the current frame, and propose it.

        An earlier search ends, and what it found is discarded.
        """
        looked_at = [self._view.frame] if frames is None else list(frames)
        if self._video.is_open and phrases and looked_at:
            request = FindRequest(tuple(phrases), looked_at, all_of_kind=all_of_kind, numbers=_NEW)
            self._begin(_Search(request, detector, takes=False))

    @interaction("finding")
    def take_hands(self) -> None:
        """Find the hands on the current frame and take them, as one undo step."""
        if self._video.is_open:
            # Nobody sees them before they are anchors: colours alone make no hand of an object.
            frames = [self._view.frame]
            request = FindRequest(_HANDS, frames, numbers=_NEW, may_be_unnamed=False)
            self._begin(_Search(request, "hands", takes=True))

    @interaction("finding")
    def take(self, frame: int | None = None) -> None:
        """Make anchors of what was found on a frame, by default on all, as one undo step.

        What is left out is proposed no more.
        """
        there = self.proposals if frame is None else self.proposed(frame)
        chosen = [each for each in there if each.key not in self._left_out]
        for each in there:
            del self._proposals[each.key]
        if chosen:
            known = {each.key for each in chosen if each.key.object > 0}
            with self._jobs.making_way(known), self._masks.one_step(_text(chosen)):
                numbers = self._added(chosen)
                for each in chosen:
                    if (number := numbers.get(each.key.object)) is not None:
                        self._put(each, Key(each.key.frame, number))
            self._rename(numbers)
        self.changed.emit()

    def take_here(self) -> bool:
        """Take what was found on the current frame; return whether there was anything."""
        found = bool(self.proposed(self._view.frame))
        if found:
            self.take(self._view.frame)
        return found

    def is_left_out(self, key: Key) -> bool:
        """Whether a proposal is not taken with the others."""
        return key in self._left_out

    @interaction("finding")
    def leave_out(self, key: Key, *, leave: bool = True) -> None:
        """Do not take a proposal with the others, or do again."""
        if leave:
            self._left_out.add(key)
        else:
            self._left_out.discard(key)
        self.changed.emit()

    @interaction("finding")
    def stop(self) -> None:
        """Look no further; what was found by now waits still."""
        if self._search is not None:
            self._search = None
            self.changed.emit()

    @interaction("finding")
    def discard(self) -> None:
        """End the search and discard all proposals."""
        self._forget()

    @Slot()
    def _forget(self) -> None:
        if self._search is not None or self._proposals:
            self._search, self._proposals, self._left_out = None, {}, set()
            self.changed.emit()

    def _begin(self, search: _Search) -> None:
        self._proposals, self._left_out = {}, set()
        self._ask(search)

    def _ask(self, search: _Search) -> None:
        """Have the next frame looked at, or end where there is none."""
        if search.done == len(search.request.frames):
            self._end(search)
            return
        self._search = replace(search, job=self._engine.next_id())
        request = replace(search.request, frames=[search.frame])
        existing = Existing.of(self._masks.snapshot())
        existing = existing.with_proposals(self._proposals.values())
        self._engine.put(Find(self._search.job, request, existing, search.detector))
        self.changed.emit()

    def _end(self, search: _Search) -> None:
        self._search = None
        phrases, count = search.request.phrases, len(search.request.frames)
        if not self._proposals:
            where = f"{count:,} frames" if count > 1 else f"frame {search.request.frames[0]}"
            text = f"Nothing new of {', '.join(phrases)} was found on {where}."
            self._status.report("info", text)
        elif search.takes:
            selected = self._view.selected
            self.take()
            if selected is not None:  # the next stroke is meant for what the person chose
                self._view.select(selected)
        self.changed.emit()

    def _added(self, chosen: Sequence[Proposal]) -> dict[int, int]:
        """Add the objects that are new; return the number of each by the proposed one."""
        there = {info.id for info in self._masks.objects}
        numbers = {each.key.object: each.key.object for each in chosen if each.key.object in there}
        for each in chosen:
            if each.key.object >= 0 or each.key.object in numbers:
                continue
            known = noun_classes().of_name(kind_of(each.name))
            made = self._objects.add(each.name, known.id if known else None)
            if made is None:  # there is no room for the others either
                break
            numbers[each.key.object] = made
        return numbers

    def _put(self, proposal: Proposal, key: Key) -> None:
        """Give the object what no other one has of the mask."""
        entry = Entry(proposal.mask, Origin.CLICKED, clicks=proposal.clicks, verified=True)
        others = {info.id for info in self._masks.objects} - {key.object}
        self._edit.put(key, entry, f"Find {proposal.name}", keeping=others)

    def _rename(self, numbers: dict[int, int]) -> None:
        """Let what is proposed still of an object that was added be of that one."""

        def own(key: Key) -> Key:
            return Key(key.frame, numbers.get(key.object, key.object))

        renamed = {own(key): each for key, each in self._proposals.items()}
        self._proposals = {key: replace(each, key=key) for key, each in renamed.items()}
        self._left_out = {own(key) for key in self._left_out}

    @Slot(int, object)
    def _on_found(self, job_id: int, found: tuple[Proposal, ...]) -> None:
        if self._search is not None and self._search.job == job_id:
            self._engine.accept()
            self._proposals |= {each.key: each for each in found}
            self._drop_settled()

    @Slot(int, object)
    def _on_ended(self, job_id: int, error: Exception | None) -> None:
        search = self._search
        if search is None or search.job != job_id:
            return
        self._engine.accept()
        if error is not None:
            self._status.report("error", str(error), topic_of(error))
            if not isinstance(error, StorageError):  # that of one frame that cannot be read
                self.stop()
                return
        self._ask(replace(search, done=search.done + 1))

    @Slot()
    def _drop_settled(self, _changed: object = None) -> None:
        """Propose no more what has a mask by now, or whose object is gone."""
        there = {info.id for info in self._masks.objects}
        left = {
            key: each
            for key, each in self._proposals.items()
            if (key.object < 0 or key.object in there) and self._masks.entry(key) is None
        }
        if left != self._proposals:
            self._proposals = left
            self.changed.emit()


def phrases_of(text: str) -> tuple[str, ...]:
    """Return what to look for: phrases parted by commas, of a sentence its main noun."""
    return tuple(dict.fromkeys(phrase_of(part) for part in text.split(",") if part.strip()))


def _order(key: Key) -> tuple[int, bool, int]:
    return key.frame, key.object < 0, abs(key.object)


def _text(chosen: Sequence[Proposal]) -> str:
    """Return what the undo step is called that takes these."""
    names = list(dict.fromkeys(each.name for each in chosen))
    what = names[0] if len(names) == 1 else f"{len(names)} objects"
    frames = sorted({each.key.frame for each in chosen})
    where = f"frame {frames[0]}" if len(frames) == 1 else f"{len(frames):,} frames"
    return f"Find {what}, {where}"
