"""The thumbnails of the frames that were looked at, for the timeline's hover."""

from collections import OrderedDict
from collections.abc import Mapping

import numpy as np
from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QObject, Slot
from PySide6.QtGui import QImage

from app.core.mask import Mask
from app.session.state.video import CurrentVideo
from app.session.state.view import ViewState
from models.api import Image

_WIDTH = 176  # pixels
_KEPT = 600  # about 50 MB


class Thumbnails(QObject):
    """Keeps a thumbnail of every frame whose image passes by, the latest ones first.

    It reads no frame of its own accord: that would compete with the frame that is wanted.
    """

    def __init__(self, video: CurrentVideo, view: ViewState, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._video = video
        self._kept: OrderedDict[int, Image] = OrderedDict()
        video.opened.connect(self._kept.clear)
        view.frame_changed.connect(self._take)
        video.image_ready.connect(self._take)

    @Slot(int)
    def _take(self, frame: int) -> None:
        near = self._video.nearest_image(frame)
        if near is None or near[0] != frame or frame in self._kept:
            return
        self._kept[frame] = thumbnail(near[1])
        if len(self._kept) > _KEPT:
            self._kept.popitem(last=False)

    def nearest(self, frame: int, reach: int) -> tuple[int, Image] | None:
        """Return the nearest frame within `reach` that has a thumbnail, and that thumbnail."""
        near = [kept for kept in self._kept if abs(kept - frame) <= reach]
        if not near:
            return None
        best = min(near, key=lambda kept: abs(kept - frame))
        return best, self._kept[best]


def thumbnail(image: Image) -> Image:
    """Return a small copy of an image."""
    step = _step(image.shape[1])
    return image[::step, ::step].copy()


def with_masks(
    small: Image, width: int, masks: Mapping[tuple[int, int, int], Mask | None]
) -> Image:
    """Return a thumbnail of an image `width` pixels wide with masks over it, by their colours."""
    step, drawn = _step(width), small.copy()
    for color, mask in masks.items():
        if mask is not None:
            inside = mask.decode()[::step, ::step]
            drawn[inside] = (drawn[inside].astype(np.uint16) + np.array(color)) // 2
    return drawn


def _step(width: int) -> int:
    return max(1, width // _WIDTH)


def as_html(pixels: Image) -> str:
    """Return a picture as an HTML element, for a tooltip."""
    height, width, _ = pixels.shape
    image = QImage(pixels.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888)
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")  # type: ignore[call-overload]
    return f'<img src="data:image/png;base64,{data.toBase64().toStdString()}">'
