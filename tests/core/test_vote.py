"""The vote: which masklets a coarse mask is made of, elected over windows of frames."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.vote import VoteFrame, VoteRules, components, elect, vote
from models.api import BoolMask

SIZE = (8, 40)


def block(number: int, *, columns: int = 10, rows: int = 8) -> BoolMask:
    """Return masklet `number`, or only some columns or rows of it."""
    mask = np.zeros(SIZE, np.bool_)
    mask[:rows, 10 * number : 10 * number + columns] = True
    return mask


def frame(*shown: int, tracked: Sequence[int] = (0, 1, 2)) -> VoteFrame:
    """Return a frame whose coarse mask shows these objects, all of which are tracked."""
    coarse = np.zeros(SIZE, np.bool_)
    for number in shown:
        coarse |= block(number)
    return VoteFrame(coarse, {number: block(number) for number in tracked})


def test_two_cats_on_one_frame_of_five_give_way_to_the_one_that_was_meant() -> None:
    """Figure 2 of the report: the third frame alone shows both cats."""
    window = [frame(2), frame(2), frame(1, 2), frame(2), frame(2)]
    elected = elect(window, VoteRules())
    assert elected.combination == {2}
    for mask in elected.masks:
        assert np.array_equal(mask, block(2))


@pytest.mark.parametrize(("columns", "belongs"), [(8, False), (9, True)])
def test_a_masklet_belongs_where_more_than_the_share_of_it_is_covered(
    columns: int, belongs: bool
) -> None:
    coarse = VoteFrame(block(1, columns=columns), {1: block(1), 2: block(2)})
    assert (1 in components(coarse, 0.8)) is belongs


def test_a_masklet_that_is_empty_belongs_to_nothing() -> None:
    covered = VoteFrame(np.ones(SIZE, np.bool_), {1: np.zeros(SIZE, np.bool_)})
    assert components(covered, 0.0) == {}


def test_where_no_masklet_is_elected_the_coarse_masks_stay() -> None:
    window = [frame(), frame(), frame(1)]
    elected = elect(window, VoteRules())
    assert elected.combination == frozenset()
    for given_frame, mask in zip(window, elected.masks, strict=True):
        assert np.array_equal(mask, given_frame.coarse)


def test_a_masklet_that_has_left_the_picture_leaves_the_mask_without_it() -> None:
    window = [frame(1, 2), frame(1, 2), frame(1, 2, tracked=(1,))]
    masks = elect(window, VoteRules()).masks
    assert np.array_equal(masks[2], block(1))


def test_a_tie_goes_to_what_was_elected_before() -> None:
    window = [frame(1), frame(2)]
    for before in (frozenset({1}), frozenset({2})):
        assert elect(window, VoteRules(), before).combination == before


def test_a_tie_without_a_window_before_goes_to_what_lies_deeper() -> None:
    shallow = VoteFrame(block(1, columns=9), {1: block(1), 2: block(2)})
    assert elect([shallow, frame(2)], VoteRules()).combination == {2}


def test_windows_do_not_overlap_and_the_last_may_be_shorter() -> None:
    frames = [frame(1)] * 4 + [frame(2)] * 4 + [frame(0)]
    found = list(vote(frames, VoteRules(window=4)))
    assert [len(each.masks) for each in found] == [4, 4, 1]
    assert [set(each.combination) for each in found] == [{1}, {2}, {0}]


@given(
    shown=st.lists(st.sets(st.integers(0, 2)), min_size=1, max_size=20),
    window=st.integers(1, 6),
)
def test_every_mask_is_the_coarse_one_or_made_of_masklets(
    shown: list[set[int]], window: int
) -> None:
    frames = [frame(*each) for each in shown]
    elected = list(vote(frames, VoteRules(window=window)))
    masks = [mask for each in elected for mask in each.masks]
    assert len(masks) == len(frames)
    for each in elected:
        for mask in each.masks if each.combination else ():
            assert np.array_equal(mask, frame(*each.combination).coarse)
    # What votes alone gets what it said.
    if window == 1:
        assert all(np.array_equal(m, f.coarse) for m, f in zip(masks, frames, strict=True))


def test_nothing_is_the_shallowest_combination_and_depth_is_a_mean() -> None:
    shallow = VoteFrame(block(1, columns=9), {1: block(1)})
    for window in ([shallow, frame()], [frame(), shallow]):
        assert elect(window, VoteRules()).combination == {1}
    nearly = block(1, columns=9) | block(2, columns=9)
    two = VoteFrame(nearly, {1: block(1), 2: block(2)})
    assert elect([two, frame(0)], VoteRules()).combination == {0}
    assert elect([two, VoteFrame(block(0, columns=9), {0: block(0)})], VoteRules()).combination == {
        1,
        2,
    }  # as deep, and more
