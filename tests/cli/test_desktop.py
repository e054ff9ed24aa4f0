"""`maskwright desktop`: the menu entry, the icon and the file type of a Linux desktop."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from app.cli.main import run

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux desktops only")


@pytest.fixture
def share(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A person's folder of shared data, and a program on the PATH."""
    program = tmp_path / "bin here" / "maskwright"
    program.parent.mkdir()
    program.touch(mode=0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    return tmp_path / "share"


def test_the_menu_starts_this_program_and_projects_have_a_type(
    share: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["desktop"]) == 0
    assert "double click" in capsys.readouterr().out
    entry = (share / "applications" / "maskwright.desktop").read_text()
    program = share.parent / "bin here" / "maskwright"
    assert f'Exec="{program}" %f' in entry
    assert f"TryExec={program}" in entry
    assert "application/x-maskwright-project" in entry
    assert "*.maskwright" in (share / "mime" / "packages" / "maskwright.xml").read_text()
    icon = share / "icons" / "hicolor" / "scalable" / "apps" / "maskwright.svg"
    assert "<svg" in icon.read_text()


@pytest.mark.skipif(shutil.which("update-mime-database") is None, reason="needs shared-mime-info")
@pytest.mark.skipif(shutil.which("gio") is None, reason="needs glib")
def test_the_system_takes_a_project_for_one(share: Path) -> None:
    assert run(["desktop"]) == 0
    project = share.parent / "clip.maskwright"
    project.write_bytes(b"SQLite format 3\0")
    asked = ["gio", "info", "-a", "standard::content-type", str(project)]
    said = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    assert "application/x-maskwright-project" in said


def test_it_can_be_taken_out_again(share: Path) -> None:
    assert run(["desktop"]) == 0
    assert run(["desktop", "--remove"]) == 0
    ours = [each for each in share.rglob("*maskwright*") if each.is_file()]
    assert ours == []


@pytest.mark.usefixtures("share")
def test_without_a_program_on_the_path_it_says_how_to_get_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert run(["desktop"]) == 2
    assert "pipx" in capsys.readouterr().err
