"""The answer to a click, as the inference thread gives it."""

import numpy as np

from app.core.document import Key
from app.core.mask import Mask
from app.engine.jobs import Segment
from app.engine.segment import segment
from models.api import Click
from tests.fakes import FakeFrames, FakeSegmenter, square


def mask_at(x: int, side: int = 10) -> Mask:
    mask = Mask.encode(square(x, side=side))
    assert mask is not None
    return mask


def test_a_click_gives_all_candidates_best_first() -> None:
    segmenter = FakeSegmenter(FakeFrames())
    job = Segment(1, Key(4, 1), (Click(15, 25),), mask=mask_at(3))
    best, second = segment(segmenter, job)
    assert (best.mask, best.score) == (mask_at(10), 0.8)
    assert second.score == 0.6
    frame, prompt = segmenter.prompts[0]
    assert frame == 4
    np.testing.assert_array_equal(prompt.mask, square(3))
