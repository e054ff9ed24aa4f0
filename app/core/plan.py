"""The planning of a propagation: its anchors and frames, and what it may never touch."""

import enum
from collections.abc import Collection, Iterable, Iterator, Mapping

from app.core.document import Changes, Document, Entry, Key
from app.core.mask import Mask
from app.core.passes import PackedAnchors, Pass


class Direction(enum.Enum):
    """Which way to propagate from a frame."""

    FORWARD = "forward"
    BACKWARD = "backward"
    BOTH = "both"


def plan(
    document: Document,
    objects: Iterable[int],
    *,
    first: int,
    last: int,
    direction: Direction,
    from_frame: int,
    to_nearest_anchor: bool,
) -> tuple[Pass, ...]:
    """Return the passes that fill frames `first` to `last` (inclusive) from `from_frame` on.

    A mask that an object has on `from_frame` is where its pass starts, whoever made it; it is not
    recomputed. `to_nearest_anchor`: each object stops before the next anchor of its own;
    otherwise anchors on the way are passed over. Locked objects, and those that have neither an
    anchor nor a mask to start from, are left out.
    """
    if leaves_nothing(direction, from_frame, first, last):
        return ()
    followed = list(followable(document, objects))
    seeds = _seeds(document, followed, from_frame)
    anchors = {number: anchor_frames(document, number) for number in followed}
    followed = [number for number in followed if anchors[number] or number in seeds]
    given = _with(packed_anchors(document, followed), from_frame, seeds)
    start = min(max(from_frame, first), last)
    passes = []
    if direction is not Direction.BACKWARD:
        ends = {
            number: _end(anchors[number], start, last, 1, to_nearest_anchor=to_nearest_anchor)
            for number in followed
        }
        passes.append(_pass(given, start, {n: range(start, end + 1) for n, end in ends.items()}, 1))
    if direction is not Direction.FORWARD:
        # Going both ways, the frame in the middle belongs to the pass forward.
        top = start - 1 if direction is Direction.BOTH else start
        ends = {
            number: _end(anchors[number], start, first, -1, to_nearest_anchor=to_nearest_anchor)
            for number in followed
        }
        passes.append(_pass(given, start, {n: range(end, top + 1) for n, end in ends.items()}, -1))
    return tuple(pass_ for pass_ in passes if pass_)


def plan_from_anchors(
    anchors: PackedAnchors, *, first: int, last: int, direction: Direction
) -> tuple[Pass, ...]:
    """Return the passes that fill frames `first` to `last` (inclusive) from anchors alone.

    Forward, an object is filled from its first anchor on; backward, from its last anchor down;
    both ways, forward and then what lies before its first anchor. No frame of an object is filled
    twice.
    """
    frames_of: dict[int, list[int]] = {}
    for frame, given in anchors.items():
        for number in given:
            frames_of.setdefault(number, []).append(frame)
    if direction is Direction.BACKWARD:
        ends = {number: max(frames) for number, frames in sorted(frames_of.items())}
        return _falling(anchors, {n: range(first, min(end, last) + 1) for n, end in ends.items()})
    begins = {number: min(frames) for number, frames in sorted(frames_of.items())}
    forward = _rising(
        anchors, {n: range(max(first, begin), last + 1) for n, begin in begins.items()}
    )
    if direction is Direction.FORWARD:
        return forward
    before = {n: range(first, min(begin, last + 1)) for n, begin in begins.items()}
    within = {n: begin for n, begin in begins.items() if begin <= last}
    return forward + _falling(anchors, before, within)


def leaves_nothing(direction: Direction, frame: int, first: int, last: int) -> bool:
    """Whether none of the frames `first` to `last` lies in this direction from `frame`."""
    if direction is Direction.BOTH:
        return False
    return frame > last if direction is Direction.FORWARD else frame < first


def rest_of(
    pass_: Pass, head: int | None, document: Document, edited: Collection[Key] = ()
) -> Pass | None:
    """Return what is left of a running pass, with the anchors as they are now; None = nothing.

    `head` is the last frame that is finished, None before the first; `document` holds what was
    finished, and the edits at `edited`. What is finished stays. Only what lies behind an edit in
    the direction of travel is the edited object's old guess: that object goes on from the edit.
    """
    followed = list(followable(document, pass_.objects))
    visited = 0 if head is None else pass_.frames.index(head) + 1
    starts = dict.fromkeys(followed, visited)
    for key in edited:
        if key.object in starts and key.frame in pass_.spans[key.object]:
            starts[key.object] = min(starts[key.object], pass_.frames.index(key.frame))
    start = max(0, min([*starts.values(), visited - 1]))
    spans = {
        number: _overlap(_as_range(pass_.frames[begin:]), pass_.spans[number])
        for number, begin in starts.items()
    }
    origin = pass_.frames[start]
    given = _with(packed_anchors(document, followed), origin, _seeds(document, followed, origin))
    return _pass(given, origin, spans, pass_.step)


def followable(document: Document, objects: Iterable[int]) -> Iterator[int]:
    """Yield those of `objects` that exist and are not locked, in drawing order."""
    chosen = frozenset(objects)
    return (info.id for info in document.objects if info.id in chosen and not info.locked)


def permitted(document: Document, changes: Changes) -> dict[Key, Entry | None]:
    """Return what a model may change: no anchor, no locked object, no object that is gone."""
    free = {info.id for info in document.objects if not info.locked}
    return {
        key: entry
        for key, entry in changes.items()
        if key.object in free and not is_anchor(document, key)
    }


def is_anchor(document: Document, key: Key) -> bool:
    """Whether a person made or verified what stands at `key`."""
    entry = document.get(key)
    return entry is not None and entry.is_anchor


def anchor_frames(document: Document, object_id: int) -> list[int]:
    """Return the frames on which the object has an anchor, rising."""
    return [frame for frame, entry in document.of_object(object_id).items() if entry.is_anchor]


def packed_anchors(document: Document, objects: Iterable[int]) -> dict[int, dict[int, Mask | None]]:
    """Return every anchor of `objects` in the whole video."""
    anchors: dict[int, dict[int, Mask | None]] = {}
    for number in objects:
        for frame, entry in document.of_object(number).items():
            if entry.is_anchor:
                anchors.setdefault(frame, {})[number] = entry.mask
    return anchors


def _seeds(document: Document, objects: Iterable[int], frame: int) -> dict[int, Mask]:
    on_frame = document.on_frame(frame)
    masks = {number: on_frame[number].mask for number in objects if number in on_frame}
    return {number: mask for number, mask in masks.items() if mask is not None}


def _with(anchors: PackedAnchors, frame: int, seeds: Mapping[int, Mask]) -> PackedAnchors:
    if not seeds:
        return anchors
    return {**anchors, frame: {**seeds, **anchors.get(frame, {})}}


def _end(anchors: list[int], start: int, limit: int, step: int, *, to_nearest_anchor: bool) -> int:
    """Return the last frame to fill, which lies before `start` where there is none."""
    if not to_nearest_anchor:
        return limit
    if step > 0:
        return min([limit, *(frame - 1 for frame in anchors if frame > start)])
    return max([limit, *(frame + 1 for frame in anchors if frame < start)])


def _pass(anchors: PackedAnchors, start: int, spans: Mapping[int, range], step: int) -> Pass | None:
    """Return the pass that visits `start` and all spans, or None where it would fill nothing."""
    kept = {
        number: span
        for number, span in spans.items()
        if any(number not in anchors.get(frame, ()) for frame in span)
    }
    if not kept:
        return None
    if step > 0:
        frames = range(start, max(span[-1] for span in kept.values()) + 1)
    else:
        frames = range(start, min(span[0] for span in kept.values()) - 1, -1)
    return Pass(anchors, tuple(frames), kept)


def _as_range(frames: tuple[int, ...]) -> range:
    if not frames:
        return range(0)
    return range(min(frames), max(frames) + 1)


def _overlap(one: range, other: range) -> range:
    return range(max(one.start, other.start), min(one.stop, other.stop))


def _rising(anchors: PackedAnchors, spans: Mapping[int, range]) -> tuple[Pass, ...]:
    spans = {number: span for number, span in spans.items() if span}
    if not spans:
        return ()
    begin, end = min(s.start for s in spans.values()), max(s.stop for s in spans.values())
    return (Pass(anchors, tuple(range(begin, end)), spans),)


def _falling(
    anchors: PackedAnchors, spans: Mapping[int, range], starts: Mapping[int, int] | None = None
) -> tuple[Pass, ...]:
    """`starts` are frames above a span that the pass sets out from."""
    spans = {number: span for number, span in spans.items() if span}
    if not spans:
        return ()
    begin = max((starts or {}).get(number, span[-1]) for number, span in spans.items())
    frames = range(begin, min(s.start for s in spans.values()) - 1, -1)
    return (Pass(anchors, tuple(frames), spans),)
