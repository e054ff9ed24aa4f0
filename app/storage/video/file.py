"""A video file as a sequence of frames."""

import math
import threading
from collections import OrderedDict
from collections.abc import Generator, Iterator
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.video.reformatter import VideoReformatter

from app.errors import FrameReadError, VideoOpenError
from app.storage.files.content import FileContent
from app.storage.video.decoder import Decoded, Decoder
from app.storage.video.index import index_video
from models.api import Image

# Frames passed on the way to another are kept as they come from the decoder, so that going
# backwards does not decode the same group of pictures once for every frame.
_PASSED_BYTES = 96 << 20
_CHEAPER_THAN_SEEKING = 8
_MOST_RUNS = 2
_TRIED_FIRST = 250
_TRUST_BEYOND = 250  # frames: a promise is only believed where nothing surer is near


class FileVideo:
    """A video file: frame i is the i-th that a player shows. Safe to use from several threads."""

    def __init__(self, source: Path) -> None:
        """Open `source`. Raises VideoOpenError."""
        self.source = source
        self._decoder = Decoder(source)
        self._index = index_video(source, self._decoder)
        self._frame_of = {number: i for i, number in enumerate(self._index.shown.tolist())}
        self._content = FileContent(source)
        self._lock = threading.Lock()
        self._passed: OrderedDict[int, av.VideoFrame] = OrderedDict()  # by frame
        self._passed_bytes = 0
        self._run: Generator[Decoded, None, None] | None = None
        self._first, self._at = 0, -1  # the first sound frame of the run, the last that it gave
        self._refused: set[int] = set()  # keys that decoding may not begin at
        self._doubted: set[int] = set()  # and those where it may at most if nothing is missing
        self._is_closed = False
        self._reformatters = threading.local()
        self._read_error: str | None = None
        self._pixel_aspect = Fraction(1)
        self._size = self._first_size()

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) in pixels, upright."""
        return self._size

    @property
    def fps(self) -> float:
        """Frames per second, the average where the rate varies."""
        return self._index.fps

    @property
    def pixel_aspect(self) -> Fraction:
        """Width of a pixel by its height, as the picture stands upright."""
        return self._pixel_aspect

    @property
    def damaged(self) -> str | None:
        """From which frame on, and why, the file is damaged, as far as is known; or None."""
        return self._index.damaged or self._read_error

    def __len__(self) -> int:
        return len(self._index.shown)

    def __getitem__(self, index: int) -> Image:
        """Return frame `index`. Raises FrameReadError, which names it; IndexError outside."""
        if not 0 <= index < len(self):
            raise IndexError(index)
        with self._lock:
            frame = self._decoded(index)
        image = self._upright(frame)
        if image.shape[:2] != self._size:
            raise self._unreadable(index, f"its size is {image.shape[1]}x{image.shape[0]}")
        return image

    def stem(self, index: int) -> str:
        """Return the name that files made from frame `index` carry."""
        return f"{index:06d}"

    def time(self, index: int) -> float:
        """Return the seconds from frame 0 to frame `index`."""
        return float(self._index.times[index])

    def close(self) -> None:
        """Close the file; reading raises FrameReadError from then on."""
        with self._lock:
            self._is_closed = True
            self._forget()
            self._decoder.close()

    def _first_size(self) -> tuple[int, int]:
        failure = None
        for index in range(min(len(self), _TRIED_FIRST)):
            try:
                frame = self._decoded(index)
                image = self._upright(frame)
            except FrameReadError as error:
                failure = error
            else:
                stated = self._decoder.stream.sample_aspect_ratio or Fraction(1)
                is_turned = _matrix(frame)[4]
                self._pixel_aspect = 1 / stated if is_turned else stated
                return (image.shape[0], image.shape[1])
        raise VideoOpenError(
            f"{self.source} cannot be opened: its first frames cannot be decoded."
        ) from failure

    def _decoded(self, index: int) -> av.VideoFrame:
        if self._is_closed:
            raise FrameReadError(f"Frame {index} cannot be read: {self.source.name} is closed.")
        if index in self._passed:
            self._passed.move_to_end(index)
            return self._passed[index]
        if self._content.is_another():
            self._run = None  # of the other file's packets, in part
            raise FrameReadError(
                f"Frame {index} cannot be read: {self.source.name} was replaced by another file "
                "while it was open. Put the first one back, or open the video again."
            )
        number = int(self._index.shown[index])
        if number in self._index.missing:
            raise self._unreadable(index, "the file is cut off before it")
        key = self._nearest(index)
        if self._run is not None and self._is_ahead(index, key):
            frame = self._forward_to(index)
            if frame is not None:
                return frame
        frame = self._jump_to(index, key)
        if frame is None:
            raise self._unreadable(index, "its data are damaged")
        return frame

    def _jump_to(self, index: int, key: int) -> av.VideoFrame | None:
        runs = 0
        for start in self._starts(key):
            if not self._begin(start, index):
                continue
            frame = self._forward_to(index)
            if frame is not None:
                return frame
            if self._at < 0:
                self._refused.add(start)
                continue
            runs += 1
            # Damage can reach past a key frame, so that one more is tried.
            if runs == _MOST_RUNS:
                break
        return None

    def _nearest(self, index: int) -> int:
        """Return the last key before frame `index` that is not known to be none."""
        key = self._index.key_for(index)
        while key > 0 and key in self._refused | self._doubted:
            key -= 1
        return key

    def _starts(self, key: int) -> Iterator[int]:
        """Yield keys to begin at, ever farther back, and the start of the file at last."""
        step = 1
        while key > 0:
            if key not in self._refused:
                yield key
            key, step = key - step, step * 2
        yield 0

    def _begin(self, key: int, index: int) -> bool:
        """Begin to decode at a key, or return False where that may not be."""
        self._first, self._at = int(self._index.key_frames[key]) if key else 0, -1
        try:
            if key == 0:
                self._run = self._decoder.from_start()
                return True
            trusting = index - self._first > _TRUST_BEYOND
            self._run = self._decoder.from_key(self._index.keys[key], trusting=trusting)
        except VideoOpenError as error:
            raise self._unreadable(index, "the file is no longer there") from error
        if self._run is None:
            (self._refused if trusting else self._doubted).add(key)
        return self._run is not None

    def _is_ahead(self, index: int, key: int) -> bool:
        is_near = index - self._at <= _CHEAPER_THAN_SEEKING
        return index > self._at and (is_near or int(self._index.key_frames[key]) <= self._at + 1)

    def _forward_to(self, index: int) -> av.VideoFrame | None:
        """Decode until frame `index` comes, or None where the decoder leaves it out."""
        assert self._run is not None
        for number, frame in self._run:
            at = self._frame_of.get(number)
            if at is None or at < self._first:
                continue  # shown before the key frame: what it builds on was never decoded
            self._at = at
            self._keep(at, frame)
            if frame.is_corrupt:
                self._note(f"The picture of frame {at} is damaged.")
            if at >= index:
                return frame if at == index else None
        self._run = None
        return None

    def _keep(self, index: int, frame: av.VideoFrame) -> None:
        if index not in self._passed:
            self._passed[index] = frame
            self._passed_bytes += _bytes_of(frame)
        while self._passed_bytes > _PASSED_BYTES and len(self._passed) > 1:
            _, oldest = self._passed.popitem(last=False)
            self._passed_bytes -= _bytes_of(oldest)

    def _forget(self) -> None:
        self._run = None
        self._passed.clear()
        self._passed_bytes = 0

    def _upright(self, frame: av.VideoFrame) -> Image:
        # A reformatter may be used by one thread only; a frame's own would be shared.
        reformatter: VideoReformatter | None = getattr(self._reformatters, "it", None)
        if reformatter is None:
            reformatter = self._reformatters.it = VideoReformatter()
        image = np.asarray(reformatter.reformat(frame, format="rgb24").to_ndarray(), np.uint8)
        return np.ascontiguousarray(_turned(image, frame))

    def _unreadable(self, index: int, reason: str) -> FrameReadError:
        text = f"Frame {index} of {self.source.name} cannot be read: {reason}."
        self._note(text)
        return FrameReadError(f"{text} The other frames are not affected.")

    def _note(self, text: str) -> None:
        self._read_error = self._read_error or text


def _matrix(frame: av.VideoFrame) -> tuple[float, float, float, float, bool]:
    """Return the display matrix, by which (x, y) is shown at (a x + c y, b x + d y).

    The last value says whether it swaps the sides.
    """
    try:
        data = frame.side_data.get("DISPLAYMATRIX")
    except ValueError:  # some kind of data is newer than the binding, which then gives none
        turn = math.radians(frame.rotation)
        a, b, c, d = math.cos(turn), -math.sin(turn), math.sin(turn), math.cos(turn)
    else:
        if data is None:
            return 1, 0, 0, 1, False
        matrix = np.frombuffer(cast("bytes", data), np.int32)
        a, b, _, c, d = (float(value) for value in matrix[:5])
    return a, b, c, d, abs(b) + abs(c) > abs(a) + abs(d)


def _turned(image: Image, frame: av.VideoFrame) -> Image:
    """Turn and mirror an image as its display matrix says, to the nearest of the eight ways."""
    a, b, c, d, is_turned = _matrix(frame)
    if is_turned:
        image, a, d = image.swapaxes(0, 1), c, b
    return image[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1]


def _bytes_of(frame: av.VideoFrame) -> int:
    return sum(plane.buffer_size for plane in frame.planes)
