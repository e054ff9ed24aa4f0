"""What kinds of objects a prediction does well on: J&F by size, speed, occlusion and likeness."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.core.inspection.causes import Circumstances
from app.core.inspection.measures import Floats, Measures


@dataclass(frozen=True, slots=True)
class Attribute:
    """One property of an object on a frame, and the classes it is divided into.

    `edges` part the classes: a value belongs to the first class whose edge it does not exceed, the
    last class to all above. Values are named as in `Circumstances`.
    """

    name: str
    unit: str
    classes: tuple[str, ...]
    edges: tuple[float, ...]

    def places(self, values: Floats) -> NDArray[np.intp]:
        """Return the class of each value; -1 where the value is unknown."""
        return np.where(np.isnan(values), -1, np.digitize(values, self.edges, right=True))


ATTRIBUTES = (
    Attribute("size", "share of the frame", ("small", "medium", "large"), (0.01, 0.08)),
    Attribute("speed", "sides a frame", ("slow", "medium", "fast"), (0.05, 0.15)),
    Attribute("occlusion", "share of the usual area hidden", ("none", "part", "most"), (0.15, 0.5)),
    Attribute("similarity", "likeness of colours", ("low", "medium", "high"), (0.5, 0.75)),
)


@dataclass(frozen=True, slots=True)
class Share:
    """The J&F of one class of an attribute, over frames and objects alike."""

    attribute: str
    name: str
    frames: int
    jf: float | None  # None where no frame belongs to the class


def break_down(parts: Iterable[tuple[Measures, Circumstances]]) -> tuple[Share, ...]:
    """Return the mean J&F of each class of each attribute over the frames of all sequences.

    There is at least one sequence.
    """
    found = [(measures.jf, _values(course)) for measures, course in parts]
    shares = []
    for index, attribute in enumerate(ATTRIBUTES):
        places = np.concatenate([attribute.places(values[index]).ravel() for _, values in found])
        jf = np.concatenate([scores.ravel() for scores, _ in found])
        for number, name in enumerate(attribute.classes):
            chosen = jf[places == number]
            mean = float(chosen.mean()) if chosen.size else None
            shares.append(Share(attribute.name, name, int(chosen.size), mean))
    return tuple(shares)


def _values(course: Circumstances) -> tuple[Floats, ...]:
    """Return the values of the attributes, (T, K) each, in their order."""
    hidden = np.maximum(1 - course.visible, 0)
    return course.share, course.move, hidden, course.likeness
