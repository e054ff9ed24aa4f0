"""The anchors in a folder: to which frame each PNG belongs, and which objects it holds."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
import pytest

from app.batch.masks.anchors import anchors_of, ids_in, object_ids, read_anchors
from app.core.evaluate import Labels
from app.core.mask import Mask
from app.errors import FormatError, UsageError
from app.storage.video.opening import Video, open_video
from tests.fakes import SIZE, square


def labels_of(*places: int) -> Labels:
    """Return squares at these x, numbered from 1."""
    labels = np.zeros(SIZE, np.uint8)
    for number, x in enumerate(places, 1):
        labels[square(x)] = number
    return labels


def clip(folder: Path, *names: str) -> Video:
    folder.mkdir()
    for name in names:
        cv2.imwrite(str(folder / f"{name}.png"), np.zeros((*SIZE, 3), np.uint8))
    return open_video(folder)


def put(folder: Path, **masks: Labels) -> Path:
    folder.mkdir(exist_ok=True)
    for name, labels in masks.items():
        cv2.imwrite(str(folder / f"{name.strip('_')}.png"), labels)
    return folder


@pytest.fixture
def named(tmp_path: Path) -> Iterator[Video]:
    """Three frames whose names are no numbers."""
    with closing(clip(tmp_path / "clip", "frame_a", "frame_b", "frame_c")) as video:
        yield video


@pytest.fixture
def numbered(tmp_path: Path) -> Iterator[Video]:
    """Three frames whose names are numbers, but not those of their places."""
    with closing(clip(tmp_path / "clip", "000001", "000002", "000003")) as video:
        yield video


def test_masks_are_named_as_their_frames(named: Video, tmp_path: Path) -> None:
    folder = put(tmp_path / "anchors", frame_a=labels_of(5), frame_c=labels_of(5, 40))
    found = read_anchors(folder, named)
    assert sorted(found) == [0, 2]
    assert (found[2] == labels_of(5, 40)).all()


def test_masks_are_named_by_the_places_of_their_frames(named: Video, tmp_path: Path) -> None:
    folder = put(tmp_path / "anchors", _000001=labels_of(5), frame_c=labels_of(40))
    found = read_anchors(folder, named)
    assert {frame: int(np.nonzero(labels)[1].min()) for frame, labels in found.items()} == {
        1: 5, 2: 40,
    }  # fmt: skip


def test_a_number_is_a_name_where_frames_have_numbers(numbered: Video, tmp_path: Path) -> None:
    folder = put(tmp_path / "anchors", _000001=labels_of(5))
    assert sorted(read_anchors(folder, numbered)) == [0]
    put(folder, _000000=labels_of(5))  # would be the same frame's by its place
    with pytest.raises(UsageError, match=r"000000\.png belongs to no frame"):
        read_anchors(folder, numbered)


def test_a_number_is_a_place_where_no_mask_is_named_as_a_frame(
    numbered: Video, tmp_path: Path
) -> None:
    folder = put(tmp_path / "anchors", _000000=labels_of(5))
    assert sorted(read_anchors(folder, numbered)) == [0]


def test_two_masks_of_one_frame_are_refused(named: Video, tmp_path: Path) -> None:
    folder = put(tmp_path / "anchors", _000001=labels_of(5), frame_b=labels_of(5))
    with pytest.raises(UsageError, match="is a second mask of frame 1"):
        read_anchors(folder, named)


@pytest.mark.parametrize("name", ["other", "000003", "00001"])
def test_a_mask_of_no_frame_is_named_with_how_it_ought_to_be(
    named: Video, tmp_path: Path, name: str
) -> None:
    folder = put(tmp_path / "anchors", **{name if name == "other" else f"_{name}": labels_of(5)})
    with pytest.raises(UsageError, match=rf"{name}\.png belongs to no frame .*frame_a\.png"):
        read_anchors(folder, named)


def test_a_folder_that_holds_nothing_is_said_to(named: Video, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not a folder"):
        read_anchors(tmp_path / "anchors", named)
    (tmp_path / "anchors").mkdir()
    with pytest.raises(UsageError, match="holds no PNG"):
        read_anchors(tmp_path / "anchors", named)


def test_masks_of_another_size_are_refused(named: Video, tmp_path: Path) -> None:
    folder = put(tmp_path / "anchors", frame_a=labels_of(5)[:20])
    with pytest.raises(FormatError, match="64x20"):
        read_anchors(folder, named)


def test_white_on_black_is_object_1_and_that_is_said(
    named: Video, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    white = labels_of(5) * np.uint8(255)
    folder = put(tmp_path / "anchors", frame_a=white, frame_b=white)
    found = read_anchors(folder, named)
    assert [np.unique(labels).tolist() for labels in found.values()] == [[0, 1]] * 2
    assert capsys.readouterr().err == ""
    white[0, 0] = 7  # a stray value of a lossy program
    put(folder, frame_a=white)
    assert np.unique(read_anchors(folder, named)[0]).tolist() == [0, 1]
    assert capsys.readouterr().err


def test_an_object_that_a_map_lacks_is_not_said_to_be_absent_but_on_an_empty_one() -> None:
    given = {7: labels_of(5, 40), 2: labels_of(5), 4: labels_of()}
    found = anchors_of(given, Path("anchors"))
    assert list(found) == [2, 4, 7]
    assert found == {
        2: {1: Mask.encode(square(5))},
        4: {1: None, 2: None},
        7: {1: Mask.encode(square(5)), 2: Mask.encode(square(40))},
    }


def test_maps_without_any_object_are_refused() -> None:
    with_void = labels_of()
    with_void[:5] = 255
    for given in ({0: labels_of()}, {0: with_void, 1: labels_of()}):
        with pytest.raises(UsageError, match="hold no object"):
            object_ids(given, Path("anchors"))
    with_void[30:] = 9
    assert object_ids({0: with_void, 1: labels_of(5)}, Path("anchors")) == {0: [9], 1: [1]}
    assert ids_in(with_void) == [9]
