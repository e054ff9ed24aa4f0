"""Jobs carried out: what a tracker says becomes entries, and a heal stops when it should."""

import subprocess
import sys
from collections.abc import Generator, Mapping, Sequence

import numpy as np
import pytest

from app.core.document import Document, Entry, Key, ObjectInfo, Origin
from app.core.heal import Rules, plan_heal, stale_marks
from app.core.mask import Mask
from app.core.plan import Direction, plan
from app.engine.jobs import Heal, Refine, Segment, Track
from app.engine.run import UnpackedAnchors, heal, refine, segment, track
from app.errors import FrameReadError
from models.api import Anchors, Box, Click, Tracked
from tests.fakes import SIZE, FakeFrames, FakeSegmenter, FakeTracker, square

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
    runs = plan_heal(document, {Key(at, 1)}, first=0, last=last)
    entries: dict[Key, Entry] = {}
    for step in heal(tracker, Heal(1, runs, dict(document.items()), RULES), SIZE):
        entries.update(step.entries)
    return entries


def test_tracking_yields_an_entry_for_every_free_frame() -> None:
    document = Document((INFO,), {Key(3, 1): Entry(mask_at(10), Origin.DRAWN)})
    runs = plan(
        document,
        [1],
        first=0,
        last=9,
        direction=Direction.BOTH,
        from_frame=3,
        to_nearest_anchor=True,
    )
    tracker = FakeTracker(FakeFrames())
    entries: dict[Key, Entry] = {}
    for step in track(tracker, Track(1, runs), SIZE):
        entries.update(step.entries)
    assert sorted(key.frame for key in entries) == [0, 1, 2, 4, 5, 6, 7, 8, 9]
    assert entries[Key(4, 1)] == Entry(mask_at(10), Origin.PROPAGATED, score=0.9)


def test_an_absent_anchor_is_an_empty_mask() -> None:
    anchors = UnpackedAnchors({3: {1: None, 2: mask_at(10)}}, SIZE)
    assert not anchors[3][1].any()
    np.testing.assert_array_equal(anchors[3][2], square(10))


def test_the_tracker_is_closed_when_the_steps_are() -> None:
    document = Document((INFO,), {Key(0, 1): Entry(mask_at(10), Origin.DRAWN)})
    runs = plan(
        document,
        [1],
        first=0,
        last=9,
        direction=Direction.FORWARD,
        from_frame=0,
        to_nearest_anchor=True,
    )
    tracker = FakeTracker(FakeFrames())
    steps = track(tracker, Track(1, runs), SIZE)
    next(steps)
    steps.close()
    assert tracker.closed == 1


def test_a_frame_that_cannot_be_read_ends_the_steps_after_those_before_it() -> None:
    document = Document((INFO,), {Key(0, 1): Entry(mask_at(10), Origin.DRAWN)})
    runs = plan(
        document,
        [1],
        first=0,
        last=9,
        direction=Direction.FORWARD,
        from_frame=0,
        to_nearest_anchor=True,
    )
    tracker = FakeTracker(FakeFrames())
    tracker.fail_at, tracker.error = 5, FrameReadError("Frame 5 cannot be read.")
    seen: list[int] = []

    def work() -> None:
        seen.extend(step.frame for step in track(tracker, Track(1, runs), SIZE))

    with pytest.raises(FrameReadError, match="Frame 5"):
        work()
    assert seen == [0, 1, 2, 3, 4]


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


def test_a_click_gives_all_candidates_best_first() -> None:
    segmenter = FakeSegmenter(FakeFrames())
    job = Segment(1, Key(4, 1), (Click(15, 25),), mask=mask_at(3))
    best, second = segment(segmenter, job)
    assert (best.mask, best.score) == (mask_at(10), 0.8)
    assert second.score == 0.6
    frame, prompt = segmenter.prompts[0]
    assert frame == 4
    np.testing.assert_array_equal(prompt.mask, square(3))


def test_a_refinement_counts_only_where_it_overlaps_the_mask() -> None:
    segmenter = FakeSegmenter(FakeFrames())
    segmenter_elsewhere = FakeSegmenter(FakeFrames())
    masks = {Key(2, 1): mask_at(10)}
    (step,) = refine(segmenter, Refine(1, masks))
    assert step.entries == {Key(2, 1): Entry(mask_at(10), Origin.REFINED, score=0.8)}
    assert segmenter.prompts[0][1].box == Box(10, 20, 20, 30)
    (step,) = refine(segmenter_elsewhere, Refine(1, masks, gate=1.1))
    assert step.entries == {}


def test_a_refiner_is_given_the_mask_itself() -> None:
    segmenter = FakeSegmenter(FakeFrames())
    masks = {Key(2, 1): mask_at(10)}
    list(refine(segmenter, Refine(1, masks)))
    given = segmenter.prompts[0][1].mask
    assert given is not None
    assert (given == mask_at(10).decode()).all()


def test_jobs_are_carried_out_without_qt() -> None:
    code = "import sys, app.engine.run; sys.exit('PySide6' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
