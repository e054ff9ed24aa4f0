"""How sure one may be of a mask: a probability that has been calibrated against true masks."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from app.core.document import Entry
from app.core.mask import Mask
from app.core.suspects import quick_iou

RIGHT = 0.8  # IoU with the truth from which on a mask counts as right
_EMPTY = 0.3  # an object that a model has lost is more often hidden from the model than gone
_UNKNOWN_SCORE = 0.5
_FAR = 60.0  # frames; further from any anchor nothing gets worse

# Fitted by `python packaging/fit_confidence.py`; in the order of `Facts.values`.
_WEIGHTS = (0.55, -0.35, 2.2, -0.9, 0.25)
_BIAS = 0.9


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a mask without the truth.

    `score` is the model's own, 0 to 1; `distance` counts frames to the anchor it came from;
    `continuity` is the IoU with the neighbour on that side; `growth` the natural logarithm of its
    area over the anchor's; `share` its area over the frame's.
    """

    score: float
    distance: int
    continuity: float
    growth: float
    share: float

    def values(self) -> tuple[float, ...]:
        """Return what the weights are for."""
        score = min(max(self.score, 0.01), 0.99)
        return (
            math.log(score / (1 - score)),
            math.log1p(min(self.distance, _FAR)),
            self.continuity,
            abs(self.growth),
            math.log10(max(self.share, 1e-5)),
        )


def confidence(facts: Facts) -> float:
    """Return the probability, 0 to 1, that the mask's IoU with the truth is `RIGHT` or more."""
    total = _BIAS + sum(w * x for w, x in zip(_WEIGHTS, facts.values(), strict=True))
    return 1 / (1 + math.exp(-total))


def facts_of(
    entry: Entry, *, distance: int, neighbour: Mask | None, anchor: Mask | None
) -> Facts | None:
    """Return the facts of an entry, None where it shows nothing.

    `neighbour` is the mask beside it towards the anchor that it came from, `anchor` that one's.
    """
    mask = entry.mask
    if mask is None:
        return None
    return Facts(
        _UNKNOWN_SCORE if entry.score is None else entry.score,
        distance,
        0.0 if neighbour is None else quick_iou(mask, neighbour),
        0.0 if anchor is None else math.log(mask.area / anchor.area),
        mask.area / (mask.size[0] * mask.size[1]),
    )


def confidence_of(
    entry: Entry, *, distance: int, neighbour: Mask | None, anchor: Mask | None
) -> float:
    """Return how sure one may be of an entry that came from an anchor `distance` frames away."""
    facts = facts_of(entry, distance=distance, neighbour=neighbour, anchor=anchor)
    return _EMPTY if facts is None else confidence(facts)


def all_facts(entries: Mapping[int, Entry]) -> dict[int, Facts]:
    """Return the facts of all propagated masks of one object; `entries`: frame -> entry, rising.

    Each is taken to come from its nearest anchor.
    """
    anchors = [frame for frame, entry in entries.items() if entry.is_anchor and entry.mask]
    found: dict[int, Facts] = {}
    for frame, entry in entries.items():
        if entry.is_anchor or entry.mask is None:
            continue
        origin = min(anchors, key=lambda anchor: abs(anchor - frame), default=None)
        step = 0 if origin is None else (1 if origin > frame else -1)
        beside = entries.get(frame + step) if step else None
        facts = facts_of(
            entry,
            distance=int(_FAR) if origin is None else abs(origin - frame),
            neighbour=beside.mask if beside else None,
            anchor=None if origin is None else entries[origin].mask,
        )
        assert facts is not None
        found[frame] = facts
    return found


def confidences(entries: Mapping[int, Entry]) -> dict[int, float]:
    """Return how sure one may be of each entry of one object; `entries`: frame -> entry, rising.

    What a person made or verified is certain.
    """
    facts = all_facts(entries)
    return {
        frame: 1.0 if entry.is_anchor else (confidence(facts[frame]) if frame in facts else _EMPTY)
        for frame, entry in entries.items()
    }
