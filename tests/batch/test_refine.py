"""Refining: what is asked of a refiner, and which answer counts."""

from app.batch.masks.refine import refine
from app.core.document import Entry, Key, Origin
from app.core.mask import Mask
from models.api import Box
from tests.fakes import FakeFrames, FakeSegmenter, square


def mask_at(x: int, side: int = 10) -> Mask:
    mask = Mask.encode(square(x, side=side))
    assert mask is not None
    return mask


def test_a_refinement_counts_only_where_it_overlaps_the_mask() -> None:
    segmenter = FakeSegmenter(FakeFrames())
    segmenter_elsewhere = FakeSegmenter(FakeFrames())
    masks = {Key(2, 1): mask_at(10)}
    (step,) = refine(segmenter, masks, gate=0.1)
    assert step.entries == {Key(2, 1): Entry(mask_at(10), Origin.REFINED, score=0.8)}
    assert segmenter.prompts[0][1].box == Box(10, 20, 20, 30)
    (step,) = refine(segmenter_elsewhere, masks, gate=1.1)
    assert step.entries == {}


def test_a_refiner_is_given_the_mask_itself() -> None:
    segmenter = FakeSegmenter(FakeFrames())
    masks = {Key(2, 1): mask_at(10)}
    list(refine(segmenter, masks, gate=0.1))
    given = segmenter.prompts[0][1].mask
    assert given is not None
    assert (given == mask_at(10).decode()).all()
