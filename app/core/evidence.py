"""Which mask holds where an old one and new ones differ: all are evidence, none is scenery."""

import enum
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from app.core.confidence import confidence_of
from app.core.document import Entry
from app.core.mask import Mask
from app.core.suspects import quick_iou

_LEAST = 0.05  # no mask is trusted less, and none fits its neighbour worse
_SWITCH = 3.1  # what it costs to change over: more than any single frame can bring in
_FAR = 1000  # frames to an anchor that is not there
_OPEN = 0.5  # trust in an old mask beyond a correction, where no anchor follows


class Source(enum.Enum):
    """Where a mask comes from."""

    OLD = "old"
    NEW = "new"  # the pass from the corrected frame
    BACK = "back"  # the pass that comes back from the other end


class Candidate(NamedTuple):
    """A mask that a frame may have, and how far it is to be trusted, 0 to 1."""

    entry: Entry
    trust: float


Candidates = Mapping[Source, Candidate]


def choose(frames: Sequence[Candidates], start: Mask | None, end: Mask | None) -> list[Source]:
    """Return which source holds on each of neighbouring frames, in consistent stretches.

    The best path (Viterbi 1967) through trust and fit: a mask should fit the one chosen beside it,
    and at both ends those that are certain (`start`, `end`; None where there is none). Each frame
    has at least one candidate.
    """
    best: dict[Source, float] = {}
    steps: list[dict[Source, Source]] = []
    before: Candidates = {}
    for here in frames:
        totals, came = {}, {}
        for source, candidate in here.items():
            gains = {
                other: total - _cost(other, before[other].entry.mask, source, candidate.entry.mask)
                for other, total in best.items()
            }
            came[source] = max(gains, key=lambda each: gains[each]) if gains else source
            # The first frame fits the mask that is certain, or nothing is known.
            reached = gains[came[source]] if gains else -_misfit(start, candidate.entry.mask)
            totals[source] = reached + math.log(_at_least(candidate.trust))
        best, before = totals, here
        steps.append(came)
    if not steps:
        return []
    last = max(best, key=lambda s: best[s] - (_misfit(before[s].entry.mask, end) if end else 0.0))
    path = [last]
    for came in reversed(steps[1:]):
        path.append(came[path[-1]])
    return path[::-1]


def _cost(one: Source, mask: Mask | None, other: Source, following: Mask | None) -> float:
    return (_SWITCH if one is not other else 0.0) + _misfit(mask, following)


def _misfit(one: Mask | None, other: Mask | None) -> float:
    """Return 0 for masks that lie on each other, up to 1.5 where they do not touch."""
    if one is None or other is None:
        return 0.0 if one is other else 0.75
    return 1.5 * (1 - quick_iou(one, other))


def _at_least(trust: float) -> float:
    return min(max(trust, _LEAST), 1.0)


def overlap(mask: Mask | None, others: Iterable[Mask]) -> float:
    """Return the largest share of a mask that lies in one of the others."""
    return max((_share(mask, other) for other in others), default=0.0) if mask else 0.0


def _share(mask: Mask, other: Mask) -> float:
    iou = quick_iou(mask, other)
    return min(1.0, iou / (1 + iou) * (mask.area + other.area) / mask.area)


class Stretch:
    """The frames between a corrected anchor and the next certain mask of one object.

    `frames` are in order of travel from the correction. `start` is the corrected mask, `end` the
    one that is certain beyond the last frame, None where there is none. `old` are all old entries
    of the object that are known. `faulty` says that the old mask on the corrected frame was wrong,
    so that the old ones began to drift somewhere on the way.
    """

    def __init__(
        self,
        frames: Sequence[int],
        start: Mask | None,
        end: Mask | None,
        old: Mapping[int, Entry],
        *,
        faulty: bool = True,
    ) -> None:
        self.frames, self.start, self.end, self.old = frames, start, end, old
        self.step = -1 if frames[-1] < frames[0] else 1
        self._faulty = faulty
        self._places = {frame: place for place, frame in enumerate(frames)}

    def trust_in_new(self, frame: int, entry: Entry, before: Mask | None) -> float:
        """Return how far a mask of the pass from the correction is to be trusted."""
        distance = 1 + self._places[frame]
        return confidence_of(entry, distance=distance, neighbour=before, anchor=self.start)

    def trust_in_back(self, frame: int, entry: Entry, before: Mask | None) -> float:
        """Return how far a mask of the pass that comes back is to be trusted."""
        distance = len(self.frames) - self._places[frame]
        return confidence_of(entry, distance=distance, neighbour=before, anchor=self.end)

    def trust_in_old(self, frame: int) -> float:
        """Return how far the old mask is to be trusted; 0 where there is none.

        A drift may have begun anywhere between the certain mask and the correction: the nearer to
        the latter, the likelier it has.
        """
        entry = self.old.get(frame)
        if entry is None:
            return 0.0
        place, count = self._places[frame], len(self.frames)
        beside = self.old.get(frame + self.step)
        trust = confidence_of(
            entry,
            distance=count - place if self.end is not None else _FAR,
            neighbour=self.end if beside is None else beside.mask,
            anchor=self.end or self.start,
        )
        if not self._faulty:
            return trust
        return trust * ((place + 1) / (count + 1) if self.end is not None else _OPEN)
