"""`maskwright bench`: the kinds, and the one over files at a small size."""

import json
from pathlib import Path

import pytest

from app.cli.bench import io as bench_io
from app.cli.main import run


def test_reading_and_writing_are_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    small = {"_HD": (72, 128), "_HOUR": 240, "_CLIP": 60, "_JUMPS": 3, "_STROKES": 3}
    for name, value in {**small, "_PROPAGATED": 50, "_MASKS": 100}.items():
        monkeypatch.setattr(bench_io, name, value)
    figures = tmp_path / "io.json"
    assert run(["bench", "io", "--json", str(figures)]) in {0, 1}  # 1: a busy machine
    measures = json.loads(figures.read_text())
    said = capsys.readouterr().out
    assert len(measures) >= 14
    for measure in measures:
        assert measure["value"] >= 0
        assert f"| {measure['name']} |" in said


def test_the_scheduling_of_a_batch_is_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = tmp_path / "batch.json"
    few = ["--videos", "120", "--seconds", "0.01", "--workers", "2", "--json", str(figures)]
    assert run(["bench", "batch", *few]) in {0, 1}  # 1: a busy machine, and so short videos
    found = {each["name"]: each["value"] for each in json.loads(figures.read_text())}
    said = capsys.readouterr().out
    assert all(f"| {name} |" in said for name in found)
    assert found["A video in a plain loop"] >= 0.01
    assert found["The last 108 of 120 videos, 2 workers"] >= 0.01 * 106 / 2
    assert "Overhead over all of them" in found
    assert found["Growth of it"] < 20


def test_an_unknown_kind_is_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        run(["bench", "speed"])
    assert left.value.code == 2
    assert "propagate" in capsys.readouterr().err
