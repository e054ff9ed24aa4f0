"""Masks from elsewhere: read once, and their frames found where releases keep them."""

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from app.storage.formats.importing import MaskSource
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
