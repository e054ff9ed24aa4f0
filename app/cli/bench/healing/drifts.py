"""Faults put into the masks of a first propagation, made from the ground truth."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import cast

import cv2
import numpy as np

from app.core.document import Entry, Key
from app.core.mask import Mask
from models.api import BoolMask

Truth = Callable[[int, int], BoolMask]  # frame, object -> where it is

_START, _SHARE = 0.4, 0.2  # where in the clip the faulty stretch begins, and its share of it
_LOST = 0.1  # score of an object that is not found
OWN = "own"  # no fault is put in: those of the model alone


def inject(
    kind: str, masks: Mapping[Key, Entry], truth: Truth, numbers: Sequence[int], count: int
) -> dict[Key, Entry]:
    """Return the entries that stand in place of `masks` on the faulty stretch.

    They keep the scores of the entries that they replace, as a drift that goes unnoticed does; an
    empty mask has a low one, as trackers give it. The first of the objects is at fault; of a swap
    the second, too.
    """
    if kind == OWN:
        return {}
    stretch = range(round(_START * count), min(count, round((_START + _SHARE) * count)))
    first, others = numbers[0], numbers[1:]
    changed: dict[Key, Entry] = {}
    for position, frame in enumerate(stretch):
        done = (position + 1) / len(stretch)
        if kind == "swap" and others:
            wrong = {first: truth(frame, others[0]), others[0]: truth(frame, first)}
        else:
            wrong = {first: _FAULTS[kind](truth(frame, first), done)}
        for number, pixels in wrong.items():
            key = Key(frame, number)
            if (entry := masks.get(key)) is not None and not entry.is_anchor:
                mask = Mask.encode(pixels)
                changed[key] = replace(entry, mask=mask, score=entry.score if mask else _LOST)
    return changed


def _look_alike(pixels: BoolMask, _done: float) -> BoolMask:
    """Return the mask beside the object, as on a thing that looks the same."""
    width = _width(pixels)
    left = int(np.flatnonzero(pixels.any(axis=0))[0]) if pixels.any() else 0
    return _moved(pixels, -width if left > pixels.shape[1] / 2 else width)


def _occlusion(pixels: BoolMask, _done: float) -> BoolMask:
    """Return the upper half: something hides the lower one, and it never comes back."""
    rows = np.flatnonzero(pixels.any(axis=1))
    half = pixels.copy()
    if rows.size:
        half[(rows[0] + rows[-1]) // 2 :] = False
    return half


def _leak(pixels: BoolMask, done: float) -> BoolMask:
    """Return the mask grown sideways, more and more."""
    reach = max(1, round(0.6 * done * _width(pixels)))
    kernel = np.ones((1, 2 * reach + 1), np.uint8)
    return cast("BoolMask", cv2.dilate(pixels.view(np.uint8), kernel).view(np.bool_))


def _loss(pixels: BoolMask, _done: float) -> BoolMask:
    """Return nothing."""
    return np.zeros_like(pixels)


def _re_entry(pixels: BoolMask, done: float) -> BoolMask:
    """Return nothing, and late a fragment: the left part, which grows."""
    found = pixels.copy()
    columns = np.flatnonzero(pixels.any(axis=0))
    if columns.size:
        share = max(0.0, 2 * done - 1) * 0.8
        found[:, columns[0] + round(share * columns.size) :] = False
    return found


def _width(pixels: BoolMask) -> int:
    columns = np.flatnonzero(pixels.any(axis=0))
    return int(columns[-1] - columns[0]) + 1 if columns.size else 0


def _moved(pixels: BoolMask, right: int) -> BoolMask:
    moved = np.zeros_like(pixels)
    if right >= 0:
        moved[:, right:] = pixels[:, : pixels.shape[1] - right]
    else:
        moved[:, :right] = pixels[:, -right:]
    return moved


_FAULTS: Mapping[str, Callable[[BoolMask, float], BoolMask]] = {
    "swap": _look_alike,
    "occlusion": _occlusion,
    "leak": _leak,
    "loss": _loss,
    "re-entry": _re_entry,
}
KINDS = (OWN, *_FAULTS)
