"""How sure one may be of a mask: the model's score, calibrated against true masks."""

import math
from collections.abc import Mapping
from typing import NamedTuple

from app.core.document import Entry

RIGHT = 0.8  # IoU with the truth from which on a mask counts as right
_LEAST = 0.01  # scores below, and above one less this, say no more


class Calibration(NamedTuple):
    """Weights of the logistic that turns a model's score into a probability (Platt 1999).

    Scores above `most` say no more than it does: of what is wrong then, the score knows nothing.
    """

    bias: float
    slope: float
    most: float = 1 - _LEAST


# Fitted by `python packaging/fit_confidence.py`, on the model's masks of whole sequences.
_CALIBRATIONS: Mapping[str, Calibration] = {"lite": Calibration(-10.12, 5.55, 0.91)}
_UNFITTED = _CALIBRATIONS["lite"]


def calibration_of(model: str) -> Calibration:
    """Return the calibration of a tracker; of one that was never measured, that of `lite`."""
    return _CALIBRATIONS.get(model, _UNFITTED)


def log_odds(score: float) -> float:
    """Return the log odds of a score, 0 to 1, which stay finite."""
    held = min(max(score, _LEAST), 1 - _LEAST)
    return math.log(held / (1 - held))


def probability(score: float, calibration: Calibration) -> float:
    """Return the probability, 0 to 1, that a mask with a score, 0 to 1, is right."""
    counted = log_odds(min(score, calibration.most))
    return 1 / (1 + math.exp(-(calibration.bias + calibration.slope * counted)))


def confidence(entry: Entry, calibration: Calibration) -> float | None:
    """Return the probability, 0 to 1, that a mask's IoU with the truth is `RIGHT` or more.

    What a person made or verified is certain; of a mask without a score nothing is known (None).
    """
    if entry.is_anchor:
        return 1.0
    return None if entry.score is None else probability(entry.score, calibration)
