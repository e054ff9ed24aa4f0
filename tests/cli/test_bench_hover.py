"""The benchmark of previews, with a model that needs no weights."""

import json
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.cli.bench.window import hover as bench_hover
from app.cli.main import run
from tests.waiting import PATIENCE


@pytest.mark.qt_log_ignore("This plugin does not support")
def test_previews_under_a_moving_pointer_are_timed(
    tmp_path: Path,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in {"_SIZE": (90, 160), "_FRAMES": 3, "_SECONDS": 0.5, "_STAY": 50}.items():
        monkeypatch.setattr(bench_hover, name, value)
    monkeypatch.setattr("sys.setswitchinterval", lambda _seconds: None)
    figures = tmp_path / "hover.json"
    command = ["bench", "hover", "--model", "classic", "--json", str(figures)]
    assert run(command) in {0, 1}  # 1: a busy machine
    assert "classic" in capsys.readouterr().out
    measures = {each["name"]: each["value"] for each in json.loads(figures.read_text())}
    assert 0 < measures["from preview to preview at 30 moves a second"] < 1000 * PATIENCE
    assert len(measures) == 4
