"""The filling of frames: a tracker's passes, frame by frame."""

from collections.abc import Generator, Iterable
from contextlib import closing

from app.batch.passes.predict import UnpackedAnchors, predict
from app.batch.passes.steps import Step, Steps, entry_of
from app.core.document import Key
from app.core.passes import Pass
from models.api import Tracked, Tracker


def fill(tracker: Tracker, passes: Iterable[Pass], size: tuple[int, int]) -> Steps:
    """Yield a step for each frame visited, pass after pass; `size` is the frames' (H, W)."""
    for pass_ in passes:
        with closing(fill_pass(tracker, pass_, size)) as found:
            for frame, predictions in found:
                entries = {Key(frame, n): entry_of(each) for n, each in predictions.items()}
                yield Step(frame, entries)


def fill_pass(
    tracker: Tracker, pass_: Pass, size: tuple[int, int], *, probabilities: bool = False
) -> Generator[Tracked, None, None]:
    """Yield for each frame visited what the tracker predicts and the pass may fill.

    `size` is the frames' (H, W), `probabilities` asks for those of each pixel, too.
    """
    anchors = UnpackedAnchors(pass_.anchors, size)
    with closing(predict(tracker, anchors, pass_.frames, probabilities=probabilities)) as found:
        for frame, predictions in found:
            yield (
                frame,
                {n: each for n, each in predictions.items() if pass_.may_fill(Key(frame, n))},
            )
