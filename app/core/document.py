"""The document: which mask each object has on each frame, and how it came to be."""

import enum
import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import NamedTuple

from app.core.attributes import Attributes
from app.core.mask import Mask
from models.api import Click


class Key(NamedTuple):
    """Where an entry stands."""

    frame: int
    object: int


class Origin(enum.Enum):
    """How an entry came to be."""

    DRAWN = "drawn"
    CLICKED = "clicked"
    IMPORTED = "imported"
    PROPAGATED = "propagated"
    REFINED = "refined"


class State(enum.Enum):
    """What the timeline shows of an object on a frame."""

    NONE = 0
    PREDICTED = 1
    STALE = 2
    ANCHOR = 3
    VERIFIED = 4
    ABSENT = 5
    OCCLUDED = 6
    CONFLICT = 7
    GROUND_TRUTH = 8


@dataclass(frozen=True, slots=True)
class Entry:
    """One object's mask on one frame, and how it came to be.

    `mask` None says that the object is not visible: out of the picture, or behind something
    (`occluded`). `stale`: an anchor that this entry was propagated from has changed since.
    `conflict`: two propagations disagree here.
    """

    mask: Mask | None
    origin: Origin
    verified: bool = False  # looked at by a person: an anchor, like anything drawn or clicked
    score: float | None = None  # the model's confidence, 0 to 1
    clicks: tuple[Click, ...] = ()  # so that undoing a click also restores the clicks
    occluded: bool = False
    stale: bool = False
    conflict: bool = False

    @property
    def is_anchor(self) -> bool:
        """Whether a person made or verified it: no model ever overwrites it."""
        return self.verified or self.origin not in {Origin.PROPAGATED, Origin.REFINED}

    @property
    def is_as_found(self) -> bool:
        """Whether a person has verified what a model found, and no edit has changed it before."""
        by_model = self.origin in {Origin.PROPAGATED, Origin.REFINED}
        return self.verified and by_model and (self.mask is None or self.score is not None)

    @property
    def state(self) -> State:
        """What the timeline shows."""
        if self.mask is None:
            return State.OCCLUDED if self.occluded else State.ABSENT
        if self.origin is Origin.IMPORTED:
            return State.GROUND_TRUTH
        if self.is_anchor:
            by_model = self.origin in {Origin.PROPAGATED, Origin.REFINED}
            return State.VERIFIED if by_model else State.ANCHOR
        if self.conflict:
            return State.CONFLICT
        return State.STALE if self.stale else State.PREDICTED


def mask_in(entries: Mapping[int, Entry], number: int) -> Mask | None:
    """Return the mask of an object on a frame, or of a frame of an object; None for no entry."""
    entry = entries.get(number)
    return entry.mask if entry else None


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """One thing followed through the video; its id never changes, and no other ever has it."""

    id: int  # 1 to MOST_ID
    name: str
    color: tuple[int, int, int]  # RGB
    class_id: int | None = None  # row of the EPIC-KITCHENS noun classes
    visible: bool = True
    locked: bool = False


def why_not_editable(item: ObjectInfo) -> str | None:
    """Return why an object must not be edited and what to do, or None where it may."""
    if item.locked:
        return f"{item.name} is locked. Unlock it (L) to edit it."
    if not item.visible:
        return f"{item.name} is hidden. Show it (H) to edit it."
    return None


Changes = Mapping[Key, Entry | None]  # None removes
Objects = tuple[ObjectInfo, ...]  # in drawing order: later ones lie on top
MOST_ID = (1 << 31) - 1  # formats with fewer numbers get their own on export
Listener = Callable[[frozenset[Key]], None]
_NO_ENTRIES: Mapping[int, Entry] = MappingProxyType({})


class Document:
    """The masks and objects of one video. Owned by one thread; `snapshot` for any other.

    Every edit is one `replace`, which returns its own inverse. Looking up a frame costs the same
    however many frames have masks.
    """

    def __init__(
        self,
        objects: Objects = (),
        entries: Changes | None = None,
        *,
        next_id: int = 1,
        attributes: Attributes | None = None,
    ) -> None:
        """Begin with these masks; ids below `next_id` were given to objects before."""
        self._objects = objects
        self._attributes = attributes or Attributes()
        self._next_id = _beyond(objects, next_id)
        self._by_frame: dict[int, dict[int, Entry]] = {}
        self._listeners: list[Listener] = []
        self._count = 0
        self._apply(entries or {})

    @property
    def objects(self) -> Objects:
        """The objects, in drawing order."""
        return self._objects

    def object(self, object_id: int) -> ObjectInfo:
        """Return the object with this id; KeyError where there is none."""
        for info in self._objects:
            if info.id == object_id:
                return info
        raise KeyError(object_id)

    def replace_objects(self, objects: Objects) -> Objects:
        """Set all objects and return those before."""
        before, self._objects = self._objects, objects
        self._next_id = _beyond(objects, self._next_id)
        return before

    @property
    def attributes(self) -> Attributes:
        """What a person has said of masks besides their pixels."""
        return self._attributes

    def replace_attributes(self, attributes: Attributes) -> Attributes:
        """Set all attributes and return those before."""
        before, self._attributes = self._attributes, attributes
        return before

    @property
    def next_id(self) -> int:
        """The id for the next object: no object has had it, whether it is still there or not.

        What is on its way for an object that was deleted then never reaches another.
        """
        return self._next_id

    def __len__(self) -> int:
        return self._count

    def get(self, key: Key) -> Entry | None:
        """Return the entry at `key`, or None."""
        return self._by_frame.get(key.frame, _NO_ENTRIES).get(key.object)

    def on_frame(self, frame: int) -> Mapping[int, Entry]:
        """Return object id -> entry on `frame`; a view, not to be kept."""
        return self._by_frame.get(frame, _NO_ENTRIES)

    def frames(self) -> list[int]:
        """Return the frames that have an entry, rising."""
        return sorted(self._by_frame)

    def of_object(self, object_id: int) -> dict[int, Entry]:
        """Return frame -> entry of one object, rising."""
        return {
            frame: entries[object_id]
            for frame, entries in sorted(self._by_frame.items())
            if object_id in entries
        }

    def items(self) -> Iterable[tuple[Key, Entry]]:
        """Yield every entry, frames rising."""
        for frame in self.frames():
            for object_id, entry in self._by_frame[frame].items():
                yield Key(frame, object_id), entry

    def replace(self, changes: Changes) -> Changes:
        """Apply `changes` and return their inverse."""
        inverse = {key: self.get(key) for key in changes}
        self._apply(changes)
        keys = frozenset(changes)
        for listener in self._listeners:
            listener(keys)
        return inverse

    def on_change(self, listener: Listener) -> None:
        """Call `listener` with the keys of every later `replace`."""
        self._listeners.append(listener)

    def snapshot(self) -> "Document":
        """Return a copy that later edits do not touch, for another thread to read."""
        return Document(
            self._objects,
            dict(self.items()),
            next_id=self._next_id,
            attributes=self._attributes,
        )

    def _apply(self, changes: Changes) -> None:
        for key, entry in changes.items():
            on_frame = self._by_frame.setdefault(key.frame, {})
            self._count += (entry is not None) - (key.object in on_frame)
            if entry is not None:
                on_frame[key.object] = entry
            else:
                on_frame.pop(key.object, None)
            if not on_frame:
                del self._by_frame[key.frame]


def _beyond(objects: Objects, least: int) -> int:
    """Return the first id from `least` on that lies behind those of all objects."""
    return max((least, *(info.id + 1 for info in objects)))


def ids_for(document: Document, ids: Iterable[int]) -> dict[int, int]:
    """Return the id that each object from outside gets in a document.

    An object that is there, or an id that none ever had, stays as it is; one whose id belonged to
    an object that is gone gets a new one.
    """
    there = {info.id for info in document.objects}
    given = sorted(set(ids))
    fresh = itertools.count(max((document.next_id, *(number + 1 for number in given))))
    return {
        number: number if number in there or number >= document.next_id else next(fresh)
        for number in given
    }


def renumbered(document: Document, ids: Mapping[int, int]) -> Document:
    """Return a document whose objects have the ids that `ids_for` gives them, and no attributes."""
    return Document(
        tuple(replace(info, id=ids[info.id]) for info in document.objects),
        {Key(key.frame, ids[key.object]): entry for key, entry in document.items()},
    )
