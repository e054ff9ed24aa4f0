"""A video with a correction, and how it is healed."""

from collections.abc import Collection, Generator, Mapping, Sequence

from app.batch.passes.heal import heal
from app.batch.passes.steps import Steps
from app.core.document import Document, Entry, Key, ObjectInfo, Origin
from app.core.heal import Rules, evidence, plan_heal, stale_marks
from app.core.mask import Mask
from models.api import Anchors, Tracked
from tests.fakes import SIZE, FakeTracker, square

RULES = Rules(patience=4)
INFO = ObjectInfo(1, "knife", (1, 2, 3))
PAIR = (INFO, ObjectInfo(2, "fork", (3, 2, 1)))


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


def steps(
    document: Document,
    new: Collection[Key],
    tracker: FakeTracker,
    rules: Rules = RULES,
    *,
    first: int = 0,
    last: int | None = None,
) -> Steps:
    """Return the steps of the heal that begins at the new anchors, by default to the last frame."""
    last = max(document.frames()) if last is None else last
    passes = plan_heal(document, set(new), first=first, last=last)
    return heal(tracker, passes, evidence(document, passes), rules, SIZE)


def healed(document: Document, at: int, tracker: FakeTracker) -> dict[Key, Entry]:
    """Return what a heal that begins on frame `at` puts into a document."""
    entries: dict[Key, Entry] = {}
    for step in steps(document, {Key(at, 1)}, tracker):
        entries.update(step.entries)
    return entries


def put_right(document: Document, at: int, tracker: FakeTracker) -> None:
    """Heal a document from frame `at` on."""
    document.replace(healed(document, at, tracker))


def correct(
    document: Document,
    new: Collection[Key] | Mapping[Key, Entry],
    tracker: FakeTracker,
    rules: Rules | None = None,
    *,
    first: int = 0,
    last: int | None = None,
) -> None:
    """Put into a document what a person has made, and heal what that makes stale.

    `new` are the entries, or where they are if they stand there already.
    """
    document.replace(new if isinstance(new, Mapping) else {})
    document.replace(stale_marks(document, new))
    for step in steps(document, new, tracker, rules or Rules(), first=first, last=last):
        document.replace(step.entries)


def mask_of(document: Document, frame: int, number: int = 1) -> Mask | None:
    """Return an object's mask on a frame where it has an entry."""
    entry = document.get(Key(frame, number))
    assert entry is not None
    return entry.mask


class RetracingTracker(FakeTracker):
    """Counts how often it was asked to see frames as before."""

    again = 0

    def track_as_before(
        self, anchors: Anchors, frames: Sequence[int]
    ) -> Generator[Tracked, None, None]:
        self.again += 1
        yield from self.track(anchors, frames)
