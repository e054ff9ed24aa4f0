"""Recognition: which of the finds on a frame is which known object."""

import cv2
import numpy as np
import pytest

from app.core.mask import Mask
from app.core.recognition import RecognitionRules, Sighting, kind_of, likeness, look_of, recognise
from models.api import Image
from tests.fakes import SIZE, square

RULES = RecognitionRules()
RED, BLUE = (200, 40, 30), (30, 40, 200)


def picture(color: tuple[int, int, int]) -> Image:
    return np.full((*SIZE, 3), color, np.uint8)


def mask_at(x: int) -> Mask:
    mask = Mask.encode(square(x))
    assert mask is not None
    return mask


def seen(frame: int, x: int, color: tuple[int, int, int] = RED, kind: str = "cup") -> Sighting:
    """Return the sighting of a square of one colour."""
    mask = mask_at(x)
    return Sighting(frame, mask, look_of(picture(color), mask), kind)


def recognised(
    found: list[Sighting],
    known: dict[int, list[Sighting]],
    here: dict[int, Mask | None] | None = None,
) -> dict[int, int]:
    return recognise(found, known, here or {}, RULES, lambda one, other: one == other)


def test_a_find_over_a_settled_mask_is_that_object() -> None:
    here = {4: Mask.encode(square(10)), 5: Mask.encode(square(40))}
    assert recognised([seen(3, 40), seen(3, 11)], {}, here) == {0: 5, 1: 4}


def test_a_find_apart_from_every_settled_mask_is_none_of_them() -> None:
    known = {4: [seen(0, 40)]}
    assert recognised([seen(3, 40)], known, {4: Mask.encode(square(10))}) == {}


def test_nothing_is_recognised_where_nothing_is_known() -> None:
    assert recognised([seen(3, 10)], {}) == {}
    assert recognised([seen(3, 10)], {1: []}, {2: None}) == {}


def test_a_find_is_the_object_that_was_last_seen_there() -> None:
    known = {1: [seen(0, 40, BLUE), seen(2, 10, BLUE)], 2: [seen(0, 10), seen(2, 40)]}
    assert recognised([seen(3, 11), seen(3, 41, BLUE)], known) == {0: 1, 1: 2}


def test_an_object_that_moved_is_known_by_its_looks() -> None:
    known = {1: [seen(0, 0, RED)], 2: [seen(0, 0, BLUE)]}
    assert recognised([seen(9, 40, BLUE)], known) == {0: 2}


def test_an_object_is_found_once_and_only_among_its_kind() -> None:
    known = {1: [seen(0, 10)]}
    assert recognised([seen(3, 12), seen(3, 10)], known) == {1: 1}
    assert recognised([seen(3, 10, kind="bowl")], known) == {}


def test_an_object_that_is_known_to_be_absent_is_not_found() -> None:
    assert recognised([seen(3, 10)], {1: [seen(0, 10)]}, {1: None}) == {}


def test_likeness_goes_from_nothing_to_one() -> None:
    mask = mask_at(10)
    red, blue = look_of(picture(RED), mask), look_of(picture(BLUE), mask)
    assert likeness(red, red) == pytest.approx(1)
    assert likeness(red, blue) == 0


@pytest.mark.parametrize(("name", "kind"), [("Cup 2", "cup"), (" cup", "cup"), ("Cup", "cup")])
def test_a_number_is_no_part_of_the_kind(name: str, kind: str) -> None:
    assert kind_of(name) == kind


def test_a_look_is_the_share_of_each_colour_in_the_mask() -> None:
    rng = np.random.default_rng(4)
    image, pixels = rng.integers(0, 256, (*SIZE, 3), np.uint8), rng.random(SIZE) < 0.3
    mask = Mask.encode(pixels)
    assert mask is not None
    lab = cv2.cvtColor(image, cv2.COLOR_RGB2LAB)[pixels].astype(np.float64)
    wanted = np.histogramdd(lab, (4, 12, 12), [(0, 256)] * 3)[0] / pixels.sum()
    assert np.allclose(look_of(image, mask), wanted.ravel())
    one = Mask.encode(square(3, side=1))
    assert one is not None
    assert look_of(image, one).sum() == 1


@pytest.mark.parametrize(("x", "named"), [(15, {0: 4}), (16, {})])
def test_half_of_an_overlap_is_enough_for_a_settled_mask_and_for_a_known_one(
    x: int, named: dict[int, int]
) -> None:
    """Squares of 15: moved by 5 they share 10 of 20 columns."""

    def wide(at: int) -> Mask:
        mask = Mask.encode(square(at, side=15))
        assert mask is not None
        return mask

    find = Sighting(3, wide(x), look_of(picture(RED), wide(x)), "cup")
    assert recognised([find], {}, {4: wide(10)}) == named
    before = Sighting(2, wide(10), look_of(picture(BLUE), wide(10)), "cup")
    assert recognised([find], {4: [before]}) == named


def test_the_best_of_an_objects_looks_counts_and_just_alike_is_enough() -> None:
    looks = [seen(0, 0, RED), seen(1, 0, BLUE)]
    for color in (RED, BLUE):
        assert recognised([seen(9, 40, color)], {1: looks}) == {0: 1}
        assert recognised([seen(9, 40, color)], {1: looks[::-1]}) == {0: 1}
    alike = likeness(looks[0].look, looks[0].look)
    rules = RecognitionRules(likeness=alike)
    found = recognise([seen(9, 40, RED)], {1: looks}, {}, rules, lambda one, other: one == other)
    assert found == {0: 1}


def test_of_what_fits_alike_the_first_find_is_the_object_with_the_lowest_number() -> None:
    twins = [seen(9, 40), seen(9, 40)]
    known = {3: [seen(0, 0)], 2: [seen(0, 0)]}
    assert recognised(twins[:1], known) == {0: 2}
    assert recognised(twins, {2: known[2]}) == {0: 2}
    assert recognised(twins, known) == {0: 2, 1: 3}
