"""The cells of the picture that random work in the window draws in: whose mask is where."""

from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np

from app.core.document import Entry, ObjectInfo
from app.core.recognition import kind_of
from models.api import Box, Finding

CELL, COLUMNS = 32, 20
NUMBERED = 2  # rows of a video's half of the picture, for objects that were made by hand
HANDS = ("left hand", "right hand")
PHRASES = (*HANDS, "cup", "knife", "spoon", "pan", "bowl", "plate", "tap", "lid")
ROWS = NUMBERED + 1  # one more for what is found by its name
SIZE = (2 * ROWS * CELL, COLUMNS * CELL)


class Cells:
    """The part of the picture that each object has: by its name where it was found, else its id.

    Neighbours that a person has exchanged have their two cells in common from then on.
    """

    def __init__(self, videos: list[Path]) -> None:
        self._videos = videos
        self._mixed: set[tuple[Path, int]] = set()  # the lower id of each pair

    def corner(self, info: ObjectInfo, video: Path) -> tuple[int, int]:
        """Return the top left pixel of an object's cell."""
        if (kind := kind_of(info.name)) in PHRASES:
            return self._corner_of(kind, video)
        place = info.id % (COLUMNS * NUMBERED)
        return place % COLUMNS * CELL, place // COLUMNS * CELL + self._top(video)

    def holds(self, info: ObjectInfo, entry: Entry, video: Path) -> bool:
        """Whether the mask is where the object's may be."""
        if entry.mask is None:
            return True
        (x, y), (y0, y1, x0, x1), width = self.corner(info, video), entry.mask.box, CELL
        if self.is_mixed(info.id, video):
            x, width = x - info.id % 2 * CELL, 2 * CELL
        return x <= x0 and x1 <= x + width and y <= y0 and y1 <= y + CELL

    def is_mixed(self, number: int, video: Path) -> bool:
        """Whether the object was exchanged."""
        return (video, number - number % 2) in self._mixed

    def pairs(self, infos: Iterable[ObjectInfo]) -> list[tuple[int, int]]:
        """Return which objects may be exchanged: neighbours that were made by hand."""
        made = {info.id for info in infos if kind_of(info.name) not in PHRASES}
        return [(each, each + 1) for each in sorted(made) if each % 2 == 0 and each + 1 in made]

    def mix(self, pair: tuple[int, int], video: Path) -> None:
        """Remember that two neighbours are exchanged."""
        self._mixed.add((video, pair[0]))

    def write_video(self, video: Path, count: int) -> None:
        """Write grey frames on which each thing that can be found has a colour of its own."""
        video.mkdir()
        for frame in range(count):
            image = np.full((*SIZE, 3), frame, np.uint8)
            for index, phrase in enumerate(PHRASES):
                x, y = self._corner_of(phrase, video)
                hue = np.array([[[180 * index // len(PHRASES), 255, 255]]], np.uint8)
                image[y : y + CELL, x : x + CELL] = cv2.cvtColor(hue, cv2.COLOR_HSV2BGR)
            cv2.imwrite(str(video / f"{frame:05d}.png"), image)

    def findings(self, video: Path) -> list[Finding]:
        """Return what a detector sees of a video: one thing of each phrase, in its cell."""
        corners = [(*self._corner_of(phrase, video), phrase) for phrase in PHRASES]
        return [Finding(Box(x + 8, y + 8, x + 18, y + 18), each, 0.9) for x, y, each in corners]

    def _corner_of(self, phrase: str, video: Path) -> tuple[int, int]:
        return PHRASES.index(phrase) * CELL, NUMBERED * CELL + self._top(video)

    def _top(self, video: Path) -> int:
        return self._videos.index(video) * ROWS * CELL
