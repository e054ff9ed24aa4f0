"""Neighbouring frames: the block that is chosen on the timeline, and stretches without gaps."""

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
    first = last = -2
    for frame in frames:
        if frame != last + 1:
            if last >= 0:
                yield first, last
            first = frame
        last = frame
    if last >= 0:
        yield first, last
