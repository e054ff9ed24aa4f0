"""The protocols that every model keeps, in numpy: the leaf that `app` and `models` share.

Shapes: H, W are the frame's height and width in pixels. Coordinates are (x, y) in pixels of the
frame, the centre of the top-left pixel at (0, 0).
"""

from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]  # (H, W, 3) RGB
BoolMask = NDArray[np.bool_]  # (H, W)
FloatMap = NDArray[np.float32]  # (H, W), 0 to 1


class ModelError(Exception):
    """A model cannot do what was asked; the message says why and what to do."""


class UnknownModelError(ModelError):
    """No model has this name, or the one that has it is of another kind."""


class OptionError(ModelError):
    """The model or this machine has not what an option asks for, such as a device."""


class WeightsMissingError(ModelError):
    """The weights are not on this machine; the message names file, size, licence and command."""


class WeightsInvalidError(ModelError):
    """The weights file is truncated, of another model, or not a weights file."""


class PromptError(ModelError):
    """The prompt or the anchors cannot be used: of another size, empty, or outside the frame."""


class DeviceMemoryError(ModelError):
    """The device ran out of memory; what was finished before is kept."""


class Click(NamedTuple):
    """A point that is on the object (positive) or is not (negative)."""

    x: float
    y: float
    positive: bool = True


class Box(NamedTuple):
    """A rectangle round the object, half open: x1 and y1 lie just outside."""

    x0: float
    y0: float
    x1: float
    y1: float


@dataclass(frozen=True, slots=True, eq=False)
class Prompt:
    """What a person gave for one object on one frame, in any mix; `mask` is the mask so far."""

    clicks: tuple[Click, ...] = ()
    box: Box | None = None
    mask: BoolMask | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """One object's mask on one frame, as a model sees it.

    `score` is the model's confidence, 0 to 1; a lost object has an empty mask and a low score.
    `probability` is filled only where it was asked for.
    """

    mask: BoolMask
    score: float
    probability: FloatMap | None = None

    @classmethod
    def certain(
        cls, mask: BoolMask, score: float = 1.0, *, probabilities: bool = False
    ) -> "Prediction":
        """Return a mask that was given, or is known to be empty, as it is."""
        return cls(mask.copy(), score, mask.astype(np.float32) if probabilities else None)


Anchors = Mapping[int, Mapping[int, BoolMask]]  # frame -> object id -> mask; all False = absent
Tracked = tuple[int, Mapping[int, Prediction]]  # frame, object id -> prediction
Part = tuple[int, int, int, int]  # of a frame: top, left, height and width in pixels
Seen = dict[int, dict[int, Part]]  # object id -> frame -> what a tracker saw of it last


class Frames(Protocol):
    """A video: random access to its frames, all of one size."""

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) in pixels."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Image: ...


class Segmenter(Protocol):
    """An image model bound to one video. Blocks; call it from one thread."""

    def segment(self, frame: int, prompt: Prompt) -> tuple[Prediction, ...]:
        """Return the candidate masks of one object, best first, at least one.

        Raises PromptError where the prompt is empty or does not fit the frame.
        """

    def prepare(self, frame: int, *, wanted: Callable[[], bool] | None = None) -> None:
        """Compute and keep what a later `segment` of `frame` needs, so that it answers at once.

        Where `wanted` is given and says no in the middle, the work is left and nothing is kept.
        """


class Tracker(Protocol):
    """A video model bound to one video. Blocks; call it from one thread.

    Nothing is remembered from call to call that could change an answer: each `track` is given all
    anchors. Close the generator to cancel.
    """

    def track(
        self, anchors: Anchors, frames: Sequence[int], *, probabilities: bool = False
    ) -> Generator[Tracked, None, None]:
        """Yield the masks on `frames`, in that order (rising or falling), one item a frame.

        Every anchor conditions every frame, wherever in the video it lies. An object is predicted
        from the first frame of `frames` on if it has an anchor outside `frames`; otherwise from
        its first anchor in visiting order. On a frame that is an anchor, the masks given come back
        exactly as given (score 1), and the other objects are predicted. Masks of one frame do not
        overlap, unless given ones do. Raises PromptError where a mask has another size or there is
        no anchor.
        """


@dataclass(frozen=True, slots=True)
class Finding:
    """A thing that a detector found on one frame: its box, which phrase it answers, its score.

    `score` is 0 to 1. `clicks` are points on the thing, where the detector knows any.
    """

    box: Box
    phrase: str
    score: float
    clicks: tuple[Click, ...] = ()


class Detector(Protocol):
    """A model that finds things by words, bound to one video. Blocks; call it from one thread."""

    def find(self, frame: int, phrases: Sequence[str]) -> tuple[Finding, ...]:
        """Return what is on the frame of what the phrases say, best first.

        Each finding's phrase is one of those asked for, or, of a detector that knows its kinds
        beforehand, one of these. Raises PromptError where a phrase cannot be looked for.
        """


class Store(Enum):
    """The part of a tracker's memory that a remembered frame lies in."""

    ANCHOR = "anchor"
    WORKING = "working"
    LONG_TERM = "long-term"


class Place(NamedTuple):
    """A place of a remembered frame, in its pixels, and its share, 0 to 1, in what was read."""

    x: float
    y: float
    weight: float


class Vote(NamedTuple):
    """A remembered frame's share, 0 to 1, in what a tracker read for a pixel.

    `places` are where on that frame it was read, their weights sum to `weight`; of long-term
    memory they are not known: it keeps summaries.
    """

    frame: int
    store: Store
    weight: float
    places: tuple[Place, ...] = ()


@runtime_checkable
class Explainer(Protocol):
    """What a tracker that reads a memory of frames offers besides."""

    def explain(
        self, frame: int, x: float, y: float, object_id: int | None = None
    ) -> tuple[Vote, ...]:
        """Return the remembered frames that vote for a pixel, strongest first.

        x and y are in pixels of the frame; without an object, the votes on all objects together.
        The weights sum to 1. The memory is the one that the last `track` left; where nothing of
        the object is remembered, the result is empty. Raises PromptError outside the frame.
        """


@runtime_checkable
class SelectiveTracker(Protocol):
    """What a tracker offers besides whose memory can be told to leave frames out."""

    def track_without(
        self, left_out: Collection[int], anchors: Anchors, frames: Sequence[int]
    ) -> Generator[Tracked, None, None]:
        """Yield masks as `track` does, but remember none of the frames `left_out`.

        That they are anchors does not count: those are left out by not being given.
        """


@runtime_checkable
class RetracingTracker(Protocol):
    """What a tracker offers besides that sees of a frame what it saw when it was there last.

    Masks of two ways through the same frames then differ by what the tracker was told, and not by
    what it saw.
    """

    def track_as_before(
        self, anchors: Anchors, frames: Sequence[int]
    ) -> Generator[Tracked, None, None]:
        """Yield masks as `track` does, each frame seen as on the latest way through it.

        As far as the object is there now: otherwise, and where there was none, as by `track`.
        """


@runtime_checkable
class SeenKeeper(Protocol):
    """What a retracing tracker offers besides whose record of what it saw can outlive it."""

    def keep_seen(self, seen: Seen) -> None:
        """Take it that this was seen of frames, and put there what is seen from now on."""


class Quality(Enum):
    """How finely a tracker with a memory of frames looks at them, in its own measure."""

    QUICK = "quick"
    NORMAL = "normal"
    FINE = "fine"
    FINEST = "finest"

    @property
    def share(self) -> float:
        """Of the tracker's own short side."""
        shares = {Quality.QUICK: 0.75, Quality.FINE: 1.25, Quality.FINEST: 1.5}
        return shares.get(self, 1.0)


@runtime_checkable
class ScalableTracker(Tracker, Protocol):
    """A tracker that can look at frames more or less finely."""

    def at(self, quality: Quality) -> Tracker:
        """Return one with the same weights, not loaded again, that looks at frames so finely."""


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """How a model is to be loaded and run.

    `device`: auto, cpu, cuda, cuda:N or mps. `threads`: CPU threads, 0 = the library's choice.
    `weights`: a file to use in place of the known one. `size`: the short side at inference in
    pixels, 0 = as the frame is, None = the model's own, by `quality`. `scales` and `flip`:
    test-time fusion.
    `presence`: whether a tracker with a memory of frames remembers an object only where it is seen,
    and shows no mask that it is unsure of; None = the model's own choice.
    `follow`: whether its view follows an object that is alone and small, which it then sees larger
    in fewer pixels; None = the model's own choice.
    `threshold`: the score, 0 to 1, from which a detector's finding counts, None = its own.
    """

    device: str = "auto"
    threads: int = 0
    weights: Path | None = None
    size: int | None = None
    scales: tuple[float, ...] = ()
    flip: bool = False
    presence: bool | None = None
    follow: bool | None = None
    threshold: float | None = None
    quality: Quality = Quality.NORMAL
