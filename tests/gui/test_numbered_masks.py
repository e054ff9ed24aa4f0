"""Masks that are numbered, onto a video file: from where on is asked where nothing says it."""

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtWidgets import QApplication, QMessageBox
from pytestqt.qtbot import QtBot

from app.gui.dialogs.ask import Ask
from app.storage.formats.palette import write_palette_png
from tests.gui.conftest import Desk
from tests.storage.clips import write_clip

NUMBERS = (1, 3, 5, 7)


@pytest.fixture
def masks(tmp_path: Path) -> Path:
    folder = tmp_path / "masks"
    folder.mkdir()
    for number in NUMBERS:
        write_palette_png(folder / f"{number:06d}.png", np.ones((48, 160), np.uint8))
    return folder


@pytest.mark.parametrize(("number", "frames"), [(1, [0, 2, 4, 6]), (0, [1, 3, 5, 7]), (None, [])])
def test_it_is_asked_which_frame_1_is(
    desk: Desk, tmp_path: Path, masks: Path, number: int | None, frames: list[int]
) -> None:
    desk.window.files.open(write_clip(tmp_path / "a.mp4", 12))
    desk.settle()
    desk.ask.answer, desk.ask.number = masks, number
    desk.do("import_masks")
    asked = [question for question in desk.ask.asked if "numbered" in question]
    assert asked == [
        "The masks are numbered 1, 3 to 7, the video has 12 frames: is 1 its first frame or its "
        "second?"
    ]
    assert desk.session.masks.document.frames() == frames
    assert not any("--first" in text for text in desk.window.messages.texts)


def test_a_ground_truth_is_asked_for_too(desk: Desk, tmp_path: Path, masks: Path) -> None:
    desk.window.files.open(write_clip(tmp_path / "a.mp4", 12))
    desk.settle()
    desk.ask.answer, desk.ask.number = masks, 1
    desk.do("errors")
    assert [frame for frame in range(12) if desk.session.compare.masks(frame)] == [0, 2, 4, 6]


@pytest.mark.parametrize(("number", "frames"), [(1, (0, 2, 4, 6)), (0, (1, 3, 5, 7))])
def test_a_run_is_asked_for_too(
    desk: Desk, qtbot: QtBot, tmp_path: Path, masks: Path, number: int, frames: tuple[int, ...]
) -> None:
    desk.window.files.open(write_clip(tmp_path / "a.mp4", 12))
    desk.settle()
    desk.ask.answer, desk.ask.number = masks, number
    desk.do("import_truth")
    runs = desk.session.inspection.runs
    qtbot.waitUntil(lambda: bool(runs.infos))
    (found,) = runs.infos
    run = runs.run(found)
    assert run is not None
    assert run.frames == frames
    assert sorted({key.frame for key in run.masks}) == list(frames)


@pytest.mark.parametrize(("button", "number"), [("First", 1), ("Second", 0), ("Cancel", None)])
def test_the_question_has_an_answer_for_each(
    desk: Desk, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, button: str, number: int | None
) -> None:
    def press(box: QMessageBox) -> int:
        found = next(each for each in box.buttons() if button in each.text().replace("&", ""))
        box.show()
        found.click()
        QApplication.processEvents()
        return 0

    monkeypatch.setattr(QMessageBox, "exec", press)
    assert Ask(desk.window, desk.store).first_number("Which?") == number
