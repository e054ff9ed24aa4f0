"""Prompts and anchors: what fits a frame, to the pixel, and what boxes share."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.api import Anchors, Box, Click, Prompt, PromptError
from models.prompt import box_iou, box_round, check_anchors, check_prompt, lies_in, pixel_of
from tests.fakes import FakeFrames

SIZE = (30, 40)  # (height, width)
MASK = np.zeros(SIZE, np.bool_)
MASK[5:9, 10:20] = True


@pytest.mark.parametrize(
    ("prompt", "fits"),
    [
        (Prompt((Click(-0.5, -0.5),)), True),
        (Prompt((Click(39.5, 29.5),)), True),
        (Prompt((Click(-0.6, 5),)), False),
        (Prompt((Click(5, -0.6),)), False),
        (Prompt((Click(39.6, 5),)), False),
        (Prompt((Click(5, 29.6),)), False),
        (Prompt((Click(5, 5), Click(5, 31))), False),
        (Prompt(box=Box(0, 0, 40, 30)), True),
        (Prompt(box=Box(-5, -5, 50, 50)), True),
        (Prompt(box=Box(39, 29, 45, 35)), True),
        (Prompt(box=Box(-9, -9, 1, 1)), True),
        (Prompt(box=Box(40, 0, 45, 9)), False),
        (Prompt(box=Box(0, 30, 9, 35)), False),
        (Prompt(box=Box(-9, 0, 0, 9)), False),
        (Prompt(box=Box(0, -9, 9, 0)), False),
        (Prompt(box=Box(9, 5, 9, 8)), False),
        (Prompt(box=Box(9, 5, 12, 5)), False),
        (Prompt(box=Box(9, 5, 7, 8)), False),
        (Prompt(box=Box(9, 5, 12, 4)), False),
        (Prompt(mask=MASK), True),
        (Prompt(mask=MASK & False), False),
        (Prompt((Click(5, 5),), mask=MASK & False), True),
        (Prompt(box=Box(1, 1, 5, 5), mask=MASK & False), True),
        (Prompt(mask=MASK.T), False),
        (Prompt(), False),
    ],
)
def test_a_prompt_says_something_within_the_frame(prompt: Prompt, fits: bool) -> None:
    if fits:
        check_prompt(prompt, SIZE)
    else:
        with pytest.raises(PromptError):
            check_prompt(prompt, SIZE)


@pytest.mark.parametrize(
    ("anchors", "frames", "what"),
    [
        ({0: {1: MASK}}, range(6), None),
        ({5: {1: MASK}}, (5, 0), None),
        ({0: {}, 2: {1: MASK & False}}, (), None),
        ({}, range(6), "no anchor"),
        ({0: {}}, range(6), "no anchor"),
        ({6: {1: MASK}}, range(6), "Frame 6 is outside the video of 6 frames"),
        ({-1: {1: MASK}}, range(6), "Frame -1"),
        ({0: {1: MASK}}, range(7), "Frame 6"),
        ({0: {1: MASK}}, (0, -1), "Frame -1"),
        ({0: {1: MASK}, 3: {2: MASK, 7: MASK.T}}, range(6), "object 7 on frame 3 is 30 x 40 pix"),
    ],
)
def test_anchors_fit_the_video(anchors: Anchors, frames: range, what: str | None) -> None:
    video = FakeFrames(6, SIZE)
    if what is None:
        check_anchors(anchors, frames, video)
    else:
        with pytest.raises(PromptError, match=what):
            check_anchors(anchors, frames, video)


@pytest.mark.parametrize(
    ("click", "pixel"),
    [
        (Click(0, 0), (0, 0)),
        (Click(-0.5, -3), (0, 0)),
        (Click(12.4, 7.6), (8, 12)),
        (Click(39.5, 29.5), (29, 39)),
        (Click(90, 5), (5, 39)),
        (Click(5, 90), (29, 5)),
    ],
)
def test_a_click_lies_on_the_nearest_pixel(click: Click, pixel: tuple[int, int]) -> None:
    assert pixel_of(click, SIZE) == pixel
    assert lies_in(click, MASK) == MASK[pixel]


def test_the_box_round_a_mask_ends_behind_its_last_pixel() -> None:
    assert box_round(MASK) == Box(10, 5, 20, 9)
    assert box_round(~MASK) == Box(0, 0, 40, 30)


corners = st.integers(-3, 9)


@given(st.tuples(*[corners] * 4), st.tuples(*[corners] * 4))
def test_boxes_share_what_their_pixels_do(
    one: tuple[int, int, int, int], other: tuple[int, int, int, int]
) -> None:
    def pixels(box: tuple[int, int, int, int]) -> set[tuple[int, int]]:
        return {(x, y) for x in range(box[0], box[2]) for y in range(box[1], box[3])}

    first, second = pixels(one), pixels(other)
    union = first | second
    wanted = len(first & second) / len(union) if union else 0.0
    assert box_iou(Box(*one), Box(*other)) == pytest.approx(wanted)
