"""Which mask holds where an old one and new ones differ: all are evidence, none is scenery."""

import enum
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from app.core.confidence import log_odds
from app.core.document import Entry
from app.core.mask import Mask
from app.core.overlap import inside, quick_iou

_SWITCH = 3.1  # what it costs to change over: more than any single frame can bring in
_MOST = 3.0  # by how much one mask of a frame can be better supported than another
_SCORE = 2.0  # weight of the model's score, as log odds
_MOST_SCORE = 0.91  # from which on it says no more of whether a mask is right: see confidence.py
_PLACE = 1.0  # weight of the place between two certain masks, as log odds
_OPEN, _OPEN_FALL, _OPEN_LEAST = 2.6, 1.0, 0.5  # for new masks, by distance, on an open end
_VERIFIED = 2.0  # for an old mask where the one it came from was found to be right
_ASTRAY = 2.0  # against old masks that do not lead to the certain one
_ADRIFT = 0.3  # IoU with the next frame's mask from which on both may be of the same thing
_TAKEN = 4.0  # against a mask that lies in another object's
_FIT = 3.0  # for masks that lie on each other, one after the other
_UNKNOWN = 0.5  # score of a mask that has none
_ABSENT = 0.86  # score that finding nothing counts as, on the way from where a person said absent


class Source(enum.Enum):
    """Where a mask comes from."""

    OLD = "old"
    NEW = "new"  # the pass from the corrected frame
    BACK = "back"  # the pass that comes back from the other end


class Beside(enum.Enum):
    """What a correction says of the old masks beside it."""

    WRONG = "wrong"  # they began to drift somewhere on the way
    RIGHT = "right"
    OPEN = "open"  # another object took something from the mask, which was a person's wish


class Candidate(NamedTuple):
    """A mask that a frame may have, and what speaks for it, in log odds against another."""

    entry: Entry
    support: float


Candidates = Mapping[Source, Candidate]


def choose(
    frames: Sequence[Candidates],
    start: Mask | None,
    end: Mask | None,
    beyond: Source | None = None,
) -> list[Source]:
    """Return which source holds on each of neighbouring frames, in consistent stretches.

    The best path (Viterbi 1967) through support and fit: a mask should fit the one chosen beside
    it, and at both ends those that stand there (`start`, `end`; None where there is none).
    `beyond` is the source of the masks after the last frame, None where a person made it. Each
    frame has at least one candidate.
    """
    best: dict[Source, float] = {}
    steps: list[dict[Source, Source]] = []
    before: Candidates = {}
    for here in frames:
        totals, came = {}, {}
        strongest = max(candidate.support for candidate in here.values())
        for source, candidate in here.items():
            gains = {
                other: total - _cost(other, before[other].entry.mask, source, candidate.entry.mask)
                for other, total in best.items()
            }
            came[source] = max(gains, key=lambda each: gains[each]) if gains else source
            # The first frame fits the mask that is certain, or nothing is known.
            reached = gains[came[source]] if gains else -_misfit(start, candidate.entry.mask)
            totals[source] = reached + max(candidate.support - strongest, -_MOST)
        best, before = totals, here
        steps.append(came)
    if not steps:
        return []
    last = max(best, key=lambda source: best[source] - _leaving(source, before, end, beyond))
    path = [last]
    for came in reversed(steps[1:]):
        path.append(came[path[-1]])
    return path[::-1]


def _leaving(source: Source, offers: Candidates, end: Mask | None, beyond: Source | None) -> float:
    change = _SWITCH if beyond not in {None, source} else 0.0
    return change + (_misfit(offers[source].entry.mask, end) if end else 0.0)


def _cost(one: Source, mask: Mask | None, other: Source, following: Mask | None) -> float:
    return (_SWITCH if one is not other else 0.0) + _misfit(mask, following)


def _misfit(one: Mask | None, other: Mask | None) -> float:
    """Return 0 for masks that lie on each other, the most where they do not touch."""
    if one is None or other is None:
        return 0.0 if one is other else _FIT / 2
    return _FIT * (1 - quick_iou(one, other))


def overlap(mask: Mask | None, others: Iterable[Mask]) -> float:
    """Return the largest share of a mask that lies in one of the others."""
    return max((inside(mask, other) for other in others), default=0.0)


def taken(mask: Mask | None, others: Iterable[Mask]) -> float:
    """Return what speaks against a mask, in log odds, that lies in other objects' masks."""
    return _TAKEN * overlap(mask, others)


class Stretch:
    """The frames between a corrected anchor and the next certain mask of one object.

    `frames` are in order of travel from the correction. `start` is the corrected mask, `end` the
    one that is certain beyond the last frame, None where there is none. `old` are all old entries
    of the object that are known; `beside` is what is known of them, but for those on the frames of
    `right`, which were put right.
    """

    def __init__(
        self,
        frames: Sequence[int],
        start: Mask | None,
        end: Mask | None,
        old: Mapping[int, Entry],
        beside: Beside = Beside.WRONG,
        right: Collection[int] = (),
    ) -> None:
        self.frames, self.start, self.end, self.old = frames, start, end, old
        self.step = -1 if frames[-1] < frames[0] else 1
        self._beside, self._right = beside, right
        last = old.get(frames[-1])
        # Old masks that do not lead to the one that is certain do not come from it.
        self._fits = end is None or last is None or fits(last.mask, end)
        self._places = {frame: place for place, frame in enumerate(frames)}

    def new(self, frame: int, entry: Entry, others: Iterable[Mask] = ()) -> Candidate:
        """Return a mask of the pass from the correction; `others` are other objects' masks."""
        if entry.mask is None and self.start is None:
            return Candidate(entry, _SCORE * log_odds(_ABSENT))
        support = self._score(entry) - taken(entry.mask, others)
        if self.end is None and self._beside is not Beside.OPEN:
            support += max(_OPEN_LEAST, _OPEN - _OPEN_FALL * math.log1p(1 + self._places[frame]))
        return Candidate(entry, support)

    def back(self, entry: Entry) -> Candidate:
        """Return a mask of the pass that comes back."""
        return Candidate(entry, self._score(entry))

    def standing(self, frame: int) -> Candidate | None:
        """Return the old mask, None where there is none.

        A drift may have begun anywhere between the certain mask and the correction: the nearer to
        the latter, the likelier it has.
        """
        entry = self.old.get(frame)
        if entry is None:
            return None
        support = self._score(entry)
        if self._beside is Beside.RIGHT or frame in self._right:
            support += _VERIFIED
        elif self._beside is Beside.OPEN:
            return Candidate(entry, support)
        elif not self._fits:
            support -= _ASTRAY
        elif self.end is not None:
            support += place_odds((self._places[frame] + 1) / (len(self.frames) + 1))
        return Candidate(entry, support)

    def _score(self, entry: Entry) -> float:
        score = _UNKNOWN if entry.score is None else entry.score
        return _SCORE * log_odds(min(score, _MOST_SCORE))


def fits(one: Mask | None, other: Mask | None) -> bool:
    """Whether two masks, one beside the other in time, may be of the same thing."""
    return _misfit(one, other) <= _FIT * (1 - _ADRIFT)


def is_surer(one: Entry, other: Entry, by: float) -> bool:
    """Whether the model's score of one mask is higher than another's by more than `by`."""
    if one.mask is None or one.score is None or other.score is None:
        return False
    return min(one.score, _MOST_SCORE) > other.score + by


def place_odds(share: float) -> float:
    """Return what speaks for a mask at a place, 0 to 1, on the way to where it is certain."""
    return _PLACE * log_odds(share)
