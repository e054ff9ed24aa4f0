"""The filling of frames: a tracker's passes, frame by frame."""

from collections.abc import Iterable
from contextlib import closing

from app.batch.predict import UnpackedAnchors, predict
from app.batch.steps import Step, Steps, entries_of
from app.core.plan import Run
from models.api import Tracker


def fill(tracker: Tracker, runs: Iterable[Run], size: tuple[int, int]) -> Steps:
    """Yield a step for each frame visited, pass after pass; `size` is the frames' (H, W)."""
    for run in runs:
        anchors = UnpackedAnchors(run.anchors, size)
        with closing(predict(tracker, anchors, run.frames)) as found:
            for frame, predictions in found:
                yield Step(frame, entries_of(run, frame, predictions))
