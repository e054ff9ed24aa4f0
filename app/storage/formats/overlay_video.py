"""The overlay video: the frames with their masks painted over them, for people to look at."""

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import cast

import cv2
import numpy as np

from app.errors import FrameReadError, StorageError
from app.storage.files.writing import atomic_file
from app.storage.formats.labelled import Painted
from models.api import Frames, Image

Color = tuple[int, int, int]  # RGB

_FILL = 0.45  # of the colour, the rest is the picture


def write_overlay_video(
    path: Path,
    frames: Frames,
    masks: Callable[[int], Painted],
    colors: Mapping[int, Color],
    fps: float,
    progress: Callable[[int], None] = lambda _: None,
    *,
    pixel_aspect: Fraction = Fraction(1),
) -> tuple[FrameReadError, ...]:
    """Write an MP4 of all frames, each mask filled and outlined in its object's colour.

    H.264 where this machine's FFmpeg can, else MPEG-4. `progress` is told each frame that is
    written. A frame that cannot be read is a crossed-out picture, so that the others keep their
    times; why is returned. Nothing is left behind on failure. Raises StorageError, also where no
    frame can be read.
    """
    import av  # noqa: PLC0415 - loads FFmpeg

    unreadable: list[FrameReadError] = []
    height, width = (side + side % 2 for side in frames.size)  # both codecs need even sides
    try:
        with (
            atomic_file(path) as beside,
            _checked(beside, len(frames)),
            av.open(str(beside), "w", format="mp4") as container,
        ):
            rate = Fraction(fps).limit_denominator(1001)
            stream = cast("av.VideoStream", container.add_stream(_codec(), rate=rate))
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            stream.codec_context.sample_aspect_ratio = pixel_aspect
            stream.options = {"crf": "20", "preset": "fast"}
            for index in range(len(frames)):
                try:
                    picture = paint(frames[index], masks(index), colors)
                except FrameReadError as error:
                    unreadable.append(error)
                    picture = crossed_out(frames.size)
                picture = _padded(picture, height, width)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
                progress(index)
            container.mux(stream.encode())
            if len(unreadable) == len(frames):
                raise unreadable[0]
    except av.FFmpegError as error:
        raise StorageError(
            f"{path} could not be written ({error}). Check the folder and the free space."
        ) from error
    return tuple(unreadable)


@contextmanager
def _checked(path: Path, count: int) -> Generator[None, None, None]:
    """Raise StorageError where what has been written to `path` has not all frames."""
    import av  # noqa: PLC0415 - loads FFmpeg

    yield
    with av.open(str(path)) as container:
        found = sum(1 for packet in container.demux(video=0) if packet.size)
    if found != count:
        raise StorageError(
            f"Only {found} of {count} frames came back from {path.name}. Nothing was written; "
            "check the free space and export again."
        )


def paint(image: Image, masks: Painted, colors: Mapping[int, Color]) -> Image:
    """Return the picture (H, W, 3) with the masks over it, later ones on top."""
    painted = image.copy()
    thickness = max(1, round(image.shape[0] / 480))
    for number, mask in masks:
        y0, y1, x0, x1 = mask.box
        pixels, color = mask.crop(), colors[number]
        window = painted[y0:y1, x0:x1]
        tint = np.asarray(color, np.float32) * _FILL
        window[pixels] = (window[pixels] * np.float32(1 - _FILL) + tint).astype(np.uint8)
        borders, _ = cv2.findContours(
            pixels.view(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE, offset=(x0, y0)
        )
        cv2.drawContours(painted, borders, -1, color, thickness, cv2.LINE_AA)
    return painted


def _padded(picture: Image, height: int, width: int) -> Image:
    """Return a picture whose last row and column are repeated up to a size."""
    more = ((0, height - picture.shape[0]), (0, width - picture.shape[1]), (0, 0))
    return np.pad(picture, more, mode="edge")


def crossed_out(size: tuple[int, int]) -> Image:
    """Return the picture that stands for one that is not there."""
    height, width = size
    picture = np.full((height, width, 3), 64, np.uint8)
    for start, end in (((0, 0), (width - 1, height - 1)), ((width - 1, 0), (0, height - 1))):
        cv2.line(picture, start, end, (128, 128, 128), max(1, round(height / 120)), cv2.LINE_AA)
    return picture


def _codec() -> str:
    import av  # noqa: PLC0415 - loads FFmpeg

    return "libx264" if "libx264" in av.codecs_available else "mpeg4"
