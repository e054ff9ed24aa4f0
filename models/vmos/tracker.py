"""VMOS behind models.api.Tracker.

HQTrack starts all objects on the first frame. Here anchors may lie anywhere: objects that have the
same anchors share an engine, whose references are these frames.
"""

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from models.api import Anchors, BoolMask, DeviceMemoryError, Frames, Prediction, Tracked
from models.prompt import check_anchors
from models.vmos.config import MOST_OBJECTS, MemoryRules
from models.vmos.engine import Engine
from models.vmos.geometry import input_size, network_image, network_labels
from models.vmos.network.cascade import Maps
from models.vmos.network.network import Vmos, merge

RULES = MemoryRules(keeps_references=True)


class VmosTracker:
    """Follows objects through a video with VMOS. Owned by one thread."""

    def __init__(
        self, network: Vmos, frames: Frames, *, side: int | None = None, rules: MemoryRules = RULES
    ) -> None:
        """Bind to a video, of which the network sees the short side as `input_size` says."""
        self._network, self._frames, self._rules = network, frames, rules
        self._size = input_size(frames.size, side)

    def track(
        self, anchors: Anchors, frames: Sequence[int], *, probabilities: bool = False
    ) -> Generator[Tracked, None, None]:
        """Yield the masks on `frames`; see models.api.Tracker.

        Of an object's anchors, those nearest to the first frame condition it, and those visited.
        """
        check_anchors(anchors, frames, self._frames)
        return self._track(anchors, frames, probabilities=probabilities)

    def _track(
        self, anchors: Anchors, frames: Sequence[int], *, probabilities: bool
    ) -> Generator[Tracked, None, None]:
        walk = _Walk(anchors, frames, self._frames.size, self._embed, self._labels, self._engine)
        for frame in frames:
            try:
                with torch.inference_mode():
                    found = walk.visit(frame, probabilities=probabilities)
            except torch.OutOfMemoryError as error:
                raise DeviceMemoryError(
                    "The device has too little free memory for VMOS. Take a smaller --size, close "
                    "other programs that use it, or use --device cpu."
                ) from error
            yield frame, found

    def _engine(self) -> Engine:
        return Engine(self._network, self._rules)

    def _embed(self, frame: int) -> Maps:
        return self._network.encode(network_image(self._frames[frame], self._size, self._device))

    def _labels(self, labels: "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]") -> Tensor:
        return network_labels(labels, self._size, self._device)

    @property
    def _device(self) -> torch.device:
        return self._network.encoder_projector.weight.device


@dataclass(slots=True)
class _Group:
    """Objects with the same anchors, and the engine that follows them once it has begun."""

    objects: tuple[int, ...]
    anchors: tuple[int, ...]
    is_absent: bool  # its anchors show nothing, so that there is nothing to follow
    from_start: bool
    engine: Engine | None = None
    begun: bool = False


class _Walk:
    """One pass over frames: the groups, and what each frame gives them."""

    def __init__(
        self,
        anchors: Anchors,
        frames: Sequence[int],
        size: tuple[int, int],
        embed: Callable[[int], Maps],
        to_network: Callable[["np.ndarray[tuple[int, ...], np.dtype[np.uint8]]"], Tensor],
        new_engine: Callable[[], Engine],
    ) -> None:
        self._anchors, self._size = anchors, size
        self._embed, self._to_network, self._new_engine = embed, to_network, new_engine
        self._groups = _groups(anchors, frames)

    def visit(self, frame: int, *, probabilities: bool) -> dict[int, Prediction]:
        """Return the masks on the next frame, and remember them."""
        given = self._anchors.get(frame, {})
        maps = self._embed(frame)
        followed: list[_Group] = []
        here: list[_Group] = []
        for group in self._groups:
            self._begin(group, frame)
            if group.engine is None:
                continue
            group.engine.advance()
            (here if frame in group.anchors else followed).append(group)
        found = self._predict(followed, maps, given, probabilities=probabilities)
        for number, mask in given.items():
            found[number] = Prediction.certain(mask, 1.0, probabilities=probabilities)
        for group in followed:
            assert group.engine is not None
            group.engine.update(self._labels(group, found))
        for group in here:
            assert group.engine is not None
            group.engine.refer(maps, self._labels(group, found), frame=frame)
        return found | self._absent(given, probabilities=probabilities)

    def _begin(self, group: _Group, frame: int) -> None:
        """Let a group begin where its time has come, with its anchors nearest to this frame."""
        if group.begun or not (group.from_start or frame in group.anchors):
            return
        group.begun = True
        if group.is_absent:
            return
        group.engine = self._new_engine()
        others = sorted(set(group.anchors) - {frame}, key=lambda other: abs(other - frame))
        for other in reversed(others[: RULES.most_references]):
            masks = {
                number: Prediction.certain(mask, 1.0)
                for number, mask in self._anchors[other].items()
            }
            group.engine.refer(self._embed(other), self._labels(group, masks), frame=other)

    def _predict(
        self,
        groups: Sequence[_Group],
        maps: Maps,
        given: Mapping[int, BoolMask],
        *,
        probabilities: bool,
    ) -> dict[int, Prediction]:
        """Return the predicted masks, none over another or over a given one."""
        if not groups:
            return {}
        logits = [group.engine.propagate(maps) for group in groups if group.engine is not None]
        numbers = [number for group in groups for number in group.objects]
        merged = merge(logits, [len(group.objects) for group in groups], self._size)
        labels = merged.argmax(dim=0).cpu().numpy()
        free = ~_union(given.values(), self._size)
        shares = merged[1:].cpu().numpy()
        found = {}
        for place, number in enumerate(numbers):
            mask = (labels == place + 1) & free
            share = shares[place]
            overlap = float(share[mask].sum())
            beside = float(np.maximum(share, mask).sum())
            score = overlap / beside if beside else 0.0
            shown = (share * free).astype(np.float32) if probabilities else None
            found[number] = Prediction(mask, min(max(score, 0.0), 1.0), shown)
        return found

    def _labels(self, group: _Group, found: Mapping[int, Prediction]) -> Tensor:
        """Return the masks of a group as labels 1, 2, ... at the network's size."""
        labels = np.zeros(self._size, np.uint8)
        for place, number in enumerate(group.objects, start=1):
            labels[found[number].mask] = place
        return self._to_network(labels)

    def _absent(
        self, given: Mapping[int, BoolMask], *, probabilities: bool
    ) -> dict[int, Prediction]:
        nothing = np.zeros(self._size, np.bool_)
        return {
            number: Prediction.certain(nothing, 0.0, probabilities=probabilities)
            for group in self._groups
            if group.begun and group.is_absent
            for number in group.objects
            if number not in given
        }


def _groups(anchors: Anchors, frames: Sequence[int]) -> list[_Group]:
    """Return the objects by the anchors that they have, ten at most in a group."""
    own: dict[int, list[int]] = {}
    for frame in sorted(anchors):
        for number in anchors[frame]:
            own.setdefault(number, []).append(frame)
    alike: dict[tuple[tuple[int, ...], bool], list[int]] = {}
    for number, where in sorted(own.items()):
        is_absent = not any(anchors[frame][number].any() for frame in where)
        alike.setdefault((tuple(where), is_absent), []).append(number)
    visited = set(frames)
    return [
        _Group(
            tuple(numbers[first : first + MOST_OBJECTS]),
            where,
            is_absent,
            from_start=not visited.issuperset(where),
        )
        for (where, is_absent), numbers in alike.items()
        for first in range(0, len(numbers), MOST_OBJECTS)
    ]


def _union(masks: Iterable[BoolMask], size: tuple[int, int]) -> BoolMask:
    union = np.zeros(size, np.bool_)
    for mask in masks:
        union |= mask
    return union
