"""The colours of runs, objects and errors; told apart by everyone (Okabe and Ito)."""

from collections.abc import Iterable

from app.core.colors import OKABE_ITO, Rgb
from app.core.inspection.failures import Failure

TRUTH: Rgb = (0, 158, 115)
RIGHT, EXTRA, MISSING = TRUTH, (232, 110, 20), (190, 75, 150)
_RUNS: tuple[Rgb, ...] = (
    (232, 110, 20),
    (86, 180, 233),
    (204, 121, 167),
    (230, 190, 30),
    (120, 140, 230),
)
FAILURE_COLORS: dict[Failure, Rgb] = {
    Failure.GOOD: (150, 155, 160),
    Failure.BOUNDARY: (160, 172, 120),
    Failure.PART_LOSS: (86, 180, 233),
    Failure.LEAK_BACKGROUND: (230, 159, 0),
    Failure.LEAK_NEIGHBOUR: (213, 94, 0),
    Failure.IDENTITY_SWAP: (204, 121, 167),
    Failure.MISS: (0, 114, 178),
    Failure.LATE_REENTRY: (140, 100, 200),
    Failure.FALSE_PRESENCE: (110, 115, 125),
}


def run_color(number: int, predictions: Iterable[int]) -> Rgb:
    """Return the colour of a prediction among all of them, by its number."""
    order = sorted(predictions)
    return _RUNS[order.index(number) % len(_RUNS)] if number in order else _RUNS[0]


def object_color(number: int) -> Rgb:
    """Return the colour of an object, by its id."""
    return OKABE_ITO[(number - 1) % len(OKABE_ITO)]
