"""Pairs of objects that cross: which is which afterwards, only memory can tell."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.training.data.pasting import stretch
from models.training.data.pictures import (
    Frame,
    center_of,
    lay_pair,
    mirror,
    relight,
    resize,
    set_apart,
)
from models.training.data.sequences import DavisSource, seeded
from models.training.data.stills import StillSource

_STILL = 3  # one clip in so many shows the object of a still
_RETURN = 0.25  # share of the objects that turn back where they meet
_LEVEL = 0.8  # share of the paths that are more level than steep


@dataclass(frozen=True)
class CrossingSource:
    """The object of one sequence moved across that of another, before it or behind it.

    Object 1 is the sequence's own, object 2 the one that is moved. One clip in `alike` shows the
    same object twice, in other poses, every other time mirrored: only place and movement tell the
    two apart. With `stills`, one in three shows the object of a still.
    """

    base: DavisSource
    count: int
    length: int = 18
    seed: int = 0
    alike: int = 6
    stills: StillSource | None = None

    def names(self) -> list[str]:
        """Return one name for each clip."""
        return [f"crossing-{index:04d}" for index in range(self.count)]

    def render(self, name: str) -> Iterator[Frame]:
        """Yield one clip."""
        rng = seeded(self.seed, name)
        number = self.names().index(name)
        names = self.base.names()
        own = names[int(rng.integers(len(names)))]
        below = relight(stretch(list(self.base.render(own)), self.length, rng), rng)
        cycle, turn = divmod(number, self.alike)
        if turn == self.alike - 1:
            above = [mirror(*frame) if cycle % 2 else frame for frame in below[::-1]]
        else:
            above = relight(self._another(number, own, rng), rng)
        behind = rng.random() < 0.5
        path = _path(below, rng)
        scale = _scale(below, above) * float(np.exp(rng.uniform(-0.3, 0.3)))
        for frame, top, at in zip(below, above, path, strict=True):
            height, width = top[1].shape
            small = resize(*top, (max(round(height * scale), 2), max(round(width * scale), 2)))
            x, y = np.round(at - center_of((small[1] == 1).astype(np.uint8))).astype(int)
            yield lay_pair(frame, small, (int(y), int(x)), behind=behind)

    def _another(self, number: int, own: str, rng: np.random.Generator) -> list[Frame]:
        if self.stills is not None and number % _STILL == 0:
            names = self.stills.names()
            image, labels = self.stills.still(names[int(rng.integers(len(names)))])
            return [set_apart(image, labels == 1, self.base.size, 0.7)] * self.length
        others = [name for name in self.base.names() if name != own] or [own]
        chosen = others[int(rng.integers(len(others)))]
        return stretch(list(self.base.render(chosen)), self.length, rng)


def _scale(below: Sequence[Frame], above: Sequence[Frame]) -> float:
    """Return by how much the second object is to grow: half way to the first one's size."""
    areas = [
        max(np.mean([(labels == 1).sum() for _, labels in part]), 1) for part in (below, above)
    ]
    return float(np.clip((areas[0] / areas[1]) ** 0.25, 0.3, 2.0))


def _path(below: Sequence[Frame], rng: np.random.Generator) -> NDArray[np.float64]:
    """Return where (x, y) the moved object is on each frame: it comes, meets the other, goes."""
    height, width = below[0][1].shape
    length = len(below)
    meets = int(rng.integers(round(0.3 * length), max(round(0.7 * length), 1)))
    level = rng.random() < _LEVEL
    reach = np.array([width, 0.25 * height] if level else [0.25 * width, height])
    comes_from = rng.choice([-1, 1], 2) * reach * rng.uniform(0.2, 0.5, 2)
    goes_to = -comes_from * rng.uniform(0.6, 1.2)
    if rng.random() < _RETURN:
        goes_to = comes_from * rng.uniform(0.6, 1.2)
    meeting = center_of((below[meets][1] == 1).astype(np.uint8))
    times, at = (0, meets, length - 1), np.arange(length)
    points = np.stack([meeting + comes_from, meeting, meeting + goes_to])
    points = np.clip(points, 0.06 * np.array([width, height]), 0.94 * np.array([width, height]))
    return np.stack([np.interp(at, times, points[:, axis]) for axis in (0, 1)], axis=1)
