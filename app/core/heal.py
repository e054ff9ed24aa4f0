"""What an edit makes stale, where a heal must go, and when it may stop."""

import itertools
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from app.core.document import Document, Entry, Key, Objects
from app.core.mask import Mask
from app.core.passes import PackedAnchors, Pass
from app.core.plan import anchor_frames, followable, packed_anchors
from app.core.recall import goes_on_through, recalled
from models.api import BoolMask


@dataclass(frozen=True, slots=True)
class Rules:
    """When two masks of a frame are the same, and how long before a heal believes it.

    `iou` and `boundary` (F-measure) are 0 to 1; `area` is a relative difference; `patience` is a
    number of neighbouring frames, one more where they are only just the same; two passes whose
    masks differ by more than `conflict` (1 - IoU) are for a person to decide.
    """

    iou: float = 0.9
    boundary: float = 0.9
    area: float = 0.1
    patience: int = 1
    conflict: float = 0.3

    @property
    def doubts(self) -> int:
        """How many neighbouring frames that differ make a heal believe so: two at least."""
        return max(2, self.patience)


@dataclass(frozen=True, slots=True)
class Gap:
    """The frames between two barriers of one object, both exclusive.

    A barrier is an anchor, or the end of the range (`left_anchor`, `right_anchor` False).
    """

    object: int
    left: int
    right: int
    left_anchor: bool
    right_anchor: bool

    @property
    def frames(self) -> range:
        """The frames inside, rising."""
        return range(self.left + 1, self.right)


def gaps(document: Document, object_id: int, *, first: int, last: int) -> Iterator[Gap]:
    """Yield the gaps of one object within `first` to `last`, both inclusive."""
    anchors = [frame for frame in anchor_frames(document, object_id) if first <= frame <= last]
    barriers = [first - 1, *anchors, last + 1]
    for index, (left, right) in enumerate(itertools.pairwise(barriers)):
        if right - left > 1:
            yield Gap(object_id, left, right, index > 0, index < len(anchors))


def stale_marks(document: Document, edited: Iterable[Key]) -> dict[Key, Entry]:
    """Return the entries that edits at `edited` make stale, marked so.

    These are the propagated entries up to the next anchor on both sides.
    """
    marks: dict[Key, Entry] = {}
    frames_of: dict[int, list[int]] = {}
    for key in edited:
        frames_of.setdefault(key.object, []).append(key.frame)
    for number, frames in frames_of.items():
        entries = document.of_object(number)
        barriers = sorted(frame for frame, entry in entries.items() if entry.is_anchor)
        for left, right in _neighbours(frames, barriers):
            marks.update(_marked(number, entries, left, right))
    for key in edited:
        marks.pop(key, None)
    return marks


def plan_heal(
    document: Document, new_anchors: Collection[Key], *, first: int, last: int
) -> tuple[Pass, ...]:
    """Return the passes that make stale masks good again, those next to `new_anchors` first.

    Next to a new anchor, frames without a mask are filled too. A pass starts at each new anchor,
    or where there is none, at the earlier anchor; but not where the object is absent and nothing
    close by recalls it: then it starts at the other end, or further back, where the object was
    seen, and goes through.
    """
    starts: dict[tuple[int, int], dict[int, range]] = {}
    objects = list(followable(document, [info.id for info in document.objects]))
    anchors = {number: _anchors(document, number, first, last) for number in objects}
    for number in objects:
        for gap in gaps(document, number, first=first, last=last):
            if not _needs_healing(document, gap, new_anchors):
                continue
            hidden = _hidden_origins(document, gap)
            for origin in _origins(gap, anchors[number], new_anchors, hidden):
                step = 1 if origin <= gap.left else -1
                spans = starts.setdefault((origin, step), {})
                spans[number] = _joined(spans.get(number, gap.frames), gap.frames)
    touched = {key.frame for key in new_anchors}
    order = sorted(starts, key=lambda start: (start[0] not in touched, start))
    given = packed_anchors(document, objects)
    return tuple(
        _pass(
            _seeded(document, given, origin, step, starts[origin, step]),
            origin,
            step,
            starts[origin, step],
        )
        for origin, step in order
    )


def evidence(document: Document, passes: Iterable[Pass]) -> dict[Key, Entry]:
    """Return the entries that a heal weighs: all on the frames of its passes and beside them."""
    frames = {
        frame for each in passes for frame in range(min(each.frames) - 1, max(each.frames) + 2)
    }
    return {
        Key(frame, number): entry
        for frame in sorted(frames)
        for number, entry in document.on_frame(frame).items()
    }


def agree(new: Entry, old: Entry | None, rules: Rules) -> bool:
    """Whether a recomputed mask says the same as the old one; nothing and nothing agree."""
    if old is None:
        return False
    if new.mask is None or old.mask is None:
        return new.mask is old.mask
    return masks_agree(new.mask, old.mask, rules)


def masks_agree(new: Mask, old: Mask, rules: Rules) -> bool:
    """Whether area, overlap and boundary are all within the rules; cheapest first."""
    if new == old:
        return True
    if abs(new.area - old.area) > rules.area * max(new.area, old.area):
        return False
    return new.iou(old) >= rules.iou and boundary_f(new, old) >= rules.boundary


def boundary_f(one: Mask, other: Mask) -> float:
    """Return the F-measure of the two outlines, 0 to 1.

    Points match within 0.8 % of the frame's diagonal, as in the DAVIS benchmark (Perazzi et al.
    2016, section 4).
    """
    reach = max(1, int(np.ceil(0.008 * float(np.hypot(*one.size)))))
    window = (
        min(one.box[0], other.box[0]) - reach,
        max(one.box[1], other.box[1]) + reach,
        min(one.box[2], other.box[2]) - reach,
        max(one.box[3], other.box[3]) + reach,
    )
    first, second = _outline(_within(one, window)), _outline(_within(other, window))
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    precision = _share(first, cv2.dilate(second, disk))
    recall = _share(second, cv2.dilate(first, disk))
    return 0.0 if precision + recall == 0 else 2 * precision * recall / (precision + recall)


class Watch:
    """Counts how long a pass has agreed with the old masks of one object."""

    def __init__(self, patience: int) -> None:
        self._patience = patience
        self._agreed = 0

    def feed(self, *, agreed: bool) -> bool:
        """Take the next frame in; return whether it is time to look ahead with probes."""
        self._agreed = self._agreed + 1 if agreed else 0
        return self._agreed > 0 and self._agreed % self._patience == 0

    @property
    def agrees(self) -> bool:
        """Whether the last frame agreed."""
        return self._agreed > 0


def probes(at: int, ahead: Collection[int], patience: int) -> tuple[int, ...]:
    """Return up to three frames to try before a pass stops at `at`, in its order of travel.

    Two patiences on, half way, and the last: a drift that begins again further on is seen.
    """
    frames = list(ahead)
    if not frames:
        return ()
    step = 1 if frames[-1] >= at else -1
    wanted = {at + step * 2 * patience, frames[len(frames) // 2], frames[-1]}
    return tuple(frame for frame in frames if frame in wanted)


def difference(one: Mask | None, other: Mask | None) -> float:
    """Return 1 - IoU; 0 where both are nothing, 1 where one is."""
    if one is None or other is None:
        return float(one is not other)
    return 1 - one.iou(other)


def summary(
    objects: Objects,
    before: Mapping[Key, Entry],
    after: Mapping[Key, Entry],
    healed: Collection[int],
) -> tuple[str, ...]:
    """Return a sentence for each object: what changed, where its drift began and stopped.

    Objects that were not `healed` come last: they have but given what the others took.
    """
    changed: dict[int, list[int]] = {}
    filled: dict[int, int] = {}
    for key, entry in after.items():
        old = before.get(key)
        if old is None:
            filled[key.object] = filled.get(key.object, 0) + 1
        elif old.mask != entry.mask:
            changed.setdefault(key.object, []).append(key.frame)
    names = {info.id: info.name for info in objects}
    touched = sorted({key.object for key in after} & names.keys())
    return (
        *(
            _sentence(names[number], changed.get(number, []), filled.get(number, 0))
            for number in touched
            if number in healed
        ),
        *(
            f"{names[number]}: gave way on {_frames(len(changed[number]))}"
            for number in touched
            if number not in healed and number in changed
        ),
    )


def _sentence(name: str, changed: list[int], filled: int) -> str:
    facts = []
    if changed:
        facts.append(
            f"{_frames(len(changed))} changed, drift began {min(changed)}, stopped {max(changed)}"
        )
    if filled:
        facts.append(f"{_frames(filled)} filled")
    return f"{name}: {'; '.join(facts) or 'nothing changed'}"


def _frames(count: int) -> str:
    return f"{count:,} frame{'s' if count != 1 else ''}"


def _neighbours(frames: Iterable[int], barriers: list[int]) -> set[tuple[int, int]]:
    """Return the nearest barriers (rising) on both sides of each frame."""
    ends = [-1, *barriers, 1 << 62]
    return {
        (ends[bisect_left(ends, frame) - 1], ends[bisect_right(ends, frame)]) for frame in frames
    }


def _marked(number: int, entries: Mapping[int, Entry], left: int, right: int) -> dict[Key, Entry]:
    return {
        Key(frame, number): replace(entry, stale=True)
        for frame, entry in entries.items()
        if left < frame < right and not entry.is_anchor and not entry.stale
    }


def _anchors(document: Document, number: int, first: int, last: int) -> dict[int, bool]:
    """Return frame -> whether the object is seen, of its anchors in a range, frames rising."""
    return {
        frame: entry.mask is not None
        for frame, entry in document.of_object(number).items()
        if entry.is_anchor and first <= frame <= last
    }


def _hidden_origins(document: Document, gap: Gap) -> list[int]:
    """Return the anchors beside a gap that say absent, from which the object is found again.

    There are old masks to compare with, and a sure one behind recalls it. Where they go on as if it
    was there, it is looked for from where it was seen.
    """
    ends = ((gap.left, gap.left + 1, -1), (gap.right, gap.right - 1, 1))
    return [
        frame
        for frame, next_to, behind in ends
        if (entry := document.get(key := Key(frame, gap.object))) is not None
        and entry.is_anchor
        and entry.mask is None
        and document.get(Key(next_to, gap.object)) is not None
        and not goes_on_through(document, key)
        and recalled(document, key, behind)
    ]


def _origins(
    gap: Gap,
    anchors: Mapping[int, bool],
    new_anchors: Collection[Key],
    hidden: list[int],
) -> list[int]:
    """Return the anchors where passes through the gap start: each new one beside it, else one."""
    beside = [frame for frame in (gap.left, gap.right) if frame in anchors]
    seen = [frame for frame in beside if anchors[frame]]
    if beside and not seen:
        before = [frame for frame, is_seen in anchors.items() if is_seen and frame < gap.left]
        after = [frame for frame, is_seen in anchors.items() if is_seen and frame > gap.right]
        seen = [*before[-1:], *after][:1]
    new = [frame for frame in (*seen, *hidden) if Key(frame, gap.object) in new_anchors]
    return new or (hidden or seen or beside)[:1]


def _joined(one: range, other: range) -> range:
    return range(min(one.start, other.start), max(one.stop, other.stop))


def _needs_healing(document: Document, gap: Gap, new_anchors: Collection[Key]) -> bool:
    beside = Key(gap.left, gap.object) in new_anchors or Key(gap.right, gap.object) in new_anchors
    for frame in gap.frames:
        entry = document.get(Key(frame, gap.object))
        if entry.stale if entry else beside:
            return True
    return False


def _seeded(
    document: Document, anchors: PackedAnchors, origin: int, step: int, healed: Collection[int]
) -> PackedAnchors:
    """Return the anchors, and on the frame of origin the masks of the objects beside the healed.

    A tracker that is not told where they are would look for them where the healed one is. One that
    is out of sight there is recalled: as it comes back, the healed one would take it.
    """
    known = {number for given in anchors.values() for number in given}
    here = document.on_frame(origin)
    masks = {number: entry.mask for number, entry in here.items() if entry.mask is not None}
    beside = {n: mask for n, mask in masks.items() if n in known and n not in healed}
    seeded = {**anchors, origin: {**beside, **anchors.get(origin, {})}}
    for number in sorted(known - masks.keys()):
        hidden = Key(origin, number)
        # Of a healed one, a mask on the way would stand as it is.
        ahead = {} if number in healed else recalled(document, hidden, step)
        for frame, mask in (recalled(document, hidden, -step) or ahead).items():
            seeded[frame] = {number: mask, **seeded.get(frame, {})}
    return seeded


def _pass(
    anchors: PackedAnchors,
    origin: int,
    step: int,
    spans: Mapping[int, range],
) -> Pass:
    end = max(s[-1] for s in spans.values()) if step > 0 else min(s[0] for s in spans.values())
    frames = range(origin, end + step, step)

    def absent(frame: int) -> bool:
        here = anchors.get(frame, {})
        return all(number in here and here[number] is None for number in spans)

    # Of a long absence its last frame says all; the others need not be looked at.
    visited = (frame for frame in frames if not (absent(frame) and absent(frame + step)))
    return Pass(anchors, tuple(visited), spans)


def _within(mask: Mask, window: tuple[int, int, int, int]) -> NDArray[np.uint8]:
    """Return the pixels of a window that holds the mask, beyond the frame too."""
    top, bottom, left, right = window
    y0, y1, x0, x1 = mask.box
    pixels = np.zeros((bottom - top, right - left), np.uint8)
    pixels[y0 - top : y1 - top, x0 - left : x1 - left] = mask.crop()
    return pixels


def _outline(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    inner = cv2.erode(pixels, np.ones((3, 3), np.uint8))
    return np.asarray(pixels - inner, np.uint8)


def _share(points: NDArray[np.uint8], near: NDArray[np.uint8] | cv2.typing.MatLike) -> float:
    hits: BoolMask = points.astype(np.bool_) & np.asarray(near, np.bool_)
    return float(np.count_nonzero(hits)) / max(1, int(np.count_nonzero(points)))
