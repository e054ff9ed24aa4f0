"""`maskwright doctor`: every line is ok, or says what to do."""

from pathlib import Path

import pytest

from app.cli.main import run


def test_a_machine_that_can_run_the_tests_is_ready(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor", "--device", "cpu"]) == 0
    said = capsys.readouterr().out
    for subject in ("Python", "Window", "Models", "Device", "Video", "Images", "Weights", "Disk"):
        assert f" {subject} " in said
    assert "PROBLEM" not in said
    assert said.endswith("Ready.\n")


def test_a_folder_that_cannot_be_written_to_is_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("MASKWRIGHT_HOME", str(tmp_path / "file"))
    assert run(["doctor"]) == 1
    said = capsys.readouterr().out
    assert "PROBLEM Settings" in said
    assert "MASKWRIGHT_HOME" in said


def test_a_device_that_is_not_there_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor", "--device", "cuda:99"]) == 0
    assert "cuda:99 cannot be used" in capsys.readouterr().out
