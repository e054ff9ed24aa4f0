"""Failures that are put into a truth: of the kind, place and strength that was drawn."""

import numpy as np
import pytest

from app.core.evaluate import Labels
from app.core.inspection.failures import Failure
from app.core.inspection.spoiling import Spoiled, UnfitError, spoil
from models.api import BoolMask

SIZE = (120, 200)
SPAN = range(3, 9)


class Drawn(np.random.Generator):
    """A generator that draws what a test says: a side, a strength, and outlines without noise."""

    def __init__(self, side: float, strength: float) -> None:
        super().__init__(np.random.PCG64(0))
        self._side, self._strength = side, strength

    def uniform(self, low: float = 0, high: float = 1, size: object = None) -> float:  # type: ignore[override]
        """Return the side where an angle is asked for, else the strength."""
        return self._side if high > 1 else self._strength

    def standard_normal(self, size: object = None, *_: object) -> np.ndarray:  # type: ignore[override]
        """Return no noise at all."""
        return np.zeros(size)  # type: ignore[call-overload, no-any-return]


def block(top: int, left: int, rows: int = 40, columns: int = 40) -> BoolMask:
    mask = np.zeros(SIZE, np.bool_)
    mask[top : top + rows, left : left + columns] = True
    return mask


ONE, OTHER = block(40, 60), block(40, 120)


def spoiled(
    failure: Failure, *, side: float = 0.0, strength: float = 0.5, other: BoolMask = OTHER
) -> Spoiled:
    labels = np.where(ONE, 1, np.where(other, 2, 0)).astype(np.uint8)
    return spoil([labels] * 12, 1, failure, SPAN, Drawn(side, strength))


def share(mask: BoolMask, of: BoolMask) -> float:
    return np.count_nonzero(mask & of) / np.count_nonzero(of)


def near(one: BoolMask, other: BoolMask) -> bool:
    """Whether two masks are the same but for corners, which the blur of outlines rounds."""
    return int(np.count_nonzero(one ^ other)) <= 35


@pytest.mark.parametrize("failure", [each for each in Failure if each is not Failure.GOOD])
def test_outside_of_its_frames_nothing_is_wrong(failure: Failure) -> None:
    case = spoiled(failure)
    assert (case.object, case.failure, case.last) == (1, failure, 8)
    assert case.onset == (5 if failure is Failure.LATE_REENTRY else 3)
    for frame in (0, 2, 9, 11):
        for number, mask in ((1, ONE), (2, OTHER)):
            assert ((case.truth[frame] == number) == mask).all()
            assert near(case.prediction[frame] == number, mask)


@pytest.mark.parametrize("failure", [each for each in Failure if each is not Failure.GOOD])
def test_in_its_frames_only_what_the_failure_changes_is_wrong(failure: Failure) -> None:
    case = spoiled(failure)
    changes_truth = failure in {Failure.FALSE_PRESENCE, Failure.LATE_REENTRY}
    changes_other = failure in {Failure.IDENTITY_SWAP, Failure.LEAK_NEIGHBOUR}
    for frame in SPAN:
        assert changes_truth or ((case.truth[frame] == 1) == ONE).all()
        assert ((case.truth[frame] == 2) == OTHER).all()
        assert changes_other or near(case.prediction[frame] == 2, OTHER)
        wrong = (case.prediction[frame] == 1) ^ (case.truth[frame] == 1)
        absent = failure is Failure.LATE_REENTRY and frame < case.onset
        assert (int(np.count_nonzero(wrong)) <= 100) is absent


def test_what_is_missed_or_comes_late_is_nowhere_and_what_is_false_is_in_no_truth() -> None:
    missed = spoiled(Failure.MISS)
    assert not any((missed.prediction[frame] == 1).any() for frame in SPAN)
    false = spoiled(Failure.FALSE_PRESENCE)
    assert not any((false.truth[frame] == 1).any() for frame in SPAN)
    assert all(near(false.prediction[frame] == 1, ONE) for frame in SPAN)
    late = spoiled(Failure.LATE_REENTRY)
    assert [bool((late.truth[frame] == 1).any()) for frame in SPAN] == [False] * 2 + [True] * 4
    assert not any((late.prediction[frame] == 1).any() for frame in SPAN)
    labels = np.where(ONE, 1, 0).astype(np.uint8)
    long = spoil([labels] * 12, 1, Failure.LATE_REENTRY, range(1, 11), Drawn(0, 0.5))
    assert (long.onset, long.last) == (4, 10)


@pytest.mark.parametrize(("strength", "both"), [(0.0, True), (0.49, True), (0.5, False)])
def test_a_swap_is_of_both_or_of_one_that_loses_its_own_place(strength: float, both: bool) -> None:
    found = spoiled(Failure.IDENTITY_SWAP, strength=strength).prediction[5]
    assert near(found == 1, OTHER)
    assert near(found == 2, ONE) if both else not (found == 2).any()


SIDES = {0.0: "right", np.pi / 2: "bottom", np.pi: "left", 3 * np.pi / 2: "top"}


def end(mask: BoolMask, side: float, count: int) -> BoolMask:
    """Return so many columns or rows of a square block at one of its sides."""
    rows, columns = np.nonzero(mask)
    part = mask.copy()
    if SIDES[side] == "right":
        part[:, : columns.max() + 1 - count] = False
    elif SIDES[side] == "left":
        part[:, columns.min() + count :] = False
    elif SIDES[side] == "bottom":
        part[: rows.max() + 1 - count] = False
    else:
        part[rows.min() + count :] = False
    return part


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize(("strength", "lost"), [(0.0, 8), (0.5, 18), (1.0, 28)])
def test_a_part_is_lost_on_one_side(side: float, strength: float, lost: int) -> None:
    """A fifth to seven tenths of 40 columns."""
    found = spoiled(Failure.PART_LOSS, side=side, strength=strength).prediction[5]
    assert near(found == 1, ONE & ~end(ONE, side, lost))


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize(("strength", "taken"), [(0.0, 12), (0.5, 22), (1.0, 32)])
def test_a_part_of_the_neighbour_is_taken_on_one_side(
    side: float, strength: float, taken: int
) -> None:
    """Three to eight tenths of it."""
    found = spoiled(Failure.LEAK_NEIGHBOUR, side=side, strength=strength).prediction[5]
    part = end(OTHER, side, taken)
    assert near(found == 1, ONE | part)
    assert near(found == 2, OTHER & ~part)


@pytest.mark.parametrize(("strength", "way"), [(0.0, 16), (0.5, 28), (1.0, 40)])
def test_the_background_is_taken_beside_the_object_and_no_neighbour(
    strength: float, way: int
) -> None:
    """By four to ten tenths of the object's side."""
    found = spoiled(Failure.LEAK_BACKGROUND, side=0, strength=strength).prediction[5]
    moved = block(40, 60 + way)
    assert near(found == 1, ONE | moved & ~OTHER)
    assert near(found == 2, OTHER)
    down = spoiled(Failure.LEAK_BACKGROUND, side=np.pi, strength=strength).prediction[5]
    # Twice as far on it would be beyond the frame with all of the way: then it goes to the right.
    assert near(down == 1, ONE | (moved & ~OTHER if way == 40 else block(40, 60 - way)))


def test_what_would_leave_the_frame_leaks_towards_its_middle() -> None:
    for top, left, side, where in (
        (0, 60, 3 * np.pi / 2, (1, 0)),
        (80, 60, np.pi / 2, (-1, 0)),
        (40, 0, np.pi, (0, 1)),
        (40, 160, 0.0, (0, -1)),
    ):
        mask = block(top, left)
        labels = mask.astype(np.uint8)
        case = spoil([labels] * 12, 1, Failure.LEAK_BACKGROUND, SPAN, Drawn(side, 1.0))
        moved = block(top + 40 * where[0], left + 40 * where[1])
        assert share(case.prediction[5] == 1, moved) > 0.97


@pytest.mark.parametrize(("side", "shrinks"), [(0.0, True), (3.1, True), (3.2, False)])
def test_an_outline_slips_in_or_out(side: float, shrinks: bool) -> None:
    """By 0.012 of the frame's diagonal, 3 pixels, as that is less than 0.12 of the side."""
    found = spoiled(Failure.BOUNDARY, side=side).prediction[5]
    wanted = block(43, 63, 34, 34) if shrinks else block(37, 57, 46, 46)
    assert near(found == 1, wanted) or share(found == 1, wanted) > 0.97
    rows, columns = np.nonzero(found == 1)
    assert (rows.min(), columns.min()) == ((43, 63) if shrinks else (37, 57))


def test_a_thing_that_would_lose_its_limbs_is_grown() -> None:
    thin = ONE | block(58, 100, 3, 60)  # 180 of 1780 pixels
    case = spoil([thin.astype(np.uint8)] * 12, 1, Failure.BOUNDARY, SPAN, Drawn(0.0, 0.5))
    assert share(case.prediction[5] == 1, thin) > 0.97
    assert np.count_nonzero(case.prediction[5]) > 1.2 * np.count_nonzero(thin)


@pytest.mark.parametrize(("pixels", "fit"), [(400, True), (399, False)])
@pytest.mark.parametrize("failure", [Failure.IDENTITY_SWAP, Failure.LEAK_NEIGHBOUR])
def test_an_object_or_neighbour_under_four_hundred_pixels_is_not_spoiled(
    pixels: int, fit: bool, failure: Failure
) -> None:
    small = np.zeros(SIZE, np.bool_)
    small[40:60, 120:140] = np.arange(400).reshape(20, 20) < pixels
    alone = small.astype(np.uint8)
    if fit:
        assert spoiled(failure, other=small).failure is failure
        assert spoil([alone] * 12, 1, Failure.MISS, SPAN, Drawn(0, 0)).failure is Failure.MISS
    else:
        with pytest.raises(UnfitError, match="no other object"):
            spoiled(failure, other=small)
        with pytest.raises(UnfitError, match="object 1 has 399 pixels"):
            spoil([alone] * 12, 1, Failure.MISS, SPAN, Drawn(0, 0))


def test_the_largest_other_object_is_the_partner_and_good_is_no_failure() -> None:
    labels = np.zeros(SIZE, np.uint8)
    labels[ONE], labels[block(10, 5, 25, 25)], labels[OTHER] = 1, 2, 3
    case = spoil([labels] * 12, 1, Failure.IDENTITY_SWAP, SPAN, Drawn(0, 0.0))
    assert near(case.prediction[5] == 3, ONE)
    assert near(case.prediction[5] == 2, block(10, 5, 25, 25))
    with pytest.raises(UnfitError):
        spoiled(Failure.GOOD)


def test_outlines_waver_by_a_pixel_or_two() -> None:
    labels: Labels = np.where(ONE, 1, np.where(OTHER, 2, 0)).astype(np.uint8)
    case = spoil([labels] * 12, 1, Failure.MISS, SPAN, np.random.default_rng(3))
    wrong = case.prediction[0] != labels
    assert 50 < np.count_nonzero(wrong) < 400
    inner = block(43, 63, 34, 34) | block(43, 123, 34, 34)
    outer = block(37, 57, 46, 46) | block(37, 117, 46, 46)
    assert not (wrong & inner).any()
    assert not (wrong & ~outer).any()
    assert (case.prediction[0] != case.prediction[1]).any()
