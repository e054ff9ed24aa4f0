"""The pass of SAM 2, and of the video models that came of it, over the frames of a video.

What they share: an object is conditioned by its nearest anchors, and the masks of a frame do not
overlap. What a model remembers, and how, is its own.
"""

from collections.abc import Generator, Iterable, Mapping, MutableMapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from models.api import Anchors, BoolMask, Prediction, Tracked
from models.sam.choice import stability
from models.sam.compute import computing

# Anchors of an object that condition one frame, the nearest: each costs as much attention as a
# memory of the last frames does, of which there are six.
_MOST_ANCHORS = 16


class Output(NamedTuple):
    """What a model says of one object: logits of its mask, (1, 1, h, w), and of its presence."""

    mask: Tensor
    presence: Tensor  # (1, 1)


class Memory(Protocol):
    """What a model remembers of each object in one pass."""

    device: torch.device

    def conditioning(self, number: int) -> MutableMapping[int, Any]:
        """Return the anchors that condition an object, by frame; one taken out is forgotten."""

    def memorise(self, frame: int, masks: Mapping[int, BoolMask]) -> None:
        """Let the masks given on a frame condition their objects from here on."""

    def predict(self, number: int, frame: int, *, reverse: bool) -> Output:
        """Return an object's mask on the next frame, and remember it."""

    def forget(self, frame: int) -> None:
        """Drop the predictions that no frame beyond this one can read."""


def follow(
    memory: Memory,
    anchors: Anchors,
    frames: Sequence[int],
    size: tuple[int, int],
    *,
    probabilities: bool,
) -> Generator[Tracked, None, None]:
    """Yield the masks on `frames`, each (H, W) of `size`; see models.api.Tracker.

    Of an object's anchors, the 16 nearest condition a frame.
    """
    run = _Pass(memory, anchors, frames, size)
    for frame in frames:
        with computing(memory.device):
            found = run.visit(frame, probabilities=probabilities)
        yield frame, found


class _Pass:
    """One pass over neighbouring frames: which objects are followed, and what conditions them."""

    def __init__(
        self, memory: Memory, anchors: Anchors, frames: Sequence[int], size: tuple[int, int]
    ) -> None:
        self._memory, self._anchors, self._size = memory, anchors, size
        self._reverse = len(frames) > 1 and frames[-1] < frames[0]
        self._anchor_frames: dict[int, list[int]] = {}
        for frame in anchors:
            for number in anchors[frame]:
                self._anchor_frames.setdefault(number, []).append(frame)
        self._absent = {
            number
            for number, where in self._anchor_frames.items()
            if not any(anchors[frame][number].any() for frame in where)
        }
        visited = set(frames)
        self._followed = {
            number for number, where in self._anchor_frames.items() if not visited.issuperset(where)
        }

    def visit(self, frame: int, *, probabilities: bool) -> Mapping[int, Prediction]:
        """Return the masks on the next frame, and remember them."""
        given = self._anchors.get(frame, {})
        self._followed |= given.keys()
        self._condition(frame)
        asked = self._followed - given.keys()
        outputs = {
            number: self._memory.predict(number, frame, reverse=self._reverse)
            for number in sorted(asked - self._absent)
        }
        self._memory.forget(frame)
        predictions = _predictions(outputs, given.values(), self._size, probabilities=probabilities)
        nothing = np.zeros(self._size, np.bool_)
        for number in asked & self._absent:
            predictions[number] = Prediction.certain(nothing, 0.0, probabilities=probabilities)
        for number, mask in given.items():
            predictions[number] = Prediction.certain(mask, probabilities=probabilities)
        return predictions

    def _condition(self, frame: int) -> None:
        """Memorise the nearest anchors of each followed object, and drop those now far."""
        wanted = {
            number: _nearest(self._anchor_frames[number], frame)
            for number in self._followed - self._absent
        }
        new: dict[int, dict[int, BoolMask]] = {}
        for number, near in wanted.items():
            for anchor in near - self._memory.conditioning(number).keys():
                new.setdefault(anchor, {})[number] = self._anchors[anchor][number]
        # Frame by frame, so that each anchor's image is encoded once for all its objects.
        for anchor in sorted(new):
            self._memory.memorise(anchor, new[anchor])
        for number, near in wanted.items():
            conditioning = self._memory.conditioning(number)
            for far in conditioning.keys() - near:
                del conditioning[far]


def _nearest(anchor_frames: Iterable[int], frame: int) -> set[int]:
    """Return the anchors of an object that condition a frame: the nearest."""
    return set(sorted(anchor_frames, key=lambda other: abs(other - frame))[:_MOST_ANCHORS])


def _predictions(
    outputs: Mapping[int, Output],
    given: Iterable[BoolMask],
    size: tuple[int, int],
    *,
    probabilities: bool,
) -> dict[int, Prediction]:
    """Return the predicted masks, none over another or over a given one."""
    if not outputs:
        return {}
    coarse = torch.cat([output.mask for output in outputs.values()]).float()
    presence = torch.cat([output.presence for output in outputs.values()])
    scores = (presence[:, 0].float().sigmoid() * stability(coarse[:, 0])).tolist()
    logits = interpolate(coarse, size, mode="bilinear", align_corners=False)[:, 0]
    free = np.ones(size, np.bool_)
    for mask in given:
        free &= ~mask
    owner = logits.argmax(dim=0)
    own = torch.stack([owner == index for index in range(len(logits))])
    masks = ((logits > 0) & own).cpu().numpy() & free
    shares: Iterable[Any] = [None] * len(masks)
    if probabilities:
        of_objects = logits.sigmoid()
        shares = (of_objects / of_objects.sum(dim=0).clamp(min=1)).cpu().numpy() * free
    return {
        number: Prediction(mask, score, share)
        for number, mask, score, share in zip(outputs, masks, scores, shares, strict=True)
    }
