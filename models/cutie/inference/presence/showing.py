"""The masks that are shown: those of objects that are there, not of what they left behind."""

from collections.abc import Callable, Collection, Sequence
from enum import Enum, auto

import torch
from torch import Tensor

from models.cutie.config import ShownConfig
from models.cutie.inference.presence.usual import areas, scores


class _State(Enum):
    THERE = auto()
    REMNANT = auto()  # all but a little went at once: a spot like it that stayed, mostly
    GONE = auto()
    COMING = auto()  # seen again, and not yet in its usual size


class Showing:
    """Which objects' masks are shown, frame after frame."""

    def __init__(self, config: ShownConfig) -> None:
        self._config = config
        self._states: dict[int, _State] = {}

    def show(
        self,
        probability: Tensor,
        objects: Sequence[int],
        usual: Callable[[int], float],
        given: Collection[int],
    ) -> Tensor:
        """Return probabilities (K + 1, H, W), sum 1, without those of masks that are not shown.

        `usual` tells an object's usual area in pixels, 0 where nobody knows; masks that are
        `given` are shown. The answer decides what is seen next, so a device is waited for.
        """
        hidden = []
        measured = torch.stack([areas(probability).float(), scores(probability)]).tolist()
        for object_id, area, score in zip(objects, *measured, strict=True):
            before = self._states.get(object_id, _State.THERE)
            share = area / max(usual(object_id), 1.0)
            now = _State.THERE if object_id in given else self._next(before, share, score)
            self._states[object_id] = now
            hidden.append(now in {_State.REMNANT, _State.GONE})
        if not any(hidden):
            return probability
        slots = torch.tensor(hidden, device=probability.device)[:, None, None]
        shown = probability[1:].masked_fill(slots, 0)
        return torch.cat([1 - shown.sum(dim=0, keepdim=True), shown])

    def _next(self, before: _State, share: float, score: float) -> _State:
        """Return an object's state by its share of the usual area, and its score."""
        config = self._config
        if score < config.least_score:
            return _State.GONE
        if before is _State.GONE and score < config.least_again and share < config.least_back:
            return _State.GONE
        if before is _State.REMNANT and share < config.least_back:
            return _State.REMNANT
        if before is _State.THERE and share < config.least_share:
            return _State.REMNANT
        is_small = share < config.least_whole
        return (
            _State.COMING if is_small and before in {_State.GONE, _State.COMING} else _State.THERE
        )
