"""The program without the two parts that are under other licences: noun list and lite's weights."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.frames import labels, write_masks, write_video

ROOT = Path(__file__).parents[2]
PARTS = ("classes.csv", "lite.safetensors")

# Opens the video in the window, paints a stroke on its first frame, and leaves.
_PAINT = """
import sys
from pathlib import Path

from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

import app.gui.window.window
from app.cli.window.open import show_window
from app.gui.window.window import Window


def window() -> Window:
    return next(each for each in QApplication.topLevelWidgets() if isinstance(each, Window))


def paint() -> None:
    canvas = window().canvas
    if not window().actions_by_name["tool_brush"].isEnabled():
        QTimer.singleShot(50, paint)
        return
    window().actions_by_name["tool_brush"].trigger()
    middle = canvas.viewport().rect().center()
    view, left = canvas.viewport(), Qt.MouseButton.LeftButton
    QTest.mousePress(view, left, Qt.KeyboardModifier.NoModifier, middle)
    QTest.mouseMove(view, middle + QPoint(40, 0))
    QTest.mouseRelease(view, left, Qt.KeyboardModifier.NoModifier, middle + QPoint(40, 0))
    QTimer.singleShot(200, window().actions_by_name["quit"].trigger)


class Painted(Window):
    def show(self) -> None:
        super().show()
        QTimer.singleShot(100, paint)


app.gui.window.window.Window = Painted
sys.exit(show_window(Path(sys.argv[1])))
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the program without the parts."""
    copy = tmp_path_factory.mktemp("program")
    ignored = shutil.ignore_patterns("__pycache__", *PARTS)
    for name in ("app", "models", "resources"):
        shutil.copytree(ROOT / name, copy / name, ignore=ignored)
    (copy / "paint.py").write_text(_PAINT)
    assert not [path for part in PARTS for path in copy.rglob(part)]
    return copy


def _run(program: Path, *words: str) -> subprocess.CompletedProcess[str]:
    # Only the folder of the copy: the tree that the tests run in is not to be found.
    environment = os.environ | {"PYTHONPATH": str(program)}
    return subprocess.run(
        [sys.executable, *words],
        cwd=program, env=environment, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


def _maskwright(program: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return _run(program, "-m", "app", *words)


def test_the_help_and_the_list_of_models_are_shown(program: Path) -> None:
    assert "propagate" in _maskwright(program, "--help").stdout
    listed = _maskwright(program, "models", "list")
    assert listed.returncode == 0, listed.stderr
    assert "cutie-base" in listed.stdout


def test_masks_go_from_the_command_line_to_visor(program: Path, tmp_path: Path) -> None:
    clip = write_video(tmp_path / "clip", 4)
    anchors = write_masks(tmp_path / "anchors", {"000000": labels(0, 1, 2)})
    project, target = tmp_path / "clip.maskwright", tmp_path / "clip.json"
    places = ("--anchors", str(anchors), "--out", str(tmp_path / "masks"))
    filled = _maskwright(program, "propagate", str(clip), *places, "--project", str(project))
    assert filled.returncode == 0, filled.stderr
    form = ("--format", "visor", "--out", str(target))
    exported = _maskwright(program, "export", str(project), *form)
    assert exported.returncode == 0, exported.stderr
    checked = _maskwright(program, "validate", str(target))
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert len(json.loads(target.read_text())["video_annotations"]) == 4


def test_a_class_that_a_visor_file_states_is_kept_and_not_called_wrong(
    program: Path, tmp_path: Path
) -> None:
    sample = ROOT / "resources" / "sample"
    project, target = tmp_path / "kitchen.maskwright", tmp_path / "kitchen.json"
    frames = ("--video", str(sample / "frames"))
    imported = _maskwright(program, "import", str(sample / "visor.json"), str(project), *frames)
    assert imported.returncode == 0, imported.stderr
    form = ("--format", "visor", "--out", str(target))
    exported = _maskwright(program, "export", str(project), *form, *frames)
    assert exported.returncode == 0, exported.stderr
    checked = _maskwright(program, "validate", str(target))
    assert checked.returncode == 0, checked.stdout
    assert "not installed" in checked.stdout
    assert json.loads(target.read_text()) == json.loads((sample / "visor.json").read_text())


def test_lite_says_what_to_do_where_it_is_asked_for(program: Path, tmp_path: Path) -> None:
    clip = write_video(tmp_path / "clip", 2)
    anchors = write_masks(tmp_path / "anchors", {"000000": labels(0, 1)})
    places = ("--anchors", str(anchors), "--out", str(tmp_path / "masks"))
    failed = _maskwright(program, "propagate", str(clip), *places, "--model", "lite")
    assert failed.returncode == 2
    (line,) = failed.stderr.splitlines()
    assert "lite.safetensors is missing" in line
    assert "classic needs no weights" in line


def test_the_window_starts_and_paints(program: Path, tmp_path: Path) -> None:
    clip = write_video(tmp_path / "clip", 3)
    shown = _run(program, "paint.py", str(clip))
    assert shown.returncode == 0, shown.stderr
    target = tmp_path / "clip.json"
    form = ("--format", "visor", "--out", str(target))
    exported = _maskwright(program, "export", str(tmp_path / "clip.maskwright"), *form)
    assert exported.returncode == 0, exported.stderr
    (frame,) = json.loads(target.read_text())["video_annotations"]
    (annotation,) = frame["annotations"]
    assert annotation["segments"]
