"""What a worker does with one video; it is imported in the worker's process, wherever that is."""

import io
import logging
import time
import traceback
from collections.abc import Generator
from contextlib import contextmanager

from app.batch.videos.carry_out import Loaders, Outcome, carry_out
from app.batch.videos.plan import VideoTask
from app.errors import MaskwrightError
from models import registry
from models.api import Frames, LoadOptions, ModelError, Segmenter, Tracker


def work(task: VideoTask) -> Outcome:
    """Carry a task out; what goes wrong is its outcome, with the log and the traceback."""
    began = time.monotonic()
    with _logged() as log:
        try:
            return carry_out(task, Loaders(_tracker, _segmenter))
        except (MaskwrightError, ModelError, OSError, MemoryError) as error:
            text = str(error) or type(error).__name__
            told = log.getvalue() + traceback.format_exc()
            seconds = round(time.monotonic() - began, 2)
            return Outcome(task.name, seconds=seconds, error=text, log=told)


@contextmanager
def _logged() -> Generator[io.StringIO, None, None]:
    """Hold while what is logged goes into the yielded text, too."""
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        yield text
    finally:
        root.removeHandler(handler)


def _tracker(name: str, frames: Frames, options: LoadOptions) -> Tracker:
    return registry.load_tracker(name or registry.default_tracker(options), frames, options)


def _segmenter(name: str, frames: Frames, options: LoadOptions) -> Segmenter:
    return registry.load_segmenter(name or registry.default_segmenter(options), frames, options)
