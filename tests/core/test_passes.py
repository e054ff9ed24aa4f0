"""Every frame of every object is filled once, from the right side."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.document import Key
from app.core.passes import PackedAnchors, Pass
from app.core.plan import Direction, plan_from_anchors

ANCHORED = st.dictionaries(
    st.integers(1, 4), st.lists(st.integers(0, 14), min_size=1, max_size=3), min_size=1
)


def passes(
    anchored: dict[int, list[int]], *, first: int, last: int, direction: Direction
) -> tuple[Pass, ...]:
    """Return the passes from anchors on these frames: object -> frames."""
    frames = {frame for each in anchored.values() for frame in each}
    anchors: PackedAnchors = {
        frame: {number: None for number, each in anchored.items() if frame in each}
        for frame in frames
    }
    return plan_from_anchors(anchors, first=first, last=last, direction=direction)


def filled(anchored: dict[int, list[int]], first: int, last: int, way: Direction) -> list[object]:
    found: list[object] = []
    for each in passes(anchored, first=first, last=last, direction=way):
        assert list(each.frames) in (sorted(each.frames), sorted(each.frames, reverse=True))
        for number, span in each.spans.items():
            assert set(span) <= set(each.frames)
            found += [(number, frame) for frame in span]
    return found


@given(ANCHORED, st.integers(0, 14), st.integers(0, 14))
@settings(max_examples=80, deadline=None)
def test_both_ways_fill_each_object_on_each_frame_exactly_once(
    anchored: dict[int, list[int]], one: int, other: int
) -> None:
    first, last = sorted((one, other))
    found = filled(anchored, first, last, Direction.BOTH)
    assert len(found) == len(set(found))
    assert set(found) == {(n, f) for n in anchored for f in range(first, last + 1)}


@given(ANCHORED, st.integers(0, 14), st.integers(0, 14))
@settings(max_examples=40, deadline=None)
def test_one_way_fills_only_what_lies_behind_an_anchor(
    anchored: dict[int, list[int]], one: int, other: int
) -> None:
    first, last = sorted((one, other))
    forward = filled(anchored, first, last, Direction.FORWARD)
    assert set(forward) == {
        (n, f) for n in anchored for f in range(first, last + 1) if f >= min(anchored[n])
    }
    backward = filled(anchored, first, last, Direction.BACKWARD)
    assert set(backward) == {
        (n, f) for n in anchored for f in range(first, last + 1) if f <= max(anchored[n])
    }


def test_a_backward_pass_sets_out_from_the_anchor_itself() -> None:
    forward, backward = passes({1: [5]}, first=0, last=9, direction=Direction.BOTH)
    assert forward.frames == (5, 6, 7, 8, 9)
    assert backward.frames == (5, 4, 3, 2, 1, 0)
    assert not backward.may_fill(Key(5, 1))
    assert backward.may_fill(Key(4, 1))


@pytest.mark.parametrize(("frames", "step"), [((3, 4), 1), ((4, 3), -1), ((3,), 1), ((9, 4), -1)])
def test_a_pass_has_a_direction(frames: tuple[int, ...], step: int) -> None:
    assert Pass({}, frames, {}).step == step
