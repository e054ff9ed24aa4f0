"""Data sets on the disk: a ground truth, predictions of it, and images."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import cv2
import numpy as np

from app.batch.inspection.dataset import find_cases, score_cases
from app.batch.inspection.report import Cases
from app.batch.inspection.tables import Run
from app.core.evaluate import Labels, Protocol
from tests.batch.inspection.scenes import COUNT, SIZE, lost, swapped, truth

GREYS = range(40, 40 + 10 * COUNT, 10)  # of the images, frame by frame


def write_masks(folder: Path, frames: Iterable[Labels]) -> Path:
    folder.mkdir(parents=True)
    for index, labels in enumerate(frames):
        cv2.imwrite(str(folder / f"{index:05d}.png"), labels)
    return folder


def write_images(folder: Path, greys: Iterable[int] = GREYS, size: tuple[int, int] = SIZE) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for index, grey in enumerate(greys):
        image = np.full((*size, 3), grey, np.uint8)
        cv2.imwrite(str(folder / f"{index:05d}.jpg"), image)
    return folder


def write_set(root: Path, predictions: Mapping[str, list[Labels]] | None = None) -> Path:
    """Write `gt` with a sequence for each prediction, and them to `base`; `new` is right."""
    for name, frames in (predictions or {"left": lost(), "right": swapped()}).items():
        write_masks(root / "gt" / name, truth())
        write_masks(root / "base" / name, frames)
        write_masks(root / "new" / name, truth())
    return root


def scored(root: Path, *names: str, protocol: Protocol | None = None) -> tuple[list[Run], Cases]:
    """Score the predictions of these names, two threads each."""
    folders = [root / name for name in names or ("base", "new")]
    images = root / "images" if (root / "images").is_dir() else None
    cases, _ = find_cases(root / "gt", folders, images, protocol)
    return score_cases(cases, folders, 2), cases
