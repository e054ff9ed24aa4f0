"""Stills with masks, warped into clips."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from models.api import Image
from models.training.data.pictures import (
    Frame,
    Labels,
    Size,
    TrainingDataError,
    center_of,
    cut_out,
    paste,
    read_image,
    read_labels,
    resize,
    soften,
    warp,
)
from models.training.data.proposals import Propose
from models.training.data.sequences import seeded, sorted_images


@dataclass(frozen=True)
class Hands:
    """Photographs of hands with masks: the stills of a folder whose names begin with `hand_`."""

    root: Path

    def draw(self, rng: np.random.Generator) -> Frame:
        """Return a random one; TrainingDataError where there is none."""
        found = self._found
        return read_still(self.root / "images", found[int(rng.integers(len(found)))])

    @cached_property
    def _found(self) -> list[Path]:
        masks = self.root / "masks"
        stems = matching(self.root / "images", masks)
        found = [masks / f"{stem}.png" for stem in stems if stem.startswith("hand_")]
        if not found:
            raise TrainingDataError(f"{self.root} has no masks/hand_*.png. Fetch it again.")
        return found


@dataclass(frozen=True)
class StillSource:
    """Stills with one object mask each, warped into clips of `views` frames.

    Each view is the still under another affine map and thin-plate bend; half the clips have the
    object of another still laid over them, as a second object or as an unlabelled occluder; with
    `hands`, half of these have a hand. With `propose`, more objects are found in each still, and
    stills without a mask count too. No `views` gives the whole still once, squeezed to `size`.
    """

    images: Path
    masks: Path
    size: Size
    views: int = 3
    seed: int = 0
    hands: Hands | None = None
    propose: Propose | None = None
    without: tuple[str, ...] = ()

    def names(self) -> list[str]:
        """Return the stems of the stills, sorted, less those excluded."""
        if self.propose is None:
            return self._labelled
        found = sorted(path.stem for path in sorted_images(self.images))
        return [name for name in found if name not in self.without]

    def render(self, name: str) -> Iterator[Frame]:
        """Yield `views` warped views of one still."""
        rng = seeded(self.seed, name)
        image, labels = self.still(name)
        if not self.views:
            yield resize(image, labels, self.size)
            return
        overlay = self._overlay(rng, int(labels.max()) + 1)
        center = center_of(labels)
        for view in range(self.views):
            strength = 0.0 if view == 0 else 1.0
            warped = warp(image, labels, center, self.size, rng, strength)
            yield overlay.over(*warped, view) if overlay else warped

    @cached_property
    def _labelled(self) -> list[str]:
        found = matching(self.images, self.masks)
        return [name for name in found if name not in self.without]

    def still(self, name: str) -> Frame:
        """Return one still as it is, with its object as 1 and the proposed ones from 2 on."""
        mask = self.masks / f"{name}.png"
        if self.propose is None:
            return read_still(self.images, mask)
        if name not in self._labelled:
            image = read_image(_image_of(self.images, name))
            return image, self.propose(image)
        image, labels = read_still(self.images, mask)
        return image, with_more(labels, self.propose(image))

    def _overlay(self, rng: np.random.Generator, label: int) -> "_Overlay | None":
        if rng.random() < 0.5:
            return None
        if self.hands and rng.random() < 0.5:
            hand = self.hands.draw(rng)
            return _Overlay.drifting(*hand, self.size, self.views, 0, rng)
        names = self._labelled
        if not names:
            return None
        name = names[int(rng.integers(len(names)))]
        image, labels = read_still(self.images, self.masks / f"{name}.png")
        label = label if rng.random() < 0.6 else 0
        return _Overlay.drifting(image, labels, self.size, self.views, label, rng)


def matching(images: Path, masks: Path) -> list[str]:
    """Return the stems, sorted, of the images that have a mask of their own size.

    A mask of another size was drawn on an image that was turned or scaled since: where it belongs
    cannot be known.
    """
    found = {path.stem: path for path in sorted_images(images)}
    both = [stem for stem in sorted(found) if (masks / f"{stem}.png").exists()]
    return [stem for stem in both if _size(found[stem]) == _size(masks / f"{stem}.png")]


def _size(path: Path) -> tuple[int, int]:
    with PillowImage.open(path) as file:
        return file.size


def read_still(images: Path, mask: Path) -> Frame:
    """Return the still that belongs to a mask, and the mask as object 1."""
    labels = (read_labels(mask) > 0).astype(np.uint8)
    return read_image(_image_of(images, mask.stem)), labels


def with_more(known: Labels, proposed: Labels) -> Labels:
    """Return the known object and, as 2, 3, ..., the proposed ones that mostly lie beside it."""
    labels = known.copy()
    for label in np.unique(proposed[proposed > 0]):
        mask = proposed == label
        free = mask & (known == 0)
        if 2 * np.count_nonzero(free) > np.count_nonzero(mask):
            labels[free] = labels.max() + 1
    return labels


def _image_of(images: Path, name: str) -> Path:
    found = [path for path in sorted_images(images) if path.stem == name]
    if not found:
        raise TrainingDataError(f"{images} has no image called {name}. Fetch the data set again.")
    return found[0]


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
