"""A video with a correction, and how it is healed."""

from collections.abc import Generator, Mapping, Sequence

from app.batch.passes.heal import heal
from app.core.document import Document, Entry, Key, ObjectInfo, Origin
from app.core.heal import Rules, evidence, plan_heal, stale_marks
from app.core.mask import Mask
from models.api import Anchors, Tracked
from tests.fakes import SIZE, FakeTracker, square

RULES = Rules(patience=4)
INFO = ObjectInfo(1, "knife", (1, 2, 3))


def mask_at(x: int, side: int = 10) -> Mask:
    mask = Mask.encode(square(x, side=side))
    assert mask is not None
    return mask


def corrected(count: int, at: int, drifted: range, anchors: Mapping[int, int]) -> Document:
    """Return a video where `drifted` frames were wrong and frame `at` was corrected to 10."""
    entries = {
        Key(frame, 1): Entry(mask_at(40 if frame in drifted else 10), Origin.PROPAGATED, score=0.9)
        for frame in range(count)
    }
    for frame, x in {**anchors, at: 10}.items():
        entries[Key(frame, 1)] = Entry(mask_at(x), Origin.DRAWN)
    document = Document((INFO,), entries)
    document.replace(stale_marks(document, [Key(at, 1)]))
    return document


def healed(document: Document, at: int, tracker: FakeTracker) -> dict[Key, Entry]:
    last = max(document.frames())
    passes = plan_heal(document, {Key(at, 1)}, first=0, last=last)
    entries: dict[Key, Entry] = {}
    for step in heal(tracker, passes, dict(document.items()), RULES, SIZE):
        entries.update(step.entries)
    return entries


def correct(document: Document, new: Mapping[Key, Entry], tracker: FakeTracker) -> None:
    """Put into a document what a person has made, and heal what that makes stale."""
    document.replace(new)
    document.replace(stale_marks(document, new))
    passes = plan_heal(document, set(new), first=0, last=max(document.frames()))
    for step in heal(tracker, passes, evidence(document, passes), Rules(), SIZE):
        document.replace(step.entries)


class RetracingTracker(FakeTracker):
    """Counts how often it was asked to see frames as before."""

    again = 0

    def track_as_before(
        self, anchors: Anchors, frames: Sequence[int]
    ) -> Generator[Tracked, None, None]:
        self.again += 1
        yield from self.track(anchors, frames)
