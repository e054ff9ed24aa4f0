"""Sequences to train on: real ones, stills warped into clips, objects pasted over other videos.

Every source yields frames with exact labels, the same ones for the same seed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from models.api import Image

Labels = NDArray[np.uint8]  # (H, W), 0 = background, 1.. = objects
Frame = tuple[Image, Labels]
Size = tuple[int, int]  # (height, width), multiples of 32
_IMAGES = {".jpg", ".jpeg", ".png"}


class TrainingDataError(Exception):
    """A data folder is missing, empty, or its images and masks do not belong together."""


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

    def names(self) -> list[str]:
        """Return the sequences that have images, less those excluded."""
        found = sorted(folder.name for folder in self._images().iterdir() if folder.is_dir())
        wanted = [name for name in found if not self.only or name in self.only]
        return [name for name in wanted if name not in self.without]

    def render(self, name: str) -> Iterator[Frame]:
        """Yield the sequence at `size`; images by area, labels by nearest neighbour."""
        masks = _below(self.root / "Annotations") / name
        for path in _sorted_images(self._images() / name):
            image = read_image(path)
            labels = read_labels(masks / f"{path.stem}.png")
            if self.mirrored:
                image, labels = mirror(image, labels)
            yield resize(image, labels, self.size)

    def _images(self) -> Path:
        return _below(self.root / "JPEGImages")


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
        return sorted(path.stem for path in _sorted_images(self.images) if path.stem in stems)

    def render(self, name: str) -> Iterator[Frame]:
        """Yield `views` warped views of one still."""
        rng = _rng(self.seed, name)
        image, labels = self._still(name)
        overlay = self._overlay(rng)
        center = _center(labels)
        for view in range(self.views):
            strength = 0.0 if view == 0 else 1.0
            warped = warp(image, labels, center, self.size, rng, strength)
            yield overlay.over(*warped, view) if overlay else warped

    def _still(self, name: str) -> Frame:
        path = next(p for p in _sorted_images(self.images) if p.stem == name)
        return read_image(path), (read_labels(self.masks / f"{name}.png") > 0).astype(np.uint8)

    def _overlay(self, rng: np.random.Generator) -> "_Overlay | None":
        if rng.random() < 0.5:
            return None
        names = self.names()
        image, labels = self._still(names[int(rng.integers(len(names)))])
        label = 2 if rng.random() < 0.6 else 0
        return _Overlay.drifting(image, labels, self.size, self.views, label, rng)


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
        rng = _rng(self.seed, name)
        names = self.base.names()
        below = names[int(rng.integers(len(names)))]
        frames = _relight(_stretch(list(self.base.render(below)), self.length, rng), rng)
        label = 1
        for _ in range(int(rng.integers(1, self.most + 1))):
            alike = rng.random() < 0.2
            source = below if alike else names[int(rng.integers(len(names)))]
            top = _stretch(list(self.base.render(source)), self.length, rng)
            occluder = rng.random() < 0.25
            label += not occluder
            frames = _lay_over(frames, top, 0 if occluder else label, rng)
        yield from frames


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
        cut, mask = _cut_out(image, labels > 0, 0.45 * size[0] * float(rng.uniform(0.5, 1.2)))
        start = rng.uniform(0.0, 0.8, 2) * size
        step = rng.uniform(-0.25, 0.25, 2) * size
        offsets = tuple((int(y), int(x)) for y, x in (start + step * t for t in range(views)))
        return cls(cut, soften(mask), offsets, label)

    def over(self, image: Image, labels: Labels, view: int) -> Frame:
        return paste(image, labels, self.image, self.alpha, self.offsets[view], self.label)


def read_image(path: Path) -> Image:
    """Return the image (H, W, 3) RGB; TrainingDataError where it cannot be read."""
    pixels = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if pixels is None:
        raise TrainingDataError(f"{path} cannot be read as an image. Fetch the data set again.")
    return np.ascontiguousarray(pixels[..., ::-1]).astype(np.uint8, copy=False)


def read_labels(path: Path) -> Labels:
    """Return the labels (H, W): palette ids as they are; 255-valued binary masks become 1."""
    pixels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise TrainingDataError(f"{path} is missing or cannot be read. Fetch the data set again.")
    if pixels.ndim == 3:
        raise TrainingDataError(f"{path} is a colour image, not a label map.")
    if pixels.max(initial=0) == 255 and np.isin(pixels, (0, 255)).all():
        return (pixels > 0).astype(np.uint8)
    return np.where(pixels == 255, 0, pixels).astype(np.uint8)


def resize(image: Image, labels: Labels, size: Size) -> Frame:
    """Return image (by area) and labels (by nearest neighbour) at `size`."""
    width_height = (size[1], size[0])
    small = cv2.resize(image, width_height, interpolation=cv2.INTER_AREA)
    small_labels = cv2.resize(labels, width_height, interpolation=cv2.INTER_NEAREST)
    return small.astype(np.uint8, copy=False), small_labels.astype(np.uint8, copy=False)


def mirror(image: Image, labels: Labels) -> Frame:
    """Return the frame with left and right changed."""
    return np.ascontiguousarray(image[:, ::-1]), np.ascontiguousarray(labels[:, ::-1])


def warp(
    image: Image,
    labels: Labels,
    center: NDArray[np.float64],
    size: Size,
    rng: np.random.Generator,
    strength: float,
) -> Frame:
    """Return a view of size `size` round `center` (x, y), under a random affine map and bend."""
    height, width = labels.shape
    fit = max(size[0] / height, size[1] / width)
    angle = np.radians(rng.uniform(-20, 20)) * strength
    scale = fit * np.exp(rng.uniform(-0.25, 0.3) * strength)
    shear = rng.uniform(-0.12, 0.12) * strength
    linear = scale * np.array(
        [[np.cos(angle), -np.sin(angle) + shear], [np.sin(angle), np.cos(angle)]]
    )
    half = np.array([size[1], size[0]]) / 2
    reach = np.maximum(np.array([width, height]) * fit - 2 * half, 0) / (2 * fit)
    middle = np.array([width, height]) / 2
    base = np.clip(center, middle - reach, middle + reach)
    target = half + rng.uniform(-0.12, 0.12, 2) * (size[1], size[0]) * strength
    grid_y, grid_x = np.mgrid[0 : size[0], 0 : size[1]].astype(np.float32)
    grid = np.stack([grid_x, grid_y], axis=-1) - target
    source = (grid @ np.linalg.inv(linear).T + base).astype(np.float32)
    source += _bend(size, rng, 0.03 * strength / scale)
    at_x, at_y = source[..., 0], source[..., 1]
    moved = cv2.remap(image, at_x, at_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    moved_labels = cv2.remap(labels, at_x, at_y, cv2.INTER_NEAREST, borderValue=0)
    gain, lift = rng.uniform(0.85, 1.15), rng.uniform(-12, 12) * strength
    lit = np.clip(moved.astype(np.float32) * gain + lift, 0, 255) if strength else moved
    return lit.astype(np.uint8), moved_labels.astype(np.uint8, copy=False)


def paste(
    image: Image,
    labels: Labels,
    top: Image,
    alpha: NDArray[np.float32],
    offset: tuple[int, int],
    label: int,
) -> Frame:
    """Lay `top` (h, w, 3) over `image` at `offset` (y, x); where it is solid, `label` wins."""
    height, width = labels.shape
    y0, x0 = max(offset[0], 0), max(offset[1], 0)
    y1, x1 = min(offset[0] + alpha.shape[0], height), min(offset[1] + alpha.shape[1], width)
    if y0 >= y1 or x0 >= x1:
        return image, labels
    image, labels = image.copy(), labels.copy()
    part = np.s_[y0 - offset[0] : y1 - offset[0], x0 - offset[1] : x1 - offset[1]]
    cover = alpha[part][..., None]
    blend = image[y0:y1, x0:x1] * (1 - cover) + top[part] * cover
    image[y0:y1, x0:x1] = blend.astype(np.uint8)
    labels[y0:y1, x0:x1][alpha[part] > 0.5] = label
    return image, labels


def soften(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return `mask` with an edge that falls off over about three pixels."""
    return cv2.GaussianBlur(mask.astype(np.float32), (5, 5), 1.2).astype(np.float32, copy=False)


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


def _cut_out(
    image: Image, mask: NDArray[np.bool_], target: float
) -> tuple[Image, NDArray[np.bool_]]:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    window = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    cut, solid = image[window], mask[window].astype(np.uint8)
    scale = target / max(cut.shape[:2])
    size = (max(round(cut.shape[0] * scale), 2), max(round(cut.shape[1] * scale), 2))
    small, small_mask = resize(cut, solid, size)
    return small, small_mask > 0


def _stretch(frames: Sequence[Frame], length: int, rng: np.random.Generator) -> list[Frame]:
    """Return `length` frames at an even step from a random start, forward or backward."""
    step = max(min(int(rng.integers(1, 4)), (len(frames) - 1) // max(length - 1, 1)), 1)
    span = min(step * (length - 1) + 1, len(frames))
    start = int(rng.integers(len(frames) - span + 1))
    picked = [frames[min(start + index * step, len(frames) - 1)] for index in range(length)]
    return picked[::-1] if rng.random() < 0.5 else picked


def _relight(frames: Sequence[Frame], rng: np.random.Generator) -> list[Frame]:
    """Return the clip mirrored half the time, under another light: gamma, and gain per channel."""
    turned = [mirror(*frame) for frame in frames] if rng.random() < 0.5 else frames
    gamma, gain = np.exp(rng.uniform(-0.3, 0.3)), rng.uniform(0.85, 1.15, 3)
    levels = (np.arange(256)[:, None] / 255) ** gamma * gain * 255  # (256, 3)
    table = np.clip(levels, 0, 255).astype(np.uint8)[None]
    return [(cv2.LUT(image, table).astype(np.uint8), labels) for image, labels in turned]


def _bend(size: Size, rng: np.random.Generator, strength: float) -> NDArray[np.float32]:
    coarse = rng.normal(0, 1, (4, 4, 2)).astype(np.float32) * strength * max(size)
    return cv2.resize(coarse, (size[1], size[0]), interpolation=cv2.INTER_CUBIC).astype(
        np.float32, copy=False
    )


def _center(labels: Labels) -> NDArray[np.float64]:
    rows, columns = np.nonzero(labels)
    if not rows.size:
        return np.array([labels.shape[1] / 2, labels.shape[0] / 2])
    return np.array([columns.mean(), rows.mean()])


def _below(folder: Path) -> Path:
    if not folder.is_dir():
        raise TrainingDataError(f"{folder} is not a folder. Set the data set's path in the config.")
    return folder / "480p" if (folder / "480p").is_dir() else folder


def _sorted_images(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise TrainingDataError(f"{folder} is not a folder. Set the data set's path in the config.")
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in _IMAGES)


def _rng(seed: int, name: str) -> np.random.Generator:
    return np.random.default_rng([seed, *name.encode()])
