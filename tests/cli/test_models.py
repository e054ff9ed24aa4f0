"""`maskwright models`."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from app.cli.main import run
from models.weights.store import place


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MASKWRIGHT_HOME", str(tmp_path))
    (tmp_path / "weights").mkdir()
    return tmp_path


def test_list_shows_what_is_known_and_what_is_here(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "weights" / "sam2.1_hiera_tiny.pt").write_bytes(b"")
    assert run(["models", "list"]) == 0
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert " yes " in lines["sam2.1-tiny"]
    assert " no " in lines["depth-large"]
    assert "1.34 GB" in lines["depth-large"]
    assert "CC-BY-NC-4.0" in lines["depth-large"]


def test_list_loads_no_torch() -> None:
    code = (
        "import sys; from app.cli.main import run; run(['models', 'list']); "
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_path_prints_where_the_weights_lie(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "weights" / "sam2.1_hiera_tiny.pt").write_bytes(b"")
    assert run(["models", "path", "sam2.1-tiny"]) == 0
    assert capsys.readouterr().out.strip() == str(home / "weights" / "sam2.1_hiera_tiny.pt")


@pytest.mark.parametrize("name", ["sam2.1-tiny", "no-such-model"])
def test_path_of_what_is_not_here_is_wrong_use(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["models", "path", name]) == 2
    assert name in capsys.readouterr().err


def test_get_asks_for_consent_to_a_licence_without_commercial_use(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["models", "get", "depth-large"]) == 2
    assert "--accept-licence" in capsys.readouterr().err


def test_verify_tells_sound_from_unsound(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "weights" / "sam2.1_hiera_tiny.pt").write_bytes(b"not it")
    assert run(["models", "verify", "sam2.1-tiny"]) == 1
    told = capsys.readouterr()
    assert "checksum" in told.out
    assert "1 of 1" in told.err


def test_weights_of_ones_own_are_added_listed_and_removed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "tuned.safetensors"
    shutil.copy(place("lite"), file)
    assert run(["models", "add", str(file), "--family", "lite", "--name", "kitchen"]) == 0
    assert "--model kitchen" in capsys.readouterr().out
    run(["models", "list"])
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert "yours, of lite" in lines["kitchen"]
    assert run(["models", "remove", "kitchen"]) == 0
    run(["models", "list"])
    assert "kitchen" not in capsys.readouterr().out.replace("kitchen: removed", "")


def test_what_cannot_be_added_or_removed_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "w.pt").write_bytes(b"nothing")
    wrong = ["models", "add", str(tmp_path / "w.pt"), "--family", "cutie-small", "--name", "mine"]
    assert run(wrong) == 2
    assert "not a usable weights file" in capsys.readouterr().err
    assert run(["models", "remove", "lite"]) == 2
    assert "lite has no weights that could be removed" in capsys.readouterr().err
