"""A clip of any length and size, made frame by frame, on which speed is measured."""

import numpy as np

from models.api import BoolMask, Image


class DriftingClip:
    """A made clip: a textured plane that drifts, with some grain."""

    def __init__(self, length: int, size: tuple[int, int]) -> None:
        rng = np.random.default_rng(0)
        height, width = size
        coarse = rng.integers(0, 256, (height // 16 + 9, width // 16 + 9, 3), np.uint8)
        self._plane = coarse.repeat(16, 0).repeat(16, 1)
        self._grain = rng.integers(0, 16, (height, width, 3), np.uint8)
        self._length = length
        self.size = size

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: int) -> Image:
        height, width = self.size
        top, left = abs(index % 128 - 64), abs((index * 2) % 128 - 64)
        window = self._plane[top : top + height, left : left + width] // np.uint8(2)
        return np.asarray(window + self._grain, np.uint8)

    def masks(self, count: int) -> dict[int, BoolMask]:
        """Return `count` boxes side by side."""
        height, width = self.size
        step = width // count
        boxes = {}
        for slot in range(count):
            box = np.zeros(self.size, np.bool_)
            box[height // 4 : height * 3 // 4, slot * step + step // 5 : (slot + 1) * step] = True
            boxes[slot + 1] = box
        return boxes
