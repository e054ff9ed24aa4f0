"""The proposals of a search by words: what is looked for, what there is, and what was found."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from app.core.document import Document, Key
from app.core.mask import Mask
from app.core.passes import PackedAnchors
from app.core.recognition import RecognitionRules
from models.api import Click

_MOST_OBJECTS = 254  # ids that a palette PNG holds


@dataclass(frozen=True, slots=True)
class FindRequest:
    """What is to be found, and where.

    `frames`: one, a range, or every k-th (`range(a, b, k)`). `all_of_kind`: every thing that a
    phrase fits, or else one object for each phrase. `numbers` are those that new objects may get.
    `may_be_unnamed`: an object without a name may be what was found, by its place or its colours.
    """

    phrases: tuple[str, ...]
    frames: Sequence[int]
    all_of_kind: bool = True
    rules: RecognitionRules = field(default_factory=RecognitionRules)
    numbers: Sequence[int] = range(1, _MOST_OBJECTS + 1)
    may_be_unnamed: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Proposal:
    """A mask that was found, for a caller to take or to leave.

    `name` is that of the object, which may be new; `score` is the detector's, 0 to 1; `clicks` are
    those that made the mask.
    """

    key: Key
    mask: Mask
    name: str
    score: float
    clicks: tuple[Click, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Existing:
    """What there is already: the masks of objects, frame by frame, and the objects' names.

    A mask that is None says that the object is absent there.
    """

    masks: PackedAnchors = field(default_factory=dict)
    names: Mapping[int, str] = field(default_factory=dict)

    @classmethod
    def of(cls, document: Document) -> "Existing":
        """Return what a document holds."""
        masks = {
            frame: {number: entry.mask for number, entry in document.on_frame(frame).items()}
            for frame in document.frames()
        }
        return cls(masks, {info.id: info.name for info in document.objects})

    def with_proposals(self, proposals: Iterable[Proposal]) -> "Existing":
        """Return the same with these masks in it."""
        masks, names = {frame: dict(here) for frame, here in self.masks.items()}, dict(self.names)
        for each in proposals:
            masks.setdefault(each.key.frame, {})[each.key.object] = each.mask
            names.setdefault(each.key.object, each.name)
        return Existing(masks, names)
