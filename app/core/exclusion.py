"""Masks of one frame exclude each other: what one object takes, the others give.

Only what an edit adds is taken. Where masks overlapped before, as imported ones may, they still do.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

import numpy as np

from app.core.document import Changes, Entry, Key
from app.core.mask import Mask
from models.api import BoolMask, Click

Entries = Mapping[int, Entry]  # object -> what it has on the frame


def keepers(
    entries: Entries, clicks: Iterable[Click], fixed: Collection[int] = ()
) -> frozenset[int]:
    """Return the objects that give nothing to a mask that these clicks made.

    `fixed` ones, locked or hidden, never give. Of the others an anchor gives only where a person
    says so, with a positive click in its mask: that a model's mask spills into one that somebody
    has made or verified says nothing. A propagated mask always gives.
    """
    points = [click for click in clicks if click.positive]
    spared = {
        number
        for number, entry in entries.items()
        if entry.is_anchor and not any(_holds(entry, point) for point in points)
    }
    return frozenset(fixed) | spared


def exclude(
    entries: Entries,
    key: Key,
    entry: Entry,
    *,
    keeping: Collection[int] = (),
    overlap: bool = False,
) -> Changes:
    """Return all that changes on a frame when the object at `key` gets `entry`, for one undo step.

    Objects of `keeping` give nothing: the new mask is cut where it would enter theirs, and where
    that leaves nothing of it, nothing changes at all. The others lose what it adds, with the
    positive clicks that lay there, and keep their origin: an anchor remains one. One that loses its
    last pixel has no entry any more, for nothing is known of it. With `overlap` nobody gives.
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
    cut = Mask.encode(kept)
    if cut is None:
        return {}
    taken = Mask.encode(added & kept)
    given = {
        Key(key.frame, number): _without(other, taken)
        for number, other in others.items()
        if taken is not None and _shares(other, taken)
    }
    return {key: replace(entry, mask=cut), **given}


def _shares(entry: Entry, taken: Mask) -> bool:
    return entry.mask is not None and entry.mask.iou(taken) > 0


def _without(entry: Entry, taken: Mask | None) -> Entry | None:
    """Return what is left of an entry, None where no pixel is."""
    if entry.mask is None or taken is None:
        return entry
    gone = taken.decode()
    rest = Mask.encode(entry.mask.decode() & ~gone)
    clicks = tuple(each for each in entry.clicks if not (each.positive and _at(gone, each)))
    return None if rest is None else replace(entry, mask=rest, clicks=clicks)


def _pixels(entry: Entry, shape: tuple[int, ...]) -> BoolMask:
    return np.zeros(shape, np.bool_) if entry.mask is None else entry.mask.decode()


def _holds(entry: Entry, click: Click) -> bool:
    return entry.mask is not None and _at(entry.mask.decode(), click)


def _at(pixels: BoolMask, click: Click) -> bool:
    height, width = pixels.shape
    row, column = min(max(round(click.y), 0), height - 1), min(max(round(click.x), 0), width - 1)
    return bool(pixels[row, column])
