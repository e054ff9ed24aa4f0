"""Masks as small immutable values."""

import zlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from models.api import BoolMask

Area = tuple[int, int, int, int]  # (y0, y1, x0, x1), half open


@dataclass(frozen=True)
class Mask:
    """An immutable, non-empty mask, safe to share between threads, undo steps and frames.

    Kept as the packed, deflated bits of its bounding box: 1 to 5 KiB at 1080p.
    """

    size: tuple[int, int]  # (height, width) of the frame
    box: Area
    bits: bytes

    @classmethod
    def encode(cls, pixels: BoolMask) -> "Mask | None":
        """Return the mask of `pixels` (H, W), or None where no pixel is set."""
        rows = np.flatnonzero(pixels.any(axis=1))
        if not rows.size:
            return None
        y0, y1 = int(rows[0]), int(rows[-1]) + 1
        columns = np.flatnonzero(pixels[y0:y1].any(axis=0))
        x0, x1 = int(columns[0]), int(columns[-1]) + 1
        bits = zlib.compress(np.packbits(pixels[y0:y1, x0:x1]).tobytes(), level=1)
        height, width = pixels.shape
        return cls((height, width), (y0, y1, x0, x1), bits)

    def crop(self) -> BoolMask:
        """Return the pixels of the bounding box, (y1 - y0, x1 - x0)."""
        y0, y1, x0, x1 = self.box
        shape = (y1 - y0, x1 - x0)
        packed = np.frombuffer(zlib.decompress(self.bits), np.uint8)
        return np.unpackbits(packed, count=shape[0] * shape[1]).reshape(shape).view(np.bool_)

    def decode(self) -> BoolMask:
        """Return the pixels of the whole frame, (H, W)."""
        pixels = np.zeros(self.size, np.bool_)
        y0, y1, x0, x1 = self.box
        pixels[y0:y1, x0:x1] = self.crop()
        return pixels

    @cached_property
    def area(self) -> int:
        """The number of set pixels."""
        return int(np.count_nonzero(self.crop()))

    def iou(self, other: "Mask") -> float:
        """Return intersection over union with a mask of the same size."""
        top, bottom = max(self.box[0], other.box[0]), min(self.box[1], other.box[1])
        left, right = max(self.box[2], other.box[2]), min(self.box[3], other.box[3])
        if top >= bottom or left >= right:
            return 0.0
        window = (top, bottom, left, right)
        shared = int(np.count_nonzero(self.inside(window) & other.inside(window)))
        return shared / (self.area + other.area - shared)

    def inside(self, window: Area) -> BoolMask:
        """Return the pixels of a window that lies within the bounding box."""
        top, bottom, left, right = window
        y0, _, x0, _ = self.box
        return self.crop()[top - y0 : bottom - y0, left - x0 : right - x0]
