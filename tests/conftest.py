"""What every test starts from: no display, no files of the person, the same examples each time."""

import os
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from pytestqt.qtbot import QtBot

from tests.waiting import PATIENCE

# Before anything imports Qt.
os.environ["QT_QPA_PLATFORM"] = "offscreen"
if "PYTEST_XDIST_WORKER" in os.environ:
    # Before anything imports torch or OpenCV: workers share the CPU, so each takes one thread.
    os.environ["OMP_NUM_THREADS"] = os.environ["OPENCV_FOR_THREADS_NUM"] = "1"

settings.register_profile(
    "maskwright",
    deadline=None,
    derandomize=True,
    database=None,
    max_examples=50,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("maskwright")


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give each test per-user folders of its own."""
    folder = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("MASKWRIGHT_HOME", str(folder))
    return folder


@pytest.fixture
def qtbot(qtbot: QtBot) -> QtBot:
    """Let what a test waits for take as long as the test may."""
    for name in ("waitUntil", "waitSignal", "waitSignals", "waitExposed", "waitActive"):
        setattr(qtbot, name, partial(getattr(qtbot, name), timeout=round(PATIENCE * 1000)))
    return qtbot
