"""The anchors of an object: what each governs, and which frame is most worth another one."""

from collections.abc import Iterator, Mapping
from itertools import accumulate
from typing import NamedTuple

from app.core.document import Entry, Key

Entries = Mapping[int, Entry]  # frame -> entry of one object, frames rising
_UNKNOWN = 0.5  # score of a mask that has none


class Anchor(NamedTuple):
    """One anchor; `first` to `last` are the frames up to its neighbours, the frames it governs."""

    key: Key
    first: int
    last: int


def anchors_of(object_id: int, entries: Entries) -> Iterator[Anchor]:
    """Yield the anchors of one object, frames rising."""
    frames = list(entries)
    anchors = [frame for frame, entry in entries.items() if entry.is_anchor]
    ends = [frames[0] - 1, *anchors, frames[-1] + 1] if frames else []
    for before, frame, after in zip(ends, anchors, ends[2:], strict=False):
        yield Anchor(Key(frame, object_id), before + 1, after - 1)


def most_worth(objects: Mapping[int, Entries]) -> Key | None:
    """Return the frame and object most worth annotating next, None where nothing is predicted.

    It lies in the gap between neighbouring anchors over which the model's doubt adds up to most,
    where half of that is reached: an anchor there parts the doubt evenly.
    """
    gaps = [
        (sum(doubt for _, doubt in gap), number, gap)
        for number, entries in objects.items()
        for gap in _gaps(entries)
    ]
    if not gaps:
        return None
    whole, number, gap = max(gaps, key=lambda each: each[0])
    reached = accumulate(doubt for _, doubt in gap)
    middle = (
        frame for (frame, _), sum_ in zip(gap, reached, strict=True) if sum_ >= whole / 2 - 1e-9
    )
    return Key(next(middle), number)


def _gaps(entries: Entries) -> Iterator[list[tuple[int, float]]]:
    """Yield the predicted frames between anchors, each with how much the model doubts it."""
    gap: list[tuple[int, float]] = []
    for frame, entry in entries.items():
        if not entry.is_anchor:
            gap.append((frame, _doubt(entry)))
        elif gap:
            yield gap
            gap = []
    if gap:
        yield gap


def _doubt(entry: Entry) -> float:
    """Return 0 (sure) to 1; never nothing, so that among sure masks the longest gap counts."""
    if entry.conflict:
        return 1.0
    score = _UNKNOWN if entry.score is None else entry.score
    return max(1 - score, 0.01)
