"""Masks from elsewhere: read once, and their frames found where releases keep them."""

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from app.errors import FormatError
from app.storage.formats.importing import MaskSource, Source, find_frames
from tests.storage.clips import write_clip
from tests.storage.visor_vectors import SPARSE


def write_frames(folder: Path) -> None:
    """Write a small JPEG for each frame that the sparse file names."""
    folder.mkdir(parents=True)
    for record in json.loads(SPARSE.read_bytes())["video_annotations"]:
        cv2.imwrite(str(folder / record["image"]["name"]), np.zeros((108, 192, 3), np.uint8))


def test_a_file_is_read_once_for_names_frames_and_masks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.json"
    shutil.copyfile(SPARSE, path)
    write_frames(tmp_path / "P99_101")
    read: list[Path] = []
    whole = Path.read_bytes

    def counted(file: Path) -> bytes:
        read.append(file)
        return whole(file)

    monkeypatch.setattr(Path, "read_bytes", counted)
    masks = MaskSource(path)
    video = masks.open_video()
    assert video is not None
    assert masks.names == ["P99_101"]
    assert len(masks.document(video).document) > 0
    assert read.count(path) == 1


@pytest.mark.parametrize("split", ["train", "val"])
def test_the_frames_of_a_release_are_found_beside_its_annotations(
    tmp_path: Path, split: str
) -> None:
    folder = tmp_path / "annotations" / split
    folder.mkdir(parents=True)
    shutil.copyfile(SPARSE, folder / "P99_101.json")
    write_frames(tmp_path / "rgb_frames" / split / "P99" / "P99_101")
    video = MaskSource(folder / "P99_101.json").open_video()
    assert video is not None
    assert video.source == tmp_path / "rgb_frames" / split / "P99" / "P99_101"


def test_the_frames_of_another_video_are_not_taken(tmp_path: Path) -> None:
    folder = tmp_path / "annotations" / "train"
    folder.mkdir(parents=True)
    shutil.copyfile(SPARSE, folder / "P99_101.json")
    write_frames(tmp_path / "rgb_frames" / "train" / "P99" / "P99_102")
    assert MaskSource(folder / "P99_101.json").open_video() is None


def test_a_visor_file_is_known_however_its_text_is_coded(tmp_path: Path) -> None:
    plain = SPARSE.read_text()
    path = tmp_path / "a.json"
    masks = dict(MaskSource(SPARSE).document().document.items())
    for content in (
        plain.encode("utf-16"),
        plain.encode("utf-8-sig"),
        plain.replace('"video_annotations"', '"\\u0076ideo_annotations"').encode(),
    ):
        path.write_bytes(content)
        found = MaskSource(path)
        assert found.form is Source.VISOR
        assert dict(found.document().document.items()) == masks


def test_annotations_without_a_pixel_are_counted(tmp_path: Path) -> None:
    raw = json.loads(SPARSE.read_text())
    assert not MaskSource(SPARSE).document().notes
    for record in raw["video_annotations"]:
        for annotation in record["annotations"]:
            annotation["segments"] = [[[-9, -9], [-5, -9], [-5, -5]]]
    path = tmp_path / "a.json"
    path.write_text(json.dumps(raw))
    (note,) = MaskSource(path).document().notes
    assert note.startswith("14 annotations have no pixel")


def test_a_file_without_frames_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('{"info": {}, "video_annotations": []}')
    with pytest.raises(FormatError, match="not a single frame"):
        MaskSource(path).document()


def test_a_video_file_or_a_folder_of_pngs_beside_the_json_is_found(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    shutil.copyfile(SPARSE, path)
    write_clip(tmp_path / "P99_101.mp4", 3)
    video = MaskSource(path).open_video()
    assert video is not None
    assert video.source == tmp_path / "P99_101.mp4"
    (tmp_path / "P99_101").mkdir()
    cv2.imwrite(str(tmp_path / "P99_101" / "P99_101_frame_0000000101.png"), np.zeros((9, 16, 3)))
    video = MaskSource(path).open_video()
    assert video is not None
    assert video.source == tmp_path / "P99_101"


@pytest.mark.parametrize(
    "place",
    [
        "P99_101",
        "rgb_frames/train/P99/P99_101",
        "JPEGImages/480p/P99_101",
        "JPEGImages/P99_101",
    ],
)
def test_frames_are_found_among_other_files_and_no_folder_without_any(
    tmp_path: Path, place: str
) -> None:
    path = tmp_path / "a.json"
    shutil.copyfile(SPARSE, path)
    (tmp_path / "P99_101").mkdir()
    assert MaskSource(path).names == ["P99_101"]
    assert find_frames(path, "P99_101") is None
    (tmp_path / "P99_101" / "notes.txt").write_text("no picture")
    assert find_frames(path, "P99_101") is None
    if place != "P99_101":
        write_frames(tmp_path / place)
    else:
        cv2.imwrite(str(tmp_path / place / "a.JPEG"), np.zeros((108, 192, 3), np.uint8))
    (tmp_path / place / ".DS_Store").touch()
    assert find_frames(path, "P99_101") == tmp_path / place
    assert find_frames(tmp_path, "P99_101") == tmp_path / place


def test_the_frames_of_a_coco_file_are_found_in_the_folder_that_it_names(tmp_path: Path) -> None:
    images = [
        {"id": n, "file_name": f"shots/one/{n}.png", "width": 160, "height": 48} for n in range(2)
    ]
    box = {"id": 1, "image_id": 0, "category_id": 1, "bbox": [1, 1, 3, 3], "area": 9,
           "iscrowd": 0, "segmentation": [[1, 1, 4, 1, 4, 4, 1, 4]]}  # fmt: skip
    raw = {"images": images, "annotations": [box], "categories": [{"id": 1, "name": "cup"}]}
    path = tmp_path / "a.json"
    path.write_text(json.dumps(raw))
    assert MaskSource(path).open_video() is None
    folder = tmp_path / "shots" / "one"
    folder.mkdir(parents=True)
    for number in range(2):
        cv2.imwrite(str(folder / f"{number}.jpg"), np.zeros((48, 160, 3), np.uint8))
    video = MaskSource(path).open_video()
    assert video is not None
    assert video.source == folder
