"""Clips cut from cached sequences: a start, a skip, a direction, a window and up to K objects."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.training.features import CachedSequence, to_tensor

CELL = 16  # pixels of the coarsest feature cell; windows lie on its grid
_LEVEL_CELLS = (1, 2, 4)  # cells of each feature level in one coarse cell
_TRIES = 20
_LEAST_AREA = 150  # pixels of an object that is given


@dataclass(frozen=True)
class ClipSpec:
    """What a batch of clips is cut to: T frames of `window` cells, up to K objects.

    In a share `late` of the clips, objects may begin on a later frame than the first.
    """

    length: int
    max_skip: int
    objects: int
    window: tuple[int, int]  # (rows, columns) of CELL pixels
    shift: int = 2  # cells by which the window may move from frame to frame
    late: float = 0.0


@dataclass(frozen=True)
class ClipBatch:
    """images (B, T, 3, H, W) 0 to 1; labels (B, T, H, W) int64, 0 to K; present (B, K) bool.

    `starts` (B, K) int64: the frame on which each object's mask is given; before it the labels do
    not show the object.
    `features`: three levels (B, T, C, h, w) float32, or none where the encoder is trained.
    """

    images: Tensor
    labels: Tensor
    present: Tensor
    starts: Tensor
    features: tuple[Tensor, ...]

    def to(self, device: torch.device) -> "ClipBatch":
        """Return the batch on `device`."""
        return ClipBatch(
            self.images.to(device),
            self.labels.to(device),
            self.present.to(device),
            self.starts.to(device),
            tuple(level.to(device) for level in self.features),
        )


@dataclass(frozen=True)
class _Clip:
    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    features: tuple[NDArray[np.float16], ...]
    starts: tuple[int, ...]  # of each object


def draw_batch(
    sequences: Sequence[CachedSequence], spec: ClipSpec, size: int, rng: np.random.Generator
) -> ClipBatch:
    """Return `size` clips of random sequences; the same ones for the same state of `rng`."""
    clips = [_draw(sequences[int(rng.integers(len(sequences)))], spec, rng) for _ in range(size)]
    present = torch.zeros(size, spec.objects, dtype=torch.bool)
    starts = torch.zeros(size, spec.objects, dtype=torch.int64)
    for index, clip in enumerate(clips):
        present[index, : len(clip.starts)] = True
        starts[index, : len(clip.starts)] = torch.tensor(clip.starts, dtype=torch.int64)
    levels = zip(*(clip.features for clip in clips), strict=True)
    return ClipBatch(
        torch.stack([to_tensor(clip.images) for clip in clips]),
        torch.stack([torch.from_numpy(clip.labels.astype(np.int64)) for clip in clips]),
        present,
        starts,
        tuple(torch.from_numpy(np.stack(level)).float() for level in levels),
    )


def _draw(sequence: CachedSequence, spec: ClipSpec, rng: np.random.Generator) -> _Clip:
    """Cut one clip whose first frame shows an object; after some tries take it as it comes."""
    for _ in range(_TRIES):
        frames = _frames(len(sequence), spec, rng)
        windows = _windows(sequence.labels.shape[1:], spec, rng)
        solid = _solid(_crop(sequence.labels[frames[0]], windows[0], CELL))
        if solid:
            break
    chosen = [int(label) for label in rng.permutation(solid)[: spec.objects]]
    pairs = list(zip(frames, windows, strict=True))
    images = np.stack([_crop(sequence.images[f], at, CELL) for f, at in pairs])
    shown = np.stack([_crop(sequence.labels[f], at, CELL) for f, at in pairs])
    starts = dict.fromkeys(chosen, 0)
    if spec.late and rng.random() < spec.late:
        starts |= _late(shown, starts, spec.objects - len(starts))
    labels = _renumbered(shown, starts)
    features = tuple(
        np.stack([_crop_level(level[f], at, cells) for f, at in pairs])
        for level, cells in zip(sequence.features, _LEVEL_CELLS, strict=False)
    )
    return _Clip(images, labels, features, tuple(starts.values()))


def _solid(labels: NDArray[np.uint8]) -> list[int]:
    ids, areas = np.unique(labels, return_counts=True)
    pairs = zip(ids, areas, strict=True)
    return [int(label) for label, area in pairs if label and area >= _LEAST_AREA]


def _late(shown: NDArray[np.uint8], known: Mapping[int, int], room: int) -> dict[int, int]:
    """Return up to `room` further objects, and the frame on which each is first to be seen well.

    On the last frame there is nothing left to follow.
    """
    found: dict[int, int] = {}
    for time in range(1, len(shown) - 1):
        for label in _solid(shown[time]):
            if label not in known and label not in found and len(found) < room:
                found[label] = time
    return found


def _renumbered(shown: NDArray[np.uint8], starts: Mapping[int, int]) -> NDArray[np.uint8]:
    """Return the labels (T, H, W) with the chosen objects as 1, 2, ..., each from its start on."""
    labels = np.empty_like(shown)
    for time in range(len(shown)):
        table = np.zeros(256, np.uint8)
        for slot, (label, start) in enumerate(starts.items(), start=1):
            table[label] = slot if time >= start else 0
        labels[time] = table[shown[time]]
    return labels


def _frames(available: int, spec: ClipSpec, rng: np.random.Generator) -> list[int]:
    """Return T rising or falling frames; a short sequence is walked to and fro."""
    most = max((available - 1) // max(spec.length - 1, 1), 1)
    skip = int(rng.integers(1, min(spec.max_skip, most) + 1))
    span = skip * (spec.length - 1)
    start = int(rng.integers(max(available - span, 1)))
    frames = [start + index * skip for index in range(spec.length)]
    folded = [_fold(frame, available) for frame in frames]
    return folded[::-1] if rng.random() < 0.5 else folded


def _fold(frame: int, available: int) -> int:
    if available == 1:
        return 0
    period = 2 * (available - 1)
    position = frame % period
    return min(position, period - position)


def _windows(
    shape: tuple[int, ...], spec: ClipSpec, rng: np.random.Generator
) -> list[tuple[int, int, int, int]]:
    """Return (row, column, rows, columns) in cells, a T-long walk within the frame."""
    grid = (shape[0] // CELL, shape[1] // CELL)
    rows, columns = min(spec.window[0], grid[0]), min(spec.window[1], grid[1])
    room = np.array([grid[0] - rows, grid[1] - columns])
    at = rng.integers(0, room + 1)
    walk = []
    for _ in range(spec.length):
        walk.append((int(at[0]), int(at[1]), rows, columns))
        at = np.clip(at + rng.integers(-spec.shift, spec.shift + 1, 2), 0, room)
    return walk


def _crop(
    pixels: NDArray[np.uint8], window: tuple[int, int, int, int], cell: int
) -> NDArray[np.uint8]:
    row, column, rows, columns = (value * cell for value in window)
    return pixels[row : row + rows, column : column + columns]


def _crop_level(
    level: NDArray[np.float16], window: tuple[int, int, int, int], cells: int
) -> NDArray[np.float16]:
    row, column, rows, columns = (value * cells for value in window)
    return level[:, row : row + rows, column : column + columns]
