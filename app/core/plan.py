"""Which anchors and frames a propagation uses, and what it may never touch."""

import enum
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from app.core.document import Changes, Document, Entry, Key
from app.core.mask import Mask

PackedAnchors = Mapping[int, Mapping[int, Mask | None]]  # frame -> object -> mask, None = absent


class Direction(enum.Enum):
    """Which way to propagate from a frame."""

    FORWARD = "forward"
    BACKWARD = "backward"
    BOTH = "both"


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """One pass of a tracker over neighbouring frames.

    `anchors` are given to the tracker, wherever in the video they lie. `frames` is the order of
    visit, rising or falling, with leaps over what is known to be absent. `spans` says for each
    object which frames the pass may fill.
    """

    anchors: PackedAnchors
    frames: tuple[int, ...]
    spans: Mapping[int, range]

    @property
    def objects(self) -> tuple[int, ...]:
        """The objects that the pass follows."""
        return tuple(self.spans)

    @property
    def step(self) -> int:
        """1 where the pass goes forward, -1 where it goes backward."""
        return -1 if self.frames[-1] < self.frames[0] else 1

    def may_fill(self, key: Key) -> bool:
        """Whether the pass may write at `key`: in the object's span and not a given mask."""
        span = self.spans.get(key.object)
        return (
            span is not None
            and key.frame in span
            and key.object not in self.anchors.get(key.frame, ())
        )


def plan(
    document: Document,
    objects: Iterable[int],
    *,
    first: int,
    last: int,
    direction: Direction,
    from_frame: int,
    to_nearest_anchor: bool,
) -> tuple[Run, ...]:
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
    runs = []
    if direction is not Direction.BACKWARD:
        ends = {
            number: _end(anchors[number], start, last, 1, to_nearest_anchor=to_nearest_anchor)
            for number in followed
        }
        runs.append(_run(given, start, {n: range(start, end + 1) for n, end in ends.items()}, 1))
    if direction is not Direction.FORWARD:
        # Going both ways, the frame in the middle belongs to the pass forward.
        top = start - 1 if direction is Direction.BOTH else start
        ends = {
            number: _end(anchors[number], start, first, -1, to_nearest_anchor=to_nearest_anchor)
            for number in followed
        }
        runs.append(_run(given, start, {n: range(end, top + 1) for n, end in ends.items()}, -1))
    return tuple(run for run in runs if run)


def leaves_nothing(direction: Direction, frame: int, first: int, last: int) -> bool:
    """Whether none of the frames `first` to `last` lies in this direction from `frame`."""
    if direction is Direction.BOTH:
        return False
    return frame > last if direction is Direction.FORWARD else frame < first


def rest_of(
    run: Run, head: int | None, document: Document, edited: Collection[Key] = ()
) -> Run | None:
    """Return what is left of a running pass, with the anchors as they are now; None = nothing.

    `head` is the last frame that is finished, None before the first; `document` holds what was
    finished, and the edits at `edited`. What is finished stays. Only what lies behind an edit in
    the direction of travel is the edited object's old guess: that object goes on from the edit.
    """
    followed = list(followable(document, run.objects))
    visited = 0 if head is None else run.frames.index(head) + 1
    starts = dict.fromkeys(followed, visited)
    for key in edited:
        if key.object in starts and key.frame in run.spans[key.object]:
            starts[key.object] = min(starts[key.object], run.frames.index(key.frame))
    start = max(0, min([*starts.values(), visited - 1]))
    spans = {
        number: _overlap(_as_range(run.frames[begin:]), run.spans[number])
        for number, begin in starts.items()
    }
    origin = run.frames[start]
    given = _with(packed_anchors(document, followed), origin, _seeds(document, followed, origin))
    return _run(given, origin, spans, run.step)


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


def _run(anchors: PackedAnchors, start: int, spans: Mapping[int, range], step: int) -> Run | None:
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
    return Run(anchors, tuple(frames), kept)


def _as_range(frames: tuple[int, ...]) -> range:
    if not frames:
        return range(0)
    return range(min(frames), max(frames) + 1)


def _overlap(one: range, other: range) -> range:
    return range(max(one.start, other.start), min(one.stop, other.stop))
