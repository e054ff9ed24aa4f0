"""What the panes show of a frame: images with masks over them."""

from collections.abc import Mapping

import cv2
import numpy as np
from PySide6.QtGui import QColor, QImage

from app.core.colors import Rgb
from app.core.document import Key
from app.core.runs import Run
from app.gui.canvas.scene.layers import contour_path
from app.gui.canvas.scene.overlay import outlines
from app.gui.inspect.frames.pane import Layer, Outline
from app.gui.inspect.palette import EXTRA, MISSING, RIGHT
from models.api import BoolMask, Image

_FILL, _FAINT = 0.45, 0.2  # of the object that is looked at, and of the others


def frame_layer(caption: str, image: Image) -> Layer:
    """Return a frame (H, W, 3) as it is."""
    return Layer(caption, _as_image(image))


def masks_layer(
    caption: str,
    image: Image,
    run: Run,
    frame: int,
    chosen: int | None,
    colors: Mapping[int, Rgb],
) -> Layer:
    """Return a frame (H, W, 3) with a run's masks over it, the `chosen` object's strongest."""
    found = {n: run.masks[Key(frame, n)] for n in run.objects if Key(frame, n) in run.masks}
    blended, drawn = image.copy(), []
    for number, mask in found.items():
        y0, y1, x0, x1 = mask.box
        is_chosen = chosen in {None, number}
        _fill(blended[y0:y1, x0:x1], mask.crop(), colors[number], _FILL if is_chosen else _FAINT)
        path = contour_path(outlines(mask.crop(), mask.box))
        drawn.append(Outline(path, QColor(*colors[number]).lighter(125), strong=is_chosen))
    return Layer(caption, _as_image(blended), tuple(drawn))


def errors_layer(caption: str, image: Image, truth: BoolMask, prediction: BoolMask) -> Layer:
    """Return a pale frame (H, W, 3) with what is right, too much and missing of one object."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    dim = cv2.convertScaleAbs(grey, alpha=0.45, beta=70)
    pale = np.asarray(cv2.cvtColor(dim, cv2.COLOR_GRAY2RGB), np.uint8)
    for mask, color in (
        (truth & prediction, RIGHT),
        (prediction & ~truth, EXTRA),
        (truth & ~prediction, MISSING),
    ):
        _fill(pale, mask, color, 0.7)
    return Layer(caption, _as_image(pale))


def _fill(pixels: Image, mask: BoolMask, color: Rgb, share: float) -> None:
    """Blend a colour into the pixels of a mask; ten times as fast as indexing with the mask."""
    x, y, width, height = cv2.boundingRect(mask.view(np.uint8))
    part = np.ascontiguousarray(pixels[y : y + height, x : x + width])
    if not part.size:
        return
    flat = np.empty_like(part)
    flat[:] = color
    blended = cv2.addWeighted(part, 1 - share, flat, share, 0)
    within = np.ascontiguousarray(mask[y : y + height, x : x + width]).view(np.uint8)
    pixels[y : y + height, x : x + width] = cv2.copyTo(blended, within, part)


def _as_image(pixels: Image) -> QImage:
    height, width, _ = pixels.shape
    whole = np.ascontiguousarray(pixels)
    return QImage(whole.data, width, height, 3 * width, QImage.Format.Format_RGB888).copy()
