"""Stills with masks, warped into clips."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.api import Image
from models.training.pictures import (
    Frame,
    Labels,
    Size,
    center_of,
    cut_out,
    paste,
    read_image,
    read_labels,
    soften,
    warp,
)
from models.training.sequences import seeded, sorted_images


@dataclass(frozen=True)
class StillSource:
    """Stills with one object mask each, warped into clips of `views` frames.

    Each view is the still under another affine map and thin-plate bend; half the clips have the
    object of another still laid over them, as a second object or as an unlabelled occluder.
    """

    images: Path
    masks: Path
    size: Size
    views: int = 3
    seed: int = 0

    def names(self) -> list[str]:
        """Return the stems of the stills that have a mask."""
        stems = {path.stem for path in self.masks.glob("*.png")}
        return sorted(path.stem for path in sorted_images(self.images) if path.stem in stems)

    def render(self, name: str) -> Iterator[Frame]:
        """Yield `views` warped views of one still."""
        rng = seeded(self.seed, name)
        image, labels = self._still(name)
        overlay = self._overlay(rng)
        center = center_of(labels)
        for view in range(self.views):
            strength = 0.0 if view == 0 else 1.0
            warped = warp(image, labels, center, self.size, rng, strength)
            yield overlay.over(*warped, view) if overlay else warped

    def _still(self, name: str) -> Frame:
        path = next(p for p in sorted_images(self.images) if p.stem == name)
        return read_image(path), (read_labels(self.masks / f"{name}.png") > 0).astype(np.uint8)

    def _overlay(self, rng: np.random.Generator) -> "_Overlay | None":
        if rng.random() < 0.5:
            return None
        names = self.names()
        image, labels = self._still(names[int(rng.integers(len(names)))])
        label = 2 if rng.random() < 0.6 else 0
        return _Overlay.drifting(image, labels, self.size, self.views, label, rng)


@dataclass(frozen=True)
class _Overlay:
    """An object cut out of its picture, at a place for each view."""

    image: Image
    alpha: NDArray[np.float32]
    offsets: tuple[tuple[int, int], ...]
    label: int

    @classmethod
    def drifting(
        cls,
        image: Image,
        labels: Labels,
        size: Size,
        views: int,
        label: int,
        rng: np.random.Generator,
    ) -> "_Overlay":
        cut, mask = cut_out(image, labels > 0, 0.45 * size[0] * float(rng.uniform(0.5, 1.2)))
        start = rng.uniform(0.0, 0.8, 2) * size
        step = rng.uniform(-0.25, 0.25, 2) * size
        offsets = tuple((int(y), int(x)) for y, x in (start + step * t for t in range(views)))
        return cls(cut, soften(mask), offsets, label)

    def over(self, image: Image, labels: Labels, view: int) -> Frame:
        return paste(image, labels, self.image, self.alpha, self.offsets[view], self.label)
