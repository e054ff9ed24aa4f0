"""The decoder of a video file: forward from wherever decoding may begin, exactly.

Frames are told apart by the packet that they came from, not by their timestamp: timestamps may be
missing, repeated, negative or wrong, the order of the packets in the file never is. Each packet is
numbered as it is demuxed, and the number rides through the decoder in the packet's timestamp field.
"""

import itertools
import logging
import os
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import NamedTuple

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from app.storage.video.access import Access, access
from app.storage.video.container import open_container

_SECONDS_BACK = (0.0, 3.0, 15.0)
_MOST_THREADS = 8

log = logging.getLogger(__name__)


class Mark(NamedTuple):
    """What makes a packet recognisable after a seek.

    Its size tells most: timestamps and places can be guesses of the demuxer, and other guesses
    after a seek than before.
    """

    pts: int | None
    position: int | None
    size: int


class KeyPacket(NamedTuple):
    """A packet that the container calls a key."""

    number: int
    mark: Mark
    seek_to: int | None  # in the stream's time base


class Decoded(NamedTuple):
    """A frame, and the number of the packet that it came from."""

    number: int
    frame: av.VideoFrame


_Numbered = tuple[int, "av.Packet[VideoStream]"]


class Decoder:
    """One decoder on one file; for one thread at a time."""

    def __init__(self, source: Path) -> None:
        self._source = source
        self._container, self._stream = self._open()
        self._is_fresh = True  # at the start of the file still

    @property
    def stream(self) -> VideoStream:
        """The video stream, for its facts."""
        return self._stream

    def from_start(self) -> Generator[Decoded, None, None]:
        """Decode the whole file, in the order shown."""
        self._reopen()
        return self._decode(self._demux(0))

    def from_key(
        self, key: KeyPacket, *, trusting: bool = True
    ) -> Generator[Decoded, None, None] | None:
        """Decode from `key` on; None where decoding may not begin there.

        With `trusting` it may where the stream only promises so. Frames shown before the key frame
        may be missing or wrong.
        """
        packets = self._packets_of(key)
        first = next(packets, None)
        if first is None:
            return None
        context = self._stream.codec_context
        found = access(
            context.name, bytes(first[1]), context.extradata, intra_only=context.codec.intra_only
        )
        if found is Access.NONE or (found is Access.PROMISED and not trusting):
            return None
        frames = self._decode(itertools.chain([first], packets))
        return frames if found is Access.SURE else _from_key_frame(frames, key.number)

    def close(self) -> None:
        """Close the file."""
        self._container.close()

    def _reopen(self) -> None:
        """Be at the start of the file."""
        if not self._is_fresh:
            self._container.close()
            self._container, self._stream = self._open()
        self._is_fresh = False

    def _open(self) -> tuple[InputContainer, VideoStream]:
        container, stream = open_container(self._source)
        stream.thread_type = "AUTO"
        stream.codec_context.thread_count = min(_MOST_THREADS, os.cpu_count() or 1)
        return container, stream

    def _packets_of(self, key: KeyPacket) -> Iterator[_Numbered]:
        """Return the packets from `key` on, by a seek or else by reading all before it."""
        if key.seek_to is not None:
            self._is_fresh = False
            for seconds in _SECONDS_BACK:
                packets = self._packets_from(key, seconds)
                if packets is not None:
                    return packets
        self._reopen()
        return self._demux(0, until=key.number)

    def _packets_from(self, key: KeyPacket, seconds_back: float) -> Iterator[_Numbered] | None:
        """Seek to or before `key`, or return None where the container lands behind it."""
        assert key.seek_to is not None
        back = int(seconds_back / self._stream.time_base) if self._stream.time_base else 0
        try:
            self._container.seek(key.seek_to - back, stream=self._stream)
            for packet in self._container.demux(self._stream):
                if mark_of(packet) == key.mark:
                    return self._numbered(packet, key.number)
                if _is_behind(packet, key):
                    return None
        except (av.error.FFmpegError, OSError):
            return None
        return None

    def _numbered(self, first: "av.Packet[VideoStream]", number: int) -> Iterator[_Numbered]:
        yield number, first
        yield from self._demux(number + 1)

    def _demux(self, number: int, until: int = 0) -> Iterator[_Numbered]:
        """Yield the packets from number `until` on, counting from `number`; damage ends it."""
        try:
            for packet in self._container.demux(self._stream):
                if packet.size:
                    if number >= until:
                        yield number, packet
                    number += 1
        except (av.error.FFmpegError, OSError) as error:
            log.info("%s: reading ends after packet %d: %s", self._source.name, number, error)

    def _decode(self, packets: Iterator[_Numbered]) -> Generator[Decoded, None, None]:
        last = None
        for number, packet in packets:
            if last is not None:
                yield from self._frames_of(last)
            packet.pts = packet.dts = number
            last = packet
        # A file that is cut off ends in a part of a packet. Its error would come while the decoder
        # is emptied, and cost the frames that are still in there.
        if last is not None and not last.is_corrupt:
            yield from self._frames_of(last)
        yield from self._frames_of(None)

    def _frames_of(self, packet: "av.Packet[VideoStream] | None") -> Iterator[Decoded]:
        """Yield what the decoder gives for one packet more, or for the end."""
        try:
            frames = self._stream.codec_context.decode(packet)
        except (av.error.FFmpegError, OSError):
            return  # this packet is damaged; the frames after it are not
        for frame in frames:
            if frame.pts is not None:
                yield Decoded(frame.pts, frame)


def _from_key_frame(frames: Iterator[Decoded], number: int) -> Generator[Decoded, None, None]:
    """Yield the frames from packet `number`'s on; none where the decoder calls it no key."""
    for decoded in frames:
        if decoded.number == number:
            if decoded.frame.key_frame:
                yield decoded
                yield from frames
            return


def mark_of(packet: "av.Packet[VideoStream]") -> Mark:
    """Return what `packet` is recognised by."""
    return Mark(packet.pts, packet.pos, packet.size)


def _is_behind(packet: "av.Packet[VideoStream]", key: KeyPacket) -> bool:
    if packet.pos is not None and key.mark.position is not None:
        return packet.pos > key.mark.position
    return packet.dts is not None and key.seek_to is not None and packet.dts > key.seek_to
