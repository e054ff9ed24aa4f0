"""The vote of spatial-temporal refinement: coarse masks made consistent by the masks of a tracker.

Tran, "The 2nd Solution for LSVOS Challenge RVOS Track: Spatial-temporal Refinement for Consistent
Semantic Segmentation", 2024, algorithm 1.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from models.api import BoolMask

Combination = frozenset[int]  # the masklets that make up a coarse mask


@dataclass(frozen=True, slots=True)
class VoteRules:
    """How the vote is held; the defaults are the report's.

    `window`: frames that vote together, at least 1. `overlap`: a masklet belongs to a coarse mask
    where more than this share of it (0 to 1) lies in it.
    """

    window: int = 15
    overlap: float = 0.8


@dataclass(frozen=True, slots=True, eq=False)
class VoteFrame:
    """One frame's coarse mask (H, W) and the masklets on it, by id; all of one size."""

    coarse: BoolMask
    masklets: Mapping[int, BoolMask]


@dataclass(frozen=True, slots=True, eq=False)
class Elected:
    """A window's masks, one for each frame, and the masklets that they are made of.

    `combination` is empty where no masklet was elected; the coarse masks stay then.
    """

    masks: tuple[BoolMask, ...]
    combination: Combination


def components(frame: VoteFrame, overlap: float) -> dict[int, float]:
    """Return the masklets that lie in the coarse mask, with the share of each that does.

    An empty masklet lies nowhere.
    """
    found = {}
    for number, mask in frame.masklets.items():
        area = np.count_nonzero(mask)
        share = np.count_nonzero(mask & frame.coarse) / area if area else 0.0
        if share > overlap:
            found[number] = share
    return found


def elect(
    window: Sequence[VoteFrame], rules: VoteRules, before: Combination | None = None
) -> Elected:
    """Return the masks of frames that vote together.

    The most frequent combination wins, the empty one included. The report is silent on ties: here
    the combination elected `before` wins, then the one whose masklets lie deepest in the coarse
    masks, then the larger one.
    """
    votes = [components(frame, rules.overlap) for frame in window]
    counts = Counter(frozenset(vote) for vote in votes)
    depths = {each: _depth(each, votes) for each in counts}

    def rank(each: Combination) -> tuple[int, bool, float, int, list[int]]:
        return counts[each], each == before, depths[each], len(each), sorted(each)

    elected = max(counts, key=rank) if counts else frozenset()
    if not elected:
        return Elected(tuple(frame.coarse for frame in window), elected)
    return Elected(tuple(_union(frame, elected) for frame in window), elected)


def vote(frames: Iterable[VoteFrame], rules: VoteRules | None = None) -> Iterator[Elected]:
    """Yield the refined masks of a video, window after window; the last may be shorter.

    No more than one window is held.
    """
    rules = rules or VoteRules()
    before: Combination | None = None
    waiting: list[VoteFrame] = []
    for frame in frames:
        waiting.append(frame)
        if len(waiting) == rules.window:
            elected = elect(waiting, rules, before)
            yield elected
            before, waiting = elected.combination, []
    if waiting:
        yield elect(waiting, rules, before)


def _depth(combination: Combination, votes: Sequence[Mapping[int, float]]) -> float:
    """Return the mean share of a combination's masklets on the frames that voted for it."""
    shares = [share for each in votes if frozenset(each) == combination for share in each.values()]
    return sum(shares) / len(shares) if shares else 0.0


def _union(frame: VoteFrame, combination: Combination) -> BoolMask:
    union = np.zeros_like(frame.coarse)
    for number in combination & frame.masklets.keys():
        union |= frame.masklets[number]
    return union
