"""The answer to a click, as the inference thread gives it."""

from dataclasses import replace

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
    job = Segment(1, Key(4, 1), (Click(15, 25),), mask=mask_at(3), drafted=True)
    best, second = segment(segmenter, job)
    assert (best.mask, best.score) == (mask_at(10), 0.8)
    assert second.score == 0.6
    frame, prompt = segmenter.prompts[0]
    assert frame == 4
    np.testing.assert_array_equal(prompt.mask, square(3))


def test_a_click_that_mends_changes_what_is_near_it_and_spares_what_is_kept() -> None:
    segmenter = FakeSegmenter(FakeFrames())
    kept = Mask.encode(square(16, side=10))
    assert kept is not None
    job = Segment(1, Key(4, 1), (Click(14, 25),), mask=mask_at(3), kept=(kept,))
    best, *_ = segment(segmenter, job)
    assert best.mask == Mask.encode((square(3) | square(9)) & ~square(16))


def test_a_segmenter_is_told_of_the_masks_beside_the_one_to_mend() -> None:
    segmenter = FakeSegmenter(FakeFrames())
    job = Segment(1, Key(4, 1), (Click(14, 25),), mask=mask_at(3), others=(mask_at(40),))
    segment(segmenter, job)
    _, prompt = segmenter.prompts[0]
    assert [click.positive for click in prompt.clicks] == [False, True]


def test_a_hover_shows_what_its_click_would_give() -> None:
    asked = Segment(1, Key(4, 1), (Click(14, 25),), mask=mask_at(3), others=(mask_at(16),))
    clicked = segment(FakeSegmenter(FakeFrames()), asked)
    hovered = segment(FakeSegmenter(FakeFrames()), replace(asked, hover=True))
    assert hovered == clicked[:1]
