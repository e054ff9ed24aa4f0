"""The lanes of the timeline as arrays: states and scores per object, and their reduction to pixels.

No Qt. A lane is one byte per frame; what a change costs depends on its keys, what a redraw costs on
the frames in view, neither on how many masks there are.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from app.core.document import Document, Entry, Key, State

# From the least to the most urgent: where many frames share a pixel, the most urgent one shows.
URGENCY = (
    State.NONE,
    State.PREDICTED,
    State.GROUND_TRUTH,
    State.VERIFIED,
    State.ANCHOR,
    State.ABSENT,
    State.OCCLUDED,
    State.STALE,
    State.CONFLICT,
)
RANK = {state: rank for rank, state in enumerate(URGENCY)}
_BAD = RANK[State.STALE]  # this and above asks for work
_DIAMONDS = {State.ANCHOR, State.ABSENT, State.OCCLUDED}
PLAIN = len(URGENCY) - _BAD  # what a narrow bad stretch adds to its rank

Ranks = NDArray[np.uint8]  # one per frame or per column: an index of URGENCY
Scores = NDArray[np.float32]  # one per frame or per column; NaN where there is none

CLOSEST = 48.0  # pixels per frame


@dataclass(frozen=True, slots=True)
class Scale:
    """Which frames are in view: the one at the left edge, in parts, and pixels per frame."""

    first: float = 0.0
    per_frame: float = 1.0

    def x_of(self, frame: float) -> float:
        """Return where a frame begins."""
        return (frame - self.first) * self.per_frame

    def frame_at(self, x: float) -> int:
        """Return the frame at a pixel; it may lie outside the video."""
        return math.floor(self.first + x / self.per_frame)

    def zoomed(self, factor: float, x: float) -> "Scale":
        """Return the scale `factor` times larger, with the frame at `x` staying where it is."""
        per_frame = min(self.per_frame * factor, CLOSEST)
        return Scale(self.first + x / self.per_frame - x / per_frame, per_frame)

    def moved(self, pixels: float) -> "Scale":
        """Return the scale with the view moved to the right by so many pixels."""
        return replace(self, first=self.first + pixels / self.per_frame)

    def within(self, count: int, width: float) -> "Scale":
        """Return the nearest scale that shows no more empty room than it must."""
        whole = width / max(count, 1)
        per_frame = min(max(self.per_frame, whole), max(CLOSEST, whole))
        last_first = max(count - width / per_frame, 0.0)
        return Scale(min(max(self.first, 0.0), last_first), per_frame)

    def columns(self, count: int, width: int) -> NDArray[np.intp]:
        """Return the first frame of each pixel column, cut off where the video ends."""
        frames = self.first + np.arange(width) / self.per_frame
        starts = np.floor(frames + 1e-6).astype(np.intp)
        return starts[starts < count]


def worst(ranks: Ranks, starts: NDArray[np.intp], last: int) -> Ranks:
    """Return the most urgent rank of each column; the last column ends before frame `last`."""
    if not starts.size:
        return np.zeros(0, np.uint8)
    reduced: Ranks = np.maximum.reduceat(ranks[: max(last, int(starts[-1]) + 1)], starts)
    return reduced


def lowest(scores: Scores, starts: NDArray[np.intp], last: int) -> Scores:
    """Return the lowest score of each column, NaN where it has none."""
    if not starts.size:
        return np.zeros(0, np.float32)
    reduced: Scores = np.fmin.reduceat(scores[: max(last, int(starts[-1]) + 1)], starts)
    return reduced


def emphasised(columns: Ranks, least: int, pattern: int) -> Ranks:
    """Return the columns with each bad stretch made `least` pixels wide, so that it is seen.

    Stretches too narrow to show a pattern of `pattern` pixels get a rank of their own, `PLAIN`
    above that of their state: they are drawn in its bare colour.
    """
    wide = columns.copy()
    bad = np.where(columns >= _BAD, columns, 0)
    for shift in range(1, least):
        wide[shift:] = np.maximum(wide[shift:], bad[:-shift])
    for first, end in runs(wide >= _BAD):
        if end - first < pattern:
            wide[first:end] += PLAIN
    return wide


def runs(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return (first, end) of each stretch of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def thinned(frames: NDArray[np.intp], scale: Scale, spacing: float) -> NDArray[np.intp]:
    """Return some of the frames, at most one in every `spacing` pixels."""
    cells = np.floor(frames * scale.per_frame / spacing).astype(np.intp)
    _, kept = np.unique(cells, return_index=True)
    return frames[kept]


class Lanes:
    """The states and the confidence of every object over the video."""

    def __init__(self, confidence: Callable[[Entry], float | None]) -> None:
        """`confidence` says how likely a mask is right, 0 to 1, None where nothing is known."""
        self._confidence = confidence
        self._count = 0
        self._ranks: dict[int, Ranks] = {}
        self._scores: dict[int, Scores] = {}
        self._diamonds: dict[int, NDArray[np.bool_]] = {}

    def reset(self, document: Document, count: int) -> None:
        """Read everything from a document of `count` frames."""
        self._count = count
        self._ranks, self._scores, self._diamonds = {}, {}, {}
        self.keep(item.id for item in document.objects)
        for key, entry in document.items():
            self._set(key, entry)

    def keep(self, objects: Iterable[int]) -> list[int]:
        """Have lanes for these objects only; return those whose entries have to be read.

        These are new ones, and all where one is no longer alone, or is now: less is known of one of
        several.
        """
        wanted, was_alone = set(objects), len(self._ranks) == 1
        for gone in set(self._ranks) - wanted:
            del self._ranks[gone], self._scores[gone], self._diamonds[gone]
        new = sorted(wanted - set(self._ranks))
        for object_id in new:
            self._ranks[object_id] = np.zeros(self._count, np.uint8)
            self._scores[object_id] = np.full(self._count, np.nan, np.float32)
            self._diamonds[object_id] = np.zeros(self._count, np.bool_)
        return new if was_alone == (len(wanted) == 1) else sorted(wanted)

    def update(
        self, keys: Iterable[Key], shown: Callable[[int], Mapping[int, Entry]]
    ) -> frozenset[int]:
        """Read the entries at `keys` anew from `shown(frame)`; return the objects concerned."""
        frame, entries = -1, {}
        touched = set()
        for key in sorted(keys):
            if key.frame != frame:
                frame, entries = key.frame, dict(shown(key.frame))
            self._set(key, entries.get(key.object))
            touched.add(key.object)
        return frozenset(touched)

    def ranks(self, object_id: int) -> Ranks:
        """Return the rank of every frame of an object; a view, not to be kept."""
        return self._ranks[object_id]

    def scores(self, object_id: int) -> Scores:
        """Return the confidence of every frame of an object; a view, not to be kept."""
        return self._scores[object_id]

    def anchors(self, object_id: int, first: int, last: int) -> NDArray[np.intp]:
        """Return the frames from `first` up to but not `last` of which a person said what is there.

        By hand, or that it is absent. Masks that are verified or imported have a look of their own.
        """
        lane = self._diamonds[object_id][max(first, 0) : max(last, 0)]
        return np.flatnonzero(lane) + max(first, 0)

    def nearest_anchor(self, object_id: int, frame: int, reach: int) -> int | None:
        """Return the nearest anchor at most `reach` frames away, or None."""
        found = self.anchors(object_id, frame - reach, frame + reach + 1)
        return int(found[np.abs(found - frame).argmin()]) if found.size else None

    def _set(self, key: Key, entry: Entry | None) -> None:
        lane = self._ranks.get(key.object)
        if lane is None or not 0 <= key.frame < self._count:
            return
        lane[key.frame] = RANK[entry.state] if entry else 0
        is_said = entry is not None and entry.is_anchor and entry.state in _DIAMONDS
        self._diamonds[key.object][key.frame] = is_said
        # What a person made or verified is certain, whatever a model had said of it.
        score = 1.0 if entry and entry.is_anchor else self._confidence(entry) if entry else None
        self._scores[key.object][key.frame] = math.nan if score is None else score
