"""A video of nothing: what a model is bound to where only its weights are looked at."""

import numpy as np

from models.api import Image


class BlankFrames:
    """One black frame."""

    size = (64, 64)

    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: int) -> Image:
        if index not in {0, -1}:
            raise IndexError(index)
        return np.zeros((*self.size, 3), np.uint8)
