"""What a worker does with one video; it is imported in the worker's process, wherever that is."""

import logging
import traceback

from app.batch.videos.carry_out import Loaders, Outcome, carry_out
from app.batch.videos.plan import VideoTask
from app.errors import MaskwrightError
from app.storage.files.writing import atomic_write
from models import registry
from models.api import Frames, LoadOptions, ModelError, Segmenter, Tracker

log = logging.getLogger(__name__)


def work(task: VideoTask) -> Outcome:
    """Carry a task out; what goes wrong is its outcome, and stands in full beside its results."""
    failed = task.out.parent / "failed" / f"{task.name}.txt"
    try:
        outcome = carry_out(task, Loaders(_tracker, _segmenter))
    except (MaskwrightError, ModelError, OSError, MemoryError) as error:
        atomic_write(failed, traceback.format_exc().encode())
        return Outcome(task.name, error=str(error) or type(error).__name__)
    failed.unlink(missing_ok=True)
    return outcome


def _tracker(name: str, frames: Frames, options: LoadOptions) -> Tracker:
    return registry.load_tracker(name or registry.default_tracker(options), frames, options)


def _segmenter(name: str, frames: Frames, options: LoadOptions) -> Segmenter:
    return registry.load_segmenter(name or registry.default_segmenter(options), frames, options)
