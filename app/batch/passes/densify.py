"""The runs between annotated frames, each followed from both ends."""

import zlib
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np

from app.batch.passes.predict import UnpackedAnchors, predict
from app.batch.passes.steps import Step, Steps
from app.core.densify import RunPasses, agreement, merged
from app.core.document import Entry, Key, Origin
from app.core.mask import Mask
from app.core.passes import Pass
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

    The last step gives those entries once more whose score comes to be lower there; see `_Filling`.
    `size` is the frames' (H, W).
    """
    filling = _Filling(passes, gate, size)
    for pass_, take in ((passes.forward, filling.ahead), (passes.backward, filling.back)):
        anchors = UnpackedAnchors(pass_.anchors, size)
        with closing(predict(tracker, anchors, pass_.frames, probabilities=True)) as found:
            for frame, predictions in found:
                yield Step(frame, take(frame, predictions))


class _Filling:
    """The filling of a run from what both directions predict.

    An entry's score is the lowest of three agreements: of the two directions on its frame, and of
    each direction with the mask that it runs into at the other end. One below the gate is a
    conflict.
    """

    def __init__(self, passes: RunPasses, gate: float, size: tuple[int, int]) -> None:
        self._passes, self._gate, self._size = passes, gate, size
        self._ahead: dict[Key, _Held] = {}
        self._met: dict[int, float] = {}  # object -> agreement of the way ahead with its end
        self._made: dict[Key, Entry] = {}

    def ahead(self, frame: int, predictions: Mapping[int, Prediction]) -> dict[Key, Entry]:
        """Keep what the way ahead predicts."""
        if frame == self._passes.run.end:
            self._met = _met(predictions, self._passes.backward.anchors[frame])
        else:
            filled = self._filled(self._passes.forward, frame, predictions)
            self._ahead |= {key: _Held.of(each) for key, each in filled.items()}
        return {}

    def back(self, frame: int, predictions: Mapping[int, Prediction]) -> dict[Key, Entry]:
        """Return the entries that the way back completes, or puts in doubt at its end."""
        if frame == self._passes.run.start:
            return self._lowered(_met(predictions, self._passes.forward.anchors[frame]))
        filled = self._filled(self._passes.backward, frame, predictions)
        entries = {key: self._entry(key, backward) for key, backward in filled.items()}
        self._made |= entries
        return entries

    def _filled(
        self, pass_: Pass, frame: int, predictions: Mapping[int, Prediction]
    ) -> dict[Key, Prediction]:
        return {
            key: each
            for number, each in predictions.items()
            if pass_.may_fill(key := Key(frame, number))
        }

    def _entry(self, key: Key, backward: Prediction) -> Entry:
        forward = self._ahead.pop(key).prediction(self._size)
        mask = Mask.encode(merged(forward, backward, self._passes.run.share(key.frame)))
        score = min(agreement(forward.mask, backward.mask), self._met[key.object])
        return Entry(mask, Origin.PROPAGATED, score=score, conflict=score < self._gate)

    def _lowered(self, met: Mapping[int, float]) -> dict[Key, Entry]:
        """Return the entries that agree better than `met`, which their object does at its end."""
        return {
            key: replace(entry, score=met[key.object], conflict=met[key.object] < self._gate)
            for key, entry in self._made.items()
            if entry.score is not None and met[key.object] < entry.score
        }


def _met(
    predictions: Mapping[int, Prediction], given: Mapping[int, Mask | None]
) -> dict[int, float]:
    """Return how far predictions agree with the masks that were given for their frame."""
    return {
        number: agreement(each.mask, mask.decode())
        for number, each in predictions.items()
        if (mask := given.get(number)) is not None
    }


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
