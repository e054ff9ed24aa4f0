"""The difference to other masks, over the frame."""

from collections.abc import Mapping

import numpy as np
from PySide6.QtCore import QCoreApplication

from app.core.mask import Mask
from app.gui.canvas.scene.layers import OverlayItem
from app.session.comparison import Comparison, Reference
from models.api import BoolMask

_GAINED, _LOST, _SAME = 1, 2, 3
# Okabe and Ito's orange and blue: told apart by all.
_COLORS = {_GAINED: 0xC8E69F00, _LOST: 0xC80072B2, _SAME: 0x50FFFFFF}


class ComparisonItem(OverlayItem):
    """What is only in the masks, what is only in the reference, and what is in both."""

    def __init__(self, compare: Comparison) -> None:
        super().__init__()
        self._compare = compare

    def compare(self, frame: int, masks: Mapping[int, Mask]) -> dict[int, Mask]:
        """Draw the difference of a frame's masks, and return those that are to be shown with it."""
        compare = self._compare
        other = compare.masks(frame)
        if compare.reference is None or compare.shows_reference:
            self._show({})
            kept = {number: mask for number, mask in masks.items() if number not in other}
            return {**kept, **{n: m for n, m in other.items() if m}} if other else dict(masks)
        self._show(_difference({number: masks.get(number) for number in other}, other))
        return {}

    def _show(self, masks: Mapping[int, Mask]) -> None:
        self.update_area(self.labels.show(masks))
        table = [0] * 256
        for label, color in _COLORS.items():
            table[label] = color
        self.set_color_table(table)


def _difference(
    ours: Mapping[int, Mask | None], theirs: Mapping[int, Mask | None]
) -> dict[int, Mask]:
    sizes = {mask.size for mask in (*ours.values(), *theirs.values()) if mask}
    if not sizes:
        return {}
    found: dict[int, BoolMask] = {label: np.zeros(min(sizes), np.bool_) for label in _COLORS}
    nothing = np.zeros(min(sizes), np.bool_)
    for number, mask in ours.items():
        reference = theirs[number]
        one = mask.decode() if mask else nothing
        other = reference.decode() if reference else nothing
        found[_GAINED] |= one & ~other
        found[_LOST] |= other & ~one
        found[_SAME] |= one & other
    packed = {label: Mask.encode(pixels) for label, pixels in found.items()}
    return {label: packed[label] for label in (_SAME, _LOST, _GAINED) if packed[label]}  # type: ignore[misc]


def caption(compare: Comparison) -> str:
    """Return in words what is compared; empty where nothing is."""
    if compare.reference is None:
        return ""
    before = compare.reference is Reference.BEFORE
    if compare.shows_reference:
        text = "B: as before the last propagation" if before else "B: ground truth"
    elif before:
        text = "changes: orange is new, blue is gone"
    else:
        text = "errors: orange is too much, blue is missing"
    return QCoreApplication.translate("Comparison", text)
