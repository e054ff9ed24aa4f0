"""The index of a video file: which packet is shown as which frame, decoded only if need be."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path

import av
import numpy as np
from av.video.stream import VideoStream
from numpy.typing import NDArray

from app.errors import VideoOpenError
from app.storage.video.container import missing_bytes, open_container, video_stream
from app.storage.video.decoder import Decoder, KeyPacket, Mark

# Codecs whose packets an MP4 lists completely, so that they need not be read to be numbered.
_LISTED_CODECS = frozenset({"h264", "hevc", "mpeg4", "mjpeg", "prores"})
_DEEPEST_REORDERING = 32
_PROBED_FRAMES = 48


@dataclass(frozen=True)
class VideoIndex:
    """What is known of a file without decoding it.

    `shown[i]` is the number of the packet of frame i, `times[i]` its time in seconds from frame 0.
    `keys` rise by number; `key_frames[k]` is the frame that key k is shown as.
    `missing` are the numbers of packets that lie beyond the end of a truncated file.
    """

    shown: NDArray[np.int64]
    times: NDArray[np.float64]
    fps: float
    keys: tuple[KeyPacket, ...]
    key_frames: NDArray[np.int64]
    missing: frozenset[int]
    damaged: str | None

    def key_for(self, frame: int) -> int:
        """Return which of `keys` decoding must start at to reach `frame`."""
        at = int(np.searchsorted(self.key_frames, frame, side="right")) - 1
        while at > 0 and self.keys[at].number > self.shown[frame]:
            at -= 1
        return max(at, 0)


_Row = tuple[int | None, int | None, int | None, int, bool, bool]


class _Packets:
    """The packets of a stream in the order of the file, by column: an hour has 100,000 of them."""

    def __init__(self, rows: Sequence[_Row]) -> None:
        """A row is pts, dts, place in the file, size, whether it is a key and is shown."""
        columns = list(zip(*rows, strict=True)) or [()] * 6
        self._pts, self._dts, self._positions, self._sizes = columns[:4]
        self.are_keys, self.are_shown = (np.array(column, np.bool_) for column in columns[4:])

    def __len__(self) -> int:
        return len(self._pts)

    @property
    def times(self) -> NDArray[np.float64]:
        """The presentation times in the stream's ticks; NaN where there is none."""
        return np.array(self._pts, np.float64)

    @property
    def ends(self) -> NDArray[np.int64]:
        """Where in the file each packet ends; its place counts as 0 where it is not known."""
        starts = np.array([place or 0 for place in self._positions], np.int64)
        return starts + np.array(self._sizes, np.int64)

    def key(self, number: int) -> KeyPacket:
        """Return one packet as what decoding can start at."""
        mark = self._mark(number)
        is_unlike_others = self._marks[mark] == 1
        seek_to = _first(self._dts[number], self._pts[number]) if is_unlike_others else None
        return KeyPacket(number, mark, seek_to)

    def _mark(self, number: int) -> Mark:
        return Mark(self._pts[number], self._positions[number], self._sizes[number])

    @cached_property
    def _marks(self) -> Counter[Mark]:
        return Counter(map(self._mark, range(len(self))))


@dataclass(frozen=True)
class _Listing:
    packets: _Packets
    missing: frozenset[int] = frozenset()
    broken_off: str | None = None


def index_video(source: Path, decoder: Decoder) -> VideoIndex:
    """Find every frame of a file. Raises VideoOpenError where there is none."""
    listing = _list_quickly(source) or _list_by_reading(source)
    order = _display_order(listing.packets, decoder)
    if not order:
        raise VideoOpenError(
            f"{source} holds no frame that can be decoded. Convert it to H.264 MP4 or to images."
        )
    return _assemble(listing, order, decoder)


class _Blank:
    """A file that stops reading from disk when told to, and then gives zeros.

    An MP4's header lists all its packets; to number them the demuxer reads each one all the same,
    which would take minutes for a long 4K recording. Zeros come at once.
    """

    def __init__(self, source: Path) -> None:
        self._file = source.open("rb", buffering=0)
        self._zeros = bytes(1 << 20)
        self._at = 0
        self.length = source.stat().st_size
        self.is_blank = False
        self.is_fragmented = False

    def read(self, count: int) -> bytes:
        if self.is_blank:
            self._at += min(count, len(self._zeros))
            return self._zeros[:count]
        self._file.seek(self._at)
        content = self._file.read(count)
        self._at += len(content)
        # Fragments are listed all over the file, so all of it must be read.
        self.is_fragmented |= b"mvex" in content
        return content

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = offset + (0, self._at, self.length)[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def close(self) -> None:
        self._file.close()


def _list_quickly(source: Path) -> _Listing | None:
    """List the packets of an MP4 or MOV from its header alone; None where that cannot be done."""
    file = _Blank(source)
    try:
        with av.open(
            file, "r", buffer_size=1 << 20, options={"protocol_whitelist": ""}
        ) as container:
            stream = video_stream(container)
            if stream is None or "mp4" not in container.format.name.split(","):
                return None
            entries = list(stream.index_entries)
            if file.is_fragmented or stream.codec_context.name not in _LISTED_CODECS:
                return None
            file.is_blank = True
            keys = {entry.pos for entry in entries if entry.is_keyframe}
            packets = _Packets([
                (
                    packet.pts, packet.dts, packet.pos, packet.size, packet.pos in keys,
                    not packet.is_discard,
                )
                for packet in container.demux(stream)
                if packet.size
            ])  # fmt: skip
    except (av.error.FFmpegError, OSError):
        return None
    finally:
        file.close()
    if len(packets) != len(entries):
        return None
    missing = np.flatnonzero(packets.ends > file.length)
    return _Listing(packets, frozenset(missing.tolist()))


def _list_by_reading(source: Path) -> _Listing:
    container, stream = open_container(source)
    rows: list[_Row] = []
    broken_off = None
    hides = stream.codec_context.name == "vp8"
    try:
        for packet in container.demux(stream):
            if packet.size:
                # VP8 keeps pictures that are only referred to; the fifth bit says which are shown.
                is_shown = not packet.is_discard and not (hides and not bytes(packet)[0] & 0x10)
                rows.append(
                    (
                        packet.pts, packet.dts, packet.pos, packet.size, packet.is_keyframe,
                        is_shown,
                    )
                )  # fmt: skip
    except (av.error.FFmpegError, OSError) as error:
        broken_off = f"reading stopped after them ({getattr(error, 'strerror', None) or error})"
    packets = _Packets(rows)
    container.close()
    if broken_off is None and len(packets) and (lost := missing_bytes(source)):
        broken_off = f"the file ends {lost:,} bytes too early"
    return _Listing(packets, broken_off=broken_off)


def _display_order(packets: _Packets, decoder: Decoder) -> list[int]:
    """Return packet numbers in the order shown."""
    keys = np.flatnonzero(packets.are_keys)
    first = int(keys[0]) if keys.size else 0
    candidates = first + np.flatnonzero(packets.are_shown[first:])
    may_reorder = decoder.stream.codec_context.has_b_frames
    by_time = _order_by_time(packets, candidates)
    if by_time is None and may_reorder:
        return [number for number, _ in decoder.from_start()]
    order = (candidates if by_time is None else by_time).tolist()
    is_rising = order == candidates.tolist()
    # Muxers of old containers write the decoding order for the showing order: see for oneself.
    probed = _PROBED_FRAMES if is_rising and may_reorder else 1
    numbers = [number for number, _ in islice(decoder.from_start(), probed)]
    if numbers and numbers[0] in order:
        del order[: order.index(numbers[0])]  # what a cut left without its key frame is not shown
    if is_rising and numbers != order[: len(numbers)]:
        return [number for number, _ in decoder.from_start()]
    return order if numbers else []


def _order_by_time(packets: _Packets, candidates: NDArray[np.intp]) -> NDArray[np.intp] | None:
    """Sort by presentation time; None where times are missing, repeated or start again."""
    times = packets.times[candidates]
    rank = np.argsort(times, kind="stable")
    if np.isnan(times).any() or not (np.diff(times[rank]) > 0).all():
        return None
    order = candidates[rank]
    deepest = np.abs(order - candidates).max(initial=0)
    return order if deepest <= _DEEPEST_REORDERING else None


def _assemble(listing: _Listing, order: list[int], decoder: Decoder) -> VideoIndex:
    packets, shown = listing.packets, np.array(order, np.int64)
    frame_of = np.full(max(len(packets), int(shown.max()) + 1), -1, np.int64)
    frame_of[shown] = np.arange(len(shown))
    numbers = np.flatnonzero(packets.are_keys)
    numbers = numbers[(frame_of[numbers] >= 0) | ~packets.are_shown[numbers]]
    keys = [packets.key(number) for number in numbers.tolist()] or [
        KeyPacket(0, Mark(None, None, 0), None)
    ]
    times, fps = _times(packets, shown, decoder.stream)
    missing_frames = [frame for frame, number in enumerate(order) if number in listing.missing]
    damaged = listing.broken_off and f"Only {len(order)} frames are there: {listing.broken_off}."
    if missing_frames:
        damaged = f"The file is cut off: frame {missing_frames[0]} and later ones are missing."
    return VideoIndex(
        shown=shown,
        times=times,
        fps=fps,
        keys=tuple(keys),
        # A key that is not shown stands where the one before it does.
        key_frames=np.maximum.accumulate(np.maximum(frame_of[[key.number for key in keys]], 0)),
        missing=listing.missing,
        damaged=damaged,
    )


def _times(
    packets: _Packets, shown: NDArray[np.int64], stream: VideoStream
) -> tuple[NDArray[np.float64], float]:
    """Return the seconds of each frame from the first one, and the frames per second."""
    rate = float(stream.average_rate or stream.guessed_rate or 0)
    ticks = packets.times[shown[shown < len(packets)]]
    if len(ticks) == len(shown) > 1 and stream.time_base and _rises(ticks):
        seconds = (ticks - ticks[0]) * float(stream.time_base)
        measured = (len(shown) - 1) / float(seconds[-1])
        # What the header says is rounder, and wrong where the rate varies.
        return seconds, rate if abs(rate - measured) < 0.01 * measured else measured
    rate = rate or 25.0
    return np.arange(len(shown)) / rate, rate


def _rises(values: NDArray[np.float64]) -> bool:
    return bool(values[0] < values[-1] and (np.diff(values) >= 0).all())


def _first(*values: int | None) -> int | None:
    return next((value for value in values if value is not None), None)
