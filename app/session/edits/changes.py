"""The changes that the last job made, each of which a person may accept or reject."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from PySide6.QtCore import QObject, Signal, Slot

from app.core.document import Entry, Key
from app.core.exclusion import settle
from app.core.overlap import quick_iou
from app.session.edits.masks import MaskEdits
from app.session.jobs.runner import JobRunner
from app.session.state.background import Background
from app.session.state.context import SessionContext

Pairs = Mapping[Key, tuple[Entry | None, Entry]]  # what a job replaced, and what it put there


class Change(NamedTuple):
    """A mask that a job changed; `amount` is 1 - IoU with the one before, 0 to 1."""

    key: Key
    amount: float


class Changes(QObject):
    """What the last job changed and nobody has decided on yet, the largest changes first.

    A change is open while the very entry that the job put there stands: what accepts it, rejects it
    or edits it closes it, and undoing that opens it again. Compared in the background.
    """

    changed = Signal()

    def __init__(
        self, context: SessionContext, jobs: JobRunner, edit: MaskEdits, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._video, self._masks = context.video, context.masks
        self._preferences = context.preferences
        self._jobs, self._edit = jobs, edit
        self._pairs: Pairs = {}
        self._ranked: tuple[Change, ...] = ()
        self._background = Background("changes", self)
        self.open: tuple[Change, ...] = ()
        jobs.replaced.connect(self._on_replaced)
        context.masks.document_changed.connect(self._on_document_change)

    def start(self) -> None:
        """Begin with no change, for a video that was just opened."""
        self._set({}, ())

    def stop(self) -> None:
        """Stop comparing."""
        self._background.stop()
        self._set({}, ())

    def pair(self, key: Key) -> tuple[Entry | None, Entry] | None:
        """Return what stood at `key` before the job, and what it put there; None = no change."""
        return self._pairs.get(key)

    def range_of(self, key: Key) -> tuple[Key, ...]:
        """Return the open changes of the same object on the neighbouring frames, and this one."""
        there = {each.key for each in self.open}
        first = last = key.frame
        while Key(first - 1, key.object) in there:
            first -= 1
        while Key(last + 1, key.object) in there:
            last += 1
        frames = range(first, last + 1)
        return tuple(each for f in frames if (each := Key(f, key.object)) in there)

    def of_object(self, number: int) -> tuple[Key, ...]:
        """Return the open changes of an object, frames rising."""
        return tuple(sorted(each.key for each in self.open if each.key.object == number))

    def accept(self, keys: Iterable[Key]) -> None:
        """Say that these changes are right, as one undo step: they are in doubt no more."""
        chosen = self._among_open(keys)
        pairs = {key: self._pairs[key] for key in chosen}

        def kept() -> dict[Key, Entry | None]:
            # Another entry, if an equal one: it is not the one that the job has put there.
            return {
                key: replace(after, stale=False, conflict=False)
                for key, (_, after) in self._standing(pairs).items()
            }

        if chosen:
            text = self._text("Accept", chosen)
            self._edit.make_anew(kept, text, marks=False, renews=True)

    def reject(self, keys: Iterable[Key]) -> None:
        """Put back what stood there before, as one undo step.

        What was found of other objects since then gives way, but not what a person made.
        """
        chosen = self._among_open(keys)
        pairs = {key: self._pairs[key] for key in chosen}
        if chosen:
            text = self._text("Reject", chosen)
            self._edit.make_anew(lambda: self._put_back(pairs), text, marks=False)

    def _put_back(self, pairs: Pairs) -> dict[Key, Entry | None]:
        """Return what puts back what stood there before."""
        chosen = self._standing(pairs)
        changes: dict[Key, Entry | None] = dict.fromkeys(chosen)
        for frame in {key.frame for key in chosen}:
            back = {
                key.object: replace(before, stale=False)
                for key, (before, _) in chosen.items()
                if key.frame == frame and before is not None
            }
            changes |= self._settled(frame, back, {key.object for key in chosen})
        return changes

    def _standing(self, pairs: Pairs) -> Pairs:
        """Return those that still stand as the job has put them there."""
        get = self._masks.document.get
        return {key: pair for key, pair in pairs.items() if get(key) is pair[1]}

    def _settled(
        self, frame: int, back: Mapping[int, Entry], chosen: Collection[int]
    ) -> dict[Key, Entry]:
        """Return what the entries `back` change on a frame where the `chosen` ones are gone."""
        if self._preferences.settings.overlap:
            return {Key(frame, number): entry for number, entry in back.items()}
        others = {n: e for n, e in self._masks.document.on_frame(frame).items() if n not in chosen}
        return settle(others, frame, back, fixed=self._edit.fixed)

    def _among_open(self, keys: Iterable[Key]) -> list[Key]:
        there = sorted({each.key for each in self.open}.intersection(keys))
        locked = {key.object for key in there if self._masks.is_locked(key.object)}
        for number in locked:
            self._edit.refuses(number)  # which says so
        return [key for key in there if key.object not in locked]

    def _text(self, verb: str, keys: Collection[Key]) -> str:
        objects = {key.object for key in keys}
        name = self._masks.name_of(next(iter(objects))) if len(objects) == 1 else "objects"
        frames = sorted({key.frame for key in keys})
        where = f"frame {frames[0]}" if len(frames) == 1 else f"{len(frames):,} frames"
        return f"{verb} the change of {name}, {where}"

    @Slot()
    def _on_replaced(self) -> None:
        if not self._video.is_open:
            return
        get = self._masks.document.get
        pairs = {
            key: (before, after)
            for key, before in self._jobs.before.items()
            if (after := get(key)) is not None
        }
        self._set({}, ())  # those of the job before are no longer what can be compared with
        self._background.do(partial(_ranked, pairs), partial(self._set, pairs))

    @Slot(object)
    def _on_document_change(self, keys: frozenset[Key]) -> None:
        if not keys.isdisjoint(self._pairs):
            self._refresh()

    def _set(self, pairs: Pairs, ranked: tuple[Change, ...]) -> None:
        self._pairs, self._ranked = pairs, ranked
        self._refresh()

    def _refresh(self) -> None:
        get = self._masks.document.get
        left = tuple(each for each in self._ranked if get(each.key) is self._pairs[each.key][1])
        if left != self.open:
            self.open = left
            self.changed.emit()


def _ranked(pairs: Pairs) -> tuple[Change, ...]:
    """Return what differs, the largest changes first."""
    amounts = (Change(key, _amount(*pair)) for key, pair in pairs.items())
    changed = (each for each in amounts if each.amount > 0)
    return tuple(sorted(changed, key=lambda each: (-each.amount, each.key)))


def _amount(before: Entry | None, after: Entry) -> float:
    """Return 1 - IoU of two masks; 0 where they are equal, 1 where there was or is none."""
    old = before.mask if before else None
    if old == after.mask:
        return 0.0
    return 1.0 if old is None or after.mask is None else max(1 - quick_iou(old, after.mask), 0.001)
