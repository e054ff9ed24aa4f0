"""`demo --headless`: the whole loop, with no display and no Qt."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app import paths
from app.storage.formats.palette import read_labels
from app.storage.formats.visor.validation.validate import validate
from app.storage.video.opening import open_video

_PROGRAM = """
import sys
from app.cli.main import run
status = run(["demo", "--headless", "--out", sys.argv[1], "--model", "classic", "--threads", "2"])
assert "PySide6" not in sys.modules, "Qt was imported"
assert "torch" not in sys.modules, "classic needs no torch"
sys.exit(status)
"""


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("demo") / "out"
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, str(out)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return out


@pytest.fixture(scope="module")
def report(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / "report.json").read_text())
    return found


def test_the_correction_makes_the_masks_better(report: dict[str, Any]) -> None:
    for measure in ("J", "F", "J&F"):
        assert report["after"][measure] > report["before"][measure] + 0.02
    assert report["after"]["J&F"] > 0.8
    assert report["corrections"]
    assert report["frames_recomputed"] > 0
    assert {"click", "propagate", "find", "correct", "heal", "refine", "export"} <= set(
        report["seconds"]
    )


def test_every_frame_has_a_mask_of_its_stem(out: Path) -> None:
    video = open_video(paths.sample_folder() / "frames")
    stems = {video.stem(index) for index in range(len(video))}
    video.close()
    assert {file.stem for file in (out / "masks").iterdir()} == stems
    first = read_labels(next((out / "masks").iterdir()), (360, 640))
    assert set(np.unique(first)) <= {0, 1}


def test_the_visor_file_is_valid(out: Path) -> None:
    assert not validate(json.loads((out / "visor.json").read_text()))


def test_the_overlay_is_a_video_of_all_frames(out: Path) -> None:
    video = open_video(out / "overlay.mp4")
    assert len(video) == 60
    assert video.size == (360, 640)
    video.close()


def test_the_contact_sheet_is_a_picture(out: Path) -> None:
    from app.storage.video.image import read_image

    assert read_image(out / "contact_sheet.png").shape[1] > 1500
