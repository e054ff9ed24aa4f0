"""The answer to a click: the masks that it could mean."""

from typing import NamedTuple

from app.core.mask import Mask
from app.engine.jobs import Segment
from models.api import Prompt, Segmenter


class Candidate(NamedTuple):
    """One mask that a click could mean; None = nothing found there."""

    mask: Mask | None
    score: float


def segment(segmenter: Segmenter, job: Segment) -> tuple[Candidate, ...]:
    """Return the masks that the prompt could mean, best first; of a hover, the best alone."""
    mask = job.mask.decode() if job.mask else None
    found = segmenter.segment(job.key.frame, Prompt(job.clicks, job.box, mask))
    if job.hover:
        found = found[:1]
    return tuple(Candidate(Mask.encode(each.mask), each.score) for each in found)
