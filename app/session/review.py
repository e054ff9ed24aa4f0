"""The review: the suspects, in the order in which to look at them."""

from collections.abc import Callable, Mapping
from functools import partial
from itertools import permutations
from typing import NamedTuple

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from app.core.document import Entry, Key, mask_in
from app.core.events import Event, Reason
from app.core.finder import Finder
from app.core.mask import Mask
from app.core.places import changes_place
from app.core.plan import anchor_frames, is_anchor
from app.core.suspects import Order, Suspect, part
from app.session.jobs.runner import JobRunner
from app.session.state.background import Background
from app.session.state.context import SessionContext
from app.session.state.masks import Masks

_SOON_MS = 200
_LIVE_MS = 1_000  # while a job goes on finding masks


class _Passed(NamedTuple):
    """A mask that a person has let pass, as it was, and the anchor that says so, if one does."""

    mask: Mask | None
    anchor: Key | None


class PassedMasks:
    """The masks that a person has let pass: for as long as they stay as they are, all is well."""

    def __init__(self, masks: Masks) -> None:
        self._masks = masks
        self._passed: dict[Key, _Passed] = {}

    def note(self, suspect: Suspect, anchor: Key | None = None) -> None:
        """Let the masks of a suspect pass, with an `anchor` for as long as that is one."""
        for frame in range(suspect.first, suspect.last + 1):
            key = Key(frame, suspect.object)
            self._passed[key] = _Passed(self._now(key), anchor)

    def clear(self) -> None:
        """Forget all of them."""
        self._passed.clear()

    def left_of(self, suspect: Suspect) -> Suspect | None:
        """Return a suspect without the masks at its ends that were let pass; None = all were."""
        frames = range(suspect.first, suspect.last + 1)
        left = [frame for frame in frames if not self._holds(Key(frame, suspect.object))]
        if not left or (left[0] == suspect.first and left[-1] == suspect.last):
            return suspect if left else None
        return part(suspect, self._masks.of_object(suspect.object), left[0], left[-1])

    def _holds(self, key: Key) -> bool:
        passed = self._passed.get(key)
        if passed is None or passed.mask != self._now(key):
            return False
        return passed.anchor is None or is_anchor(self._masks.document, passed.anchor)

    def _now(self, key: Key) -> Mask | None:
        return mask_in(self._masks.shown(key.frame), key.object)


class Review(QObject):
    """Keeps the suspects up to date, in the background, and steps through them.

    `found` are all of them, `suspects` those of the object that was chosen, in the order that was.
    They are looked for while a job runs, too, in what it has found so far.
    """

    suspects_changed = Signal()

    def __init__(self, context: SessionContext, jobs: JobRunner, parent: QObject) -> None:
        super().__init__(parent)
        self._video, self._masks = context.video, context.masks
        self._view, self._status, self._jobs = context.view, context.status, jobs
        self.found: tuple[Suspect, ...] = ()
        self.suspects: tuple[Suspect, ...] = ()
        self._order, self._only = Order.VALUE, False
        self._current: Suspect | None = None
        self._fine = PassedMasks(context.masks)
        self._dirty: set[int] = set()
        self._finder = Finder()  # used in the background only
        self._background = Background("review", self)
        self._busy = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._look)
        context.masks.entries_changed.connect(self._on_entries_changed)
        context.masks.objects_changed.connect(self._soon)
        context.view.selection_changed.connect(self._arrange)

    @property
    def order(self) -> Order:
        """What comes first in the list."""
        return self._order

    @property
    def is_of_selected(self) -> bool:
        """Whether only suspects of the selected object are listed; all where none is selected."""
        return self._only

    @property
    def is_up_to_date(self) -> bool:
        """Whether all that has changed was looked at."""
        return not self._busy and not self._timer.isActive() and not self._dirty

    def arrange(self, order: Order, *, of_selected: bool) -> None:
        """Choose the order, and whether only the selected object's are listed."""
        self._order, self._only = order, of_selected
        self._arrange()

    def start(self) -> None:
        """Look at the whole document, which was just opened."""
        self._dirty = {info.id for info in self._masks.objects}
        self._set(())
        self._soon()

    def stop(self) -> None:
        """Stop looking; waits for the object that is looked at."""
        self._timer.stop()
        self._background.stop()
        self._busy = False
        self._finder, self._current = Finder(), None
        self._fine.clear()
        self._dirty = set()
        self._set(())

    def next(self, step: int = 1) -> None:
        """Go to the next suspect (or the one before) and select its object."""
        if not self.suspects:
            self._status.report("info", "Nothing looks suspicious.")
            return
        at = self._position()
        following = (step - 1 if step > 0 else step) if at is None else at + step
        self.show(self.suspects[following % len(self.suspects)])

    def show(self, suspect: Suspect) -> None:
        """Go to this suspect and select its object."""
        self._current = suspect
        self._view.select(suspect.object)
        self._view.go_to(suspect.frame)

    @property
    def is_at_suspect(self) -> bool:
        """Whether the person still looks at the suspect that was gone to last."""
        current, view = self._current, self._view
        return (
            current is not None
            and view.selected == current.object
            and current.first <= view.frame <= current.last
        )

    def leave(self) -> bool:
        """Leave the suspect that was gone to last for the next; return whether there is one.

        Those that the running job is about to put right are passed over, and those that would open
        on a mask that a person has just vouched for.
        """
        current = self._current
        if current is None:
            return False
        at = self._position()
        start = 0 if at is None else at + 1
        for suspect in (*self.suspects[start:], *self.suspects[:start]):
            again = suspect.object == current.object and (
                suspect.first <= current.last and current.first <= suspect.last
            )
            key = Key(suspect.frame, suspect.object)
            done = is_anchor(self._masks.document, key) or self._jobs.is_busy_with(key)
            if not again and not done:
                self.show(suspect)
                return True
        return False

    def swap_at(self, frame: int, object_id: int | None) -> Suspect | None:
        """Return the swap that an object has part in on `frame`, seen from that object."""
        for each in self.found:
            within = each.first <= frame <= each.last
            if within and each.event is Event.SWAP and concerns(each, object_id):
                return each
        return None

    def swapped(self, suspect: Suspect) -> range | None:
        """Return the frames of a swap that is over again; None = it goes on to the next anchor."""
        # Where they change back may be another suspect, or none.
        document, pair = self._masks.document, (suspect.object, suspect.other or 0)
        later = (f for number in pair for f in anchor_frames(document, number) if f > suspect.first)
        last = min(later, default=max(document.frames(), default=0) + 1)
        ends = range(suspect.first + 1, last)
        shown = self._masks.shown
        back = next(
            (
                end
                for end in ends
                for each in permutations(pair)
                if changes_place(shown(end - 1), shown(end), *each)
            ),
            None,
        )
        return None if back is None else range(suspect.first, back)

    def dismiss(self, suspect: Suspect) -> None:
        """Take a suspect off the list: it was looked at and is fine, for as long as it is so."""
        self._fine.note(suspect)
        self._set(self.found)

    def pass_current(self) -> None:
        """Take the suspect that was gone to off the list, for its worst mask was found to be right.

        For as long as that is an anchor, which would leave the rest of the suspect otherwise.
        """
        current = self._current
        if current is not None and self.is_at_suspect and self._view.frame == current.frame:
            self._fine.note(current, Key(current.frame, current.object))
            self._set(self.found)

    def _position(self) -> int | None:
        """Return where the current suspect stands now; it may have shrunk since."""
        current = self._current
        if current is None:
            return None
        for index, suspect in enumerate(self.suspects):
            same = suspect.object == current.object
            if same and suspect.first <= current.last and current.first <= suspect.last:
                return index
        # It is healed: the one that took its place in the ranking comes next.
        before = _KEYS[self._order](current)
        return len([each for each in self.suspects if _KEYS[self._order](each) < before]) - 1

    @Slot(object)
    def _on_entries_changed(self, keys: frozenset[Key]) -> None:
        self._dirty |= {key.object for key in keys}
        self._soon()

    @Slot()
    def _soon(self) -> None:
        if self._video.is_open and not self._timer.isActive():
            self._timer.start(_LIVE_MS if self._jobs.running[0] else _SOON_MS)

    @Slot()
    def _look(self) -> None:
        if not self._video.is_open:
            return
        if self._busy:
            self._soon()
            return
        document = self._masks.document
        known = [info.id for info in document.objects]
        changed = {number: self._masks.of_object(number) for number in self._dirty & set(known)}
        self._dirty = set()
        self._busy = True
        self._background.do(partial(_examine, self._finder, changed, known), self._take)

    def _take(self, suspects: tuple[Suspect, ...]) -> None:
        self._busy = False
        self._set(suspects)

    def _set(self, suspects: tuple[Suspect, ...]) -> None:
        left = tuple(
            rest
            for each in suspects
            # What is only stale is known to be, and waits for a heal.
            if each.reasons != (Reason.STALE,) and (rest := self._fine.left_of(each)) is not None
        )
        if left != self.found:
            self.found = left
            self._arrange(told=True)

    @Slot()
    def _arrange(self, _selected: object = None, *, told: bool = False) -> None:
        """List what was chosen of what was found; tell where that changes, or as `told`."""
        selected = self._view.selected
        chosen = [
            each
            for each in self.found
            if not self._only or selected is None or concerns(each, selected)
        ]
        listed = tuple(sorted(chosen, key=_KEYS[self._order]))
        if told or listed != self.suspects:
            self.suspects = listed
            self.suspects_changed.emit()


def _examine(
    finder: Finder, changed: Mapping[int, Mapping[int, Entry]], known: list[int]
) -> tuple[Suspect, ...]:
    """Return the suspects once the objects that changed are looked at."""
    for number, entries in changed.items():
        finder.examine(number, entries)
    finder.forget(keep=known)
    return finder.ranked()


def concerns(suspect: Suspect, object_id: int | None) -> bool:
    """Whether an object is the suspect one, or one of the two that have changed places."""
    swapped = suspect.event is Event.SWAP and suspect.other == object_id
    return suspect.object == object_id or (swapped and object_id is not None)


_KEYS: Mapping[Order, Callable[[Suspect], tuple[float, ...]]] = {
    Order.VALUE: lambda each: (-each.value, each.first, each.object),
    Order.TIME: lambda each: (each.first, each.object),
}
