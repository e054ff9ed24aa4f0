"""`maskwright bench clicks` and `bench refine`: what they say of a model on images with masks."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from app.cli.main import run
from tests.cli.frames import labels, write_masks, write_video


@pytest.fixture
def data(tmp_path: Path) -> tuple[str, str]:
    """Return folders of images and masks, one folder within each."""
    (tmp_path / "images").mkdir()
    (tmp_path / "masks").mkdir()
    write_video(tmp_path / "images" / "one", 3, "{:06}.png")
    truth = {f"{index + 1:06}": labels(index, 1) for index in range(3)}
    write_masks(tmp_path / "masks" / "one", truth)
    return str(tmp_path / "images"), str(tmp_path / "masks")


def test_clicks_and_boxes_are_measured(
    data: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = tmp_path / "clicks.json"
    assert run(["bench", "clicks", *data, "--model", "classic", "--json", str(figures)]) == 0
    assert "classic, 3 images" in capsys.readouterr().out
    measures = {each["name"]: each["value"] for each in json.loads(figures.read_text())}
    assert measures["IoU from 1 click"] > 0.5
    assert measures["IoU from a box"] > 0.5
    assert measures["Click on a warm frame, p95"] > 0


def test_two_valued_masks_are_objects_not_void(
    data: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    for path in Path(data[1]).rglob("*.png"):
        white = np.where(np.asarray(labels(int(path.stem) - 1, 1)) > 0, 255, 0).astype(np.uint8)
        cv2.imwrite(str(path), white)
    assert run(["bench", "clicks", *data, "--model", "classic", "--count", "1"]) == 0
    assert "1 images" in capsys.readouterr().out


def test_an_image_whose_mask_has_another_size_is_left_out(
    data: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    path = sorted(Path(data[1]).rglob("*.png"))[0]
    cv2.imwrite(str(path), labels(0, 1).T.copy())
    assert run(["bench", "clicks", *data, "--model", "classic"]) == 0
    assert "classic, 2 images" in capsys.readouterr().out


def test_images_without_masks_are_wrong_use(
    data: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    assert run(["bench", "clicks", data[0], str(empty), "--model", "classic"]) == 2
    assert "No mask" in capsys.readouterr().err


def test_outlines_are_compared_before_and_after(
    data: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["bench", "refine", *data, "--model", "classic", "--every", "2", "--radius", "3"]
    assert run(command) in {0, 1}  # 1: a mean that does not rise
    row = capsys.readouterr().out.splitlines()[-1].split("|")
    assert row[1].strip() == "one"
    assert all(0 <= float(cell) <= 1 for cell in row[2:-1])
    assert len(row[2:-1]) == 8


def test_outlines_of_one_sequence_are_compared(
    data: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    folders = [str(Path(folder) / "one") for folder in data]
    assert run(["bench", "refine", *folders, "--model", "classic", "--radius", "3"]) in {0, 1}
    rows = capsys.readouterr().out.splitlines()
    assert rows[-1].split("|")[1].strip() == "one"


def test_outlines_without_masks_are_wrong_use(
    data: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    words = ["bench", "refine", data[0], str(tmp_path / "empty"), "--model", "classic"]
    assert run(words) == 2
    said = capsys.readouterr()
    assert "holds no masks" in said.err
    assert said.out == ""
    blank = {f"{index + 1:06}": labels(index) for index in range(3)}
    write_masks(tmp_path / "empty" / "one", blank)
    assert run(words) == 2
    assert "holds an object" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--every", "--count"])
def test_outlines_of_every_zeroth_frame_are_wrong_use(
    data: tuple[str, str], capsys: pytest.CaptureFixture[str], option: str
) -> None:
    with pytest.raises(SystemExit) as left:
        run(["bench", "refine", *data, option, "0"])
    assert left.value.code == 2
    assert "give 1 or more" in capsys.readouterr().err


def test_a_click_beside_a_neighbour_is_measured_by_both_rules(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("JPEGImages", "Annotations"):
        (tmp_path / name).mkdir()
    write_video(tmp_path / "JPEGImages" / "one", 3, "{:05}.png")
    truth = {f"{index + 1:05}": labels(index, 1, 2) for index in range(3)}
    (tmp_path / "Annotations" / "one").mkdir()
    write_masks(tmp_path / "Annotations" / "one", truth)
    figures = tmp_path.with_name(f"{tmp_path.name}-figures.json")
    command = ["bench", "neighbours", str(tmp_path), "--model", "classic", "--every", "2"]
    assert run([*command, "--json", str(figures)]) == 0
    assert "classic, 16 clicks" in capsys.readouterr().out
    measures = {each["name"]: each["value"] for each in json.loads(figures.read_text())}
    assert measures["IoU after it, among neighbours"] > measures["IoU before the click"]
    assert 0 <= measures["Clicks that made a mask worse, among neighbours"] < 50
    assert run([*command, "--only", "two"]) == 2
    assert "two" in capsys.readouterr().err
