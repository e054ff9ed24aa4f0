"""The Hungarian matching against every permutation."""

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from app.core.inspection.matching import match, match_frames, overlaps


@given(st.integers(0, 2**32 - 1), st.integers(1, 5))
def test_no_other_matching_has_a_greater_sum(seed: int, count: int) -> None:
    values = np.random.default_rng(seed).random((count, count))
    every = itertools.permutations(range(count))
    best = max(sum(values[row, column] for row, column in enumerate(way)) for way in every)
    matched = match(values)
    assert sorted(matched.tolist()) == list(range(count))
    assert np.isclose(values[np.arange(count), matched].sum(), best)


def test_one_frame_of_flicker_is_no_swap() -> None:
    ious = np.tile(np.eye(2), (9, 1, 1))
    ious[4] = ious[4, ::-1]
    assert (match_frames(ious) == [0, 1]).all()
    ious[5] = ious[5, ::-1]
    assert match_frames(ious)[4].tolist() == [1, 0]


def test_overlaps_are_those_of_masks() -> None:
    overlap = np.array([[50, 0, 5], [10, 30, 0], [0, 0, 20]])
    ious = overlaps(overlap)
    assert np.allclose(ious, [[30 / 40, 0], [0, 20 / 25]])
