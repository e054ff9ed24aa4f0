"""Figures made of pictures, lines and text, as SVG with real text and as PNG."""

import base64
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Picture
from PIL import ImageDraw, ImageFont

from models.api import Image

Points = NDArray[np.float64]  # (n, 2), x and y in points of 1/72 inch from the upper left
Anchor = Literal["start", "middle", "end"]

INK, QUIET, RULE, PAPER = "#1c1e22", "#6b7076", "#d9dcdf", "#ffffff"
_FONTS = "Helvetica, Arial, 'Liberation Sans', sans-serif"
_FINER = 2  # a PNG is drawn this much larger and reduced, which smooths its lines
_JPEG_QUALITY = 88


@dataclass(frozen=True, slots=True, eq=False)
class Raster:
    """A picture (H, W, 3) in a rectangle."""

    x: float
    y: float
    width: float
    height: float
    image: Image


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """A line through points; a `closed` one is an outline. `fill` is a colour or none."""

    points: Points
    color: str | None
    width: float = 0.8
    closed: bool = False
    fill: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Dots:
    """Points that nothing connects."""

    points: Points
    color: str
    radius: float = 1.4


@dataclass(frozen=True, slots=True)
class Text:
    """One line of text; (x, y) is on its baseline."""

    x: float
    y: float
    text: str
    size: float = 7.0
    color: str = INK
    anchor: Anchor = "start"


Item = Raster | Line | Dots | Text


@dataclass(frozen=True, slots=True)
class Figure:
    """What is drawn, later items on top, on paper of this size in points."""

    width: float
    height: float
    items: tuple[Item, ...]
    description: str

    def svg(self) -> bytes:
        """Return it as SVG: outlines as vectors, text as text, pictures within the file."""
        size = f"{self.width:g} {self.height:g}"
        body = "\n".join(_svg(item) for item in self.items)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" '
            f'width="{self.width:g}pt" height="{self.height:g}pt" font-family="{_FONTS}">\n'
            f"<title>{escape(self.description)}</title>\n"
            f'<rect width="100%" height="100%" fill="{PAPER}"/>\n{body}\n</svg>\n'
        ).encode()

    def png(self, dpi: int = 300) -> bytes:
        """Return it as PNG."""
        size = (round(self.width * dpi / 72), round(self.height * dpi / 72))
        scale = dpi / 72 * _FINER
        page = Picture.new("RGB", (size[0] * _FINER, size[1] * _FINER), PAPER)
        pen = ImageDraw.Draw(page)
        for item in self.items:
            _paint(page, pen, item, scale)
        stream = io.BytesIO()
        smooth = page.resize(size, Picture.Resampling.LANCZOS)
        smooth.save(stream, format="PNG", dpi=(dpi, dpi))
        return stream.getvalue()


def box(x: float, y: float, width: float, height: float, fill: str) -> Line:
    """Return a filled rectangle."""
    corners = ((x, y), (x + width, y), (x + width, y + height), (x, y + height))
    return Line(np.array(corners, np.float64), None, closed=True, fill=fill)


def wrapped(text: str, width: float, size: float) -> list[str]:
    """Return the text in lines that are at most `width` points long."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and font(100).getlength(longer) * size / 100 <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _svg(item: Item) -> str:
    match item:
        case Raster():
            place = f'x="{item.x:.2f}" y="{item.y:.2f}" width="{item.width:.2f}"'
            source = base64.b64encode(_jpeg(item.image)).decode()
            return (
                f'<image {place} height="{item.height:.2f}" preserveAspectRatio="none" '
                f'href="data:image/jpeg;base64,{source}"/>'
            )
        case Line():
            points = " ".join(f"{x:.2f},{y:.2f}" for x, y in item.points)
            kind = "polygon" if item.closed else "polyline"
            return (
                f'<{kind} points="{points}" fill="{item.fill or "none"}" '
                f'stroke="{item.color or "none"}" stroke-width="{item.width:g}" '
                'stroke-linejoin="round"/>'
            )
        case Dots():
            return "".join(
                f'<circle cx="{x:.2f}" cy="{y:.2f}" r="{item.radius:g}" fill="{item.color}"/>'
                for x, y in item.points
            )
        case Text():
            return (
                f'<text x="{item.x:.2f}" y="{item.y:.2f}" font-size="{item.size:g}" '
                f'fill="{item.color}" text-anchor="{item.anchor}">{escape(item.text)}</text>'
            )


def _paint(page: Picture.Image, pen: ImageDraw.ImageDraw, item: Item, scale: float) -> None:
    match item:
        case Raster():
            corner = (round(item.x * scale), round(item.y * scale))
            size = (round(item.width * scale), round(item.height * scale))
            page.paste(
                Picture.fromarray(item.image).resize(size, Picture.Resampling.BICUBIC), corner
            )
        case Line():
            points = [tuple(point) for point in (item.points * scale).tolist()]
            if item.closed and item.fill and len(points) > 1:
                pen.polygon(points, fill=item.fill)
            if item.color:
                ring = [*points, points[0]] if item.closed else points
                pen.line(ring, item.color, max(1, round(item.width * scale)), joint="curve")
        case Dots():
            for x, y in item.points * scale:
                pen.circle((x, y), item.radius * scale, item.color)
        case Text():
            anchor = {"start": "ls", "middle": "ms", "end": "rs"}[item.anchor]
            place = (item.x * scale, item.y * scale)
            pen.text(place, item.text, item.color, font(item.size * scale), anchor)


def _jpeg(image: Image) -> bytes:
    stream = io.BytesIO()
    Picture.fromarray(image).save(stream, format="JPEG", quality=_JPEG_QUALITY)
    return stream.getvalue()


@cache
def font(size: float) -> ImageFont.FreeTypeFont:
    """Return the font of figures that are pictures, of this height in pixels."""
    found = ImageFont.load_default(size)
    assert isinstance(found, ImageFont.FreeTypeFont)  # Pillow's own, which comes with FreeType
    return found


def rings(outlines: Sequence[NDArray[np.int32]], offset: Points, scale: float) -> Iterator[Points]:
    """Yield the outlines (n, 1, 2) of pixels as points: those of a picture at `offset`."""
    for outline in outlines:
        yield (outline[:, 0].astype(np.float64) + 0.5) * scale + offset
