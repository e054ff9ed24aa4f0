"""The simulated annotator: what it asks, and how much of it counts as work."""

import numpy as np

from app.batch.annotator import SimulatedAnnotator
from tests.fakes import SIZE, FakeFrames, FakeSegmenter, square


def test_what_a_first_click_puts_right_is_one_piece_of_work() -> None:
    truth = square(30)
    annotator = SimulatedAnnotator(lambda _frame, _number: truth, enough=0.6)
    segmenter = FakeSegmenter(FakeFrames())
    mask, asked = annotator.correct(segmenter, 3, 1, np.zeros(SIZE, np.bool_))
    assert annotator.is_content(3, 1, mask)
    assert (asked, len(segmenter.prompts)) == (1, 1)


def test_a_mask_that_clicks_do_not_put_right_costs_all_that_was_asked() -> None:
    truth = square(30, side=24)  # the fake's squares are smaller
    annotator = SimulatedAnnotator(lambda _frame, _number: truth)
    segmenter = FakeSegmenter(FakeFrames())
    mask, asked = annotator.correct(segmenter, 3, 1, np.zeros(SIZE, np.bool_))
    boxes = [prompt.box is not None for _, prompt in segmenter.prompts]
    assert boxes == [False] * 3 + [True] * 3
    assert 1 <= asked <= len(segmenter.prompts)
    assert annotator.iou(3, 1, mask) == max(
        annotator.iou(3, 1, square(x, y))
        for x, y in [
            (round(prompt.clicks[-1][0]) - 5, round(prompt.clicks[-1][1]) - 5)
            if prompt.clicks
            else (30, 20)
            for _, prompt in segmenter.prompts
        ]
    )
