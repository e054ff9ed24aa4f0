"""The packets at which decoding may begin, told from bytes that are built by the standards."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.storage.video.access import Access, access

SPS, PPS, DELIMITER = b"\x67\x00", b"\x68\x00", b"\x09\xf0"
IDR, SLICE = b"\x65\x88", b"\x41\x9a"
EXACT, WITH_LOSS, LATER = 0b1100_0000, 0b1000_0000, 0b0110_0000  # of a recovery point
AVC_LENGTHS = {n: b"\x01\x64\x00\x1e" + bytes([0xFC | n - 1]) + b"\xe1" for n in (1, 2, 3, 4)}
HEVC_LENGTHS = {n: b"\x01" + bytes(20) + bytes([n - 1]) + b"\x00" for n in (1, 2, 3, 4)}


def started(units: Sequence[bytes]) -> bytes:
    """Return units that start codes part."""
    return b"".join(b"\x00\x00\x00\x01" + unit for unit in units)


def counted(units: Sequence[bytes], length_bytes: int) -> bytes:
    """Return units, each after its length."""
    return b"".join(len(unit).to_bytes(length_bytes, "big") + unit for unit in units)


def message(kind: int, payload: bytes) -> bytes:
    """Return a message of an SEI: type and length as runs of 255 and a rest, then the payload."""

    def number(value: int) -> bytes:
        return b"\xff" * (value // 255) + bytes([value % 255])

    return number(kind) + number(len(payload)) + payload


def sei(*messages: bytes) -> bytes:
    return b"\x06" + b"".join(messages) + b"\x80"


def h264(units: Sequence[bytes], extradata: bytes | None = None, length_bytes: int = 0) -> Access:
    content = counted(units, length_bytes) if length_bytes else started(units)
    return access("h264", content, extradata, intra_only=False)


def hevc(kinds: Sequence[int], extradata: bytes | None = None, length_bytes: int = 0) -> Access:
    units = [bytes([kind << 1, 1, 0x80]) for kind in kinds]
    content = counted(units, length_bytes) if length_bytes else started(units)
    return access("hevc", content, extradata, intra_only=False)


def test_every_packet_of_a_stream_without_other_pictures_is_one() -> None:
    for codec in ("mjpeg", "h264", "av1", "ffv1"):
        assert access(codec, b"", None, intra_only=True) is Access.SURE


def test_of_a_codec_whose_key_resets_all_the_decoder_decides_and_of_others_nobody() -> None:
    assert access("vp9", b"\x00", None, intra_only=False) is Access.IF_KEY
    assert access("mpeg4", b"\x00", None, intra_only=False) is Access.IF_KEY
    assert access("cinepak", b"\x00", None, intra_only=False) is Access.NONE


def test_an_h264_stream_begins_at_an_idr_picture_with_its_parameters() -> None:
    assert h264([DELIMITER, SPS, PPS, IDR]) is Access.SURE
    assert h264([DELIMITER, PPS, IDR]) is Access.NONE
    assert h264([IDR, SPS]) is Access.NONE
    assert h264([SPS, PPS, SLICE]) is Access.NONE
    assert h264([SPS, PPS]) is Access.NONE
    for data_partition in (2, 3, 4):
        assert h264([SPS, bytes([data_partition]), IDR]) is Access.NONE


@pytest.mark.parametrize("length_bytes", [1, 2, 3, 4])
def test_parameters_may_lie_before_the_stream_where_lengths_part_the_units(
    length_bytes: int,
) -> None:
    told = AVC_LENGTHS[length_bytes]
    assert h264([IDR], told, length_bytes) is Access.SURE
    assert h264([DELIMITER, SLICE, IDR], told, length_bytes) is Access.NONE
    recovered = sei(message(6, bytes([EXACT])))
    assert h264([recovered, SLICE], told, length_bytes) is Access.PROMISED
    assert hevc([19], HEVC_LENGTHS[length_bytes], length_bytes) is Access.SURE
    assert hevc([35, 1, 19], HEVC_LENGTHS[length_bytes], length_bytes) is Access.NONE


def test_what_lies_before_a_stream_with_start_codes_tells_no_length() -> None:
    for start in (b"\x00\x00\x00\x01", b"\x00\x00\x01"):
        assert h264([SPS, IDR], start + SPS + PPS) is Access.SURE
        assert h264([IDR], start + SPS + PPS) is Access.NONE
    assert h264([SPS, IDR], AVC_LENGTHS[4][:4]) is Access.SURE
    assert hevc([33, 19], HEVC_LENGTHS[4][:21]) is Access.SURE


@pytest.mark.parametrize("kind", range(64))
def test_the_kinds_of_hevc_pictures_at_which_decoding_may_begin(kind: int) -> None:
    if kind >= 32:  # no picture: the one after it counts
        assert hevc([33, kind, 20]) is Access.SURE
        assert hevc([33, kind]) is Access.NONE
    else:
        sure, promised = 16 <= kind <= 20, kind == 21
        wanted = Access.SURE if sure else Access.PROMISED if promised else Access.NONE
        assert hevc([33, kind, 19]) is wanted
        assert hevc([32, 34, kind]) is Access.NONE


@given(st.lists(st.tuples(st.integers(0, 600).filter(lambda n: n != 6), st.integers(0, 300))))
def test_a_recovery_point_is_found_behind_any_other_messages(others: list[tuple[int, int]]) -> None:
    before = [message(kind, b"\x55" * length) for kind, length in others]
    for payload, wanted in ((EXACT, Access.PROMISED), (WITH_LOSS, Access.NONE),
                            (LATER, Access.NONE), (0xFF, Access.PROMISED)):  # fmt: skip
        unit = sei(*before, message(6, bytes([payload, 0x10])))
        assert h264([SPS, unit, SLICE]) is wanted
    assert h264([SPS, sei(*before), SLICE]) is Access.NONE


def test_a_promise_that_is_cut_off_or_comes_after_the_picture_is_none() -> None:
    whole = sei(message(6, bytes([EXACT])))
    assert h264([SPS, whole, SLICE]) is Access.PROMISED
    assert h264([SPS, whole[:3], SLICE]) is Access.NONE
    assert h264([SPS, b"\x06\x06", SLICE]) is Access.NONE
    assert h264([SPS, b"\x06\xff\xff\xff\xff", SLICE]) is Access.NONE
    assert h264([SPS, SLICE, whole]) is Access.NONE
    assert h264([SPS, whole, IDR]) is Access.SURE


def test_the_bytes_that_keep_a_start_code_out_of_a_message_do_not_count() -> None:
    hidden = b"\x06\x05\x04\x00\x00\x03\x00\x01" + message(6, bytes([EXACT])) + b"\x80"
    assert h264([SPS, hidden, SLICE]) is Access.PROMISED


def obu(kind: int, payload: bytes, *, sized: bool = True, extended: bool = False) -> bytes:
    """Return a part of an AV1 temporal unit; the size in groups of seven bits, the lowest first."""
    head = bytes([kind << 3 | (4 if extended else 0) | (2 if sized else 0)])
    size, rest = b"", len(payload)
    while rest > 127:
        size, rest = size + bytes([rest & 127 | 128]), rest >> 7
    size += bytes([rest])
    return head + (b"\x08" if extended else b"") + (size if sized else b"") + payload


@pytest.mark.parametrize("codec", ["av1", "libaom-av1", "libdav1d"])
@pytest.mark.parametrize("extended", [False, True])
@pytest.mark.parametrize("length", [0, 1, 127, 128, 300, 20_000])
def test_an_av1_stream_begins_at_a_key_frame_that_is_shown_with_its_sequence(
    codec: str, length: int, *, extended: bool
) -> None:
    def begins(*units: bytes) -> bool:
        found = access(codec, b"".join(units), None, intra_only=False)
        assert found in {Access.SURE, Access.NONE}
        return found is Access.SURE

    sequence = obu(1, b"\x0a" * length, extended=extended)
    other = obu(5, b"\x01" * length, extended=extended)
    for kind in (3, 6):
        key = obu(kind, b"\x1f", extended=extended)
        assert begins(sequence, other, key)
        assert begins(sequence, obu(kind, b"\x10\x00", sized=False, extended=extended))
        assert not begins(other, key)
        assert not begins(key, sequence)
        assert begins(sequence, obu(kind, b""), key)
        for not_a_key in (b"\x90", b"\x30", b"\x50", b"\x00"):
            assert not begins(sequence, obu(kind, not_a_key), key)
    assert not begins(sequence, other)
    assert not begins(obu(2, b""), sequence, obu(4, b"\x10"))
