"""Neighbouring frames: the block that is chosen on the timeline, and stretches without gaps."""

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from app.core.document import Key


@dataclass(frozen=True, slots=True)
class Block:
    """Frames times objects; the objects in the order of the list."""

    objects: tuple[int, ...]
    frames: range

    @property
    def keys(self) -> list[Key]:
        """Every place in the block, frames rising."""
        return [Key(frame, number) for frame in self.frames for number in self.objects]

    @property
    def last(self) -> int:
        """The last frame."""
        return self.frames[-1]


def stretches(frames: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Yield the first and the last frame of each stretch without gaps of `frames`, which rise."""
    # In a stretch a frame is as far ahead of its place in the row as every other.
    for _, group in itertools.groupby(enumerate(frames), lambda each: each[1] - each[0]):
        stretch = [frame for _, frame in group]
        yield stretch[0], stretch[-1]
