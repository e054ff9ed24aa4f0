"""Suspects: masks that may have drifted, found from the document alone."""

import enum
import statistics
from bisect import bisect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import cv2
import numpy as np

from app.core.document import Document, Entry
from app.core.events import Event, Reason, alone, between
from app.core.jumps import JUMPS, LONGEST, MEMORY, NEAR, growth, joined
from app.core.mask import Mask
from app.core.overlap import quick_iou, thinning
from app.core.places import changes_place

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
_ASK_MIDDLE = frozenset({Reason.CONFLICT, Reason.SLIVER})
_STEADY, _SURE, _MOVED = 1.1, 0.95, 0.25  # factor of area, score and IoU of what only moves fast
_SOUND = 0.9  # score from which on the model is sure of the thing
_CERTAIN = 0.9  # severity where another object has what this one has lost
_LONG = 5  # frames after which something else may begin within the same unrest


@dataclass(frozen=True, slots=True)
class Limits:
    """From where on a mask is suspect.

    `score` and `overlap` (IoU with the frame before, as a share of what is usual for the object)
    are 0 to 1; `area` is a factor between neighbours; `piece` is the share of the area from which
    on a separate piece counts; `sliver` is the share of the last anchor's area under which hardly
    anything is left.
    """

    score: float = 0.5
    overlap: float = 0.6
    area: float = 1.5
    piece: float = 0.1
    sliver: float = 0.1


@dataclass(frozen=True, slots=True)
class Suspect:
    """Neighbouring suspect frames of one object: one event.

    `frame` is the worst, to look at; `reasons` come worst first; `severity` is 0 to 1; `value`
    ranks: the frames that a correction is expected to heal, times severity. `other` is the object
    that a swap is with, or that has taken this one's place.
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


def find(document: Document, limits: Limits | None = None) -> tuple[Suspect, ...]:
    """Return the suspects of all objects, worst first."""
    finder = Finder(limits)
    for info in document.objects:
        finder.examine(info.id, document.of_object(info.id))
    return finder.ranked()


class Order(enum.Enum):
    """In which order suspects are listed."""

    VALUE = "value"
    TIME = "time"


_KEYS: Mapping[Order, Callable[[Suspect], tuple[float, ...]]] = {
    Order.VALUE: lambda each: (-each.value, each.first, each.object),
    Order.TIME: lambda each: (each.first, each.object),
}


class Finder:
    """Finds suspects object by object and remembers what it measured of each mask.

    Looking again after an edit measures the new masks only. Used from one thread at a time.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._facts: dict[int, dict[int, tuple[Mask, Facts]]] = {}
        self._overlaps: dict[int, dict[int, tuple[Mask, Mask, float]]] = {}
        self._suspects: dict[int, tuple[Suspect, ...]] = {}
        self._entries: dict[int, Mapping[int, Entry]] = {}

    def examine(self, object_id: int, entries: Mapping[int, Entry]) -> None:
        """Replace the suspects of one object; `entries` are all it has, frames rising."""
        self._measure(object_id, entries)
        self._entries[object_id] = entries
        marks = joined(dict(self._marks(object_id, entries)), entries)
        self._suspects[object_id] = tuple(_grouped(object_id, entries, marks))

    def forget(self, keep: Iterable[int]) -> None:
        """Drop all objects but these."""
        for number in set(self._suspects) - set(keep):
            del self._suspects[number], self._facts[number], self._overlaps[number]
            del self._entries[number]

    def ranked(self, order: Order = Order.VALUE) -> tuple[Suspect, ...]:
        """Return all suspects, the most valuable or the earliest first, each swap once."""
        every = [
            told
            for suspects in self._suspects.values()
            for suspect in suspects
            for told in self._told(suspect)
        ]
        return tuple(sorted(_single(every), key=_KEYS[order]))

    def _told(self, suspect: Suspect) -> Iterator[Suspect]:
        """Say what seems to have happened, which the masks of other objects show.

        Where two change places is something of its own.
        """
        entries = self._entries[suspect.object]
        others = {n: masks for n, masks in self._entries.items() if n != suspect.object}
        begins, rival = _swap_in(suspect, entries, others) or (suspect.last + 1, None)
        if begins > suspect.first:
            start = _part(suspect, entries, suspect.first, begins - 1)
            event, other = _event(start, entries, others)
            told = replace(start, event=event, other=other)
            if event is Event.TAKEN and other is not None:
                told = _absence(told, entries, others[other])
            yield told
        if rival is None:
            return
        ends = _back_in(suspect, begins, {suspect.object: entries, rival: others[rival]})
        swap = _part(suspect, entries, begins, ends - 1)
        yield replace(swap, event=Event.SWAP, other=rival)
        if ends < suspect.last:  # beyond the change back, which is right
            rest = _part(suspect, entries, ends, suspect.last)
            before, now = _masks(entries, rest, rest.frame)
            yield replace(rest, event=alone(rest.reasons, before, now, entries[rest.frame]))

    def _measure(self, object_id: int, entries: Mapping[int, Entry]) -> None:
        """Measure the masks that are new, and each with the one before it."""
        facts, old_facts = {}, self._facts.get(object_id, {})
        overlaps, old_overlaps = {}, self._overlaps.get(object_id, {})
        before: tuple[int, Mask] | None = None
        for frame, entry in entries.items():
            mask = entry.mask
            if mask is None:
                before = None
                continue
            known = old_facts.get(frame)
            same = known is not None and known[0] is mask
            facts[frame] = known if known and same else (mask, measure(mask, self._limits.piece))
            if before and before[0] == frame - 1:
                pair = old_overlaps.get(frame)
                if not pair or pair[0] is not before[1] or pair[1] is not mask:
                    pair = (before[1], mask, quick_iou(before[1], mask))
                overlaps[frame] = pair
            before = (frame, mask)
        self._facts[object_id], self._overlaps[object_id] = facts, overlaps

    def _marks(
        self, object_id: int, entries: Mapping[int, Entry]
    ) -> Iterator[tuple[int, frozenset[Reason]]]:
        facts, overlaps = self._facts[object_id], self._overlaps[object_id]
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
                    reasons |= self._place(overlaps[frame], entry)
                if frame in facts and frame - 1 in facts:
                    reasons |= self._shape(facts[frame - 1][1], facts[frame][1], recent, entry)
            recent = [*recent[1 - MEMORY :], facts[frame][1].area] if frame in facts else []
            if Reason.VANISHED in reasons and frame - 1 in slivers:
                reasons.add(Reason.SLIVER)  # the end of one thing, not something new
            if reasons:
                yield frame, frozenset(reasons)

    def _place(self, pair: tuple[Mask, Mask, float], entry: Entry) -> set[Reason]:
        """Return what speaks against a mask in another place: not where the thing only moves."""
        before, now, shared = pair
        steady = 1 / _STEADY <= now.area / before.area <= _STEADY
        sure = entry.score is not None and entry.score >= _SURE
        return set() if steady and sure and shared >= _MOVED else {Reason.LOW_OVERLAP}

    def _shape(self, before: "Facts", now: "Facts", recent: list[int], entry: Entry) -> set[Reason]:
        """Return what speaks against a mask of another shape: not that it only comes apart."""
        reasons = set()
        usual = statistics.median(recent)
        if not usual / self._limits.area <= now.area <= usual * self._limits.area:
            reasons.add(Reason.AREA_JUMP)
        # A piece that lies on something else makes it larger.
        steady = usual / _STEADY <= now.area <= usual * _STEADY
        whole = steady and entry.score is not None and entry.score >= _SOUND
        if now.pieces > before.pieces and not whole:
            reasons.add(Reason.SPLIT)
        return reasons


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


def _grouped(
    object_id: int, entries: Mapping[int, Entry], marks: Mapping[int, frozenset[Reason]]
) -> Iterator[Suspect]:
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
            frame=_best(entries, frames, [f for f in frames if marks[f] & _ASK_MIDDLE]),
            reasons=reasons,
            severity=1 - doubt,
            value=healed[frames[0]] * (1 - doubt),
        )


def _stretches(
    frames: list[int], anchors: list[int], marks: Mapping[int, frozenset[Reason]]
) -> Iterator[list[int]]:
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


def _best(entries: Mapping[int, Entry], frames: list[int], doubtful: list[int]) -> int:
    """Return the frame to look at: the worst, as the model sees it.

    Where passes from two anchors disagree, or hardly any object is left (`doubtful`), it is the
    middle: near either end a correction would say little that is new. Where the model is sure of
    all, it is the frame on which the size has changed most.
    """
    if doubtful:
        seen = [frame for frame in doubtful if entries[frame].mask is not None]
        middle = seen or doubtful
        return middle[len(middle) // 2]
    scores = {f: 1.0 if (score := entries[f].score) is None else score for f in frames}
    before = entries.get(frames[0] - 1)
    if min(scores.values()) >= _SOUND and before and (was := before.mask):
        sizes = {f: growth(mask, was) if (mask := entries[f].mask) else 0.0 for f in frames}
        return max(frames, key=lambda frame: (sizes[frame], -frame))
    return min(frames, key=lambda frame: (scores[frame], frame))


def _event(
    suspect: Suspect, entries: Mapping[int, Entry], others: Mapping[int, Mapping[int, Entry]]
) -> tuple[Event, int | None]:
    """Return what seems to have happened, and the other object that it happened with."""
    reasons = set(suspect.reasons)
    if Reason.CONFLICT in reasons:
        return Event.CONFLICT, None
    before, now = _masks(entries, suspect, suspect.frame)
    for frame in dict.fromkeys((suspect.frame, suspect.first)):
        before, then = _masks(entries, suspect, frame)
        for number, masks in others.items():
            event = between(before, then, *_masks(masks, suspect, frame))
            if event is not None:
                return event, number
    return alone(reasons, before, now, entries[suspect.frame]), None


def _swap_in(
    suspect: Suspect, entries: Mapping[int, Entry], others: Mapping[int, Mapping[int, Entry]]
) -> tuple[int, int] | None:
    """Return on which frame of a suspect its object changes places, and with which one."""
    if JUMPS.isdisjoint(suspect.reasons) or Reason.CONFLICT in suspect.reasons:
        return None
    for frame in range(suspect.first, suspect.last + 1):
        step = replace(suspect, first=frame)
        before, now = _masks(entries, step, frame)
        for number, masks in others.items():
            if between(before, now, *_masks(masks, step, frame)) is Event.SWAP:
                return frame, number
    return None


def _back_in(suspect: Suspect, begins: int, pair: Mapping[int, Mapping[int, Entry]]) -> int:
    """Return the frame of a suspect on which the two that have changed places change back.

    The one after its last where they do not.
    """
    own, other = pair
    for frame in range(begins + 1, suspect.last + 1):
        before, after = (
            {number: masks[at] for number, masks in pair.items() if at in masks}
            for at in (frame - 1, frame)
        )
        if changes_place(before, after, own, other):
            return frame
    return suspect.last + 1


def _part(suspect: Suspect, entries: Mapping[int, Entry], first: int, last: int) -> Suspect:
    """Return the suspect on some of its frames only."""
    if (first, last) == (suspect.first, suspect.last):
        return suspect
    frames = [frame for frame in range(first, last + 1) if frame in entries]
    inside = first <= suspect.frame <= last
    opens = suspect.frame if inside else _best(entries, frames, [])
    return replace(suspect, first=first, last=last, frame=opens)


def _masks(
    entries: Mapping[int, Entry], suspect: Suspect, frame: int
) -> tuple[Mask | None, Mask | None]:
    """Return an object's masks before the suspect and on one of its frames."""
    before, now = entries.get(suspect.first - 1), entries.get(frame)
    return before.mask if before else None, now.mask if now else None


def _absence(suspect: Suspect, entries: Mapping[int, Entry], taker: Mapping[int, Entry]) -> Suspect:
    """Return an object that was lost to another one as suspect for as long as it is gone.

    The frame to look at is the one on which the other has most: there the lost one can be seen.
    """
    last = suspect.first
    while (entry := entries.get(last + 1)) is not None and entry.mask is None:
        last += 1
    gone = entries[suspect.first].mask is None
    if not gone:
        return suspect
    near = range(suspect.first, min(last, suspect.first + LONGEST) + 1)
    areas = {f: mask.area for f in near if (e := taker.get(f)) and (mask := e.mask)}
    raised = _CERTAIN / suspect.severity
    return replace(
        suspect,
        last=last,
        frame=max(areas, key=lambda each: areas[each], default=suspect.frame),
        severity=_CERTAIN,
        value=suspect.value * raised,
    )


def _single(suspects: Iterable[Suspect]) -> Iterator[Suspect]:
    """Yield each swap once: of the two objects' rows the one that is worth more.

    Of two objects one of which has taken the other, the row of the one that was taken.
    """
    swaps: list[Suspect] = []
    found = sorted(suspects, key=_KEYS[Order.VALUE])
    taken = [suspect for suspect in found if suspect.event is Event.TAKEN]
    for suspect in found:
        if suspect.event is Event.TWO_THINGS and any(_is_pair(suspect, each) for each in taken):
            continue
        if suspect.event is Event.SWAP:
            if any(_same_swap(suspect, known) for known in swaps):
                continue
            swaps.append(suspect)
        yield suspect


def _is_pair(taker: Suspect, taken: Suspect) -> bool:
    together = taker.first <= taken.last + NEAR and taken.first <= taker.last + NEAR
    return together and (taker.object, taker.other) == (taken.other, taken.object)


def _same_swap(one: Suspect, other: Suspect) -> bool:
    together = one.first <= other.last + NEAR and other.first <= one.last + NEAR
    return together and (one.object, one.other) == (other.other, other.object)
