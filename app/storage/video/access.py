"""The random access points of a video stream: the packets at which decoding may begin.

A container's "key frame" is a hint only. Many are places from which a picture can be shown soon:
after an open group, a recovery point or the turn of a rolling refresh, later pictures may still
lean on earlier ones, and some containers call every packet a key. What begins anew is told from
the packet's own bytes where the codec says so, and else from the frame that comes out.

Sources: ITU-T H.264 (7.4.1.2.4, D.2.8), ITU-T H.265 (7.4.2.2), AV1 specification (5.9.2, 7.6).
"""

import enum
import re
from collections.abc import Iterator

# Their key frame resets all that a decoder remembers, and later frames lean on nothing before it.
_RESET_BY_KEY = frozenset(
    {
        "ffv1", "flv", "h263", "h263i", "h263p", "mpeg1video", "mpeg2video", "mpeg4", "msmpeg4",
        "msmpeg4v1", "msmpeg4v2", "rv10", "rv20", "rv30", "rv40", "svq1", "theora", "vc1", "vp3",
        "vp6", "vp6a", "vp6f", "vp8", "vp9", "wmv1", "wmv2", "wmv3",
    }
)  # fmt: skip
_START_CODE = re.compile(rb"\x00\x00\x01")
_RECOVERY_POINT = 6  # the type of the message in an H.264 SEI


class Access(enum.Enum):
    """What is known of a packet that a container calls a key."""

    SURE = enum.auto()  # decoding may begin here
    PROMISED = enum.auto()  # it may in a stream that nothing is missing of
    IF_KEY = enum.auto()  # it may if the decoder, too, calls its frame a key
    NONE = enum.auto()


def access(codec: str, content: bytes, extradata: bytes | None, *, intra_only: bool) -> Access:
    """Return whether decoding may begin at a packet: what comes after it is then exact.

    `codec` is the name of FFmpeg's decoder.
    """
    if intra_only:
        return Access.SURE
    if codec in {"h264", "hevc"}:
        length_bytes = _length_bytes(codec, extradata)
        units = _by_length(content, length_bytes) if length_bytes else _by_start_code(content)
        begins = _h264_access if codec == "h264" else _hevc_access
        return begins(units, in_band=not length_bytes)
    if codec in {"av1", "libaom-av1", "libdav1d"}:
        return Access.SURE if _av1_begins(content) else Access.NONE
    return Access.IF_KEY if codec in _RESET_BY_KEY else Access.NONE


def _h264_access(units: Iterator[bytes], *, in_band: bool) -> Access:
    has_parameters = not in_band
    is_recovered = False
    for unit in units:
        kind = unit[0] & 31
        has_parameters |= kind == 7
        if kind == 6:
            is_recovered |= _recovers_at_once(unit[1:])
        if 1 <= kind <= 5:
            if not has_parameters:
                return Access.NONE
            return Access.SURE if kind == 5 else Access.PROMISED if is_recovered else Access.NONE
    return Access.NONE


def _hevc_access(units: Iterator[bytes], *, in_band: bool) -> Access:
    has_parameters = not in_band
    for unit in units:
        kind = unit[0] >> 1 & 63
        has_parameters |= kind == 33
        if kind < 32:  # a slice; 16 to 20 empty the decoder, after 21 none looks past it
            if not has_parameters:
                return Access.NONE
            return (
                Access.SURE if 16 <= kind <= 20 else Access.PROMISED if kind == 21 else Access.NONE
            )
    return Access.NONE


def _recovers_at_once(message: bytes) -> bool:
    """Whether an SEI promises that this and all later pictures shown come out exact from here."""
    content, at = message.replace(b"\x00\x00\x03", b"\x00\x00"), 0
    while at + 2 < len(content):
        numbers = []
        for _ in range(2):  # the type, then the length, each of a run of 255 and a rest
            value = 0
            while at < len(content) and content[at] == 255:
                value, at = value + 255, at + 1
            numbers.append(value + (content[at] if at < len(content) else 0))
            at += 1
        kind, length = numbers
        if kind == _RECOVERY_POINT and at < len(content):
            # No frames to wait for is the single bit 1; the next one promises an exact match.
            return content[at] & 0xC0 == 0xC0
        at += length
    return False


def _av1_begins(content: bytes) -> bool:
    has_sequence = False
    for kind, payload in _obus(content):
        has_sequence |= kind == 1
        if kind in {3, 6} and payload:
            # Not a repeated frame (bit 7), of type key (bits 6 and 5), shown (bit 4).
            return has_sequence and payload[0] & 0xF0 == 0x10
    return False


def _obus(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield type and payload of an AV1 temporal unit's parts."""
    at = 0
    while at < len(content):
        head = content[at]
        at += 2 if head & 4 else 1
        size, shift = len(content) - at, 0
        if head & 2:
            size = 0
            while at < len(content):
                byte = content[at]
                at += 1
                size |= (byte & 127) << shift
                shift += 7
                if byte < 128:
                    break
        yield head >> 3 & 15, content[at : at + size]
        at += size


def _length_bytes(codec: str, extradata: bytes | None) -> int:
    """Return how many bytes tell a unit's length; 0 where start codes part the units."""
    place = 4 if codec == "h264" else 21
    if not extradata or len(extradata) <= place or extradata[:3] in {b"\0\0\0", b"\0\0\1"}:
        return 0
    return (extradata[place] & 3) + 1


def _by_length(content: bytes, length_bytes: int) -> Iterator[bytes]:
    at = 0
    while at + length_bytes < len(content):
        size = int.from_bytes(content[at : at + length_bytes], "big")
        at += length_bytes
        if size:
            yield content[at : at + size]
        at += size


def _by_start_code(content: bytes) -> Iterator[bytes]:
    starts = [found.end() for found in _START_CODE.finditer(content)]
    for start, end in zip(starts, [*starts[1:], len(content)], strict=True):
        if start < end:
            yield content[start:end]
