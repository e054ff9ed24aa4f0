"""A short sequence of two squares under predictions that fail in a known way."""

from collections.abc import Sequence

import numpy as np

from app.core.evaluate import Labels
from app.core.inspection.results import Result
from tests.core.inspection.scenes import measured

SIZE = (60, 80)
COUNT = 10


def squares(one: int | None = 10, two: int | None = 45, *, half: bool = False) -> Labels:
    """Return a cup at x = `one` and a plate at x = `two`, of 20 pixels a side; half a cup."""
    labels = np.zeros(SIZE, np.uint8)
    for number, x in ((1, one), (2, two)):
        if x is not None:
            labels[20:40, x : x + 20] = number
    if half:
        labels[30:][labels[30:] == 1] = 0
    return labels


def truth() -> list[Labels]:
    return [squares() for _ in range(COUNT)]


def lost() -> list[Labels]:
    """Return a prediction that lacks the cup on frames 4 to 6, and half of it on frame 7."""
    return [squares(one=None if 4 <= frame <= 6 else 10, half=frame == 7) for frame in range(COUNT)]


def swapped() -> list[Labels]:
    """Return a prediction that takes the two for each other from frame 6 on."""
    return [squares(45, 10) if frame >= 6 else squares() for frame in range(COUNT)]


def leaking() -> list[Labels]:
    """Return a prediction whose cup takes a part of the plate on frames 2 and 3."""
    frames = truth()
    for labels in frames[2:4]:
        labels[20:40, 45:53] = 1
    return frames


def slight() -> list[Labels]:
    """Return a prediction whose plate is a pixel off from the first to the last frame."""
    return [squares(two=46) for _ in range(COUNT)]


def result_of(
    prediction: list[Labels],
    positions: Sequence[int] = range(COUNT),
    name: str = "kitchen",
    drawn: list[Labels] | None = None,
) -> Result:
    """Return what is found of a prediction; frame N of the list lies at `positions[N]`."""
    scored = tuple(positions)
    stems = tuple(f"{place:05d}" for place in scored)
    measures = measured((drawn or truth())[: len(scored)], prediction[: len(scored)])
    return Result(name, stems, scored, ("cup", "plate"), measures)
