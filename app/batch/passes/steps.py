"""The steps that a job is carried out in."""

from collections.abc import Container, Generator, Mapping
from contextlib import closing
from typing import NamedTuple

from app.core.document import Entry, Key, Origin
from app.core.mask import Mask
from app.core.passes import Pass
from models.api import Prediction


class Step(NamedTuple):
    """What one step of a job gave: the frame it was at, and finished entries, mostly of it.

    Where no model was asked, but it was said which masks hold, it is not `computed`.
    """

    frame: int
    entries: Mapping[Key, Entry]
    computed: bool = True


Steps = Generator[Step, None, None]


def without(steps: Steps, frames: Container[int]) -> Steps:
    """Yield the steps without what is said of `frames`, which may grow meanwhile."""
    with closing(steps):
        for step in steps:
            yield Step(
                step.frame, {k: entry for k, entry in step.entries.items() if k.frame not in frames}
            )


def entry_of(prediction: Prediction) -> Entry:
    """Return what a tracker predicted as a propagated entry."""
    return Entry(Mask.encode(prediction.mask), Origin.PROPAGATED, score=prediction.score)


def entries_of(pass_: Pass, frame: int, predictions: Mapping[int, Prediction]) -> dict[Key, Entry]:
    """Return the entries of those predictions on `frame` that the pass may fill."""
    return {
        Key(frame, number): entry_of(prediction)
        for number, prediction in predictions.items()
        if pass_.may_fill(Key(frame, number))
    }
