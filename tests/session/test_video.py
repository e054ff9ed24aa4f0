"""The current video: its images, and nothing of it once it is closed."""

import gc
import weakref
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from pytestqt.qtbot import QtBot

from app.core.document import Document, Key
from tests.session.desk import Desk, begin_propagation, draw


def test_an_image_that_is_not_in_memory_is_announced_when_it_is(desk: Desk, qtbot: QtBot) -> None:
    session = desk.session
    if session.video.image(7) is None:
        qtbot.waitUntil(lambda: session.video.image(7) is not None)
    image = session.video.image(7)
    assert image is not None
    assert image[0, 0, 0] == 7


def test_of_a_closed_video_nothing_can_be_reached(desk: Desk, qtbot: QtBot) -> None:
    session = desk.session
    draw(desk, 0)
    session.edit.mark_absent([Key(10, 1)])
    session.clipboard.copy()
    begin_propagation(desk, qtbot)
    session.view.go_to(10)
    opened = session.video.now
    assert opened is not None
    gone = [weakref.ref(each) for each in (opened, opened.document, opened.cache)]
    desk.made.fake_tracker.gate.open()
    session.files.close()
    del opened
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    gc.collect()
    assert [each() for each in gone] == [None] * 3
    assert not session.clipboard.has_mask
    assert session.masks.objects == ()
    assert (session.masks.shown(0), session.masks.entry(Key(0, 1))) == ({}, None)
    assert len(session.masks.snapshot()) == 0
    assert (session.video.frame_count, session.video.size, session.video.title) == (0, (0, 0), "")
    assert session.video.image(0) is None
    assert session.video.nearest_image(0) is None
    assert (session.history.undo_text, session.history.can_redo) == ("", False)
    assert session.files.project_path is None


def test_a_video_opened_again_is_another_one(desk: Desk, clip: Path) -> None:
    session = desk.session
    draw(desk, 3)
    before = session.video.now
    session.files.close()
    session.files.open(clip)
    assert before is not None
    assert session.video.now is not before
    assert isinstance(session.masks.document, Document)
    assert session.masks.document.frames() == [3]
    assert session.history.stack.count() == 0
    session.edit.clear([Key(3, 1)])
    assert before.document.frames() == [3]


def test_a_frame_that_could_not_be_read_is_tried_again_while_it_is_looked_at(
    desk: Desk, clip: Path, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.session.state.video._AGAIN_S", 0.05)
    session, file = desk.session, clip / "00025.png"
    session.video.image_ready.connect(session.video.image)  # as a view does
    session.video._again.setInterval(20)
    away = file.rename(tmp_path / "away.png")
    session.video.image(25)
    qtbot.waitUntil(lambda: desk.said("00025.png"))
    qtbot.wait(300)
    assert session.video.image(25) is None
    assert sum("00025.png" in report.text for report in desk.reports) == 1  # told once
    away.rename(file)
    opened = session.video.now
    assert opened is not None
    qtbot.waitUntil(lambda: opened.cache.peek(25) is not None)  # nobody asks but the view


def test_a_frame_that_is_back_is_read_when_it_is_gone_to_again(
    desk: Desk, clip: Path, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.session.state.video._AGAIN_S", 0.0)
    session, file = desk.session, clip / "00025.png"
    away = file.rename(tmp_path / "away.png")
    session.video.image(25)
    qtbot.waitUntil(lambda: session.video.image(25) is None and desk.said("00025.png"))
    away.rename(file)
    qtbot.waitUntil(lambda: session.video.image(25) is not None)
    file.unlink()  # and another time
    assert session.video.image(25) is not None


def test_a_frame_has_its_files_name_and_its_time_and_one_that_is_not_there_none(
    desk: Desk,
) -> None:
    video = desk.session.video
    opened = video.now
    assert opened is not None
    assert [video.name_of(frame) for frame in (-1, 0, 29, 30)] == ["", "00000", "00029", ""]
    assert video.fps == opened.video.fps
    times = [video.time_of(frame) for frame in (-1, 0, 29, 30)]
    assert times == [0, 0, pytest.approx(29 / video.fps), 0]
    assert video.cache_bytes >= 0
    desk.session.files.close()
    assert (video.name_of(0), video.time_of(3), video.fps, video.cache_bytes) == ("", 0, 0, 0)
