"""The window where the project cannot be saved: it asks before anything is thrown away."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QMessageBox, QPushButton, QWidget

from app.gui.dialogs.ask import Ask, Unsaved
from app.storage.project.project import Project
from tests.fakes import write_frames
from tests.gui.conftest import Desk


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Path]:
    """Return a folder on a disk of its own, which is small."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(folder)]
    is_linux = sys.platform == "linux"
    if not is_linux or subprocess.run(command, check=False, capture_output=True).returncode != 0:
        pytest.skip("no disk can be mounted here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


class Answers:
    """Answers the question about what cannot be saved, once each; `asked` holds what was said."""

    def __init__(self, desk: Desk, monkeypatch: pytest.MonkeyPatch, *answers: Unsaved) -> None:
        self.left, self.asked = list(answers), list[tuple[str, int, str]]()
        monkeypatch.setattr(desk.ask, "unsaved", self._answer)

    def _answer(self, title: str, count: int, why: str) -> Unsaved:
        self.asked.append((title, count, why))
        return self.left.pop(0)


def on_a_full_disk(desk: Desk, disk: Path) -> None:
    """Draw eleven masks, the first of which is saved before the disk is full."""
    clip = write_frames(disk / "clip", 12)
    desk.window.files.open(clip)
    desk.settle()
    desk.draw()
    desk.session.files.save()
    (disk / "fill").write_bytes(bytes(shutil.disk_usage(disk).free))
    for frame in range(1, 11):
        desk.draw(frame)


LEAVES: dict[str, Callable[[Desk], object]] = {
    "quit": lambda desk: desk.do("quit"),
    "the window's cross": lambda desk: desk.window.close(),
    "Ctrl+W": lambda desk: desk.do("close"),
    "another clip": lambda desk: desk.window.files.open(desk.clip),
}


@pytest.mark.parametrize("leave", LEAVES)
def test_a_full_disk_keeps_the_video_open(
    full: Path, desk: Desk, monkeypatch: pytest.MonkeyPatch, leave: str
) -> None:
    on_a_full_disk(desk, full)
    answers = Answers(desk, monkeypatch, Unsaved.AGAIN, Unsaved.KEEP)
    LEAVES[leave](desk)
    assert [(title, count) for title, count, _ in answers.asked] == [("clip", 10)] * 2
    assert "disk" in answers.asked[0][2]
    assert desk.window.isVisible()
    assert desk.session.video.title == "clip"
    assert len(desk.session.masks.document) == 11
    (full / "fill").unlink()
    LEAVES[leave](desk)
    desk.session.files.close()
    project = Project.open(full / "clip.maskwright")
    assert len(project.load()) == 11
    project.close()


def test_a_drive_that_is_gone_is_saved_elsewhere(
    full: Path, desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_a_full_disk(desk, full)
    (full / "fill").unlink()
    subprocess.run(["umount", "-l", str(full)], check=True)
    answers = Answers(desk, monkeypatch, Unsaved.ELSEWHERE)
    desk.ask.answer = tmp_path / "rescued.maskwright"
    desk.window.close()
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(full)], check=True)  # for the fixture
    assert "not there any more" in answers.asked[0][2]
    assert not desk.window.isVisible()
    project = Project.open(tmp_path / "rescued.maskwright")
    assert len(project.load()) == 11
    project.close()


def test_what_a_person_throws_away_is_gone_and_the_next_clip_opens(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    other = write_frames(tmp_path / "other", 5)
    desk.open()
    desk.draw()
    desk.clip.with_name("clip.maskwright").unlink()
    Answers(desk, monkeypatch, Unsaved.DISCARD)
    desk.window.files.open(other)
    assert desk.session.video.title == "other"


def test_the_status_bar_does_not_go_on_saying_saved(desk: Desk) -> None:
    desk.open()
    desk.draw()
    desk.do("save")
    status = desk.window.statusBar()
    assert "saved" in status.saved_text  # type: ignore[attr-defined]
    desk.clip.with_name("clip.maskwright").unlink()
    desk.qtbot.waitUntil(
        lambda: status.saved_text.startswith("not saved")  # type: ignore[attr-defined]
    )
    desk.session.files.close(discard=True)


@pytest.mark.parametrize(
    ("button", "answer"),
    [
        ("Try again", Unsaved.AGAIN),
        ("Save elsewhere…", Unsaved.ELSEWHERE),
        ("Throw away", Unsaved.DISCARD),
        ("Keep open", Unsaved.KEEP),
        ("", Unsaved.KEEP),  # the dialog is closed
    ],
)
def test_the_question_has_an_answer_for_each_way_out(
    desk: Desk, button: str, answer: Unsaved
) -> None:
    parent = QWidget()
    desk.qtbot.addWidget(parent)

    def press() -> None:
        box = QApplication.activeModalWidget()
        assert isinstance(box, QMessageBox)
        found = [b for b in box.buttons() if b.text().replace("&", "") == button]
        (found[0].click if found else box.reject)()

    QTimer.singleShot(0, press)
    assert Ask(parent, desk.store).unsaved("clip", 10, "The disk is full.") is answer


def test_enter_keeps_the_video_open(desk: Desk) -> None:
    parent = QWidget()
    desk.qtbot.addWidget(parent)

    def press() -> None:
        box = QApplication.activeModalWidget()
        assert isinstance(box, QMessageBox)
        default = box.defaultButton()
        assert isinstance(default, QPushButton)
        default.click()

    QTimer.singleShot(0, press)
    assert Ask(parent, desk.store).unsaved("clip", 0, "") is Unsaved.KEEP
