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


class _Calibrations(NamedTuple):
    """A tracker's calibrations, of an object that is alone in its video and of one of several.

    Where one is taken for another, its mask may be as sharp as ever, and its score as high.
    """

    alone: Calibration
    several: Calibration


# Fitted by `python packaging/fit_confidence.py`; resources/figures-heal.md says to what.
_CALIBRATIONS: Mapping[str, _Calibrations] = {
    "lite": _Calibrations(Calibration(-8.36, 5.39, 0.9), Calibration(-10.12, 5.55, 0.91))
}
_UNFITTED = _CALIBRATIONS["lite"]


def calibration_of(model: str, objects: int) -> Calibration:
    """Return the calibration of a tracker in a video of so many objects.

    Of a tracker that was never measured it is that of `lite`.
    """
    calibrations = _CALIBRATIONS.get(model, _UNFITTED)
    return calibrations.alone if objects == 1 else calibrations.several


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

    What a person made or verified is certain; where there is no mask, or none with a score, nothing
    is known (None).
    """
    if entry.mask is None:
        return None
    if entry.is_anchor:
        return 1.0
    return None if entry.score is None else probability(entry.score, calibration)
