"""Two predictions of the same ground truth, and how sure the difference is."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from app.core.inspection.measures import Floats

_RESAMPLES = 10_000
_CONFIDENCE = 0.95
_FEW = 6


@dataclass(frozen=True, slots=True)
class Difference:
    """How much better B is than A, in J&F.

    `low` and `high` bound the difference with 95 % confidence; None where there are fewer than two
    sequences, which say nothing of a third.
    """

    mean: float
    low: float | None
    high: float | None
    sequences: int

    @property
    def is_weak(self) -> bool:
        """Whether the sequences are so few that the bounds themselves are unsure."""
        return self.sequences < _FEW


def compare(a: Mapping[str, Floats], b: Mapping[str, Floats], *, seed: int = 0) -> Difference:
    """Compare the J&F of the objects (K,) of each sequence, by its name, the same in both.

    The mean weighs objects alike, as the benchmarks do. The interval is a paired percentile
    bootstrap (Efron 1979) over sequences: objects of one sequence fail together. Raises ValueError
    where the sequences or their objects differ.
    """
    if a.keys() != b.keys() or any(a[name].shape != b[name].shape for name in a):
        raise ValueError("the two predictions are not of the same sequences and objects")
    changes = [b[name] - a[name] for name in sorted(a)]
    sums = np.array([change.sum() for change in changes])
    counts = np.array([change.size for change in changes])
    mean = float(sums.sum() / counts.sum())
    if len(changes) < 2:
        return Difference(mean, None, None, len(changes))
    drawn = np.random.default_rng(seed).integers(len(changes), size=(_RESAMPLES, len(changes)))
    means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    tail = (1 - _CONFIDENCE) / 2
    low, high = np.quantile(means, (tail, 1 - tail))
    return Difference(mean, float(low), float(high), len(changes))
