"""The model of the demo: lite where it is done in two minutes, classic elsewhere."""

import time
from typing import NamedTuple

from app.batch.passes.fill import fill
from app.core.document import Document
from app.core.plan import Direction, plan
from app.storage.video.opening import Video
from models.api import LoadOptions
from models.registry import EMBEDDED, FALLBACK, available, load_tracker

_MOST_SECONDS = 120
_PASSES = 3  # what is propagated and healed, in lengths of the clip
_OTHER_SECONDS = 20  # clicks, refinement, export
_WARM, _MEASURED = 4, 4  # frames: with the first ones a CPU prepares itself


class Choice(NamedTuple):
    """A model, and why it was taken where it is not the best."""

    model: str
    reason: str = ""


def choose(video: Video, document: Document, options: LoadOptions) -> Choice:
    """Return the model that is done in time, by a few frames with the document's first masks."""
    missing = available(EMBEDDED)
    if missing is not None:
        return Choice(FALLBACK, f"{EMBEDDED} cannot be loaded: {missing}")
    seconds = _seconds_per_frame(video, document, options) * len(video) * _PASSES + _OTHER_SECONDS
    if seconds > _MOST_SECONDS:
        minutes = f"{seconds / 60:.0f} minutes"
        return Choice(FALLBACK, f"{EMBEDDED} would take {minutes} here; --model {EMBEDDED} does so")
    return Choice(EMBEDDED)


def _seconds_per_frame(video: Video, document: Document, options: LoadOptions) -> float:
    tracker = load_tracker(EMBEDDED, video, options)
    numbers = [info.id for info in document.objects]
    passes = plan(
        document, numbers, first=0, last=_WARM + _MEASURED, direction=Direction.FORWARD,
        from_frame=0, to_nearest_anchor=True,
    )  # fmt: skip
    times = [time.perf_counter() for _ in fill(tracker, passes, video.size)]
    measured = times[-_MEASURED - 1 :]
    return (measured[-1] - measured[0]) / (len(measured) - 1)
