"""A refined mask takes the place of another only where both mean the same thing."""

import numpy as np

from app.core.mask import Mask
from app.core.refine import judge, paint_masks, prompt_of
from models.api import Box


def mask(x0: int, x1: int) -> Mask:
    pixels = np.zeros((10, 20), np.bool_)
    pixels[2:8, x0:x1] = True
    found = Mask.encode(pixels)
    assert found is not None
    return found


def test_a_mask_that_overlaps_enough_is_accepted() -> None:
    verdict = judge(mask(0, 10), mask(0, 5), gate=0.5)
    assert verdict.accepted
    assert verdict.iou == 0.5
    assert verdict.mask == mask(0, 5)


def test_a_mask_below_the_gate_is_not_used() -> None:
    verdict = judge(mask(0, 10), mask(0, 5), gate=0.51)
    assert not verdict.accepted
    assert verdict.mask == mask(0, 10)


def test_finding_nothing_keeps_the_mask_even_with_an_open_gate() -> None:
    verdict = judge(mask(0, 10), None, gate=0.0)
    assert not verdict.accepted
    assert verdict.mask == mask(0, 10)
    assert verdict.iou == 0


def test_later_objects_lie_on_top_and_void_stays_below() -> None:
    ground = np.zeros((10, 20), np.uint8)
    ground[:, 0] = 255
    labels = paint_masks(ground, {1: mask(0, 8), 2: mask(5, 12)}, [1, 2])
    assert labels[4, 0] == 1
    assert labels[0, 0] == 255
    assert labels[4, 6] == 2
    assert paint_masks(ground, {1: mask(0, 8), 2: mask(5, 12)}, [2, 1])[4, 6] == 1


def test_the_prompt_is_the_mask_and_the_box_round_it() -> None:
    assert prompt_of(mask(3, 9)).box == Box(3, 2, 9, 8)
    given = prompt_of(mask(3, 9)).mask
    assert given is not None
    assert np.array_equal(given, mask(3, 9).decode())
