"""Sequences to train on: what a source offers, and real ones from a folder.

Every source yields frames with exact labels, the same ones for the same seed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from models.training.data.pictures import (
    Frame,
    Size,
    TrainingDataError,
    mirror,
    read_image,
    read_labels,
    resize,
)

_IMAGES = {".jpg", ".jpeg", ".png"}


class SequenceSource(Protocol):
    """Named sequences, each rendered on demand."""

    def names(self) -> list[str]:
        """Return the names, sorted; a name fixes the content together with the seed."""

    def render(self, name: str) -> Iterator[Frame]:
        """Yield the frames of one sequence, all of one size."""


@dataclass(frozen=True)
class DavisSource:
    """A DAVIS folder: `JPEGImages/[480p/]SEQ/*.jpg` with `Annotations/[480p/]SEQ/*.png`.

    Binary ground truth (0 and 255) becomes object 1; palette ground truth keeps its ids.
    """

    root: Path
    size: Size
    only: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    mirrored: bool = False  # left and right changed, for features that are cached
    every: int = 1  # one frame in so many

    def names(self) -> list[str]:
        """Return the sequences that have images, less those excluded."""
        found = sorted(folder.name for folder in self._images().iterdir() if folder.is_dir())
        wanted = [name for name in found if not self.only or name in self.only]
        return [name for name in wanted if name not in self.without]

    def render(self, name: str) -> Iterator[Frame]:
        """Yield the sequence at `size`; images by area, labels by nearest neighbour."""
        masks = _below(self.root / "Annotations") / name
        for path in sorted_images(self._images() / name)[:: self.every]:
            image = read_image(path)
            labels = read_labels(masks / f"{path.stem}.png")
            if self.mirrored:
                image, labels = mirror(image, labels)
            yield resize(image, labels, self.size)

    def _images(self) -> Path:
        return _below(self.root / "JPEGImages")


def _below(folder: Path) -> Path:
    if not folder.is_dir():
        raise TrainingDataError(f"{folder} is not a folder. Set the data set's path in the config.")
    return folder / "480p" if (folder / "480p").is_dir() else folder


def sorted_images(folder: Path) -> list[Path]:
    """Return the images of a folder by name; TrainingDataError where there is no folder."""
    if not folder.is_dir():
        raise TrainingDataError(f"{folder} is not a folder. Set the data set's path in the config.")
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in _IMAGES)


def seeded(seed: int, name: str) -> np.random.Generator:
    """Return the generator of everything random in one sequence."""
    return np.random.default_rng([seed, *name.encode()])
