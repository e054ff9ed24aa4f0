"""Objects of some sequences pasted over another one, each along its own path."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from models.training.pictures import Frame, paste, relight, resize, soften
from models.training.sequences import DavisSource, seeded


@dataclass(frozen=True)
class PasteSource:
    """Objects of some sequences laid over another one, each along its own path.

    Gives several objects, crossings, occlusion and look-alikes with exact labels. Of all clips half
    are mirrored, each has its own light; a fifth of the pasted objects repeat the clip's own one as
    a look-alike; a quarter are unlabelled occluders.
    """

    base: DavisSource
    count: int
    length: int = 16
    most: int = 3
    seed: int = 0

    def names(self) -> list[str]:
        """Return one name for each pasted clip."""
        return [f"paste-{index:04d}" for index in range(self.count)]

    def render(self, name: str) -> Iterator[Frame]:
        """Yield the pasted clip."""
        rng = seeded(self.seed, name)
        names = self.base.names()
        below = names[int(rng.integers(len(names)))]
        frames = relight(_stretch(list(self.base.render(below)), self.length, rng), rng)
        label = max(int(labels.max()) for _, labels in frames)
        for _ in range(int(rng.integers(1, self.most + 1))):
            alike = rng.random() < 0.2
            source = below if alike else names[int(rng.integers(len(names)))]
            top = _stretch(list(self.base.render(source)), self.length, rng)
            occluder = rng.random() < 0.25
            label += not occluder
            frames = _lay_over(frames, top, 0 if occluder else label, rng)
        yield from frames


def _lay_over(
    frames: Sequence[Frame], top: Sequence[Frame], label: int, rng: np.random.Generator
) -> list[Frame]:
    height, width = frames[0][1].shape
    scale = float(rng.uniform(0.45, 1.0))
    flipped = rng.random() < 0.5
    start = rng.uniform(-0.3, 0.3, 2) * (height, width)
    step = rng.uniform(-0.03, 0.03, 2) * (height, width)
    laid: list[Frame] = []
    for time, ((image, labels), (over, over_labels)) in enumerate(zip(frames, top, strict=True)):
        small = resize(over, over_labels, (round(height * scale), round(width * scale)))
        cut, cut_labels = (small[0][:, ::-1], small[1][:, ::-1]) if flipped else small
        middle = np.array([height, width]) * (1 - scale) / 2
        y, x = middle + start + step * time
        alpha = soften(cut_labels == 1)
        laid.append(paste(image, labels, cut, alpha, (int(y), int(x)), label))
    return laid


def _stretch(frames: Sequence[Frame], length: int, rng: np.random.Generator) -> list[Frame]:
    """Return `length` frames at an even step from a random start, forward or backward."""
    step = max(min(int(rng.integers(1, 4)), (len(frames) - 1) // max(length - 1, 1)), 1)
    span = min(step * (length - 1) + 1, len(frames))
    start = int(rng.integers(len(frames) - span + 1))
    picked = [frames[min(start + index * step, len(frames) - 1)] for index in range(length)]
    return picked[::-1] if rng.random() < 0.5 else picked
