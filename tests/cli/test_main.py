"""What every command has in common: options, stopping, messages, exit status."""

import importlib.abc
import importlib.machinery
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import pytest

from app.__main__ import main
from app.cli.main import run
from tests.cli.frames import labels, write_masks
from tests.storage.projects import created
from tests.waiting import PATIENCE


def last_line(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().err.strip().splitlines()[-1]


@pytest.fixture
def masks(tmp_path: Path) -> str:
    return str(write_masks(tmp_path / "masks", {f"{i:05}": labels(i, 1) for i in range(3)}))


@pytest.mark.parametrize("command", ["evaluate", "propagate", "train", "bench"])
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--threads", "-1"], "-1 is too small: give 0 or more"),
        (["--threads", "many"], "'many' is not a whole number"),
        (["--device", "foo"], "'foo' is not a device: use auto, cpu, cuda, cuda:N or mps"),
    ],
)
def test_common_options_are_read_before_any_work(
    capsys: pytest.CaptureFixture[str], command: str, words: list[str], said: str
) -> None:
    with pytest.raises(SystemExit) as left:
        run([command, *words])
    assert left.value.code == 2
    assert said in last_line(capsys)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["evaluate", "--pred", "x", "--gt", "x", "--json", "{place}"], "is a folder"),
        (["evaluate", "--pred", "x", "--gt", "x", "--json", "{place}/file/a"], "is a file where"),
        (["segment", "x.png", "--out", "{place}"], "is a folder"),
        (["bench", "clicks", "x", "x", "--json", "/dev/null"], "is a device"),
    ],
)
def test_an_output_that_cannot_be_written_is_named_before_any_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit) as left:
        run([word.format(place=tmp_path) for word in words])
    assert left.value.code == 2
    assert said in last_line(capsys)


@pytest.mark.parametrize(
    ("form", "name"), [("coco", ""), ("davis", "file"), ("video", "file/a.mp4")]
)
def test_an_export_or_conversion_to_a_bad_place_is_wrong_use(
    masks: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str, name: str
) -> None:
    (tmp_path / "file").touch()
    created(tmp_path / "p.maskwright").close()
    words = ["export", str(tmp_path / "p.maskwright"), "--format", form]
    assert run([*words, "--out", str(tmp_path / name)]) == 2
    assert "Give " in last_line(capsys)
    if form == "coco":
        assert run(["convert", masks, str(tmp_path), "--from", "davis", "--to", form]) == 2
        assert "is a folder" in last_line(capsys)


def test_the_demo_needs_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    assert run(["demo", "--headless", "--out", str(tmp_path / "file")]) == 2
    assert "is a file where a folder is needed" in last_line(capsys)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (PermissionError(13, "Permission denied", "a.png"), "a.png: Permission denied. Give "),
        (IsADirectoryError(21, "Is a directory", "a", None, "b"), "b: Is a directory. Give "),
        (OSError(28, "No space left on device"), "No space left on device. Check the drive"),
        (MemoryError(), "not enough memory. Close other programs"),
    ],
)
def test_what_the_system_refuses_is_said_with_what_to_do(
    masks: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    said: str,
) -> None:
    _fail_evaluation(monkeypatch, error)
    assert run(["evaluate", "--pred", masks, "--gt", masks]) == 1
    assert said in last_line(capsys)


def test_a_stopped_command_promises_nothing(
    masks: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _fail_evaluation(monkeypatch, KeyboardInterrupt())
    monkeypatch.setattr(sys, "argv", ["maskwright", "evaluate", "--pred", masks, "--gt", masks])
    assert main() == 1
    assert last_line(capsys).startswith("maskwright: Stopped. To do it after all, run the same")


def test_a_command_may_be_stopped_while_it_is_imported(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stopped(importlib.abc.MetaPathFinder):
        def find_spec(
            self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
        ) -> importlib.machinery.ModuleSpec | None:
            if name == "app.cli.main":
                raise KeyboardInterrupt
            return None

    monkeypatch.delitem(sys.modules, "app.cli.main")
    monkeypatch.setattr(sys, "meta_path", [Stopped(), *sys.meta_path])
    assert main() == 1
    assert "Stopped" in last_line(capsys)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is always a display")
@pytest.mark.parametrize("words", [["open"], ["demo"]])
def test_a_window_without_a_display_is_wrong_use(words: list[str]) -> None:
    gone = {"DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"}
    found = subprocess.run(
        [sys.executable, "-m", "app", *words],
        env={name: value for name, value in os.environ.items() if name not in gone},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert found.returncode == 2
    assert found.stderr.startswith("maskwright: There is no display")


def _fail_evaluation(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("app.cli.masks.evaluate.score_sequence", fail)
