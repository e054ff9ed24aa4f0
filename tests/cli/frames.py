"""A small video on disk, and the masks on it."""

from pathlib import Path

import cv2
import numpy as np

from app.storage.formats.palette import Labels, write_palette_png

SIZE = (60, 80)
COLORS = {1: (200, 40, 40), 2: (40, 60, 210)}


def labels(index: int, *numbers: int) -> Labels:
    """Return where the two squares are: 1 goes right, 2 goes left."""
    out = np.zeros(SIZE, np.uint8)
    if 1 in numbers:
        out[8:24, 6 + 2 * index : 22 + 2 * index] = 1
    if 2 in numbers:
        out[36:52, 56 - 2 * index : 72 - 2 * index] = 2
    return out


def image(index: int) -> Labels:
    """Return the frame, (H, W, 3)."""
    rng = np.random.default_rng(5)
    ground = cv2.resize(rng.integers(90, 130, (8, 10, 3)).astype(np.uint8), (80, 60))
    out = np.asarray(ground, np.uint8)
    for number, color in COLORS.items():
        out[labels(index, number) == number] = color
    return out


def write_video(folder: Path, length: int = 8, name: str = "frame_{:010}.png") -> Path:
    """Write the frames as images and return their folder."""
    folder.mkdir()
    for index in range(length):
        file = folder / name.format(index + 1)
        cv2.imwrite(str(file), cv2.cvtColor(image(index), cv2.COLOR_RGB2BGR))
    return folder


def write_masks(folder: Path, masks: dict[str, Labels]) -> Path:
    """Write stem -> label map and return the folder."""
    for stem, values in masks.items():
        write_palette_png(folder / f"{stem}.png", values)
    return folder
