"""Masks land on the frames that they are named after."""

from pathlib import Path

import numpy as np
import pytest

from app.batch.masks.anchors import read_anchors
from app.errors import FirstNumberError, FormatError, UsageError
from app.storage.formats.importing import MaskSource, placed_stems
from app.storage.formats.palette import write_palette_png
from app.storage.video.opening import Video, open_video
from tests.storage.clips import write_clip
from tests.storage.test_video_folder import write_image


@pytest.fixture
def clip(tmp_path: Path) -> Video:
    return open_video(write_clip(tmp_path / "a.mp4", 12))


def numbered(numbers: list[int], digits: int = 6) -> list[str]:
    return [f"{number:0{digits}}" for number in numbers]


@pytest.mark.parametrize("digits", [1, 5, 6, 10])
def test_masks_counted_from_one_are_recognised_and_it_is_said(clip: Video, digits: int) -> None:
    places, notes = placed_stems(numbered([*range(1, 13)], digits), clip)
    assert places == list(range(12))
    assert "counted from 1" in notes[0]
    places, _ = placed_stems(numbered([3, 12], digits), clip)
    assert places == [2, 11]


@pytest.mark.parametrize("numbers", [[*range(12)], [0, 5], [5], [2, 7, 11], [1], [1, 2]])
def test_masks_counted_from_nought_stay_where_they_are(clip: Video, numbers: list[int]) -> None:
    assert placed_stems(numbered(numbers), clip) == (numbers, ())


@pytest.mark.parametrize("last", [3, 7, 11])
def test_what_stays_ambiguous_is_refused_unless_it_is_said(clip: Video, last: int) -> None:
    stems = numbered([*range(1, last + 1)])
    with pytest.raises(FormatError, match="--first-number"):
        placed_stems(stems, clip)
    assert placed_stems(stems, clip, 1)[0] == list(range(last))
    assert placed_stems(stems, clip, 0)[0] == list(range(1, last + 1))


@pytest.mark.parametrize("step", [2, 3, 5])
def test_every_second_or_third_frame_from_1_is_as_ambiguous(clip: Video, step: int) -> None:
    numbers = [*range(1, 12, step)]
    stems = numbered(numbers)
    with pytest.raises(FirstNumberError, match=f"1, {1 + step} to {numbers[-1]}"):
        placed_stems(stems, clip)
    assert placed_stems(stems, clip, 1)[0] == [number - 1 for number in numbers]
    assert placed_stems(stems, clip, 0)[0] == numbers


def test_masks_that_were_drawn_here_and_there_are_counted_from_nought(clip: Video) -> None:
    for numbers in ([1, 3, 4], [1, 5, 6, 7], [3, 5, 7]):
        assert placed_stems(numbered(numbers), clip) == (numbers, ())


def test_numbers_beyond_the_video_have_no_frame(clip: Video) -> None:
    assert placed_stems(numbered([0, 11, 12, 99]), clip)[0] == [0, 11, None, None]


def test_masks_of_a_folder_go_by_name_however_it_is_written(tmp_path: Path) -> None:
    for number, name in enumerate(("cafe\u0301_1", "caf\u00e9_2", "x")):
        write_image(tmp_path / f"{name}.png", number)
    video = open_video(tmp_path)
    places, notes = placed_stems(["caf\u00e9_1", "cafe\u0301_2", "x", "y"], video)
    assert (places, notes) == ([0, 1, 2, None], ())


def test_numbers_padded_differently_are_the_same_frames(tmp_path: Path) -> None:
    for number in (1, 2, 3):
        write_image(tmp_path / f"{number}.png", number)
    assert placed_stems(["00002", "00003"], open_video(tmp_path))[0] == [1, 2]
    assert placed_stems(["2", "3", "4"], open_video(tmp_path))[0] == [1, 2, None]


def test_a_number_that_two_frames_have_is_neither_of_them(tmp_path: Path) -> None:
    for name in ("1", "01", "2"):
        write_image(tmp_path / f"{name}.png", 5)
    assert placed_stems(["001", "002"], open_video(tmp_path))[0] == [None, 2]


@pytest.mark.parametrize("names", [("left", "right"), ("1", "b")])
def test_numbers_say_nothing_of_frames_that_have_names(
    tmp_path: Path, names: tuple[str, ...]
) -> None:
    for name in names:
        write_image(tmp_path / f"{name}.png", 5)
    assert placed_stems(["01", "2"], open_video(tmp_path)) == ([None, None], ())


def masks(folder: Path, *stems: str) -> Path:
    folder.mkdir()
    for stem in stems:
        write_palette_png(folder / f"{stem}.png", np.ones((48, 160), np.uint8))
    return folder


def test_two_masks_of_one_frame_are_refused(tmp_path: Path) -> None:
    clip = open_video(write_clip(tmp_path / "a.mp4", 12))
    with pytest.raises(FormatError, match=r"001 and 01 are of one frame"):
        MaskSource(masks(tmp_path / "masks", "001", "01", "0")).document(clip)


def test_masks_are_all_named_as_their_frames_or_all_by_index(tmp_path: Path) -> None:
    (tmp_path / "video").mkdir()
    for number in (1, 2, 3):
        write_image(tmp_path / "video" / f"{number:06}.png", number)
    video = open_video(tmp_path / "video")
    assert sorted(read_anchors(masks(tmp_path / "a", "000001", "000003"), video)) == [0, 2]
    assert sorted(read_anchors(masks(tmp_path / "b", "000000"), video)) == [0]
    with pytest.raises(UsageError, match=r"000000\.png belongs to no frame"):
        read_anchors(masks(tmp_path / "c", "000000", "000002"), video)
