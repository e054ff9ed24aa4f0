"""The block: neighbouring frames of some objects, as they are chosen on the timeline."""

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
