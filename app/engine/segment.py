"""The answer to a click: the masks that it could mean."""

from typing import NamedTuple

from app.core.candidates import Scene, candidates, prompt_among
from app.core.mask import Mask
from app.engine.jobs import Segment
from models.api import Segmenter


class Candidate(NamedTuple):
    """One mask that a click could mean; None = nothing found there."""

    mask: Mask | None
    score: float


def segment(segmenter: Segmenter, job: Segment) -> tuple[Candidate, ...]:
    """Return the masks that the prompt could mean, best first; of a hover, the best alone."""
    scene = Scene(
        job.clicks,
        job.box,
        None if job.mask is None else job.mask.decode(),
        [mask.decode() for mask in job.others],
        [mask.decode() for mask in job.kept],
        job.drafted,
    )
    found = candidates(scene, segmenter.segment(job.key.frame, prompt_among(scene)))
    if job.hover:
        found = found[:1]
    return tuple(Candidate(Mask.encode(each.mask), each.score) for each in found)
