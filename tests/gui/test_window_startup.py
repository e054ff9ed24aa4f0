"""The program from the outside: it comes up light, opens what it is given, says what is wrong."""

import os
import subprocess
import sys
from pathlib import Path

from tests.fakes import write_frames
from tests.waiting import PATIENCE

# Runs the real command; the event loop is replaced by a look at the window.
LOOK = """
import sys
from PySide6.QtWidgets import QApplication
def look():
    application = QApplication.instance()
    application.processEvents()
    window = next(w for w in application.topLevelWidgets() if w.objectName() == "window")
    heavy = [name for name in ("torch", "sam2", "transformers", "av") if name in sys.modules]
    print(window.isVisible(), heavy, window.windowTitle())
    window.close()
    return 0
QApplication.exec = staticmethod(look)
from app.cli.main import run
sys.exit(run(sys.argv[1:]))
"""


def start(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", LOOK, *words],
        env=os.environ | {"MASKWRIGHT_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def test_the_window_comes_up_without_torch_or_a_model(home: Path) -> None:
    done = start(home)
    assert (done.returncode, done.stdout.strip()) == (0, "True [] Maskwright"), done.stderr
    assert (home / "logs" / "maskwright.log").exists()


def test_a_source_on_the_command_line_is_opened(home: Path, tmp_path: Path) -> None:
    clip = write_frames(tmp_path / "clip", 3)
    done = start(home, str(clip))
    assert done.stdout.strip().endswith("clip — Maskwright"), done.stderr


def test_a_source_that_is_missing_is_wrong_use(home: Path) -> None:
    done = start(home, "nothing.mp4")
    assert done.returncode == 2
    assert "nothing.mp4 does not exist" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
