"""Short videos of two moving shapes, as label maps."""

import cv2
import numpy as np

from app.core.evaluate import Labels
from app.core.inspection.episodes import Episode, find_episodes
from app.core.inspection.failures import label
from app.core.inspection.measures import Measures, measure, stack

SIZE = (180, 320)


def two_shapes(rng: np.random.Generator, count: int = 24) -> list[Labels]:
    """An ellipse with id 1 and a blob of two boxes with id 2, side by side, that drift slowly."""
    radii = rng.integers(22, 34, 2).tolist()
    start, speed = rng.uniform((70, 70), (90, 110)), rng.uniform(-1, 1, 2)
    return [_drawn(start + frame * speed, radii, int(rng.integers(0, 2))) for frame in range(count)]


def _drawn(center: np.ndarray, radii: list[int], wobble: int) -> Labels:
    labels = np.zeros(SIZE, np.uint8)
    y, x = (int(value) for value in center.round())
    cv2.ellipse(labels, (x, y), (radii[0] + wobble, radii[1]), 0, 0, 360, 1, -1)
    cv2.rectangle(labels, (x + 45, y - 25), (x + 100, y + 15), 2, -1)
    cv2.rectangle(labels, (x + 60, y + 15), (x + 85, y + 40), 2, -1)
    return labels


def measured(truth: list[Labels], prediction: list[Labels], objects: int = 2) -> Measures:
    """The measures of a sequence."""
    return stack(measure(*pair, objects) for pair in zip(truth, prediction, strict=True))


def episodes(truth: list[Labels], prediction: list[Labels]) -> tuple[Episode, ...]:
    """The episodes of a sequence."""
    measures = measured(truth, prediction)
    return find_episodes(label(measures), measures.jf)
