"""Masks of one frame exclude each other: what one object takes, the others give.

Only what an edit adds is taken. Where masks overlapped before, as imported ones may, they still do.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

import numpy as np

from app.core.document import Changes, Entry, Key
from app.core.evidence import is_surer
from app.core.mask import Mask
from app.core.shreds import shreds
from models.api import BoolMask, Box, Click
from models.prompt import lies_in

Entries = Mapping[int, Entry]  # object -> what it has on the frame
_LIKE = 0.25  # share of the new mask's area from which on the old one was a thing, no remnant
_SPECKS = 0.01  # share of a mask up to which what is left of it is nothing
_SURER = 0.05  # by how much higher the score of what gives nothing is
_LEFT = 0.05  # IoU with the mask before under which an object is somewhere else


def points_into(mask: BoolMask, clicks: Iterable[Click], box: Box | None = None) -> bool:
    """Whether a person means what lies in another object's mask (H, W).

    By a positive click in it, or by a box round a part of it: one that the mask covers most of, and
    that holds but the smaller share of the mask.
    """
    if any(click.positive and lies_in(click, mask) for click in clicks):
        return True
    if box is None:
        return False
    inside = mask[max(0, round(box.y0)) : round(box.y1), max(0, round(box.x0)) : round(box.x1)]
    shared = int(np.count_nonzero(inside))
    return inside.size < 2 * shared < int(np.count_nonzero(mask))


def keepers(
    entries: Entries,
    clicks: Iterable[Click],
    box: Box | None = None,
    *,
    fixed: Collection[int] = (),
) -> frozenset[int]:
    """Return the objects that give nothing to a mask that this prompt made.

    `fixed` ones, locked or hidden, never give. Of the others an anchor gives only where a person
    points into its mask: that a model's mask spills into one that somebody has made or verified
    says nothing. A propagated mask always gives.
    """
    points = tuple(clicks)
    spared = {
        number
        for number, entry in entries.items()
        if entry.is_anchor
        and (entry.mask is None or not points_into(entry.mask.decode(), points, box))
    }
    return frozenset(fixed) | spared


def exclude(
    entries: Entries,
    key: Key,
    entry: Entry,
    *,
    keeping: Collection[int] = (),
    overlap: bool = False,
    exchanges: bool = False,
) -> Changes:
    """Return all that changes on a frame when the object at `key` gets `entry`, for one undo step.

    Objects of `keeping` give nothing: the new mask is cut where it would enter theirs, and where
    that leaves nothing of it, nothing changes at all. The others lose what it adds, with the
    positive clicks that lay there, and keep their origin: an anchor remains one. One that loses its
    last pixel has no entry any more, for nothing is known of it. But with `exchanges`, where the
    object has left its own place for that of another one, of which but specks are left, they have
    changed places: the other gets the mask that the object had. With `overlap` nobody gives.
    """
    if overlap or entry.mask is None:
        return {key: entry}
    pixels = entry.mask.decode()
    before = entries.get(key.object)
    added = pixels if before is None else pixels & ~_pixels(before, pixels.shape)
    others = {number: other for number, other in entries.items() if number != key.object}
    kept = pixels
    for number in others.keys() & set(keeping):
        kept = kept & ~(added & _pixels(others.pop(number), pixels.shape))
    mask = Mask.encode(kept)
    if mask is None:
        return {}
    changes: dict[Key, Entry | None] = {key: replace(entry, mask=mask)}
    taken = Mask.encode(added & kept)
    for number, other in others.items():
        if taken is not None and other.mask is not None and other.mask.iou(taken) > 0:
            changes[Key(key.frame, number)] = _without(other, taken.decode())
    gone = [number for number in others if _is_gone(others[number], changes, key.frame, number)]
    if exchanges and len(gone) == 1 and before is not None and _is_elsewhere(before, mask):
        (number,) = gone
        place = Mask.encode(_pixels(before, pixels.shape) & ~kept)
        changes[Key(key.frame, number)] = replace(others[number], mask=place, clicks=())
    return changes


def admit(
    entries: Entries,
    frame: int,
    given: Entries,
    *,
    fixed: Collection[int] = (),
    overlap: bool = False,
) -> Changes:
    """Return what changes on a frame where ready masks are put there, as those of a file are.

    The others give what they add, but no `fixed` object does: they are cut where they would enter
    it, and one of which nothing is left changes nothing. Where they overlap each other they do so
    still. With `overlap` nobody gives.
    """
    changes: dict[Key, Entry | None] = {}
    others = {number: entry for number, entry in entries.items() if number not in given}
    for number, entry in given.items():
        own = {number: entries[number]} if number in entries else {}
        changes |= exclude(others | own, Key(frame, number), entry, keeping=fixed, overlap=overlap)
        left = {number: changes.get(Key(frame, number), each) for number, each in others.items()}
        others = {number: each for number, each in left.items() if each is not None}
    return changes


def settle(
    entries: Entries,
    frame: int,
    found: Entries,
    *,
    fixed: Collection[int] = (),
    outside: Collection[int] = (),
) -> dict[Key, Entry]:
    """Return what a model's masks `found` on one frame change there.

    They are cut where they would enter an anchor, a `fixed` object, or one from `outside` of what
    is under way, of which the model is clearly surer. What else was only propagated gives, but not
    its last pixel: then it is the new mask that is cut. One of which nothing is left changes
    nothing. What those found had before is in nobody's way: it is replaced.
    """
    here = {number: entry for number, entry in entries.items() if number not in found}
    changed: dict[Key, Entry] = {}
    for number, entry in found.items():
        key = Key(frame, number)
        surer = {n for n in here.keys() & set(outside) if is_surer(here[n], entry, _SURER)}
        keeping = set(keepers(here, (), fixed=fixed)) - {number} | surer
        if not _touches_any(here, entry):
            changes: Changes = {key: entry}
        elif (left := _cut(entry, [here[each] for each in keeping & here.keys()])) is None:
            changes = {}
        else:
            changes = exclude(here, key, left, keeping=keeping)
            if lost := {each.object for each, rest in changes.items() if rest is None}:
                changes = exclude(here, key, left, keeping=keeping | lost)
        kept = {each: left for each, left in changes.items() if left is not None}
        changed |= kept
        here |= {each.object: left for each, left in kept.items()}
    stays = {n for n in found if n in entries and Key(frame, n) not in changed}
    if stays:
        rest = {number: entry for number, entry in found.items() if number not in stays}
        return settle(entries, frame, rest, fixed=fixed, outside=outside)
    return changed


def _cut(entry: Entry, kept: Iterable[Entry]) -> Entry | None:
    """Return an entry without what others keep, and without the shreds that this leaves."""
    if entry.mask is None:
        return entry
    pixels = entry.mask.decode()
    cut = np.zeros_like(pixels)
    for other in kept:
        cut |= pixels & _pixels(other, pixels.shape)
    if not cut.any():
        return entry
    rest = pixels & ~cut
    mask = Mask.encode(rest & ~shreds(rest, cut))
    return None if mask is None else replace(entry, mask=mask)


def _is_gone(other: Entry, changes: Changes, frame: int, number: int) -> bool:
    """Whether nothing but specks is left of an object that has given."""
    key = Key(frame, number)
    left = changes.get(key, other)
    if left is None or left.mask is None or other.mask is None:
        return left is None
    return left.mask.area < _SPECKS * other.mask.area


def _is_elsewhere(before: Entry, mask: Mask) -> bool:
    """Whether a mask is a thing of another place, of which the object had one like it."""
    old = before.mask
    return old is not None and old.iou(mask) < _LEFT and old.area > _LIKE * mask.area


def _touches_any(others: Entries, entry: Entry) -> bool:
    """Whether a mask shares a pixel with that of another object."""
    return entry.mask is not None and any(
        other.mask is not None and other.mask.iou(entry.mask) > 0 for other in others.values()
    )


def _without(entry: Entry, taken: BoolMask) -> Entry | None:
    """Return what is left of an entry, None where no pixel is."""
    rest = Mask.encode(_pixels(entry, taken.shape) & ~taken)
    clicks = tuple(each for each in entry.clicks if not (each.positive and lies_in(each, taken)))
    return None if rest is None else replace(entry, mask=rest, clicks=clicks)


def _pixels(entry: Entry, shape: tuple[int, ...]) -> BoolMask:
    return np.zeros(shape, np.bool_) if entry.mask is None else entry.mask.decode()
