"""The benchmark of the memory that closed videos give back."""

import json
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.cli.bench.window import memory
from app.cli.main import run
from tests.fakes import write_frames


@pytest.mark.qt_log_ignore("This plugin does not support")
def test_the_memory_is_told_for_each_video_and_what_it_grew_by(
    tmp_path: Path,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(memory, "_SETTLING", 50)
    clips = [str(write_frames(tmp_path / name, 4, (90, 160))) for name in ("one", "two")]
    figures = tmp_path / "memory.json"
    command = ["bench", "memory", *clips, "--model", "classic", "--json", str(figures)]
    assert run(command) in {0, 1}
    assert "classic" in capsys.readouterr().out
    measures = {each["name"]: each["value"] for each in json.loads(figures.read_text())}
    assert measures["memory with video 2 propagated"] > 0
    assert measures["growth from the first closed video to the last of 2"] >= 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["memory.json", "one", "two"]
