"""Healing: it stops where old and new masks agree, and comes back from where they do not."""

from collections.abc import Generator, Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.document import Document, Entry, Key, Origin
from app.core.heal import Rules, plan_heal
from models.api import Anchors, Prediction, Tracked
from tests.batch.corrections import (
    INFO,
    RetracingTracker,
    corrected,
    healed,
    mask_at,
    mask_of,
    put_right,
    steps,
)
from tests.fakes import FakeFrames, FakeTracker, square


@pytest.fixture
def drifted() -> Document:
    """A long video that was corrected on frame 50, within a drift from 45 to 59."""
    return corrected(200, at=50, drifted=range(45, 60), anchors={0: 10})


@pytest.fixture
def tracker() -> FakeTracker:
    """A tracker of the long video that is right on every frame."""
    return FakeTracker(FakeFrames(200))


def test_a_heal_corrects_the_drift_and_stops_where_old_and_new_agree(
    drifted: Document, tracker: FakeTracker
) -> None:
    entries = healed(drifted, 50, tracker)
    changed = {key.frame for key, e in entries.items() if e.mask != mask_of(drifted, *key)}
    assert changed == {*range(45, 50), *range(51, 60)}
    assert len(set(tracker.visited)) < 50


def test_what_a_heal_finds_is_shown_frame_by_frame_until_it_agrees_with_what_stands(
    drifted: Document, tracker: FakeTracker
) -> None:
    walked = steps(drifted, {Key(50, 1)}, tracker)
    live = {step.frame: dict(step.entries) for step in walked if step.computed and step.entries}
    for frame in (*range(45, 50), *range(51, 60)):
        assert live[frame][Key(frame, 1)].mask == mask_at(10), frame
    assert not any(frame in live for frame in range(64, 200))


def test_frames_behind_the_stop_are_no_longer_stale_and_keep_their_masks(
    drifted: Document, tracker: FakeTracker
) -> None:
    put_right(drifted, 50, tracker)
    assert not any(entry.stale for _, entry in drifted.items())
    assert drifted.get(Key(150, 1)) == Entry(mask_at(10), Origin.PROPAGATED, score=0.9)


def test_a_drift_that_begins_again_further_on_is_seen_by_the_probes(tracker: FakeTracker) -> None:
    document = corrected(200, at=50, drifted=range(190, 200), anchors={0: 10})
    put_right(document, 50, tracker)
    assert mask_of(document, 195) == mask_at(10)


def test_missing_frames_ahead_are_filled_rather_than_skipped() -> None:
    document = corrected(60, at=20, drifted=range(20, 25), anchors={0: 10})
    document.replace({Key(55, 1): None})
    put_right(document, 20, FakeTracker(FakeFrames(60)))
    assert document.get(Key(55, 1)) is not None


def test_two_anchors_that_disagree_share_the_frames_between_them() -> None:
    document = corrected(21, at=0, drifted=range(1, 20), anchors={20: 30})
    tracker = _Dragging(FakeFrames(21))
    put_right(document, 0, tracker)
    assert mask_of(document, 2) == mask_at(10)
    assert mask_of(document, 18) == mask_at(30)
    conflicts = {key.frame for key, entry in document.items() if entry.conflict}
    assert 10 in conflicts
    assert not conflicts & {1, 2, 18, 19}  # beside an anchor there is no doubt


def test_a_conflict_is_over_where_old_and_new_agree(
    drifted: Document, tracker: FakeTracker
) -> None:
    doubted = {Key(frame, 1) for frame in (42, 61)}
    drifted.replace(
        {key: replace(entry, conflict=True) for key in doubted if (entry := drifted.get(key))}
    )
    put_right(drifted, 50, tracker)
    assert not any(entry.conflict for _, entry in drifted.items())


class _Dragging(FakeTracker):
    """Drags the first mask it visits along, as a drifting tracker does."""

    def track(
        self, anchors: Anchors, frames: Sequence[int], *, probabilities: bool = False
    ) -> Generator[Tracked, None, None]:
        start = {frames[0]: anchors[frames[0]]} if frames[0] in anchors else anchors
        yield from super().track(start, frames)


class _Returning(FakeTracker):
    """Keeps to the masks it set out from; coming back, it is on the others from frame 12 on."""

    def track(
        self, anchors: Anchors, frames: Sequence[int], *, probabilities: bool = False
    ) -> Generator[Tracked, None, None]:
        comes_back = frames[-1] < frames[0]
        for frame in frames:
            self.visited.append(frame)
            x = 30 if comes_back and frame > 12 else 10
            yield frame, {1: Prediction(square(x), 0.894 if comes_back else 0.8)}


def test_a_pass_back_ends_where_it_meets_the_walk_and_is_trusted_up_to_there() -> None:
    document = corrected(21, at=0, drifted=range(1, 20), anchors={20: 30})
    tracker = _Returning(FakeFrames(21))
    entries = healed(document, 0, tracker)
    assert tracker.visited == [*range(20), *range(20, 8, -1)]
    scores = [entries[Key(frame, 1)].score for frame in range(1, 20)]
    assert scores == [0.8] * 10 + [0.894] * 9
    assert entries[Key(12, 1)].mask == mask_at(10)
    assert entries[Key(13, 1)].mask == mask_at(30)


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


@pytest.mark.parametrize(
    ("score", "before", "again"),
    [(0.85, 0.9, False), (0.83, 0.9, True), (0.83, 0.88, False), (0.0, 0.88, True)],
)
def test_a_heal_goes_on_to_a_drift_close_by_and_not_to_one_that_is_far(
    score: float, before: float, *, again: bool
) -> None:
    """It ends on frame 41 or so. Old masks drift anew where they are 6 % less sure than both."""
    document = corrected(80, at=30, drifted=range(28, 40), anchors={0: 10, 27: 10})
    sure = Entry(mask_at(10), Origin.PROPAGATED, score=before, stale=True)
    document.replace({Key(frame, 1): sure for frame in range(40, 80)})
    lost = None if score == 0 else mask_at(40)
    drifts = replace(sure, mask=lost, score=score)
    document.replace({Key(48, 1): drifts, Key(70, 1): drifts})
    tracker = FakeTracker(FakeFrames(80))
    entries = healed(document, 30, tracker)
    assert (max(tracker.visited) >= 48) is again
    assert max(tracker.visited) < 60
    assert entries[Key(48, 1)].mask == (mask_at(10) if again else lost)
    assert entries[Key(70, 1)].mask == lost


def test_a_heal_sees_frames_as_the_pass_did_that_it_is_held_against() -> None:
    document = corrected(20, at=15, drifted=range(13, 18), anchors={0: 10})
    tracker = RetracingTracker(FakeFrames(20))
    entries = healed(document, 15, tracker)
    assert tracker.again == len(tracker.calls) == 2
    assert entries == healed(document, 15, FakeTracker(FakeFrames(20)))


@pytest.mark.parametrize("drift", [0, 1, 30])
def test_a_heal_round_a_mask_that_was_found_to_be_right_changes_no_mask(drift: int) -> None:
    document = corrected(40, at=20, drifted=range(0), anchors={0: 10, 39: 10})
    document.replace({Key(20, 1): Entry(mask_at(10), Origin.PROPAGATED, verified=True, score=0.9)})
    tracker = FakeTracker(FakeFrames(40))
    tracker.drift = dict.fromkeys(range(40), drift)
    before = {key: entry.mask for key, entry in document.items()}
    put_right(document, 20, tracker)
    assert {key: entry.mask for key, entry in document.items()} == before
    assert not any(entry.stale for _, entry in document.items())


def test_a_mask_that_an_edit_has_changed_says_nothing_for_the_old_ones_beside_it() -> None:
    """It has no score any more; one that was found to be right has."""
    document = corrected(40, at=20, drifted=range(15, 26), anchors={0: 10, 39: 10})
    document.replace({Key(20, 1): Entry(mask_at(10), Origin.PROPAGATED, verified=True)})
    put_right(document, 20, FakeTracker(FakeFrames(40)))
    assert all(mask_of(document, frame) == mask_at(10) for frame in range(40))


def test_old_masks_that_were_put_right_with_the_corrected_one_stand() -> None:
    """Beside the correction they are not stale. The tracker drifts, and is as sure."""
    document = corrected(40, at=20, drifted=range(0), anchors={0: 10, 39: 10})
    right = {Key(f, 1): Entry(mask_at(10), Origin.PROPAGATED, score=0.9) for f in range(21, 26)}
    document.replace(right)
    tracker = FakeTracker(FakeFrames(40))
    tracker.drift = dict.fromkeys(range(40), 3)
    put_right(document, 20, tracker)
    assert {key: document.get(key) for key in right} == right


def test_what_lies_beyond_old_masks_that_were_put_right_is_none_of_them() -> None:
    document = corrected(40, at=20, drifted=range(20, 32), anchors={0: 10, 39: 10})
    right = {Key(f, 1): Entry(mask_at(10), Origin.PROPAGATED, score=0.9) for f in range(21, 24)}
    document.replace(right)
    document.replace(healed(document, 20, FakeTracker(FakeFrames(40))))
    assert {entry.mask for key, entry in document.items()} == {mask_at(10)}


@given(
    st.sets(st.integers(0, 29), min_size=1, max_size=5),
    st.dictionaries(st.integers(0, 29), st.integers(0, 40)),
    st.dictionaries(st.integers(0, 29), st.integers(-5, 30)),
    st.integers(0, 29),
    st.data(),
)
@settings(deadline=None, max_examples=60)
def test_no_heal_ever_changes_an_anchor(
    anchors: set[int], old: dict[int, int], drift: dict[int, int], first: int, data: st.DataObject
) -> None:
    document = Document((INFO,))
    for frame in range(30):
        origin = Origin.DRAWN if frame in anchors else Origin.PROPAGATED
        entry = Entry(mask_at(old.get(frame, 10)), origin, score=0.9, stale=frame not in anchors)
        document.replace({Key(frame, 1): entry})
    new = {Key(frame, 1) for frame in data.draw(st.sets(st.sampled_from(sorted(anchors))))}
    tracker = FakeTracker(FakeFrames(30))
    tracker.drift = drift
    is_planned = bool(plan_heal(document, new, first=first, last=29))
    for step in steps(document, new, tracker, Rules(), first=first):
        assert all(key.frame not in anchors and first <= key.frame for key in step.entries)
        document.replace(step.entries)
    if is_planned:
        assert not any(entry.stale for key, entry in document.items() if key.frame >= first)
