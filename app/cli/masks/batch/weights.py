"""Which models a plan means, and which of their weights are on this machine."""

from pathlib import Path

from app.batch.videos.plan import BatchPlan, Densify, Propagate, Refine
from app.batch.videos.workers.node_weights import files_of
from models import registry


def with_models(plan: BatchPlan) -> BatchPlan:
    """Return the plan with a model in every step that leaves it open: the best of this machine.

    Every node takes the same, whatever it has itself.
    """
    return plan.with_models(registry.default_tracker(), registry.default_segmenter())


def weights_of(plan: BatchPlan) -> dict[str, Path]:
    """Return the weights files that the plan's models are loaded from, by place in their folder."""
    return files_of(_models_of(plan))


def memory_of(plan: BatchPlan) -> int:
    """Return the bytes that the largest of the plan's models takes, about; 0 without any."""
    known = {each.name for each in registry.models()}
    return max((registry.memory_of(name) for name in _models_of(plan) if name in known), default=0)


def _models_of(plan: BatchPlan) -> list[str]:
    return [step.model for step in plan.steps if isinstance(step, Propagate | Densify | Refine)]
