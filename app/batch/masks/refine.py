"""The refining of masks: the only place that asks a refiner."""

import logging
from collections.abc import Generator, Mapping
from typing import NamedTuple

from app.batch.passes.steps import Step, Steps
from app.core.document import Entry, Key, Origin
from app.core.mask import Mask
from app.core.refine import Verdict, judge, prompt_of
from app.errors import FrameReadError
from models.api import Segmenter

log = logging.getLogger(__name__)


class Refinement(NamedTuple):
    """What became of one mask; `score` is the refiner's confidence, 0 to 1."""

    key: Key
    verdict: Verdict
    score: float


def refinements(
    segmenter: Segmenter, masks: Mapping[Key, Mask], *, gate: float, by_box: bool = False
) -> Generator[Refinement, None, None]:
    """Yield the refinement of each mask, frames rising; `by_box` asks with its box alone.

    The rule of HQTrack (Zhu et al. 2023, section 2.3): the mask, or its box, prompts the segmenter,
    and the answer counts only where its IoU with the mask is at least `gate`, 0 to 1. A mask whose
    frame cannot be read is kept.
    """
    for key, mask in sorted(masks.items()):
        try:
            best = segmenter.segment(key.frame, prompt_of(mask, by_box=by_box))[0]
        except FrameReadError as error:
            log.warning("%s Its masks stay as they are.", error)
            yield Refinement(key, judge(mask, None, gate=gate), 0.0)
            continue
        verdict = judge(mask, Mask.encode(best.mask), gate=gate)
        yield Refinement(key, verdict, best.score)


def refine(segmenter: Segmenter, masks: Mapping[Key, Mask], *, gate: float) -> Steps:
    """Yield a step for each mask, frames rising; its entries are empty where the mask is kept."""
    for key, verdict, score in refinements(segmenter, masks, gate=gate):
        refined = Entry(verdict.mask, Origin.REFINED, score=score)
        yield Step(key.frame, {key: refined} if verdict.accepted else {})
