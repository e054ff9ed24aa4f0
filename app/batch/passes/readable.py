"""The frames of a video that can be read, for a model that goes through all of them."""

import logging

import numpy as np

from app.errors import FrameReadError
from models.api import Frames, Image

log = logging.getLogger(__name__)


class ReadableFrames:
    """The frames of a video for a model that goes through them, whichever of them can be read.

    A frame that cannot be read is seen as the last one that could (black where none could yet), as
    if the picture stood still. It is then among the `unreadable`, so that what a model says of it
    is left out. For one thread at a time.
    """

    def __init__(self, frames: Frames) -> None:
        self._frames = frames
        self._last: Image | None = None
        self.unreadable: dict[int, FrameReadError] = {}

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the frames in pixels."""
        return self._frames.size

    def __len__(self) -> int:
        return len(self._frames)

    def __getitem__(self, index: int) -> Image:
        """Return frame `index` or what stands for it; IndexError outside."""
        try:
            self._last = self._frames[index]
        except FrameReadError as error:
            if index not in self.unreadable:
                log.warning("%s It is skipped.", error)
            self.unreadable[index] = error
            return np.zeros((*self.size, 3), np.uint8) if self._last is None else self._last
        self.unreadable.pop(index, None)
        return self._last
