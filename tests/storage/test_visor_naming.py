"""The names of VISOR's images: which frame of a video one means."""

import unicodedata
from pathlib import Path
from typing import Literal

import pytest

from app.errors import FormatError
from app.storage.formats.visor.naming import FrameList, places, video_name, visor_stems
from app.storage.formats.visor.records import Record


def test_a_record_without_a_number_is_not_on_the_frame_of_number_nought() -> None:
    images = [{"name": "cover.jpg", "video": "P99_101"}, {"name": "P99_101_frame_0000000001.jpg"}]
    records = [Record({"image": image, "annotations": []}) for image in images]
    frames = FrameList(Path("P99_101"), ("frame_0000000000", "frame_0000000001"), (4, 4))
    assert places(records, frames) == [None, 1]


@pytest.mark.parametrize(("file", "disk"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_names_match_whichever_way_their_accents_are_written(
    file: Literal["NFC", "NFD"], disk: Literal["NFC", "NFD"]
) -> None:
    name = "k\u00fcche {}"
    names = [unicodedata.normalize(file, name.format(n)) for n in (1, 2)]
    records = [Record({"image": {"name": f"{each}.jpg"}, "annotations": []}) for each in names]
    stems = tuple(unicodedata.normalize(disk, name.format(n)) for n in (2, 1))
    assert places(records, FrameList(Path("a"), stems, (4, 4))) == [1, 0]


def list_of(*stems: str, source: Path = Path("a"), fps: float = 0.0) -> FrameList:
    return FrameList(source, stems, (4, 4), fps)


@pytest.mark.parametrize(
    ("stem", "source", "name"),
    [
        ("P01_02_frame_0000000007", "x.mp4", "P01_02"),
        ("0", "P01_02.MP4", "P01_02"),
        ("0", "P01_02.v2", "P01_02.v2"),
        ("P01_02_frame_7", "clip", "clip"),
    ],
)
def test_a_video_is_called_as_its_frames_say_or_else_as_its_file(
    stem: str, source: str, name: str
) -> None:
    assert video_name(list_of(stem, "P09_09_frame_0000000001", source=Path(source))) == name


def test_a_video_without_frames_is_called_as_its_file() -> None:
    assert video_name(list_of(source=Path("clip.webm"))) == "clip"


def numbers(frames: FrameList, video: str) -> list[int]:
    stems = visor_stems(frames, video)
    assert all(stem.startswith(f"{video}_frame_") for stem in stems)
    return [int(stem[-10:]) for stem in stems]


def test_frames_are_counted_from_one_unless_their_names_tell_a_number() -> None:
    assert numbers(list_of("a", "b", "c"), "P01_01") == [1, 2, 3]
    told = list_of("frame_0000000007", "0000000009", "P01_01_frame_0000000011", "x")
    assert numbers(told, "P01_01") == [7, 9, 11, 4]


@pytest.mark.parametrize(
    ("video", "fps", "counted"),
    [
        ("P01_01", 60.0, [1, 2, 3]),
        ("P01_01", 30.0, [1, 3, 5]),
        ("P01_01", 20.0, [1, 4, 7]),
        ("P01_101", 50.0, [1, 2, 3]),
        ("P01_101", 25.0, [1, 3, 5]),
        ("P01_101", 10.0, [1, 6, 11]),
        ("P01_01", 0.0, [1, 2, 3]),
        ("P01_01", 240.0, [1, 2, 3]),  # two of its frames fall on one of VISOR's
        ("another", 10.0, [1, 2, 3]),
    ],
)
def test_a_file_of_another_rate_is_counted_by_its_time(
    tmp_path: Path, video: str, fps: float, counted: list[int]
) -> None:
    source = tmp_path / f"{video}.mp4"
    source.touch()
    stems = tuple(f"x{n}" for n in range(100))
    found = numbers(list_of(*stems, source=source, fps=fps), video)
    assert found[:3] == counted
    assert found[99] == 1 + 99 * (counted[1] - 1)
    assert numbers(list_of(*stems, source=tmp_path, fps=fps), video) == list(range(1, 101))


def record(stem: str, video: str) -> Record:
    return Record({"image": {"name": f"{stem}.jpg", "video": video}, "annotations": []})


def test_a_number_is_a_frame_s_where_all_records_are_of_one_video() -> None:
    frames = list_of("x", "y", "z")
    one = [record("P01_01_frame_0000000003", "P01_01"), record("P01_01_frame_0000000004", "P01_01")]
    assert places(one, frames) == [2, None]
    assert places([*one, record("y", "P01_02")], frames) == [None, None, 1]


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"[1, 2, 3]", b'["a", ["x"], [4]]', b'["a", ["x"], [4, 0]]',
     b'["a", ["x"], [0, 4]]', b'["a", ["x"], [4, 4.5]]', b'["a", ["x", 3], [4, 4]]',
     b'["a", 3, [4, 4]]', b"[" * 100_000],
)  # fmt: skip
def test_a_damaged_list_of_names_is_refused(content: bytes) -> None:
    with pytest.raises(FormatError, match="names of its frames is damaged"):
        FrameList.loads(content)


def test_a_list_of_names_comes_back() -> None:
    frames = FrameList(Path("/videos/a"), ("x", "y"), (4, 7))
    assert FrameList.loads(frames.dumps()) == frames
    assert (len(frames), frames.stem(1)) == (2, "y")
