"""Suspects: stretches of masks that may have drifted, what they are worth, and where they open."""

import enum
from bisect import bisect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from app.core.document import Entry, mask_in
from app.core.events import Event, Reason
from app.core.jumps import NEAR, SURE, growth
from app.core.marks import Marks
from app.core.mask import Mask

# How likely a mask with this mark is wrong, as far as a reason alone can say.
_SEVERITY = {
    Reason.CONFLICT: 0.9,
    Reason.LOW_OVERLAP: 0.7,
    Reason.AREA_JUMP: 0.6,
    Reason.SLIVER: 0.6,
    Reason.VANISHED: 0.6,
    Reason.LOW_SCORE: 0.5,
    Reason.SPLIT: 0.4,
    Reason.RETURNED: 0.4,
    Reason.STALE: 0.3,
    Reason.BORDER_EXIT: 0.2,
}
_PASSING = (Reason.LOW_SCORE,)  # what is over where it ends: nothing says that more is wrong
_ASK_MIDDLE = frozenset({Reason.CONFLICT, Reason.SLIVER})
_LONG = 5  # frames after which something else may begin within the same unrest


@dataclass(frozen=True, slots=True)
class Suspect:
    """Neighbouring suspect frames of one object: one event.

    `frame` is the worst, to look at; `reasons` come worst first; `severity` is 0 to 1; `value`
    ranks: the frames that a correction is expected to heal, which are all up to the next anchor
    but where the model is only unsure, times severity. `other` is the object that a swap is with,
    or that has taken this one's place.
    """

    object: int
    first: int
    last: int
    frame: int
    reasons: tuple[Reason, ...]
    severity: float
    value: float
    event: Event = Event.DRIFT
    other: int | None = None

    @property
    def text(self) -> str:
        """The frames and the reasons, for a list."""
        frames = f"{self.first}-{self.last}" if self.last > self.first else f"{self.first}"
        return f"{frames}: {', '.join(reason.value for reason in self.reasons)}"


class Order(enum.Enum):
    """In which order suspects are listed."""

    VALUE = "value"
    TIME = "time"


def grouped(object_id: int, entries: Mapping[int, Entry], marks: Marks) -> Iterator[Suspect]:
    """Yield one suspect for each stretch of suspect frames.

    What looks like an object that is not there stands apart. What is only stale is none: it is
    known, and waits for a heal.
    """
    stale = {frame for frame, reasons in marks.items() if reasons == {Reason.STALE}}
    gone = {frame for frame, reasons in marks.items() if Reason.SLIVER in reasons}
    healed = _healed(entries)
    anchors = [frame for frame, entry in entries.items() if entry.is_anchor]
    doubtful = (
        *_stretches(sorted(set(marks) - stale - gone), anchors, marks),
        *_stretches(sorted(gone), anchors, {}),
    )
    for frames in doubtful:
        found = frozenset[Reason]().union(*(marks[frame] for frame in frames))
        listed = (reason for reason in Reason if reason in found)
        reasons = tuple(sorted(listed, key=lambda reason: -_SEVERITY[reason]))
        doubt = float(np.prod([1 - _SEVERITY[reason] for reason in reasons]))
        yield Suspect(
            object=object_id,
            first=frames[0],
            last=frames[-1],
            frame=_opens(entries, frames, marks),
            reasons=reasons,
            severity=1 - doubt,
            value=(len(frames) if reasons == _PASSING else healed[frames[0]]) * (1 - doubt),
        )


def _stretches(frames: list[int], anchors: list[int], marks: Marks) -> Iterator[list[int]]:
    """Yield frames that lie close together, none with an anchor between them (all rising).

    Where a mask vanishes, or falls apart after a while, that is something of its own.
    """
    stretch: list[int] = []
    for frame in frames:
        parted = stretch and bisect(anchors, stretch[-1]) < bisect(anchors, frame)
        reasons, before = marks.get(frame, frozenset()), marks.get(frame - 1, frozenset())
        begins = (reasons - before) & {Reason.VANISHED, Reason.SPLIT}
        if stretch and begins and (Reason.VANISHED in begins or frame - stretch[0] >= _LONG):
            parted = True
        if parted or (stretch and frame - stretch[-1] > NEAR):
            yield stretch
            stretch = []
        stretch.append(frame)
    if stretch:
        yield stretch


def _healed(entries: Mapping[int, Entry]) -> dict[int, int]:
    """Return for each frame how many frames, up to the next anchor, a correction would reach."""
    healed: dict[int, int] = {}
    count, later = 0, None
    for frame in reversed(list(entries)):
        reached = count if later == frame + 1 else 0
        count, later = 0 if entries[frame].is_anchor else reached + 1, frame
        healed[frame] = count
    return healed


def _opens(entries: Mapping[int, Entry], frames: list[int], marks: Marks) -> int:
    """Return the frame to look at: the worst.

    Where passes from two anchors disagree, or hardly any object is left, it is the middle: near
    either end a correction would say little that is new.
    """
    doubtful = [frame for frame in frames if marks[frame] & _ASK_MIDDLE]
    if not doubtful:
        return _worst(entries, frames, _last_good(entries, frames[0], marks))
    middle = [frame for frame in doubtful if entries[frame].mask is not None] or doubtful
    return middle[len(middle) // 2]


def _worst(entries: Mapping[int, Entry], frames: list[int], good: Mask | None) -> int:
    """Return the frame of the worst mask, as the model sees it.

    Where the model is sure of all, it is the one whose size differs most from the last good mask.
    """
    scores = {f: 1.0 if (score := entries[f].score) is None else score for f in frames}
    if min(scores.values()) >= SURE and good is not None:
        sizes = {f: growth(mask, good) if (mask := entries[f].mask) else 0.0 for f in frames}
        return max(frames, key=lambda frame: (sizes[frame], -frame))
    return min(frames, key=lambda frame: (scores[frame], frame))


def _last_good(entries: Mapping[int, Entry], first: int, marks: Marks) -> Mask | None:
    """Return the last mask before a frame that nothing speaks against."""
    masks = (mask_in(entries, f) for f in range(first - 1, -1, -1) if f not in marks)
    return next((mask for mask in masks if mask is not None), None)


def part(suspect: Suspect, entries: Mapping[int, Entry], first: int, last: int) -> Suspect:
    """Return the suspect on some of its frames only."""
    if (first, last) == (suspect.first, suspect.last):
        return suspect
    frames = [frame for frame in range(first, last + 1) if frame in entries]
    inside = first <= suspect.frame <= last
    opens = suspect.frame if inside else _worst(entries, frames, mask_in(entries, first - 1))
    return replace(suspect, first=first, last=last, frame=opens)
