"""What a candidate is worth beside another: how much quality outweighs what speaks against it."""

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

from models.api import BoolMask, Box, Click, Prompt
from models.sam.choice import ranked, stability

GRID, FRAME = (40, 60), (80, 120)  # of the masks, and of clicks and boxes


def block(top: int, bottom: int, left: int, right: int) -> BoolMask:
    mask = np.zeros(GRID, np.bool_)
    mask[top:bottom, left:right] = True
    return mask


def logits(*masks: BoolMask) -> Tensor:
    return torch.stack([torch.from_numpy(np.where(mask, 9.0, -9.0)) for mask in masks])


NOTHING = block(0, 0, 0, 0)


def goes_first(
    prompt: Prompt, one: BoolMask, other: BoolMask, *, better: float, before: BoolMask | None = None
) -> bool:
    """Whether `one` is put before `other` where its predicted quality is better by so much."""
    so_far = None if before is None else logits(before)[None]
    ious = torch.tensor([0.0, 0.5 + better, 0.5 - better])
    order = ranked(prompt, logits(NOTHING, one, other), ious, so_far, FRAME)
    return order.index(1) < order.index(2)


def assert_worth_less(
    prompt: Prompt, one: BoolMask, other: BoolMask, gap: float, before: BoolMask | None = None
) -> None:
    """Check that `one` must be better by that gap, neither more nor less, to go first."""
    assert abs(gap) < 0.48
    assert not goes_first(prompt, one, other, better=gap - 0.004, before=before)
    assert goes_first(prompt, one, other, better=gap + 0.004, before=before)


def worth_of_a_click(mask: BoolMask, row: int, column: int) -> float:
    depth = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5)
    central = float(depth[row, column] / depth.max())
    return 0.2 * central - 0.03 * float(np.log(mask.mean() + 1e-5)) ** 2


@pytest.mark.parametrize(
    ("x", "y", "row", "column"), [(38.4, 40, 20, 19), (38.6, 40.4, 20, 19), (39.6, 41.6, 21, 20)]
)
def test_one_click_is_near_the_middle_of_a_whole_thing(
    x: float, y: float, row: int, column: int
) -> None:
    part, whole = block(14, 26, 15, 23), block(6, 38, 10, 50)
    gap = worth_of_a_click(whole, row, column) - worth_of_a_click(part, row, column)
    assert_worth_less(Prompt((Click(x, y),)), part, whole, gap)


def test_a_click_at_the_frame_s_edge_is_a_click_on_the_edge_of_the_grid() -> None:
    corner, middle = block(30, 40, 40, 60), block(10, 30, 20, 40)
    gap = worth_of_a_click(middle, 39, 59) - worth_of_a_click(corner, 39, 59)
    assert_worth_less(Prompt((Click(119.4, 79.4),)), corner, middle, gap)


BEFORE = block(10, 30, 10, 30)  # 400 cells
SAME, GROWN, SHRUNK = BEFORE, block(10, 30, 10, 50), block(10, 30, 10, 20)
ON, OFF = Click(31, 41), Click(71, 41)  # cells 15 and 35 of row 20


@pytest.mark.parametrize(
    ("clicks", "one", "gap"),
    [
        # Both hold the click that was there; of what was there half is lost.
        ((ON, Click(33, 41)), SHRUNK, 0.6 * 0.5),
        # What is new counts for nothing where a click asks for more, and it is met.
        ((ON, OFF), GROWN, -0.1 * 0.5),
        # It counts where a click says what is not meant.
        ((ON, Click(33, 41, positive=False)), GROWN, 0.6 * (1 - 400 / 800)),
        ((ON, Click(71, 41, positive=False)), GROWN, 0.6 * (1 - 400 / 800) + 0.1 * 0.5),
        ((ON, Click(45, 41, positive=False)), SHRUNK, 0.6 * 0.5 - 0.1 * 0.5),
    ],
)
def test_a_click_mends_a_mask_that_is_right_elsewhere(
    clicks: tuple[Click, ...], one: BoolMask, gap: float
) -> None:
    assert_worth_less(Prompt(clicks), one, SAME, gap, before=BEFORE)


@pytest.mark.parametrize(
    ("one", "overlap"),
    [
        (block(10, 30, 10, 20), 0.5),
        (block(10, 40, 10, 30), 400 / 600),
        (block(20, 40, 20, 40), 100 / 700),
    ],
)
def test_a_mask_fills_its_box(one: BoolMask, overlap: float) -> None:
    # The box round a mask is compared with the one drawn, which has the frame's pixels.
    assert_worth_less(
        Prompt(box=Box(20, 20, 60, 60)), one, block(10, 30, 10, 30), 0.5 * (1 - overlap)
    )


def test_a_mask_away_from_the_box_is_as_bad_as_none() -> None:
    prompt, away = Prompt(box=Box(20, 20, 60, 60)), block(30, 40, 30, 60)
    for one in (away, NOTHING):
        assert not goes_first(prompt, one, block(10, 30, 10, 30), better=0.48)
    assert goes_first(prompt, away, NOTHING, better=-0.48)  # an empty mask is not stable


def test_a_box_and_what_was_there_count_together() -> None:
    prompt = Prompt((ON, Click(33, 41)), box=Box(20, 20, 60, 60))
    gap = 0.6 * 0.25 + 0.5 * 0.25
    assert_worth_less(prompt, block(10, 30, 10, 25), SAME, gap, before=BEFORE)


def test_a_mask_is_stable_as_far_as_it_stays_when_the_threshold_moves() -> None:
    values = torch.tensor([[1.5, 0.5, -0.5, -1.5], [1.0, 1.1, -1.0, -0.9], [-2, -2, -2, -2]])
    assert stability(values[:, None]).tolist() == pytest.approx([1 / 3, 1 / 3, 0])


@pytest.mark.parametrize(("steady", "first"), [(18, [0, 1, 2]), (17, [1, 2])])
def test_a_single_mask_that_is_nine_tenths_stable_goes_first(steady: int, first: list[int]) -> None:
    single = torch.full(GRID, -9.0)
    single[0, :steady], single[0, steady:20] = 9.0, 0.5
    masks = torch.cat([single[None], logits(SAME, GROWN)])
    ious = torch.tensor([0.1, 0.6, 0.5])
    assert ranked(Prompt((ON, OFF)), masks, ious, None, FRAME) == first
    assert ranked(Prompt((ON,)), masks, ious, None, FRAME)[-1] != 0


def test_quality_is_as_predicted_within_0_and_1_and_as_stable() -> None:
    prompt = Prompt(box=Box(20, 20, 60, 60))
    masks = logits(NOTHING, SAME, SAME)
    masks[2, 10:15, 10:30] = 0.5  # a quarter of it
    for ious, order in (
        ([0, 1.0, 1.3], [1, 2]),
        ([0, 0.7, 0.94], [1, 2]),
        ([0, 0.7, 0.96], [2, 1]),
    ):
        assert ranked(prompt, masks, torch.tensor(ious), None, FRAME)[:2] == order
