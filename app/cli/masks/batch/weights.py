"""Which weights a plan needs, of those that are on this machine."""

from collections.abc import Iterable
from pathlib import Path

from app.batch.videos.plan import Densify, Propagate, Refine, Step
from app.batch.videos.workers.node_weights import files_of
from models import registry


def weights_of(steps: Iterable[Step]) -> dict[str, Path]:
    """Return the weights files that the models of a plan's steps are loaded from, by name."""
    return files_of(filter(None, map(_model_of, steps)))


def _model_of(step: Step) -> str:
    match step:
        case Propagate() | Densify():
            return step.model or registry.default_tracker()
        case Refine():
            return step.model or registry.default_segmenter()
        case _:
            return ""
