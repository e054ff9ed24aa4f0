"""The model of the demo: lite where it is done in two minutes, classic elsewhere."""

import time
from collections.abc import Mapping
from typing import NamedTuple

from app.batch.passes.predict import predict
from app.storage.video.opening import Video
from models.api import BoolMask, LoadOptions
from models.registry import EMBEDDED, FALLBACK, available, load_tracker

_MOST_SECONDS = 120
_PASSES = 3  # what is propagated and healed, in lengths of the clip
_OTHER_SECONDS = 20  # clicks, refinement, export
_WARM, _MEASURED = 4, 8  # frames: before the first ones a CPU prepares itself


class Choice(NamedTuple):
    """A model, and why it was taken where it is not the best."""

    model: str
    reason: str = ""


def choose(video: Video, first: Mapping[int, BoolMask], options: LoadOptions) -> Choice:
    """Return the model that is done in time, by a few frames with the masks of the `first` one."""
    missing = available(EMBEDDED)
    if missing is not None:
        return Choice(FALLBACK, f"{EMBEDDED} cannot be loaded: {missing}")
    seconds = _seconds_per_frame(video, first, options) * len(video) * _PASSES + _OTHER_SECONDS
    if seconds > _MOST_SECONDS:
        minutes = f"{seconds / 60:.0f} minutes"
        return Choice(FALLBACK, f"{EMBEDDED} would take {minutes} here; --model {EMBEDDED} does so")
    return Choice(EMBEDDED)


def _seconds_per_frame(video: Video, first: Mapping[int, BoolMask], options: LoadOptions) -> float:
    tracker = load_tracker(EMBEDDED, video, options)
    begun = 0.0
    for frame, _ in predict(tracker, {0: first}, range(_MEASURED + 1)):
        if frame == _WARM:
            begun = time.perf_counter()
    return (time.perf_counter() - begun) / (_MEASURED - _WARM)
