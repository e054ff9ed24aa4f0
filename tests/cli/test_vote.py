"""`vote`: coarse masks and masklets in, consistent masks out."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from app.cli.main import run
from app.storage.formats.palette import Labels, read_labels
from tests.cli.frames import SIZE, labels, write_masks, write_video


def stem(index: int) -> str:
    return f"frame_{index + 1:010}"


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return write_video(tmp_path / "video")


@pytest.fixture
def masklets(tmp_path: Path) -> Path:
    return write_masks(tmp_path / "masklets", {stem(k): labels(k, 1, 2) for k in range(8)})


def coarse_maps() -> dict[str, Labels]:
    """Object 1 as a detector sees it: on frame 3 both squares, on frame 5 half of the one."""
    maps = {stem(k): labels(k, 1) for k in range(8)}
    maps[stem(3)] = np.where(labels(3, 1, 2) > 0, 1, 0).astype(np.uint8)
    maps[stem(5)][:16] = 0
    return maps


def vote(video: Path, coarse: Path, masklets: Path, out: Path, *more: str) -> int:
    words = ["vote", str(video), "--coarse", str(coarse), "--masklets", str(masklets)]
    return run([*words, "--out", str(out), *more])


def test_the_most_frequent_masklet_takes_the_place_of_the_odd_masks(
    video: Path, masklets: Path, tmp_path: Path
) -> None:
    coarse = write_masks(tmp_path / "coarse", coarse_maps())
    assert vote(video, coarse, masklets, tmp_path / "out") == 0
    for k in range(8):
        assert np.array_equal(read_labels(tmp_path / "out" / f"{stem(k)}.png"), labels(k, 1))


def test_window_and_overlap_are_as_asked(video: Path, masklets: Path, tmp_path: Path) -> None:
    coarse = write_masks(tmp_path / "coarse", coarse_maps())
    assert vote(video, coarse, masklets, tmp_path / "out", "--window", "1") == 0
    alone = read_labels(tmp_path / "out" / f"{stem(3)}.png")
    assert np.array_equal(alone, np.where(labels(3, 1, 2) > 0, 1, 0))
    assert vote(video, coarse, masklets, tmp_path / "b", "--window", "1", "--overlap", "0.4") == 0
    assert np.array_equal(read_labels(tmp_path / "b" / f"{stem(5)}.png"), labels(5, 1))


def test_where_no_masklet_fits_the_coarse_masks_stay(
    video: Path, masklets: Path, tmp_path: Path
) -> None:
    elsewhere = np.zeros(SIZE, np.uint8)
    elsewhere[0:3, 70:80] = 3
    elsewhere[58, :] = 255
    coarse = write_masks(tmp_path / "coarse", {stem(k): elsewhere for k in range(4)})
    assert vote(video, coarse, masklets, tmp_path / "out") == 0
    assert sorted(file.stem for file in (tmp_path / "out").iterdir()) == [stem(k) for k in range(4)]
    assert np.array_equal(read_labels(tmp_path / "out" / f"{stem(2)}.png"), elsewhere)


def test_the_folders_of_mevis_are_read_and_written(tmp_path: Path) -> None:
    frames, coarse, masklets = tmp_path / "JPEGImages", tmp_path / "coarse", tmp_path / "masklets"
    frames.mkdir()
    for name in ("one", "two"):
        write_video(frames / name)
        write_masks(masklets / name, {stem(k): labels(k, 1, 2) for k in range(8)})
        for number in (1, 2):
            folder = coarse / name / str(number)
            folder.mkdir(parents=True)
            for k in range(8):
                shown = labels(k, 1, 2) > 0 if k == 3 else labels(k, number) > 0
                cv2.imwrite(str(folder / f"{stem(k)}.png"), shown.astype(np.uint8) * 255)
    assert vote(frames, coarse, masklets, tmp_path / "out") == 0
    for name in ("one", "two"):
        for number in (1, 2):
            made = read_labels(tmp_path / "out" / name / str(number) / f"{stem(3)}.png")
            assert np.array_equal(made, np.where(labels(3, number) > 0, 255, 0))


@pytest.mark.parametrize("missing", ["coarse", "masklets", "empty", "video"])
def test_folders_that_do_not_fit_are_said(
    video: Path, masklets: Path, tmp_path: Path, missing: str, capsys: pytest.CaptureFixture[str]
) -> None:
    coarse = write_masks(tmp_path / "coarse", coarse_maps())
    if missing == "empty":
        coarse = tmp_path / "empty"
        coarse.mkdir()
    if missing == "video":
        coarse = tmp_path / "nested"
        (tmp_path / "coarse").rename(tmp_path / "other")
        write_masks(coarse / "other-video" / "0", coarse_maps())
    nowhere = tmp_path / "nowhere"
    given = nowhere if missing == "coarse" else coarse
    assert vote(video, given, nowhere if missing == "masklets" else masklets, tmp_path / "o") == 2
    assert "Give" in (said := capsys.readouterr().err) or "Put" in said
    assert not (tmp_path / "o").exists()
