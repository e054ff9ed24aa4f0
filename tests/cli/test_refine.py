"""`refine`: sharper masks where they still mean the same thing."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from app.cli.main import run
from app.storage.formats.palette import Labels, read_labels
from tests.cli.frames import SIZE, labels, write_masks, write_video


def grown(index: int) -> Labels:
    """Return both objects' masks, two pixels too wide."""
    return np.asarray(cv2.dilate(labels(index, 1, 2), np.ones((5, 5), np.uint8)), np.uint8)


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return write_video(tmp_path / "video", 3, "{:06}.png")


@pytest.fixture
def masks(tmp_path: Path) -> Path:
    return write_masks(tmp_path / "masks", {f"{i + 1:06}": grown(i) for i in range(3)})


def refine(video: Path, masks: Path, out: Path, *more: str) -> int:
    words = ["refine", str(video), "--masks", str(masks), "--out", str(out)]
    return run([*words, "--model", "classic", *more])


def test_chosen_frames_are_sharpened_and_others_kept(
    video: Path, masks: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert refine(video, masks, tmp_path / "out", "--frames", "0,2-2") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in lines] == [
        "frame 0 object 1", "frame 0 object 2", "frame 2 object 1", "frame 2 object 2",
    ]  # fmt: skip
    assert all("accepted, IoU 0." in line for line in lines)
    out = [read_labels(tmp_path / "out" / f"{index + 1:06}.png", SIZE) for index in range(3)]
    assert np.array_equal(out[1], grown(1))
    for index in (0, 2):
        wrong = np.count_nonzero(out[index] != labels(index, 1, 2))
        assert wrong < 0.5 * np.count_nonzero(grown(index) != labels(index, 1, 2))


def test_a_gate_of_one_keeps_every_mask(
    video: Path, masks: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert refine(video, masks, tmp_path / "out", "--iou-gate", "1") == 0
    assert ": kept, IoU " in capsys.readouterr().out
    for index in range(3):
        out = read_labels(tmp_path / "out" / f"{index + 1:06}.png", SIZE)
        assert np.array_equal(out, grown(index))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--frames", "7"], "which has 3"),
        (["--frames", f"0-{10**18}"], f"Frame {10**18} is not in the video, which has 3"),
        (["--iou-gate", "2"], "--iou-gate"),
        (["--model", "cutie-base"], "not a segmenter"),
    ],
)
def test_wrong_use_is_said_in_one_line(
    video: Path,
    masks: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    said: str,
) -> None:
    assert refine(video, masks, tmp_path / "out", *words) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_frame_without_a_mask_cannot_be_chosen(
    video: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    masks = write_masks(tmp_path / "masks", {"000001": grown(0)})
    assert refine(video, masks, tmp_path / "out", "--frames", "1") == 2
    assert "has no mask" in capsys.readouterr().err


def test_masks_in_white_on_black_are_object_1(
    video: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    white = np.where(grown(0) > 0, 255, 0).astype(np.uint8)
    masks = write_masks(tmp_path / "masks", {"000001": white})
    assert refine(video, masks, tmp_path / "out") == 0
    assert "object 1:" in capsys.readouterr().out


def test_masks_of_nothing_but_255_are_wrong_use(
    video: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    void = np.full_like(grown(0), 255)
    masks = write_masks(tmp_path / "masks", {"000001": void})
    assert refine(video, masks, tmp_path / "out") == 2
    assert "hold no object" in capsys.readouterr().err
