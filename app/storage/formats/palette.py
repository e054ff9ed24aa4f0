"""The palette PNGs of DAVIS and VISOR: 8-bit label maps, pixel value = object id."""

import io
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from app.errors import FormatError
from app.storage.files.writing import atomic_write

Labels = NDArray[np.uint8]  # (H, W), object id; 0 = background
Palette = tuple[tuple[int, int, int], ...]  # 256 RGB colours

VOID = 255
WHITE_FROM = 128
_STRAY = 0.1  # of the white pixels: other values that are no objects
_EDGE_VALUES = 4  # so many values about the middle, 64 to 191, make an edge, not objects
_MOST_EDGE = 3  # times the white pixels: more are objects with a border of void


@cache
def davis_palette() -> Palette:
    """Return the colours of PASCAL VOC and DAVIS: the id's bits dealt out to R, G and B."""
    return tuple((_spread(index), _spread(index >> 1), _spread(index >> 2)) for index in range(256))


def visor_palette() -> Palette:
    """Return the colours of VISOR's benchmark: DAVIS's with 191 for 192 up to 21, then greys."""
    first = (tuple(191 if c == 192 else c for c in color) for color in davis_palette()[:22])
    return (*((r, g, b) for r, g, b in first), *((i, i, i) for i in range(22, 256)))


def read_palette_png(path: Path, size: tuple[int, int] | None = None) -> Labels:
    """Return the object ids of a mask PNG, (H, W), void (255) as background.

    `size` is the (height, width) that it must have. Raises FormatError where the file is not an
    8-bit palette or grey PNG of that size.
    """
    labels = read_labels(path, size)
    labels[labels == VOID] = 0
    return labels


def read_labels(path: Path, size: tuple[int, int] | None = None) -> Labels:
    """Return a mask PNG's values as they are, 255 included; errors as `read_palette_png`.

    Of greys of 1 bit the upper value is 255, of more bits each is the number that the file holds;
    of 16 bits white is 255, too, where all else is black.
    """
    try:
        with Image.open(path, formats=["PNG"]) as image:
            if image.mode == "I;16":
                return _of_sixteen_bits(np.asarray(image, np.uint16), path)
            if image.mode not in {"P", "L", "1"}:
                raise FormatError(
                    f"{path} is a PNG of mode {image.mode}, not of object ids. "
                    "Save it as an 8-bit palette PNG in which the pixel value is the object id."
                )
            depth = _grey_depth(path)
            labels = np.array(image, np.uint8)
            if image.mode == "1":  # two-valued masks are 0 and 255 elsewhere
                labels *= VOID
            elif depth in {2, 4}:  # which a reader of pictures stretches to 0 to 255
                labels //= VOID // ((1 << depth) - 1)
    except FileNotFoundError as error:
        raise FormatError(f"{path} does not exist. Check the folder and the name.") from error
    except UnidentifiedImageError as error:
        raise FormatError(f"{path} is not a PNG. Write the masks as 8-bit palette PNGs.") from error
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise FormatError(f"{path} is damaged ({error}). Write or copy it again.") from error
    if size is not None and labels.shape != size:
        raise FormatError(
            f"{path} is {_text(labels.shape)}, but {_text(size)} is needed. "
            "Masks must have the size of their frames; give the masks of this video."
        )
    return labels


def _of_sixteen_bits(values: NDArray[np.uint16], path: Path) -> Labels:
    largest = int(values.max(initial=0))
    if largest == np.iinfo(np.uint16).max and np.isin(values, (0, largest)).all():
        return (values // 257).astype(np.uint8)
    if largest > VOID:
        raise FormatError(
            f"{path} has values above 255 (up to {largest}), which no object id can be. Save it as "
            "an 8-bit palette PNG in which the pixel value is the object id."
        )
    return values.astype(np.uint8)


def _grey_depth(path: Path) -> int:
    """Return how many bits a pixel of a grey PNG has; 8 for all others."""
    with path.open("rb") as file:
        head = file.read(26)
    return head[24] if head[25:26] == b"\0" else 8


def encode_palette_png(labels: Labels, palette: Palette | None = None) -> bytes:
    """Return an 8-bit palette PNG of `labels` (H, W); DAVIS's colours where none are given."""
    image = Image.fromarray(np.ascontiguousarray(labels, np.uint8))
    image.putpalette([value for color in palette or davis_palette() for value in color])
    stream = io.BytesIO()
    image.save(stream, format="PNG", bits=8)
    return stream.getvalue()


def write_palette_png(path: Path, labels: Labels, palette: Palette | None = None) -> None:
    """Write `labels` (H, W) to `path` as an 8-bit palette PNG."""
    atomic_write(path, encode_palette_png(labels, palette))


def counts_of(maps: Iterable[Labels]) -> NDArray[np.int64]:
    """Return how many pixels of label maps have each of the 256 values."""
    none = np.zeros(VOID + 1, np.int64)
    return sum((np.bincount(labels.ravel(), minlength=VOID + 1) for labels in maps), none)


def is_white_on_black(counts: NDArray[np.int64]) -> bool:
    """Whether a video's masks show one object in white, as DAVIS-2016's do, rather than ids.

    White is 255, with few stray pixels beside it or, where edges were smoothed, many values
    between. In a map of ids 255 is void: a border round what has an id.
    """
    white, between = int(counts[VOID]), counts[1:VOID]
    others = int(between.sum())
    if not white or not counts[0]:
        return False
    if others <= _STRAY * white:
        return True
    is_edge = np.count_nonzero(between[63:191]) >= _EDGE_VALUES
    return bool(is_edge and others <= _MOST_EDGE * white)


def white_as_one(labels: Labels) -> Labels:
    """Return a label map (H, W) in which what is rather white than black is object 1."""
    return (labels >= WHITE_FROM).astype(np.uint8)


def note_of(counts: NDArray[np.int64]) -> tuple[str, ...]:
    """Return what a person should know of masks that are white on black."""
    others = sorted({value for value in range(1, VOID) if counts[value]})
    if not others:
        return ()
    shown = ", ".join(map(str, others[:5])) + (", ..." if len(others) > 5 else "")
    return (
        f"The masks are white on black with other values between ({shown}): from "
        f"{WHITE_FROM} on they count as object 1, below as background.",
    )


def _spread(index: int) -> int:
    """Put bits 0, 3 and 6 of `index` at bits 7, 6 and 5."""
    return (index & 1) << 7 | (index >> 3 & 1) << 6 | (index >> 6 & 1) << 5


def _text(shape: tuple[int, ...]) -> str:
    return f"{shape[1]}x{shape[0]}"
