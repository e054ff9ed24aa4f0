"""The runs between annotated frames, each followed from both ends."""

import zlib
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass

import numpy as np

from app.batch.passes.fill import fill_pass
from app.batch.passes.steps import Step, Steps
from app.core.densify import RunPasses, agreement, merged
from app.core.document import Entry, Key, Origin
from app.core.mask import Mask
from models.api import Prediction, Tracker

_STEPS = 255  # in which a likelihood is kept until the other direction comes


def densify(
    tracker: Tracker, followed: Iterable[RunPasses], gate: float, size: tuple[int, int]
) -> Steps:
    """Yield a step for each frame visited, run after run; see `dense_run`."""
    for passes in followed:
        with closing(dense_run(tracker, passes, gate, size)) as steps:
            yield from steps


def dense_run(tracker: Tracker, passes: RunPasses, gate: float, size: tuple[int, int]) -> Steps:
    """Yield a step for each frame visited: no entry on the way forward, masks on the way back.

    An entry's score is the agreement of the two directions; one below `gate` is a conflict.
    `size` is the frames' (H, W).
    """
    held: dict[Key, _Held] = {}
    with closing(fill_pass(tracker, passes.forward, size, probabilities=True)) as found:
        for frame, predictions in found:
            held |= {Key(frame, n): _Held.of(each) for n, each in predictions.items()}
            yield Step(frame, {})
    with closing(fill_pass(tracker, passes.backward, size, probabilities=True)) as found:
        for frame, predictions in found:
            share = passes.run.share(frame)
            entries: dict[Key, Entry] = {}
            for number, prediction in predictions.items():
                ahead = held.pop(Key(frame, number)).prediction(size)
                entries[Key(frame, number)] = _entry(ahead, prediction, share, gate)
            yield Step(frame, entries)


def _entry(forward: Prediction, backward: Prediction, share: float, gate: float) -> Entry:
    agreed = agreement(forward.mask, backward.mask)
    mask = Mask.encode(merged(forward, backward, share))
    return Entry(mask, Origin.PROPAGATED, score=agreed, conflict=agreed < gate)


@dataclass(frozen=True, slots=True)
class _Held:
    """A prediction kept small: those of a long run would not fit in memory as they are."""

    mask: Mask | None
    likelihood: bytes  # deflated, in `_STEPS`; empty where the tracker gave none

    @classmethod
    def of(cls, prediction: Prediction) -> "_Held":
        given = prediction.probability
        steps = b"" if given is None else np.rint(given * _STEPS).astype(np.uint8).tobytes()
        return cls(Mask.encode(prediction.mask), zlib.compress(steps, level=1))

    def prediction(self, size: tuple[int, int]) -> Prediction:
        steps = np.frombuffer(zlib.decompress(self.likelihood), np.uint8)
        mask = self.mask.decode() if self.mask else np.zeros(size, np.bool_)
        if not steps.size:
            return Prediction(mask, 1.0)
        likelihood = steps.reshape(size).astype(np.float32) / np.float32(_STEPS)
        return Prediction(mask, 1.0, likelihood)
