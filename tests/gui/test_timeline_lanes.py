"""The timeline's arrays: no state is lost, and a change costs what its keys cost."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.document import Document, Entry, Key, ObjectInfo, Origin, State
from app.core.mask import Mask
from app.gui.timeline import lanes
from app.gui.timeline.lanes import PLAIN, RANK, Lanes, Scale

MASK = Mask((4, 4), (0, 1, 0, 1), b"")
PREDICTED = Entry(MASK, Origin.PROPAGATED, score=0.9)
DRAWN = Entry(MASK, Origin.DRAWN)
STALE = Entry(MASK, Origin.PROPAGATED, score=0.2, stale=True)
OBJECTS = (ObjectInfo(1, "hand", (255, 0, 0)), ObjectInfo(2, "knife", (0, 255, 0)))


def ranks(*states: State) -> lanes.Ranks:
    return np.array([RANK[state] for state in states], np.uint8)


@settings(max_examples=60, deadline=None)
@given(
    count=st.integers(1, 3000),
    bad=st.integers(0, 2999),
    width=st.integers(20, 1500),
    first=st.floats(0, 2000),
    zoom=st.floats(0.01, 60),
)
def test_a_single_bad_frame_in_view_is_always_drawn(
    count: int, bad: int, width: int, first: float, zoom: float
) -> None:
    scale = Scale(first, zoom).within(count, width)
    lane = np.full(count, RANK[State.PREDICTED], np.uint8)
    bad %= count
    lane[bad] = RANK[State.CONFLICT]
    columns = lanes.worst(lane, scale.columns(count, width), count)
    left, right = scale.x_of(bad), scale.x_of(bad + 1)
    if right > 1 and left < width - 1:
        assert RANK[State.CONFLICT] in columns


def test_a_bad_frame_beyond_the_last_column_is_not_drawn() -> None:
    lane = ranks(State.PREDICTED, State.PREDICTED, State.CONFLICT)
    starts = Scale(0, 1).columns(3, 2)
    assert lanes.worst(lane, starts, 2).tolist() == [RANK[State.PREDICTED]] * 2


def test_a_narrow_bad_stretch_is_widened_and_drawn_plain() -> None:
    columns = np.full(40, RANK[State.PREDICTED], np.uint8)
    columns[10] = RANK[State.STALE]
    wide = lanes.emphasised(columns, 3, 12)
    assert wide[9:14].tolist() == [1, *[RANK[State.STALE] + PLAIN] * 3, 1]


def test_a_wide_bad_stretch_keeps_its_pattern() -> None:
    columns = np.full(40, RANK[State.CONFLICT], np.uint8)
    assert (lanes.emphasised(columns, 3, 12) == RANK[State.CONFLICT]).all()


def test_the_lowest_score_of_a_column_shows() -> None:
    scores = np.array([0.9, 0.1, np.nan, np.nan, 0.5], np.float32)
    starts = Scale(0, 0.5).columns(5, 3)
    assert lanes.lowest(scores, starts, 5).tolist() == pytest.approx(
        [0.1, np.nan, 0.5], nan_ok=True
    )


def test_zooming_keeps_the_frame_under_the_cursor() -> None:
    scale = Scale(100, 2)
    zoomed = scale.zoomed(1.25, 60)
    assert zoomed.first + 60 / zoomed.per_frame == pytest.approx(100 + 60 / 2)


@settings(max_examples=50, deadline=None)
@given(first=st.floats(-1e4, 1e5), zoom=st.floats(0, 100), count=st.integers(1, 20000))
def test_the_view_stays_within_the_video(first: float, zoom: float, count: int) -> None:
    scale = Scale(first, zoom).within(count, 800)
    assert scale.first >= 0
    assert scale.x_of(count) >= 800 - 1e-6


def test_dense_anchors_are_thinned_to_what_can_be_told_apart() -> None:
    frames = np.arange(10_000)
    kept = lanes.thinned(frames, Scale(0, 0.1), 8.0)
    assert kept.size == pytest.approx(125, abs=1)
    assert lanes.thinned(frames[:20], Scale(0, 12), 8.0).size == 20


def document() -> Document:
    return Document(
        OBJECTS, {Key(0, 1): DRAWN, Key(1, 1): PREDICTED, Key(2, 1): STALE, Key(1, 2): PREDICTED}
    )


def test_all_states_are_read_at_first() -> None:
    data = Lanes(lambda entry: entry.score)
    data.reset(document(), 5)
    expected = ranks(State.ANCHOR, State.PREDICTED, State.STALE, State.NONE, State.NONE)
    np.testing.assert_array_equal(data.ranks(1), expected)
    assert data.scores(1)[2] == pytest.approx(0.2)
    assert data.scores(1)[0] == 1  # an anchor is certain
    assert np.isnan(data.scores(1)[3])


def test_a_change_reads_its_own_keys_only() -> None:
    data, asked = Lanes(lambda entry: entry.score), []
    data.reset(document(), 5)

    def shown(frame: int) -> dict[int, Entry]:
        asked.append(frame)
        return {1: PREDICTED}

    touched = data.update({Key(2, 1), Key(4, 1), Key(2, 2)}, shown)
    assert asked == [2, 4]
    assert touched == {1, 2}
    assert data.ranks(1).tolist()[2:] == [RANK[State.PREDICTED], 0, RANK[State.PREDICTED]]
    assert data.ranks(2)[1] == RANK[State.PREDICTED]


def test_keys_of_unknown_objects_and_frames_are_passed_over() -> None:
    data = Lanes(lambda entry: entry.score)
    data.reset(document(), 5)
    data.update({Key(99, 1), Key(1, 77)}, lambda _frame: {1: DRAWN, 77: DRAWN})
    assert data.ranks(1).size == 5


def test_lanes_come_and_go_with_their_objects() -> None:
    data = Lanes(lambda entry: entry.score)
    data.reset(document(), 5)
    assert data.keep([2, 3]) == [3]
    assert not data.ranks(3).any()
    with pytest.raises(KeyError):
        data.ranks(1)


def test_all_are_read_anew_where_an_object_is_no_longer_alone_or_is_now() -> None:
    data = Lanes(lambda entry: entry.score)
    data.reset(document(), 5)
    assert data.keep([1]) == [1]
    assert data.keep([1]) == []
    assert data.keep([1, 3]) == [1, 3]
    assert data.keep([1, 3, 4]) == [4]
    assert data.keep([4]) == [4]
    assert data.keep([]) == []


def test_an_absence_that_a_person_has_said_is_an_anchor_and_one_of_a_model_is_not() -> None:
    said, found = Entry(None, Origin.DRAWN, verified=True), Entry(None, Origin.PROPAGATED)
    verified = Entry(None, Origin.PROPAGATED, verified=True)
    data = Lanes(lambda entry: entry.score)
    data.reset(Document(OBJECTS, {Key(3, 1): said, Key(4, 1): found, Key(5, 1): verified}), 20)
    assert data.anchors(1, 0, 20).tolist() == [3, 5]
    data.update([Key(3, 1)], lambda _frame: {1: found})
    assert data.anchors(1, 0, 20).tolist() == [5]


def test_the_nearest_anchor_is_found_within_reach() -> None:
    data = Lanes(lambda entry: entry.score)
    data.reset(Document(OBJECTS, {Key(3, 1): DRAWN, Key(9, 1): DRAWN}), 20)
    assert data.nearest_anchor(1, 7, 3) == 9
    assert data.nearest_anchor(1, 5, 2) == 3
    assert data.nearest_anchor(1, 15, 3) is None
