"""Images with labels: read, resized, warped, relit, cut out and pasted."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from models.api import Image

Labels = NDArray[np.uint8]  # (H, W), 0 = background, 1.. = objects
Frame = tuple[Image, Labels]
Size = tuple[int, int]  # (height, width), multiples of 32


class TrainingDataError(Exception):
    """A data folder is missing, empty, or its images and masks do not belong together."""


def read_image(path: Path) -> Image:
    """Return the image (H, W, 3) RGB, not turned: masks count its pixels as they are stored.

    Raises TrainingDataError where it cannot be read.
    """
    pixels = cv2.imread(str(path), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    if pixels is None:
        raise TrainingDataError(f"{path} cannot be read as an image. Fetch the data set again.")
    return np.ascontiguousarray(pixels[..., ::-1]).astype(np.uint8, copy=False)


def read_labels(path: Path) -> Labels:
    """Return the labels (H, W): palette ids as they are; 255-valued binary masks become 1."""
    try:
        with PillowImage.open(path) as file:
            pixels = np.asarray(file)
    except (OSError, ValueError) as error:
        raise TrainingDataError(
            f"{path} is missing or cannot be read. Fetch the data set again."
        ) from error
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


def lay_pair(frame: Frame, top: Frame, offset: tuple[int, int], *, behind: bool) -> Frame:
    """Lay object 1 of `top` over object 1 of `frame`, or behind it, as object 2."""
    own = frame[1] == 1
    top_alpha = soften(top[1] == 1)
    image, labels = paste(frame[0], own.astype(np.uint8), top[0], top_alpha, offset, 2)
    if behind:
        image, labels = paste(image, labels, frame[0], soften(own), (0, 0), 1)
    return image, labels


def soften(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return `mask` with an edge that falls off over about three pixels."""
    return cv2.GaussianBlur(mask.astype(np.float32), (5, 5), 1.2).astype(np.float32, copy=False)


def cut_out(
    image: Image, mask: NDArray[np.bool_], target: float
) -> tuple[Image, NDArray[np.bool_]]:
    """Return the masked part of an image and its mask, `target` pixels on the long side."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    window = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    cut, solid = image[window], mask[window].astype(np.uint8)
    scale = target / max(cut.shape[:2])
    size = (max(round(cut.shape[0] * scale), 2), max(round(cut.shape[1] * scale), 2))
    small, small_mask = resize(cut, solid, size)
    return small, small_mask > 0


def set_apart(image: Image, mask: NDArray[np.bool_], size: Size, share: float) -> Frame:
    """Return the masked part in the middle of an empty frame, `share` of its short side long."""
    cut, solid = cut_out(image, mask, share * min(size))
    height, width = solid.shape
    y, x = (size[0] - height) // 2, (size[1] - width) // 2
    canvas, labels = np.zeros((*size, 3), np.uint8), np.zeros(size, np.uint8)
    canvas[y : y + height, x : x + width] = cut
    labels[y : y + height, x : x + width] = solid
    return canvas, labels


def relight(frames: Sequence[Frame], rng: np.random.Generator) -> list[Frame]:
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


def center_of(labels: Labels) -> NDArray[np.float64]:
    """Return the objects' centre of mass (x, y), or the middle of the picture."""
    rows, columns = np.nonzero(labels)
    if not rows.size:
        return np.array([labels.shape[1] / 2, labels.shape[0] / 2])
    return np.array([columns.mean(), rows.mean()])
