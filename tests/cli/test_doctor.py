"""`maskwright doctor`: every line is ok, or says what to do."""

import importlib.util
from pathlib import Path

import pytest

from app.cli.machine.doctor import QT_PACKAGES
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


@pytest.mark.parametrize(
    ("cuda", "has_gpu", "is_told"),
    [("13.0", False, True), ("13.0", True, False), (None, False, False)],
)
def test_a_build_for_cuda_without_a_gpu_is_noticed(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    cuda: str | None,
    has_gpu: bool,
    is_told: bool,
) -> None:
    import torch

    monkeypatch.setattr(torch.version, "cuda", cuda)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: has_gpu)
    assert run(["doctor", "--device", "cpu"]) == 0
    said = capsys.readouterr().out
    assert ("there is no GPU" in said) == is_told
    assert ("whl/cpu" in said) == is_told


def test_the_libraries_of_qt_are_those_that_the_tests_need() -> None:
    file = Path(__file__).parents[2] / "packaging" / "qt_libraries.py"
    spec = importlib.util.spec_from_file_location("qt_libraries", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    named = {*module.CORE.values(), *module.DISPLAY.values(), module.FONTS}
    assert named == set(QT_PACKAGES)
