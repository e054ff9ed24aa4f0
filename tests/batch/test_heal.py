"""Healing: it stops where old and new masks agree, and comes back from where they do not."""

from collections.abc import Generator, Mapping, Sequence

from app.batch.heal import heal
from app.core.document import Document, Entry, Key, ObjectInfo, Origin
from app.core.heal import Rules, plan_heal, stale_marks
from app.core.mask import Mask
from models.api import Anchors, Tracked
from tests.fakes import SIZE, FakeFrames, FakeTracker, square

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


def test_a_heal_corrects_the_drift_and_stops_where_old_and_new_agree() -> None:
    document = corrected(200, at=50, drifted=range(45, 60), anchors={0: 10})
    tracker = FakeTracker(FakeFrames(200))
    entries = healed(document, 50, tracker)
    changed = {key.frame for key, e in entries.items() if e.mask != document.get(key).mask}  # type: ignore[union-attr]
    assert changed == {*range(45, 50), *range(51, 60)}
    assert len(set(tracker.visited)) < 50


def test_frames_behind_the_stop_are_no_longer_stale_and_keep_their_masks() -> None:
    document = corrected(200, at=50, drifted=range(45, 60), anchors={0: 10})
    document.replace(healed(document, 50, FakeTracker(FakeFrames(200))))
    assert not any(entry.stale for _, entry in document.items())
    assert document.get(Key(150, 1)) == Entry(mask_at(10), Origin.PROPAGATED, score=0.9)


def test_a_drift_that_begins_again_further_on_is_seen_by_the_probes() -> None:
    document = corrected(200, at=50, drifted=range(190, 200), anchors={0: 10})
    document.replace(healed(document, 50, FakeTracker(FakeFrames(200))))
    assert document.get(Key(195, 1)).mask == mask_at(10)  # type: ignore[union-attr]


def test_missing_frames_ahead_are_filled_rather_than_skipped() -> None:
    document = corrected(60, at=20, drifted=range(20, 25), anchors={0: 10})
    document.replace({Key(55, 1): None})
    document.replace(healed(document, 20, FakeTracker(FakeFrames(60))))
    assert document.get(Key(55, 1)) is not None


def test_two_anchors_that_disagree_share_the_frames_between_them() -> None:
    document = corrected(21, at=0, drifted=range(1, 20), anchors={20: 30})
    tracker = _Dragging(FakeFrames(21))
    document.replace(healed(document, 0, tracker))
    assert document.get(Key(2, 1)).mask == mask_at(10)  # type: ignore[union-attr]
    assert document.get(Key(18, 1)).mask == mask_at(30)  # type: ignore[union-attr]
    assert document.get(Key(10, 1)).conflict  # type: ignore[union-attr]


class _Dragging(FakeTracker):
    """Drags the first mask it visits along, as a drifting tracker does."""

    def track(
        self, anchors: Anchors, frames: Sequence[int], *, probabilities: bool = False
    ) -> Generator[Tracked, None, None]:
        start = {frames[0]: anchors[frames[0]]} if frames[0] in anchors else anchors
        yield from super().track(start, frames)


def test_nothing_comes_back_from_an_anchor_that_says_absent() -> None:
    document = corrected(20, at=2, drifted=range(3, 20), anchors={0: 10})
    document.replace({Key(15, 1): Entry(None, Origin.DRAWN)})
    tracker = _Dragging(FakeFrames(20))
    entries = healed(document, 2, tracker)
    filled = [entries[Key(frame, 1)] for frame in range(3, 15)]
    assert all(entry.mask == mask_at(10) and not entry.conflict for entry in filled)
    assert all(frames[:2] != (15, 14) for frames in tracker.calls)


class _Listening(FakeTracker):
    """Remembers on which frames it was given anchors that say absent."""

    absences: frozenset[int] = frozenset()

    def track(
        self, anchors: Anchors, frames: Sequence[int], *, probabilities: bool = False
    ) -> Generator[Tracked, None, None]:
        self.absences |= {frame for frame, given in anchors.items() if not given[1].any()}
        yield from super().track(anchors, frames)


def test_a_long_absence_is_told_once() -> None:
    document = corrected(20, at=0, drifted=range(0), anchors={})
    absent = {Key(frame, 1) for frame in range(5, 12)}
    document.replace(dict.fromkeys(absent, Entry(None, Origin.DRAWN)))
    tracker = _Listening(FakeFrames(20))
    entries = healed(document, 0, tracker)
    assert tracker.absences == {11}
    assert not absent & entries.keys()
