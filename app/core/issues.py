"""Suspects: masks that may have drifted, found from the document alone."""

import enum
from dataclasses import dataclass


class Reason(enum.Enum):
    """Why a mask is suspect."""

    LOW_SCORE = "low score"
    AREA_JUMP = "area jump"
    LOW_OVERLAP = "low overlap"
    SPLIT = "split"
    VANISHED = "vanished"
    RETURNED = "returned"
    BORDER_EXIT = "left at the border"
    CONFLICT = "conflict"
    STALE = "stale"


@dataclass(frozen=True, slots=True)
class Issue:
    """Neighbouring suspect frames of one object.

    `frame` is the one to look at; `reasons` come worst first; `severity` is 0 to 1; `value` ranks:
    the frames that a correction is expected to heal, times severity.
    """

    object: int
    first: int
    last: int
    frame: int
    reasons: tuple[Reason, ...]
    severity: float
    value: float
