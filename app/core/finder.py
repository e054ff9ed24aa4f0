"""The finder of suspects: what seems to have happened, from the masks of all objects alone."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from app.core.document import Document, Entry
from app.core.events import Event, Reason, alone, between
from app.core.jumps import JUMPS, LONGEST, NEAR, joined
from app.core.marks import Limits, Marker
from app.core.mask import Mask
from app.core.places import changes_place
from app.core.suspects import Order, Suspect, grouped, part

_CERTAIN = 0.9  # severity where another object has what this one has lost


def find(document: Document, limits: Limits | None = None) -> tuple[Suspect, ...]:
    """Return the suspects of all objects, worst first."""
    finder = Finder(limits)
    for info in document.objects:
        finder.examine(info.id, document.of_object(info.id))
    return finder.ranked()


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
        self._markers: dict[int, Marker] = {}
        self._suspects: dict[int, tuple[Suspect, ...]] = {}
        self._entries: dict[int, Mapping[int, Entry]] = {}

    def examine(self, object_id: int, entries: Mapping[int, Entry]) -> None:
        """Replace the suspects of one object; `entries` are all it has, frames rising."""
        marker = self._markers.setdefault(object_id, Marker(self._limits))
        self._entries[object_id] = entries
        marks = joined(marker.marks(entries), entries)
        self._suspects[object_id] = tuple(grouped(object_id, entries, marks))

    def forget(self, keep: Iterable[int]) -> None:
        """Drop all objects but these."""
        for number in set(self._suspects) - set(keep):
            del self._suspects[number], self._markers[number], self._entries[number]

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
            start = part(suspect, entries, suspect.first, begins - 1)
            event, other = _event(start, entries, others)
            told = replace(start, event=event, other=other)
            if event is Event.TAKEN and other is not None:
                told = _absence(told, entries, others[other])
            yield told
        if rival is None:
            return
        ends = _back_in(suspect, begins, {suspect.object: entries, rival: others[rival]})
        swap = part(suspect, entries, begins, ends - 1)
        yield replace(swap, event=Event.SWAP, other=rival)
        if ends < suspect.last:  # beyond the change back, which is right
            rest = part(suspect, entries, ends, suspect.last)
            before, now = _masks(entries, rest, rest.frame)
            yield replace(rest, event=alone(rest.reasons, before, now, entries[rest.frame]))


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
