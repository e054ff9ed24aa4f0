"""Marks: what speaks against each mask of an object, by its score and by the mask before it."""

import statistics
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from app.core.document import Entry
from app.core.events import Reason
from app.core.jumps import MEMORY, as_large, is_sure
from app.core.mask import Mask
from app.core.overlap import quick_iou, thinning

Marks = Mapping[int, frozenset[Reason]]  # frame -> why its mask is suspect, frames rising

_MOVED = 0.25  # IoU down to which a mask of the same size may only have moved
_TREND = 15  # frames whose median step says how a thing grows or shrinks by itself
_FEW = 3  # steps under which they say nothing of it


@dataclass(frozen=True, slots=True)
class Limits:
    """From where on a mask is suspect.

    `score` and `overlap` (IoU with the frame before, as a share of what is usual for the object)
    are 0 to 1; `area` is a factor between neighbours; `piece` is the share of the area from which
    on a separate piece counts; `sliver` is the share of the last anchor's area under which hardly
    anything is left.
    """

    score: float = 0.8
    overlap: float = 0.6
    area: float = 1.5
    piece: float = 0.1
    sliver: float = 0.1


@dataclass(frozen=True, slots=True)
class Facts:
    """What is measured of one mask: pixels, pieces that count, and whether it meets the border."""

    area: int
    pieces: int
    at_border: bool

    def is_sliver(self, area: float) -> bool:
        """Whether less than `area` is left, though the object is not just leaving the picture."""
        return self.area < area and not self.at_border


def measure(mask: Mask, piece: float) -> Facts:
    """Return the facts of a mask; `piece` is the share of the area from which on one counts."""
    step = thinning(mask)
    pixels = mask.crop()[::step, ::step].astype(np.uint8)
    count, _, stats, _ = cv2.connectedComponentsWithStats(pixels, connectivity=8)
    areas = stats[1:count, cv2.CC_STAT_AREA]
    pieces = int(np.count_nonzero(areas >= piece * areas.sum())) if count > 1 else 1
    (y0, y1, x0, x1), (height, width) = mask.box, mask.size
    return Facts(mask.area, pieces, y0 == 0 or x0 == 0 or y1 == height or x1 == width)


class Marker:
    """Marks the masks of one object and remembers what it measured of each.

    Looking again after an edit measures the new masks only.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._facts: dict[int, tuple[Mask, Facts]] = {}
        self._overlaps: dict[int, tuple[Mask, Mask, float]] = {}

    def marks(self, entries: Mapping[int, Entry]) -> Marks:
        """Return the marks of an object's masks; `entries` are all it has, frames rising."""
        self._measure(entries)
        return dict(self._found(entries))

    def _measure(self, entries: Mapping[int, Entry]) -> None:
        """Measure the masks that are new, and each with the one before it."""
        facts, overlaps = {}, {}
        before: tuple[int, Mask] | None = None
        for frame, entry in entries.items():
            mask = entry.mask
            if mask is None:
                before = None
                continue
            known = self._facts.get(frame)
            same = known is not None and known[0] is mask
            facts[frame] = known if known and same else (mask, measure(mask, self._limits.piece))
            if before and before[0] == frame - 1:
                pair = self._overlaps.get(frame)
                if not pair or pair[0] is not before[1] or pair[1] is not mask:
                    pair = (before[1], mask, quick_iou(before[1], mask))
                overlaps[frame] = pair
            before = (frame, mask)
        self._facts, self._overlaps = facts, overlaps

    def _found(self, entries: Mapping[int, Entry]) -> Iterator[tuple[int, frozenset[Reason]]]:
        facts, overlaps = self._facts, self._overlaps
        usual = statistics.median([pair[2] for pair in overlaps.values()] or [1.0])
        recent: list[int] = []
        given = (facts[f][1].area for f, e in entries.items() if e.is_anchor and f in facts)
        whole, slivers = next(given, 0), set[int]()
        for frame, entry in entries.items():
            reasons = _own_reasons(entry, self._limits)
            before = entries.get(frame - 1)
            if entry.is_anchor:
                whole = facts[frame][1].area if frame in facts else whole
            elif frame in facts and facts[frame][1].is_sliver(self._limits.sliver * whole):
                slivers.add(frame)
                reasons.add(Reason.SLIVER)
            if before is not None and not entry.is_anchor:
                reasons |= _presence(before, entry, facts.get(frame - 1))
                if frame in overlaps and overlaps[frame][2] < self._limits.overlap * usual:
                    reasons |= _place(overlaps[frame], entry)
                if frame in facts and frame - 1 in facts:
                    reasons |= self._shape(facts[frame - 1][1], facts[frame][1], recent, entry)
            recent = [*recent[1 - _TREND :], facts[frame][1].area] if frame in facts else []
            if Reason.VANISHED in reasons and frame - 1 in slivers:
                reasons.add(Reason.SLIVER)  # the end of one thing, not something new
            if reasons:
                yield frame, frozenset(reasons)

    def _shape(self, before: Facts, now: Facts, recent: list[int], entry: Entry) -> set[Reason]:
        """Return what speaks against a mask of another shape: not that it surely comes apart."""
        reasons = set()
        usual = _expected(recent)
        if not usual / self._limits.area <= now.area <= usual * self._limits.area:
            reasons.add(Reason.AREA_JUMP)
        if now.pieces > before.pieces and not is_sure(entry):
            reasons.add(Reason.SPLIT)
        return reasons


def _expected(areas: list[int]) -> float:
    """Return the area that is to be expected after others: the usual one, grown as they grow."""
    steps = [now / before for before, now in pairwise(areas)]
    step = statistics.median(steps) if len(steps) >= _FEW else 1.0
    last = areas[-MEMORY:]
    return float(statistics.median(last) * step ** ((len(last) + 1) / 2))


def _own_reasons(entry: Entry, limits: Limits) -> set[Reason]:
    if entry.is_anchor:
        return set()
    low = entry.mask is not None and entry.score is not None and entry.score < limits.score
    marks = {
        Reason.CONFLICT: entry.conflict,
        Reason.STALE: entry.stale,
        Reason.LOW_SCORE: low,
    }
    return {reason for reason, holds in marks.items() if holds}


def _presence(before: Entry, now: Entry, known: tuple[Mask, Facts] | None) -> set[Reason]:
    if before.mask is None and now.mask is not None:
        return {Reason.RETURNED}
    if before.mask is not None and now.mask is None:
        return {Reason.BORDER_EXIT if known and known[1].at_border else Reason.VANISHED}
    return set()


def _place(pair: tuple[Mask, Mask, float], entry: Entry) -> set[Reason]:
    """Return what speaks against a mask in another place: not where the thing only moves."""
    before, now, shared = pair
    moves = as_large(now, before) and is_sure(entry) and shared >= _MOVED
    return set() if moves else {Reason.LOW_OVERLAP}
