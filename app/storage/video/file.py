"""A video file as a sequence of frames."""

import threading
from collections import OrderedDict
from collections.abc import Generator
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import VideoReformatter

from app.errors import FrameReadError, VideoOpenError
from app.storage.video.decoder import Decoded, Decoder
from app.storage.video.index import index_video
from models.api import Image

# Frames passed on the way to another are kept as they come from the decoder, so that going
# backwards does not decode the same group of pictures once for every frame.
_PASSED_BYTES = 96 << 20
_CHEAPER_THAN_SEEKING = 8


class FileVideo:
    """A video file: frame i is the i-th that a player shows. Safe to use from several threads."""

    def __init__(self, source: Path) -> None:
        """Open `source`. Raises VideoOpenError."""
        self.source = source
        self._decoder = Decoder(source)
        self._index = index_video(source, self._decoder)
        self._frame_of = {number: i for i, number in enumerate(self._index.shown.tolist())}
        self._lock = threading.Lock()
        self._passed: OrderedDict[int, av.VideoFrame] = OrderedDict()  # by frame
        self._passed_bytes = 0
        self._run: Generator[Decoded, None, None] | None = None
        self._first, self._at = 0, -1  # the first sound frame of the run, the last that it gave
        self._is_closed = False
        self._reformatters = threading.local()
        self._read_error: str | None = None
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
        try:
            image = self._upright(self._decoded(0))
        except FrameReadError as error:
            raise VideoOpenError(
                f"{self.source} cannot be opened: its first frame cannot be decoded."
            ) from error
        return (image.shape[0], image.shape[1])

    def _decoded(self, index: int) -> av.VideoFrame:
        if self._is_closed:
            raise FrameReadError(f"Frame {index} cannot be read: {self.source.name} is closed.")
        if index in self._passed:
            self._passed.move_to_end(index)
            return self._passed[index]
        number = int(self._index.shown[index])
        if number in self._index.missing:
            raise self._unreadable(index, "the file is cut off before it")
        key = self._index.key_for(index)
        if self._run is not None and self._is_ahead(index, key):
            frame = self._forward_to(index)
            if frame is not None:
                return frame
        # A frame can need what comes before its own key frame, so a second try starts earlier.
        for start in dict.fromkeys((key, max(key - 1, 0))):
            self._run = self._start_at(start, index)
            frame = self._forward_to(index)
            if frame is not None:
                return frame
        raise self._unreadable(index, "its data are damaged")

    def _start_at(self, key: int, index: int) -> Generator[Decoded, None, None]:
        self._first, self._at = int(self._index.key_frames[key]), -1
        try:
            return self._decoder.from_key(self._index.keys[key])
        except VideoOpenError as error:
            raise self._unreadable(index, "the file is no longer there") from error

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
        image = reformatter.reformat(frame, format="rgb24").to_ndarray()
        return np.ascontiguousarray(np.rot90(image, round(frame.rotation / 90) % 4))

    def _unreadable(self, index: int, reason: str) -> FrameReadError:
        text = f"Frame {index} of {self.source.name} cannot be read: {reason}."
        self._note(text)
        return FrameReadError(f"{text} The other frames are not affected.")

    def _note(self, text: str) -> None:
        self._read_error = self._read_error or text


def _bytes_of(frame: av.VideoFrame) -> int:
    return sum(plane.buffer_size for plane in frame.planes)
