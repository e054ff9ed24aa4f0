"""`segment`: one object on one image."""

import re
from pathlib import Path

import numpy as np
import pytest

from app.cli.main import run
from app.storage.formats.palette import read_labels, write_palette_png
from tests.cli.frames import SIZE, labels, write_video


@pytest.fixture
def image(tmp_path: Path) -> Path:
    return next(write_video(tmp_path / "video", 1).iterdir())


def segment(image: Path, out: Path, *more: str) -> int:
    return run(["segment", str(image), "--out", str(out), "--model", "classic", *more])


def test_clicks_and_a_box_make_a_mask_and_a_predicted_iou(
    image: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "mask.png"
    points = ["--point", "12,14,+", "--point", "40,50,-"]
    assert segment(image, out, *points, "--box", "4,6,24,26") == 0
    found = read_labels(out, SIZE)
    assert set(np.unique(found)) == {0, 1}
    assert (found & labels(0, 1)).sum() / (found | labels(0, 1)).sum() > 0.8
    said = re.search(r"predicted IoU (\d\.\d+)", capsys.readouterr().out)
    assert said is not None
    assert 0 <= float(said[1]) <= 1


def test_a_mask_is_a_prompt(image: Path, tmp_path: Path) -> None:
    write_palette_png(tmp_path / "rough.png", labels(0, 1) * 3)
    assert segment(image, tmp_path / "m.png", "--mask", str(tmp_path / "rough.png")) == 0
    found = read_labels(tmp_path / "m.png", SIZE)
    assert (found & labels(0, 1)).sum() / (found | labels(0, 1)).sum() > 0.8


@pytest.mark.parametrize(
    ("words", "said"),
    [([], "give a click"), (["--point", "500,2,+"], "outside the frame")],
    ids=["nothing", "outside"],
)
def test_a_prompt_that_cannot_be_used_leaves_the_old_output(
    image: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    out = tmp_path / "mask.png"
    out.write_bytes(b"old")
    assert segment(image, out, *words) == 2
    assert said.lower() in capsys.readouterr().err.lower()
    assert out.read_bytes() == b"old"


def test_a_broken_picture_is_unreadable_input(
    image: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image.write_bytes(image.read_bytes()[:500])
    assert segment(image, tmp_path / "mask.png", "--point", "12,14,+") == 2
    assert "is cut off" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--weights", "{image}"], "not a usable weights file"),
        (["--weights", "{image}/none"], "no weights file"),
        (["--device", "cuda:99"], "--device auto or cpu|0 to cuda|or auto"),
        (["--device", "cuda:99", "--model", "classic"], "--device auto or cpu|0 to cuda|or auto"),
        (
            ["--weights", "none", "--model", "classic"],
            "classic has no weights: leave --weights out",
        ),
    ],
)
def test_what_a_model_cannot_be_loaded_with_is_wrong_use(
    image: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    words = [word.format(image=image) for word in words]
    assert (
        segment(image, tmp_path / "mask.png", "--point", "12,14,+", "--model", "lite", *words) == 2
    )
    assert re.search(said, capsys.readouterr().err)


@pytest.mark.parametrize("words", [["--point", "1,2"], ["--box", "1,2,3"], ["--point", "a,2,+"]])
def test_a_malformed_prompt_is_wrong_use(image: Path, tmp_path: Path, words: list[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        segment(image, tmp_path / "m.png", *words)
    assert stop.value.code == 2


def test_a_missing_image_is_wrong_use(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert segment(tmp_path / "none.jpg", tmp_path / "m.png", "--point", "1,1,+") == 2
    assert "does not exist" in capsys.readouterr().err
