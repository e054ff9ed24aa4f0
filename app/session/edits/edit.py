"""The edit of masks as it was made: what it replaced, so that it can be taken back later."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from app.core.document import Changes, Document, Entry, Key
from app.core.mask import Mask

Masks = dict[int, Mask]  # object -> its mask on a frame


@dataclass(frozen=True, slots=True)
class Edit:
    """The entries that one edit replaced, and those it put there, stale marks included.

    `beside` is frame -> all masks there before the edit, of the frames that it is about.
    """

    before: Changes = field(default_factory=dict)
    after: Changes = field(default_factory=dict)
    beside: Mapping[int, Masks] = field(default_factory=dict)

    def then(self, later: "Edit") -> "Edit":
        """Return this edit and a later one as one."""
        return Edit(
            {**later.before, **self.before},
            {**self.after, **later.after},
            {**later.beside, **self.beside},
        )

    def undone_in(self, document: Document) -> Changes:
        """Return what takes the edit back, but not on frames where something came after it.

        What became stale since then still is.
        """
        now = {key: document.get(key) for key in self.after}
        there = {frame: masks_of(document.on_frame(frame)) for frame in self.beside}
        changed = {frame for frame, left in self._left().items() if there[frame] != left}
        other = {key for key, entry in self.after.items() if not _is_same(now[key], entry)}
        changed |= {key.frame for key in other if key.frame in self.beside}
        return {
            key: self.before[key] if now[key] == entry else _stale(self.before[key])
            for key, entry in self.after.items()
            if key not in other and key.frame not in changed and self.before[key] != entry
        }

    def _left(self) -> dict[int, Masks]:
        """Return frame -> the masks that the edit left there, of the frames that it is about."""
        left = {frame: dict(masks) for frame, masks in self.beside.items()}
        for key, entry in self.after.items():
            if key.frame in left:
                left[key.frame].pop(key.object, None)
                left[key.frame] |= masks_of({key.object: entry} if entry is not None else {})
        return left

    @property
    def hides(self) -> frozenset[Key]:
        """Where it says that an object is not to be seen."""
        return frozenset(
            key
            for key, entry in self.after.items()
            if entry is not None and entry.mask is None and entry.is_anchor
        )


def masks_of(entries: Mapping[int, Entry]) -> Masks:
    """Return the masks of a frame's entries."""
    return {number: entry.mask for number, entry in entries.items() if entry.mask is not None}


def _is_same(now: Entry | None, left: Entry | None) -> bool:
    """Whether an entry is what the edit left, but for a mark as stale that came later."""
    return now == left or (now is not None and replace(now, stale=False) == left)


def _stale(entry: Entry | None) -> Entry | None:
    return entry if entry is None or entry.is_anchor else replace(entry, stale=True)
