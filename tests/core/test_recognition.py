"""Recognition: which of the finds on a frame is which known object."""

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
