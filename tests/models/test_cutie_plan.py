"""The plan of a pass: who starts where, who shares a memory, who is nowhere to be seen."""

import numpy as np
import pytest

from models.cutie.inference.plan import Plan

SHOWN, EMPTY = np.ones((2, 2), np.bool_), np.zeros((2, 2), np.bool_)


@pytest.mark.parametrize(
    ("own", "frames", "start"),
    [
        ((9,), range(4, 8), 9),
        ((0, 9), range(4, 8), 0),  # the nearest to the first frame
        ((0, 9), range(7, 3, -1), 9),
        ((2, 6), range(4, 8), 2),  # those visited come by themselves
        ((4, 9), range(4, 8), None),  # the first frame is one
        ((6,), range(4, 8), None),
        ((4, 9), range(0), None),
    ],
    ids=str,
)
def test_an_object_starts_from_its_nearest_anchor_outside(
    own: tuple[int, ...], frames: range, start: int | None
) -> None:
    plan = Plan.of({frame: {1: SHOWN} for frame in own}, frames)
    assert plan.starts == ({} if start is None else {1: start})
    for frame in own:
        assert plan.starting(frame) == ([1] if frame == start else [])
    assert plan.frames == tuple(frames)


def test_anchors_are_in_the_order_of_the_video_and_objects_in_theirs() -> None:
    anchors = {7: {2: SHOWN}, 3: {5: SHOWN, 2: EMPTY}, 5: {}}
    plan = Plan.of(anchors, range(10))
    found = [(frame, list(masks)) for frame, masks in plan.anchors.items()]
    assert found == [(3, [2, 5]), (7, [2])]
    assert plan.anchors[3][2] is EMPTY
    assert not plan.absent


def test_objects_with_the_same_anchors_share_a_memory() -> None:
    anchors = {0: {1: SHOWN, 2: SHOWN, 3: SHOWN, 4: SHOWN}, 6: {2: SHOWN, 4: SHOWN}, 8: {4: SHOWN}}
    plan = Plan.of(anchors, range(10))
    assert plan.groups(0) == [[1, 3], [2], [4]]
    assert plan.groups(6) == [[2], [4]]


@pytest.mark.parametrize(
    ("own", "frames", "known"),
    [
        ((2,), range(5), {2, 3, 4}),
        ((2, 4), range(5), {2, 3, 4}),
        ((2,), range(4, -1, -1), {2, 1, 0}),
        ((2, 9), range(5), {0, 1, 2, 3, 4}),
        ((9,), range(5), {0, 1, 2, 3, 4}),
    ],
    ids=str,
)
def test_an_absent_object_is_known_as_one_that_is_seen_would_be(
    own: tuple[int, ...], frames: range, known: set[int]
) -> None:
    plan = Plan.of({0: {1: SHOWN}} | {frame: {7: EMPTY} for frame in own}, frames)
    assert plan.absent.keys() == {7}
    assert plan.absent[7].known == known
    assert plan.absent[7].anchors == set(own)
    assert all(7 not in masks for masks in plan.anchors.values())
