"""The frames between two annotated ones: what to follow there, and which masks are believed."""

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from app.core.document import Document, Key
from app.core.mask import Mask
from app.core.passes import Pass
from models.api import BoolMask, FloatMap, Prediction, Quality

GATE = 0.85  # agreement from which on a mask is accepted
QUALITY = Quality.FINEST  # nobody waits for each frame, and the masks are to be handed on


@dataclass(frozen=True, slots=True)
class Run:
    """The frames between two neighbouring annotated ones, `start` and `end`.

    `objects` have a mask on both; `one_sided` on one only: nothing says whether they are followed
    rightly, so they are not.
    """

    start: int
    end: int
    objects: tuple[int, ...]
    one_sided: tuple[int, ...]

    @property
    def frames(self) -> range:
        """The frames in between, rising."""
        return range(self.start + 1, self.end)

    def share(self, frame: int) -> float:
        """Return how far a frame is on the way from `start` to `end`, 0 to 1."""
        return (frame - self.start) / (self.end - self.start)


class RunPasses(NamedTuple):
    """A run and the passes through it: from its start to its end, and back."""

    run: Run
    forward: Pass
    backward: Pass

    @property
    def steps(self) -> int:
        """How many frames both passes visit."""
        return len(self.forward.frames) + len(self.backward.frames)


def annotated_frames(document: Document) -> tuple[int, ...]:
    """Return the frames on which a person has said of every object where it is, rising.

    An object counts from its first anchor to its last. Where something is said of some objects
    only, that is a correction between annotated frames.
    """
    said: dict[int, set[int]] = {}
    ends: dict[int, tuple[int, int]] = {}
    for key, entry in document.items():
        if entry.is_anchor:
            said.setdefault(key.frame, set()).add(key.object)
            ends[key.object] = (ends.get(key.object, key)[0], key.frame)
    return tuple(
        frame
        for frame, here in said.items()
        if all(n in here for n, (first, last) in ends.items() if first <= frame <= last)
    )


def runs(document: Document, annotated: Iterable[int]) -> list[Run]:
    """Return the runs between the frames `annotated` that have something to follow.

    A run may go from one subsequence to the next, as in the authors' release: a name that means
    another thing there is turned away by the gate.
    """
    found = []
    for start, end in itertools.pairwise(sorted(set(annotated))):
        first, last = _shown(document, start), _shown(document, end)
        if end - start > 1 and first & last:
            both, either = tuple(sorted(first & last)), tuple(sorted(first ^ last))
            found.append(Run(start, end, both, either))
    return found


def unfilled(document: Document, run: Run) -> Run | None:
    """Return a run of those of its objects that are not filled yet; None where all are.

    An object is filled that has an entry on each frame in between, none of them stale. Locked ones
    are left alone.
    """
    locked = {info.id for info in document.objects if info.locked}
    left = tuple(n for n in run.objects if n not in locked and not _is_filled(document, run, n))
    return replace(run, objects=left) if left else None


def passes(document: Document, run: Run) -> RunPasses:
    """Return the pass from each end of a run to the other, which that one knows nothing of.

    All masks of the end are given: a tracker that is not told of a thing would take it for
    another. What a person has made or verified in between is given to both, and stays. The other
    end is followed into, too: there it shows how good a direction is.
    """
    spans = dict.fromkeys(run.objects, run.frames)
    between: dict[int, dict[int, Mask | None]] = {}
    for frame in run.frames:
        if made := {n: e.mask for n, e in document.on_frame(frame).items() if e.is_anchor}:
            between[frame] = made

    def given(frame: int) -> dict[int, dict[int, Mask | None]]:
        entries = document.on_frame(frame)
        return {
            frame: {n: each.mask for n, each in entries.items() if each.mask is not None},
            **between,
        }

    return RunPasses(
        run,
        Pass(given(run.start), tuple(range(run.start, run.end + 1)), spans),
        Pass(given(run.end), tuple(range(run.end, run.start - 1, -1)), spans),
    )


def merged(forward: Prediction, backward: Prediction, share: float) -> BoolMask:
    """Return the mask that both directions make, each weighed by how near its end is.

    `share` is how far the frame is on the way, 0 to 1. Masks are (H, W). The linear weights are
    those of MiVOS (Cheng et al. 2021).
    """
    blend = (1 - share) * _likelihood(forward) + share * _likelihood(backward)
    return np.asarray(blend > 0.5, np.bool_)


def agreement(forward: BoolMask, backward: BoolMask) -> float:
    """Return the IoU of two masks, (H, W); two empty ones agree."""
    union = int(np.count_nonzero(forward | backward))
    return int(np.count_nonzero(forward & backward)) / union if union else 1.0


@dataclass(frozen=True, slots=True)
class Kept:
    """How much of an object's run was accepted: its frames, those gated out, the agreement."""

    run: Run
    object: int
    agreements: tuple[float, ...]  # of each frame in between, what the gate sees
    gated: tuple[int, ...]

    @property
    def accepted(self) -> int:
        """The number of masks that were accepted."""
        return len(self.agreements) - len(self.gated)


def tally(document: Document, walked: Iterable[Run]) -> Iterator[Kept]:
    """Yield what was accepted of each object of each run, one-sided ones with no frame at all."""
    for run in walked:
        for number in run.objects:
            found = ((frame, document.get(Key(frame, number))) for frame in run.frames)
            here = {frame: entry for frame, entry in found if entry is not None}
            scores = tuple(entry.score or 0.0 for entry in here.values())
            gated = tuple(frame for frame, entry in here.items() if entry.conflict)
            yield Kept(run, number, scores, gated)
        for number in run.one_sided:
            yield Kept(run, number, (), ())


def _is_filled(document: Document, run: Run, number: int) -> bool:
    entries = (document.get(Key(frame, number)) for frame in run.frames)
    return all(entry is not None and not entry.stale for entry in entries)


def _shown(document: Document, frame: int) -> set[int]:
    entries = document.on_frame(frame)
    return {number for number, entry in entries.items() if entry.mask is not None}


def _likelihood(prediction: Prediction) -> FloatMap:
    if prediction.probability is None:
        return prediction.mask.astype(np.float32)
    return prediction.probability
