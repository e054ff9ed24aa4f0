"""Clips whose frames show their own number, so that a test knows which frame it got."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.video.stream import VideoStream

from models.api import Image

BITS = 10
SIZE = (48, 160)  # height, width


def numbered(number: int, size: tuple[int, int] = SIZE) -> Image:
    """Return an image with the bits of `number` as blocks, black or white, from the left."""
    height, width = size
    bits = [number >> bit & 1 for bit in range(BITS)]
    columns = np.arange(width) * BITS // width
    row = np.array(bits, np.uint8)[columns] * 200 + 25
    image = np.repeat(np.tile(row, (height, 1))[:, :, None], 3, axis=2)
    # Noise along the edges, so that pictures fill most of a file, as in real ones.
    noise = np.random.default_rng(number).integers(0, 256, (height // 6, width, 3), np.uint8)
    image[: len(noise)] = image[-len(noise) :] = noise
    return image


def number_in(image: Image) -> int:
    """Return the number that an image shows, however lossily it was kept."""
    height, width = image.shape[:2]
    centres = ((np.arange(BITS) + 0.5) * width / BITS).astype(int)
    levels = image[height // 4 : height * 3 // 4, centres].mean(axis=(0, 2))
    return sum(1 << bit for bit, level in enumerate(levels) if level > 125)


def write_clip(
    path: Path,
    count: int = 60,
    *,
    codec: str = "libx264",
    size: tuple[int, int] = SIZE,
    times: Sequence[int] | None = None,
    rate: int = 25,
    gop: int = 20,
    b_frames: int = 2,
    pixels: str = "yuv420p",
    options: dict[str, str] | None = None,
    muxer: dict[str, str] | None = None,
    rotation: int = 0,
) -> Path:
    """Write frames 0 to `count` - 1, at `times` in milliseconds where given, and return `path`."""
    with av.open(str(path), "w", options=muxer or {}) as container:
        stream = cast(VideoStream, container.add_stream(codec, rate=rate, options=options or {}))
        stream.height, stream.width = size
        stream.pix_fmt = pixels
        stream.codec_context.gop_size = gop
        stream.codec_context.max_b_frames = b_frames
        if codec == "libx264":
            # A fixed pattern: B-frames and key frames where the test wants them.
            stream.options = {"preset": "ultrafast", "bf": str(b_frames), "b-adapt": "0",
                              "sc_threshold": "0", "crf": "18", **(options or {})}  # fmt: skip
        if times is not None:
            stream.codec_context.time_base = Fraction(1, 1000)
        if rotation:
            stream.set_display_rotation(rotation)
        for index in range(count):
            frame = av.VideoFrame.from_ndarray(numbered(index, size), format="rgb24")
            frame.pts = times[index] if times is not None else index
            frame.time_base = Fraction(1, 1000) if times is not None else Fraction(1, rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path
