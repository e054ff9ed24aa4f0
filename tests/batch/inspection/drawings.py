"""A figure taken apart, as the tests of this package look at it."""

import base64
import io
import xml.etree.ElementTree as ET

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Picture

from app.batch.inspection.drawing import Dots, Figure, Line, Raster, Text

SVG = "{http://www.w3.org/2000/svg}"


def parsed(figure: Figure) -> ET.Element:
    return ET.fromstring(figure.svg())


def texts(figure: Figure) -> dict[str, Text]:
    return {item.text: item for item in figure.items if isinstance(item, Text)}


def rasters(figure: Figure) -> list[Raster]:
    return [item for item in figure.items if isinstance(item, Raster)]


def lines(figure: Figure, color: str) -> list[Line]:
    return [item for item in figure.items if isinstance(item, Line) and item.color == color]


def dots(figure: Figure) -> list[Dots]:
    return [item for item in figure.items if isinstance(item, Dots)]


def boxes(figure: Figure) -> list[tuple[float, float, float, float, str]]:
    """Return the filled rectangles: x, y, width, height and colour."""
    found = []
    for item in figure.items:
        if isinstance(item, Line) and item.fill is not None:
            (x0, y0), (x1, y1) = item.points.min(axis=0), item.points.max(axis=0)
            found.append((float(x0), float(y0), float(x1 - x0), float(y1 - y0), item.fill))
    return found


def pixels(figure: Figure, dpi: int = 72) -> NDArray[np.uint8]:
    """Return the PNG of a figure, (H, W, 3); at 72 dpi a point is a pixel."""
    with Picture.open(io.BytesIO(figure.png(dpi))) as picture:
        return np.asarray(picture.convert("RGB"))


def embedded(image: ET.Element) -> NDArray[np.uint8]:
    """Return the picture that an SVG's image holds."""
    kind, _, data = image.attrib["href"].partition(",")
    assert kind == "data:image/jpeg;base64"
    with Picture.open(io.BytesIO(base64.b64decode(data))) as picture:
        return np.asarray(picture.convert("RGB"))
