"""Sizes of a VMOS network, and the rules of its memory."""

from dataclasses import dataclass

MOST_OBJECTS = 10  # that one identity bank can tell apart


@dataclass(frozen=True, slots=True)
class VmosConfig:
    """Widths and depths of the network; the defaults are HQTrack's (Zhu et al., 2023).

    `channels`, `depths` and `groups` are those of the encoder's four stages, `width` and `width_s8`
    what the propagation modules at strides 16 and 8 compute in. A key is half as wide, a value
    twice as wide as they are.
    """

    channels: tuple[int, int, int, int] = (64, 128, 256, 256)
    depths: tuple[int, int, int, int] = (4, 4, 18, 4)
    groups: tuple[int, int, int, int] = (4, 8, 16, 32)
    layers: int = 3

    @property
    def width(self) -> int:
        """Channels of each stream at stride 16."""
        return self.channels[3]

    @property
    def width_s8(self) -> int:
        """Channels of each stream at stride 8."""
        return self.channels[1]

    @property
    def width_s4(self) -> int:
        """Channels of each stream at stride 4."""
        return self.channels[0]


@dataclass(frozen=True, slots=True)
class MemoryRules:
    """What the memory keeps: HQTrack's settings at test time.

    A frame enters the long-term memory `long_gap` frames after the one before; it holds `capacity`
    frames. The short-term memory is the frame `short_skip` frames ago, but none before the last
    reference. `keeps_references`: when the memory is full, frames that were predicted go before
    references do, of which there are at most `most_references`; upstream only the first stays.
    """

    long_gap: int = 50
    short_skip: int = 4
    capacity: int = 6
    keeps_references: bool = False
    most_references: int = 4
