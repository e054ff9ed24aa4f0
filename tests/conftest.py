"""What every test starts from: no display, no files of the person, the same examples each time."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Before anything imports Qt.
os.environ["QT_QPA_PLATFORM"] = "offscreen"

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
