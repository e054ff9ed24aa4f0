"""The recall of an object that is hidden where a pass starts: a sure mask of it from close by."""

from collections.abc import Mapping

from app.core.document import Document, Entry, Key
from app.core.evidence import fits
from app.core.mask import Mask

_NEAR = 16  # masks of which the surest recalls an object
_SURE = 0.9  # score from which on it does


def recalled(document: Document, key: Key, side: int) -> dict[int, Mask]:
    """Return the surest mask close to a frame on which an object is hidden, by its frame.

    It lies before the frame (`side` -1) or after it (1), and an anchor that shows the object does,
    too: what comes from beyond an absence may be of anything.
    """
    entries = _seen(document, key, side)
    if not any(entry.is_anchor for entry in entries.values()):
        return {}
    near = list(entries)[:_NEAR]
    scores = {f: entries[f].score or 0.0 for f in near if not entries[f].is_anchor}
    sure = [frame for frame, score in scores.items() if score >= _SURE]
    # An anchor does, but less: what the object looks like changes on the way.
    anchor = next((frame for frame in near if entries[frame].is_anchor), None)
    best = max(sure, key=lambda frame: scores[frame], default=anchor)
    if best is None or (mask := entries[best].mask) is None:
        return {}
    return {best: mask}


def goes_on_through(document: Document, key: Key) -> bool:
    """Whether an object has a mask before and after a frame in one place, as if it was there."""
    before, after = (next(iter(_seen(document, key, side).values()), None) for side in (-1, 1))
    return before is not None and after is not None and fits(before.mask, after.mask)


def _seen(document: Document, key: Key, side: int) -> Mapping[int, Entry]:
    """Return an object's entries that have a mask on one side of a frame, the nearest first."""
    entries = document.of_object(key.object)
    frames = [frame for frame in entries if (frame - key.frame) * side > 0]
    nearest = frames if side > 0 else reversed(frames)
    return {frame: entries[frame] for frame in nearest if entries[frame].mask is not None}
