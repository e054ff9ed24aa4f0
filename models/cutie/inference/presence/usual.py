"""The presence of each object on a frame: where it is, how sure that is, and if it is there.

Shapes: K objects, H and W as the network sees the frame; probabilities (K + 1, H, W) sum to 1.
"""

from collections import deque
from collections.abc import Collection, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from models.cutie.config import PresenceConfig

_CELL = 16  # pixels of a side, as memory has them
_REACH = 3  # cells that an object may move between two frames
_USUAL = 5  # areas of an object that its usual one is the mean of
_LEAST_SHARE = 0.1  # of a cell, from which an object was there


def winner(probability: Tensor) -> Tensor:
    """Return the first of the largest channels, (H, W) uint8, of (K + 1, H, W)."""
    if probability.device.type != "cpu" or len(probability) == 1:
        return probability.max(dim=0).indices.to(torch.uint8)
    # Looking for the place of the largest takes a CPU ten times as long: 4 ms for two channels of
    # 854 x 480.
    best, labels = probability[0], torch.zeros((), dtype=torch.uint8)
    for label, channel in enumerate(probability[1:], start=1):
        won = (channel > best).view(torch.uint8)
        labels = torch.maximum(labels, won.mul_(label))  # the later one is the larger label
        best = torch.maximum(best, channel)
    return labels


def scores(probability: Tensor) -> Tensor:
    """Return how sharp each object's mask is, (K,) 0 to 1, from probabilities (K + 1, H, W).

    The soft overlap of the probability with the mask cut out of it: sum(p where masked) over
    sum(max(p, mask)). 0 where the mask is empty.
    """
    labels = winner(probability)
    count = probability.shape[0] - 1
    slots = torch.arange(1, count + 1, device=labels.device, dtype=labels.dtype).view(-1, 1, 1)
    masks = (labels == slots).type_as(probability)
    of_objects = probability[1:]
    shared = (of_objects * masks).sum(dim=(1, 2))
    united = of_objects.sum(dim=(1, 2)) + masks.sum(dim=(1, 2)) - shared
    return shared / united.clamp_min(1e-6)


def areas(probability: Tensor) -> Tensor:
    """Return each object's area in pixels, (K,), from probabilities (K + 1, H, W)."""
    labels = winner(probability)
    slots = torch.arange(1, len(probability), device=labels.device, dtype=labels.dtype)
    return (labels.flatten() == slots[:, None]).sum(dim=1)


class Presence:
    """Which objects are there, frame after frame, by what is usual of each."""

    def __init__(self, config: PresenceConfig) -> None:
        self._config = config
        self._usual: dict[int, deque[float]] = {}  # object -> its latest areas

    def judge(
        self, probability: Tensor, objects: Sequence[int], given: Collection[int]
    ) -> list[int]:
        """Return the objects that are present.

        By their probability (K + 1, H, W); those that were `given` are present. The answer decides
        what is computed next, so a device is waited for.
        """
        present = []
        measured = torch.stack([areas(probability).float(), scores(probability)]).tolist()
        for object_id, area, score in zip(objects, *measured, strict=True):
            if object_id in given or self._is_present(object_id, area, score):
                present.append(object_id)
                self._usual.setdefault(object_id, deque(maxlen=_USUAL)).append(area)
        return present

    def usual_area(self, object_id: int) -> float:
        """Return the mean of an object's latest areas in pixels, 0 where it was never present."""
        known = self._usual.get(object_id)
        return sum(known) / len(known) if known else 0.0

    def enlarge(self, factor: float) -> None:
        """Take it that areas are so many times as large from here on."""
        for known in self._usual.values():
            known.extend([factor * known.popleft() for _ in range(len(known))])

    def _is_present(self, object_id: int, area: float, score: float) -> bool:
        config = self._config
        enough = max(config.least_area, config.least_share * self.usual_area(object_id))
        return area >= enough and score >= config.least_score


def rivalled(probability: Tensor, before: Tensor, config: PresenceConfig) -> Tensor:
    """Return which objects something was close to be taken for, (K,) bool.

    `probability` (K, H, W) of each object, and what it was `before`, (K, H, W): a rival is where
    the object's is high, away from where the object was just now.
    """
    cells, were = (F.avg_pool2d(maps[:, None], _CELL) for maps in (probability, before))
    near = F.max_pool2d(were, 2 * _REACH + 1, stride=1, padding=_REACH) > _LEAST_SHARE
    return cells.masked_fill(near, 0).amax(dim=(1, 2, 3)) >= config.rival
