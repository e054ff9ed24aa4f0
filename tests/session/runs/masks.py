"""Masks of runs: a ground truth, and a prediction that fails on some frames."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from app.core.evaluate import Labels
from app.core.runs import RunKind
from app.storage.formats.palette import encode_palette_png
from tests.fakes import SIZE, square
from tests.session.desk import FRAMES, Desk

TRUTH, PREDICTION = RunKind.GROUND_TRUTH, RunKind.PREDICTION
LOST = range(10, 16)  # frames on which the prediction misses the first object


def labels_at(x: int, second: int | None = None) -> Labels:
    labels = square(x, size=SIZE).astype(np.uint8)
    if second is not None:
        labels[square(second, y=4, side=9, size=SIZE)] = 2
    return labels


def write_run(folder: Path, labels: Callable[[int], Labels], frames: range = range(FRAMES)) -> Path:
    folder.mkdir()
    for frame in frames:
        (folder / f"{frame:05d}.png").write_bytes(encode_palette_png(labels(frame)))
    return folder


def wrote(desk: Desk) -> bool:
    """Whether it was said how the writing went."""
    return desk.said("Saved") or any(report.level == "error" for report in desk.reports)


def true(frame: int) -> Labels:
    return labels_at(10 + frame // 2, 40)


def predicted(frame: int) -> Labels:
    """The second object is one pixel off, the first is missed for some frames."""
    labels = labels_at(10 + frame // 2, 41)
    if frame in LOST:
        labels[labels == 1] = 0
    return labels
