"""Clips that nobody labelled: masks proposed on one frame, carried to the end and back again."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from models.api import Anchors, BoolMask, Frames, Image, LoadOptions, Tracker
from models.training.config import PseudoMasks
from models.training.data.pictures import Frame, Labels, Size, TrainingDataError, read_image, resize
from models.training.data.proposals import Propose, overlap
from models.training.data.sequences import seeded, sorted_images

Follow = Callable[[Frames], Tracker]
Masks = list[dict[int, BoolMask]]  # for each frame, object -> mask

_VIDEOS = {".mp4", ".mov", ".avi", ".mkv", ".webm"}
_TORN = 0.5  # IoU below which an object that is kept is not right on this frame
_LEAST_FRAMES = 4


def follow_with(options: PseudoMasks, device: torch.device) -> Follow:
    """Return what binds the config's tracker to a clip."""

    def follow(frames: Frames) -> Tracker:
        from models.registry import load_tracker  # noqa: PLC0415 - models that train need none

        weights = Path(options.tracker_weights) if options.tracker_weights else None
        return load_tracker(options.tracker, frames, LoadOptions(str(device), weights=weights))

    return follow


@dataclass(frozen=True)
class Shot:
    """Some frames held in memory, as a tracker takes them."""

    images: Sequence[Image]

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) in pixels."""
        height, width = self.images[0].shape[:2]
        return height, width

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> Image:
        return self.images[index]


@dataclass(frozen=True)
class ClipSource:
    """Parts of unlabelled videos with the masks of what was found in their first frame.

    `root` holds videos or folders of frames. Each gives `parts` clips of `length` frames, at a
    random step of up to four. An object stays if, carried forward to the end and from there back,
    it is again what it was to an IoU of `agreement`, at the start and on average; a frame stays if
    every such object does on it. A clip of which too little stays has no frames.
    """

    root: Path
    size: Size
    propose: Propose
    follow: Follow
    parts: int = 2
    length: int = 16
    agreement: float = 0.8
    seed: int = 0

    def names(self) -> list[str]:
        """Return a name for each part of each video."""
        if not self.root.is_dir():
            raise TrainingDataError(f"{self.root} is not a folder. Set the data set's path.")
        found = [p for p in self.root.iterdir() if p.is_dir() or p.suffix.lower() in _VIDEOS]
        return [f"{path.name}~{part}" for path in sorted(found) for part in range(self.parts)]

    def render(self, name: str) -> Iterator[Frame]:
        """Yield the frames on which all is well, at `size`."""
        rng = seeded(self.seed, name)
        video, _, part = name.rpartition("~")
        images = self._part(list(read_frames(self.root / video, self.size)), int(part), rng)
        labels = self.propose(images[0])
        objects = {int(label): labels == label for label in np.unique(labels) if label}
        if not objects:
            return
        forward, backward = there_and_back(self.follow(Shot(images)), objects, len(images))
        alike = agreement_of(forward, backward)
        kept = [
            label
            for label, values in alike.items()
            if min(values[0], float(values.mean())) >= self.agreement
        ]
        right = [t for t in range(len(images)) if all(alike[label][t] >= _TORN for label in kept)]
        if not kept or len(right) < _LEAST_FRAMES:
            return
        for time in right:
            yield images[time], _painted({label: forward[time][label] for label in kept}, self.size)

    def _part(self, images: list[Image], part: int, rng: np.random.Generator) -> list[Image]:
        """Return `length` frames from the part's share of the video."""
        step = min(int(rng.integers(1, 5)), max((len(images) - 1) // max(self.length - 1, 1), 1))
        room = max(len(images) - step * (self.length - 1) - 1, 0)
        start = round(room * (part + rng.random()) / self.parts)
        return images[start : start + step * (self.length - 1) + 1 : step]


def read_frames(path: Path, size: Size) -> Iterator[Image]:
    """Yield the frames of a video file, or the images of a folder, at `size`, RGB."""
    nothing = np.zeros((1, 1), np.uint8)
    for image in map(read_image, sorted_images(path)) if path.is_dir() else _decoded(path):
        yield resize(image, nothing, size)[0]


def there_and_back(
    tracker: Tracker, objects: Mapping[int, BoolMask], length: int
) -> tuple[Masks, Masks]:
    """Return each object's masks carried from frame 0 to the last, and back to frame 0.

    The way back begins where the object was last seen; after that both are empty.
    """
    order = list(range(length))
    forward = _masks(tracker, {0: dict(objects)}, order, objects)
    last: dict[int, dict[int, BoolMask]] = {}
    for label in objects:
        seen = [time for time in order if forward[time][label].any()]
        last.setdefault(seen[-1], {})[label] = forward[seen[-1]][label]
    return forward, _masks(tracker, last, order[::-1], objects)[::-1]


def agreement_of(forward: Masks, backward: Masks) -> dict[int, NDArray[np.float64]]:
    """Return for each object the IoU of both ways on each frame, (T,)."""
    return {
        label: np.array(
            [overlap(a[label], b[label]) for a, b in zip(forward, backward, strict=True)]
        )
        for label in forward[0]
    }


def _masks(
    tracker: Tracker, anchors: Anchors, order: Sequence[int], objects: Mapping[int, BoolMask]
) -> Masks:
    empty = np.zeros_like(next(iter(objects.values())))
    return [
        {label: found[label].mask if label in found else empty for label in objects}
        for _, found in tracker.track(anchors, order)
    ]


def _painted(masks: Mapping[int, BoolMask], size: Size) -> Labels:
    labels = np.zeros(size, np.uint8)
    for label, mask in masks.items():
        labels[mask] = label
    return labels


def _decoded(path: Path) -> Iterator[Image]:
    import av  # noqa: PLC0415 - loads FFmpeg

    try:
        with av.open(str(path)) as container:
            for frame in container.decode(video=0):
                yield frame.to_ndarray(format="rgb24").astype(np.uint8, copy=False)
    except (av.FFmpegError, IndexError) as error:
        raise TrainingDataError(f"{path} cannot be read as a video ({error}).") from error
