"""The memory of VMOS for up to ten objects: what is kept of which frame, and what is read of it."""

from collections import deque
from dataclasses import dataclass

import torch
from torch import Tensor

from models.vmos.config import MemoryRules
from models.vmos.network.cascade import Frame, Maps, Memory
from models.vmos.network.network import Vmos
from models.vmos.network.propagation import Remembered


@dataclass(frozen=True, slots=True)
class _Kept:
    """A frame in the long-term memory."""

    step: int
    memory: Memory
    reference: int | None  # the frame that was given, None where it was predicted


class Engine:
    """Carries masks from frame to frame: `propagate` a frame, then `update` with its labels.

    A reference is a frame whose masks are given. Several engines may share the maps of a frame.
    """

    def __init__(self, network: Vmos, rules: MemoryRules) -> None:
        self._network, self._rules = network, rules
        self._long: list[_Kept] = []  # newest first
        self._short: deque[Memory] = deque(maxlen=rules.short_skip)
        self._read: Memory | None = None  # the long-term memory as one, made when it is read
        self._waiting: tuple[Frame, Maps] | None = None
        self._step = 0

    @property
    def steps(self) -> tuple[int, ...]:
        """The steps whose frames the long-term memory holds, newest first."""
        return tuple(each.step for each in self._long)

    def refer(self, maps: Maps, labels: Tensor, *, frame: int) -> None:
        """Remember a frame with its given labels (H, W), ids 0 to 10, at the network's size.

        A frame that is given again takes its own place.
        """
        memory = self._network.refer(maps, self._network.identify(labels, maps))
        self._long = [each for each in self._long if each.reference != frame]
        self._keep(_Kept(self._step, memory, frame))
        self._short.clear()
        self._short.append(memory)
        self._waiting = None

    def advance(self) -> None:
        """Count one frame further; what comes is of the next frame."""
        self._step += 1

    def propagate(self, maps: Maps) -> Tensor:
        """Return logits (1, 11, h, w) at stride 4 of a frame. There must be a reference."""
        if self._read is None:
            self._read = _as_one([each.memory for each in self._long])
        logits, frame = self._network.propagate(maps, self._read, self._short[0])
        self._waiting = (frame, maps)
        return logits

    def update(self, labels: Tensor) -> None:
        """Remember the frame that was propagated last, with the labels (H, W) found on it."""
        assert self._waiting is not None
        frame, maps = self._waiting
        memory = self._network.remember(frame, self._network.identify(labels, maps))
        self._waiting = None
        self._short.append(memory)
        if self._step - self._long[0].step >= self._rules.long_gap:
            self._keep(_Kept(self._step, memory, None))

    def _keep(self, new: _Kept) -> None:
        self._read = None
        references = [at for at, each in enumerate(self._long) if each.reference is not None]
        keeps = self._rules.keeps_references
        if keeps and new.reference is not None and len(references) >= self._rules.most_references:
            del self._long[references[-2]]
        elif len(self._long) >= self._rules.capacity:
            # The first reference stays for good; here the others do, too.
            spare = [at for at in range(len(self._long)) if at not in references]
            del self._long[spare[-1] if keeps else -2]
        self._long.insert(0, new)


def _as_one(memories: list[Memory]) -> Memory:
    """Return the memories of several frames as one."""
    return tuple(Remembered.joined(parts) for parts in zip(*memories, strict=True))


def split_labels(labels: Tensor, ids: list[int]) -> Tensor:
    """Return the label map (H, W) with `ids` as 1, 2, ... and all others as background."""
    own = torch.zeros_like(labels)
    for place, number in enumerate(ids, start=1):
        own[labels == number] = place
    return own
