"""One picture of a correction: frames before and after, and the overlap with the truth."""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image as Picture
from PIL import ImageDraw, ImageFont

from app.core.document import Document, Objects
from app.core.evaluate import SequenceScore
from app.storage.formats.labelled import painted
from app.storage.formats.overlay_video import paint
from app.storage.video.opening import Video
from models.api import BoolMask, Image

_COLUMNS = 5
_TILE = (384, 216)
_GAP, _MARGIN, _HEADER, _CHART = 10, 28, 74, 190
_GROUND, _INK, _QUIET = (250, 250, 248), (28, 30, 34), (120, 124, 130)
_BEFORE, _AFTER = (214, 92, 72), (38, 128, 96)


@dataclass(frozen=True)
class Sheet:
    """What is shown: the masks of two moments, their scores, and the truth."""

    objects: Objects
    first: Document
    last: Document
    before: SequenceScore
    after: SequenceScore
    truth: Callable[[int, int], BoolMask]  # frame, object -> where it is


def draw_sheet(sheet: Sheet, video: Video) -> bytes:
    """Return the PNG: title, the frames where most changed, and J frame by frame."""
    before, after = _overlap(sheet.before), _overlap(sheet.after)
    shown = _shown(before, after)
    width = 2 * _MARGIN + _COLUMNS * _TILE[0] + (_COLUMNS - 1) * _GAP
    height = _HEADER + 2 * (_TILE[1] + 34) + _CHART + 2 * _MARGIN
    page = Picture.new("RGB", (width, height), _GROUND)
    pen = ImageDraw.Draw(page)
    names = ", ".join(info.name for info in sheet.objects)
    pen.text((_MARGIN, 16), f"Maskwright demo: {names}", _INK, _font(26))
    pen.text((_MARGIN, 48), "filled: mask, white line: truth", _QUIET, _font(15))
    y = _HEADER
    rows = (("before", sheet.first, before, _BEFORE), ("after", sheet.last, after, _AFTER))
    for title, document, values, color in rows:
        for column, frame in enumerate(shown):
            x = _MARGIN + column * (_TILE[0] + _GAP)
            note = f"{title}, frame {frame}, J {values[frame - 1]:.2f}"
            pen.text((x, y + 4), note, color, _font(16))
            page.paste(Picture.fromarray(_tile(sheet, document, video, frame)), (x, y + 26))
        y += _TILE[1] + 34
    _chart(pen, (_MARGIN, y + 12, width - _MARGIN, height - _MARGIN), before, after)
    stream = io.BytesIO()
    page.save(stream, format="PNG")
    return stream.getvalue()


def _overlap(score: SequenceScore) -> list[float]:
    """Return J of each scored frame, the mean over the objects; the first is frame 1."""
    values: list[float] = np.mean([item.j.values for item in score.objects], axis=0).tolist()
    return values


def _shown(before: Sequence[float], after: Sequence[float]) -> list[int]:
    """Return the frame of each fifth of the video in which the correction did most."""
    gain = np.abs(np.subtract(after, before))
    parts = np.array_split(np.arange(len(before)), _COLUMNS)
    return [int(part[gain[part].argmax()]) + 1 for part in parts]


def _tile(sheet: Sheet, document: Document, video: Video, frame: int) -> Image:
    order = [info.id for info in sheet.objects]
    colors = {info.id: info.color for info in sheet.objects}
    picture = paint(video[frame], painted(document.on_frame(frame), order), colors)
    for number in order:
        solid = sheet.truth(frame, number).astype(np.uint8)
        outlines, _ = cv2.findContours(solid, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
        cv2.drawContours(picture, outlines, -1, (255, 255, 255), 1, cv2.LINE_AA)
    return np.asarray(cv2.resize(picture, _TILE, interpolation=cv2.INTER_AREA), np.uint8)


def _chart(
    pen: ImageDraw.ImageDraw,
    area: tuple[int, int, int, int],
    before: Sequence[float],
    after: Sequence[float],
) -> None:
    left, top, right, bottom = area
    pen.text((left, top - 6), "J by frame", _INK, _font(16))
    for x, title, values, color in (
        (left + 110, "before", before, _BEFORE), (left + 290, "after", after, _AFTER),
    ):  # fmt: skip
        pen.text((x, top - 6), f"{title}, mean {np.mean(values):.3f}", color, _font(16))
    top += 26
    for level in (0.0, 0.5, 1.0):
        y = bottom - level * (bottom - top)
        pen.line((left + 30, y, right, y), (222, 222, 218))
        pen.text((left, y - 9), f"{level:.1f}", _QUIET, _font(14))
    step = (right - left - 30) / max(1, len(before) - 1)
    for values, color in ((before, _BEFORE), (after, _AFTER)):
        points = [
            (left + 30 + index * step, bottom - value * (bottom - top))
            for index, value in enumerate(values)
        ]
        pen.line(points, color, width=3, joint="curve")


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
