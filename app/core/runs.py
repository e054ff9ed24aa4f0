"""Runs: stored predictions and ground truths, shown and measured but never anchors."""

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType

import numpy as np

from app.core.document import Changes, Document, Entry, Key, Origin
from app.core.evaluate import Labels
from app.core.mask import Mask

Parameters = Mapping[str, str | int | float | bool | None]
_NOTHING: Parameters = MappingProxyType({})


class RunKind(enum.Enum):
    """What a run's masks are."""

    PREDICTION = "prediction"
    GROUND_TRUTH = "ground truth"


@dataclass(frozen=True)
class RunInfo:
    """What is known of a run: a person's name for it, and how its masks were made.

    `weights` is the SHA-256 of the model's weights, `source` the file or folder that the masks
    were read from, or what made them. Nothing that is unknown is guessed: it is empty.
    """

    name: str
    kind: RunKind = RunKind.PREDICTION
    model: str = ""
    weights: str = ""
    parameters: Parameters = field(default_factory=lambda: _NOTHING)
    source: str = ""


@dataclass(frozen=True)
class Run:
    """The masks of one run on a video. Immutable, safe to share between threads.

    `frames` are those that the run speaks of, in order: on one of them an object without a mask is
    absent; on any other frame nothing is known.
    """

    info: RunInfo
    objects: Mapping[int, str]  # id -> name
    frames: tuple[int, ...]
    masks: Mapping[Key, Mask]

    def is_sparse(self, frame_count: int) -> bool:
        """Whether frames of the video are unknown to the run: dots are drawn, no line."""
        return len(self.frames) < frame_count

    def labels(self, frame: int, size: tuple[int, int]) -> Labels | None:
        """Return the label map (H, W) of a frame, higher ids on top; None where it is unknown."""
        if frame not in self._known:
            return None
        labels = np.zeros(size, np.uint8)
        for number in sorted(self.objects):
            if mask := self.masks.get(Key(frame, number)):
                y0, y1, x0, x1 = mask.box
                labels[y0:y1, x0:x1][mask.crop()] = number
        return labels

    def take_over(self, frames: Iterable[int], objects: Iterable[int]) -> Changes:
        """Return what makes a range of the run's masks the person's own, anchors as all such.

        Frames that the run does not speak of stay as they are.
        """
        truth = self.info.kind is RunKind.GROUND_TRUTH
        origin = Origin.IMPORTED if truth else Origin.PROPAGATED
        numbers = tuple(objects)
        return {
            Key(frame, number): Entry(self.masks.get(Key(frame, number)), origin, verified=True)
            for frame in frames
            if frame in self._known
            for number in numbers
        }

    @cached_property
    def _known(self) -> frozenset[int]:
        return frozenset(self.frames)


def run_of(document: Document, info: RunInfo, frames: Iterable[int] | None = None) -> Run:
    """Return a document's masks as a run, whatever their origin; the document stays as it is.

    `frames` are those that the run speaks of; without them, those on which there is an entry.
    """
    chosen = tuple(sorted(document.frames() if frames is None else frames))
    known = frozenset(chosen)
    masks = {
        key: entry.mask
        for key, entry in document.items()
        if entry.mask is not None and key.frame in known
    }
    return Run(info, {item.id: item.name for item in document.objects}, chosen, masks)
