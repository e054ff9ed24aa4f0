"""Objects of some sequences pasted over another one, each along its own path."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.training.data.pictures import Frame, paste, relight, resize, set_apart, soften
from models.training.data.sequences import DavisSource, seeded
from models.training.data.stills import Hands


@dataclass(frozen=True)
class PasteSource:
    """Objects of some sequences laid over another one, each along its own path.

    Gives several objects, crossings, occlusion and look-alikes with exact labels. Of all clips half
    are mirrored, each has its own light; a fifth of the pasted objects repeat the clip's own one as
    a look-alike; a quarter are unlabelled occluders, with `hands` half of these hands. A share
    `leaving` of the objects leave the picture and come back, or come in after the first frame.
    """

    base: DavisSource
    count: int
    length: int = 16
    most: int = 3
    seed: int = 0
    leaving: float = 0.0
    hands: Hands | None = None

    def names(self) -> list[str]:
        """Return one name for each pasted clip."""
        return [f"paste-{index:04d}" for index in range(self.count)]

    def render(self, name: str) -> Iterator[Frame]:
        """Yield the pasted clip."""
        rng = seeded(self.seed, name)
        names = self.base.names()
        below = names[int(rng.integers(len(names)))]
        frames = relight(stretch(list(self.base.render(below)), self.length, rng), rng)
        label = max(int(labels.max()) for _, labels in frames)
        for _ in range(int(rng.integers(1, self.most + 1))):
            alike = rng.random() < 0.2
            source = below if alike else names[int(rng.integers(len(names)))]
            top = stretch(list(self.base.render(source)), self.length, rng)
            occluder = rng.random() < 0.25
            if occluder and self.hands and rng.random() < 0.5:
                top = self._hand(rng)
            label += not occluder
            frames = self._lay_over(frames, top, 0 if occluder else label, rng)
        yield from frames

    def _hand(self, rng: np.random.Generator) -> list[Frame]:
        """Return a hand on an empty frame of the clip's size, all the time."""
        assert self.hands is not None
        picture, hand = self.hands.draw(rng)
        return [set_apart(picture, hand > 0, self.base.size, 0.8)] * self.length

    def _lay_over(
        self, frames: Sequence[Frame], top: Sequence[Frame], label: int, rng: np.random.Generator
    ) -> list[Frame]:
        height, width = frames[0][1].shape
        scale = float(rng.uniform(0.45, 1.0))
        flipped = rng.random() < 0.5
        shifts = self._shifts((height, width), rng)
        laid: list[Frame] = []
        for shift, (image, labels), (over, over_labels) in zip(shifts, frames, top, strict=True):
            small = resize(over, over_labels, (round(height * scale), round(width * scale)))
            cut, cut_labels = (small[0][:, ::-1], small[1][:, ::-1]) if flipped else small
            middle = np.array([height, width]) * (1 - scale) / 2
            y, x = middle + shift
            alpha = soften(cut_labels == 1)
            laid.append(paste(image, labels, cut, alpha, (int(y), int(x)), label))
        return laid

    def _shifts(self, size: tuple[int, int], rng: np.random.Generator) -> list[NDArray[np.float64]]:
        """Return how far (y, x) the object is moved out of the middle on each frame."""
        start = rng.uniform(-0.3, 0.3, 2) * size
        step = rng.uniform(-0.03, 0.03, 2) * size
        shifts = [start + step * time for time in range(self.length)]
        if self.leaving and rng.random() < self.leaving:
            away = np.array([0.0, rng.choice([-1.3, 1.3]) * size[1]])
            share = np.linspace(0, 1, self.length)
            comes_in = rng.random() < 0.5
            out = np.clip(1 - 2.5 * share, 0, 1) if comes_in else _out_and_back(share)
            shifts = [shift + away * part for shift, part in zip(shifts, out, strict=True)]
        return shifts


def _out_and_back(share: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how far out an object is that goes, is away for a while, and returns."""
    return np.clip(2.5 * np.sin(np.pi * share) - 1.0, 0, 1)


def stretch(frames: Sequence[Frame], length: int, rng: np.random.Generator) -> list[Frame]:
    """Return `length` frames at an even step from a random start, forward or backward."""
    step = max(min(int(rng.integers(1, 4)), (len(frames) - 1) // max(length - 1, 1)), 1)
    span = min(step * (length - 1) + 1, len(frames))
    start = int(rng.integers(len(frames) - span + 1))
    picked = [frames[min(start + index * step, len(frames) - 1)] for index in range(length)]
    return picked[::-1] if rng.random() < 0.5 else picked
