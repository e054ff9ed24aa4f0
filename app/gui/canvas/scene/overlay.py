"""The label map of the overlay, and the colours of its objects. No Qt.

All masks of a frame are one label map of bytes: 0 where the frame shows through, otherwise the
object's label. Colours are a table of 256 beside it, so that opacity, mode and palette cost a
table, not an image.
"""

import enum
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from app.core.document import Entry, ObjectInfo
from app.core.mask import Area, Mask
from app.core.paint import NOTHING, intersection, is_empty, union
from models.api import BoolMask

Contour = NDArray[np.int32]  # (N, 2), x and y in pixels of the frame


class OverlayMode(enum.Enum):
    """How masks lie over the frame."""

    FILL_AND_CONTOUR = "Fill and contour"
    FILL = "Fill"
    CONTOUR = "Contour"
    SOLO = "Selected object alone"
    DIM_OTHERS = "Dim the others"
    MATTE = "Matte"
    CONFIDENCE = "Colour by confidence"


NO_ENTRIES: Mapping[int, Entry] = {}
# Okabe and Ito's vermilion, yellow and green, and blue for what a person vouches for.
_UNSURE, _MIDDLING, _SURE, _GIVEN = (213, 94, 0), (240, 228, 66), (0, 158, 115), (0, 114, 178)
_UNKNOWN = (150, 150, 150)
_MOST_LABELS = 255


def confidence_color(entry: Entry | None, confidence: float | None) -> tuple[int, int, int]:
    """Return the colour of how likely an entry is right, 0 to 1; blue for an anchor."""
    if entry is not None and entry.is_anchor:
        return _GIVEN
    if entry is None or confidence is None:
        return _UNKNOWN
    low, high = (_UNSURE, _MIDDLING) if confidence < 0.5 else (_MIDDLING, _SURE)
    part = 2 * min(max(confidence, 0.0), 1.0) % 1 if confidence < 1 else 1.0
    red, green, blue = (round(a + part * (b - a)) for a, b in zip(low, high, strict=True))
    return red, green, blue


@dataclass(frozen=True, slots=True)
class OverlayStyle:
    """What a person chose about the overlay; `opacity` is 0 to 1."""

    mode: OverlayMode = OverlayMode.FILL_AND_CONTOUR
    opacity: float = 0.45
    selected: int | None = None

    def visible(self, objects: Iterable[ObjectInfo]) -> tuple[ObjectInfo, ...]:
        """Return the objects that are shown, in drawing order."""
        alone = self.mode is OverlayMode.SOLO and self.selected is not None
        return tuple(
            item for item in objects if item.visible and (not alone or item.id == self.selected)
        )

    def contoured(self, objects: Iterable[ObjectInfo]) -> tuple[ObjectInfo, ...]:
        """Return the objects whose contour is drawn, in drawing order."""
        if self.mode in {OverlayMode.FILL, OverlayMode.MATTE}:
            return ()
        shown = self.visible(objects)
        if self.mode is OverlayMode.DIM_OTHERS:
            return tuple(item for item in shown if item.id == self.selected)
        return shown

    def color_table(
        self,
        objects: Iterable[ObjectInfo],
        entries: Mapping[int, Entry] = NO_ENTRIES,
        confidence: Callable[[Entry | None], float | None] = lambda _: None,
    ) -> list[int]:
        """Return 256 colours as 0xAARRGGBB, by label.

        `entries` are those of the frame, `confidence` tells how likely each is right, 0 to 1.
        """
        objects = tuple(objects)
        labels = labels_of(objects)
        table = [0] * 256
        if self.mode is OverlayMode.MATTE:
            table[0] = 0xFF000000
        for item in self.visible(objects):
            red, green, blue = item.color
            if self.mode is OverlayMode.CONFIDENCE:
                red, green, blue = confidence_color(
                    entries.get(item.id), confidence(entries.get(item.id))
                )
            alpha = round(255 * self._alpha(item.id))
            table[labels[item.id]] = alpha << 24 | red << 16 | green << 8 | blue
        return table

    def _alpha(self, object_id: int) -> float:
        match self.mode:
            case OverlayMode.MATTE:
                return 1.0
            case OverlayMode.CONTOUR:
                return 0.0
            case OverlayMode.DIM_OTHERS if object_id != self.selected:
                return self.opacity / 4
            case _:
                return self.opacity


def labels_of(objects: Iterable[ObjectInfo]) -> dict[int, int]:
    """Return object id -> the byte that stands for it: the id, or, where that is none, a free one.

    Those for whom none is free share the last.
    """
    ids = [item.id for item in objects]
    own = {number for number in ids if number <= _MOST_LABELS}
    free = (label for label in range(_MOST_LABELS, 0, -1) if label not in own)
    return {number: number if number in own else next(free, _MOST_LABELS) for number in ids}


@dataclass(frozen=True, slots=True, eq=False)
class _Layer:
    mask: Mask | None  # None while it is being painted
    box: Area
    pixels: BoolMask  # of the box


class LabelMap:
    """The label map of one frame, kept in an array that the screen shares."""

    def __init__(self, labels: NDArray[np.uint8]) -> None:
        """Draw into `labels` (H, W), which must be all zero."""
        self._labels = labels
        self._layers: dict[int, _Layer] = {}
        self.area = NOTHING

    def show(self, masks: Mapping[int, Mask]) -> Area:
        """Show these masks (label -> mask, the last on top); return the area changed.

        Masks are decoded inside their bounding boxes only, and not again while they stay.
        """
        before = self._layers
        self._layers = {}
        for label, mask in masks.items():
            layer = before.get(label)
            if layer is None or layer.mask is not mask:
                layer = _Layer(mask, mask.box, mask.crop())
            self._layers[label] = layer
        changed, self.area = self.area, NOTHING
        for layer in self._layers.values():
            self.area = union(self.area, layer.box)
        changed = union(changed, self.area)
        self.compose(changed)
        return changed

    def paint(self, label: int, pixels: BoolMask, area: Area) -> None:
        """Show one object as `pixels` (H, W), which differ from what is shown within `area` only.

        The array is kept, not copied: paint again after each change of it.
        """
        height, width = pixels.shape
        layer = self._layers.get(label)
        if layer is None or layer.pixels is not pixels:
            self._layers[label] = _Layer(None, (0, height, 0, width), pixels)
        self.area = union(self.area, area)
        self.compose(area)

    def compose(self, area: Area) -> None:
        """Draw the layers anew within an area."""
        if is_empty(area):
            return
        self._labels[area[0] : area[1], area[2] : area[3]] = 0
        for label, layer in self._layers.items():
            shared = intersection(layer.box, area)
            if is_empty(shared):
                continue
            y0, y1, x0, x1 = shared
            top, left = layer.box[0], layer.box[2]
            np.copyto(
                self._labels[y0:y1, x0:x1],
                np.uint8(label),
                where=layer.pixels[y0 - top : y1 - top, x0 - left : x1 - left],
            )

    def contour(self, label: int) -> list[Contour]:
        """Return the outlines of the islands and holes of what has this label."""
        layer = self._layers.get(label)
        return [] if layer is None else outlines(layer.pixels, layer.box)


def outlines(pixels: BoolMask, box: Area) -> list[Contour]:
    """Return the outlines of islands and holes of `pixels`, which are those of `box`."""
    found, _ = cv2.findContours(pixels.view(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    corner = np.array([box[2], box[0]], np.int32)
    return [np.asarray(line, np.int32)[:, 0] + corner for line in found]
