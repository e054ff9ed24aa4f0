"""The window as a whole: opening, wiring, closing."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import shiboken6
from PySide6.QtCore import QMimeData, QPointF, QSettings, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QDockWidget, QToolButton

from app.core.document import Key, State
from app.core.heal import difference
from app.gui.widgets.messages import Message
from app.gui.window.window import Window
from app.session.comparison import Reference
from app.session.state.status import Report, SessionState
from app.storage.formats.palette import write_palette_png
from tests.fakes import Gate, write_frames
from tests.gui.conftest import Desk
from tests.gui.stage import mouse_on

Said = Callable[[str], bool]


def drop(window: Window, path: Path) -> None:
    """Drop a file on the window."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    action, button = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
    none = Qt.KeyboardModifier.NoModifier
    window.dropEvent(QDropEvent(QPointF(5, 5), action, data, button, none))


def test_an_empty_window_shows_the_welcome_page_and_no_panels(desk: Desk) -> None:
    assert not desk.window.canvas.isVisible()
    assert not any(dock.isVisible() for dock in desk.window.findChildren(QDockWidget))


def test_opening_a_video_shows_the_picture_and_the_panels(opened: Desk) -> None:
    shown = {d.objectName() for d in opened.window.findChildren(QDockWidget) if d.isVisible()}
    assert opened.window.canvas.isVisible()
    assert shown == {"timeline", "objects", "review", "anchors", "changes", "find"}
    assert "clip" in opened.window.windowTitle()


def test_closing_the_video_brings_the_welcome_page_back(opened: Desk) -> None:
    opened.do("close")
    assert not opened.session.video.is_open
    assert not opened.window.canvas.isVisible()
    assert not any(dock.isVisible() for dock in opened.window.findChildren(QDockWidget))


def test_what_cannot_be_opened_is_told_and_leaves_the_open_video_open(
    opened: Desk, said: Said, tmp_path: Path
) -> None:
    opened.window.files.open(tmp_path / "nothing.mp4")
    assert said("nothing.mp4 does not exist")
    assert opened.session.video.is_open


def test_a_video_dropped_on_the_window_is_opened(desk: Desk) -> None:
    drop(desk.window, desk.clip)
    assert desk.session.video.frame_count == 30


def test_a_folder_of_masks_dropped_on_an_open_video_becomes_anchors(
    opened: Desk, tmp_path: Path
) -> None:
    masks = tmp_path / "masks"
    masks.mkdir()
    labels = np.zeros((48, 64), np.uint8)
    labels[10:20, 10:20] = 1
    write_palette_png(masks / "00004.png", labels)
    drop(opened.window, masks)
    assert opened.session.masks.state(Key(4, 1)) in {State.ANCHOR, State.GROUND_TRUTH}


def test_a_report_of_the_session_becomes_a_message(opened: Desk, said: Said) -> None:
    opened.session.status.reported.emit(Report("error", "The disk is full. Make room."))
    assert said("The disk is full")


def test_what_is_said_of_a_video_ends_with_it(opened: Desk, said: Said) -> None:
    status = opened.session.status
    status.reported.emit(Report("error", "The model failed."))
    status.reported.emit(Report("info", "12 frames changed"))
    opened.window.files.open(opened.clip / "missing.mp4")
    assert said("The model failed")
    opened.do("close")
    assert not said("The model failed")
    assert not said("12 frames changed")
    assert said("missing.mp4")


def test_an_error_while_a_video_is_closed_outlasts_it(opened: Desk, said: Said) -> None:
    def fail(state: SessionState) -> None:
        if state is SessionState.CLOSING:
            opened.session.status.report("error", "10 masks could not be saved.")

    opened.session.status.state_changed.connect(fail)
    opened.do("close")
    assert said("10 masks could not be saved")


def test_what_a_job_changed_can_be_viewed_and_undone_from_its_message(opened: Desk) -> None:
    session = opened.session
    opened.draw()
    opened.model.fake_tracker.drift = {20: 9, 10: 3}
    opened.do("forward")
    opened.idle()
    opened.draw(15, x=12)
    opened.do("verify_and_heal")
    opened.idle()
    healed = dict(session.masks.document.items())
    (message,) = (each for each in opened.window.findChildren(Message) if each.offers)
    view, undo = message.offers
    assert view.isVisible()
    changed = []
    for _ in range(2):
        view.click()
        changed.append(session.view.frame)
    assert session.compare.reference is Reference.BEFORE
    sizes = [
        difference(session.jobs.before[Key(frame, 1)].mask, healed[Key(frame, 1)].mask)  # type: ignore[union-attr]
        for frame in changed
    ]
    assert sizes == sorted(sizes, reverse=True)
    undo.click()
    opened.settle()
    assert session.masks.document.get(Key(changed[0], 1)) == session.jobs.before[Key(changed[0], 1)]
    assert not any("changed" in text for text in opened.window.messages.texts)


def test_a_message_offers_nothing_once_something_else_was_done(opened: Desk) -> None:
    opened.draw()
    opened.do("forward")
    opened.idle()
    (message,) = (each for each in opened.window.findChildren(Message) if each.offers)
    assert all(button.isVisible() for button in message.offers)
    opened.draw(3, x=30)
    assert not any(button.isVisible() for button in message.offers)
    assert message.isVisible()


def test_an_error_can_be_dismissed_on_whatever_page_it_lies(opened: Desk, tmp_path: Path) -> None:
    opened.window.files.open(tmp_path / "nothing.mp4")
    for turn in ("close", "open again"):
        opened.do("close") if turn == "close" else opened.open()
        close = opened.window.messages.findChild(QToolButton)
        assert close is not None
        middle = close.mapTo(opened.window, close.rect().center())
        assert opened.window.childAt(middle) is close
    opened.qtbot.mouseClick(close, Qt.MouseButton.LeftButton)
    assert opened.window.messages.texts == ()


def test_a_project_whose_video_has_moved_asks_for_it(desk: Desk, tmp_path: Path) -> None:
    desk.open()
    desk.draw()
    project = desk.session.files.project_path
    assert project is not None
    desk.do("close")
    moved = desk.clip.rename(tmp_path / "elsewhere")
    desk.ask.answer = moved
    desk.window.files.open(project)
    assert desk.session.video.is_open
    assert "is not at" in desk.ask.asked[0]
    assert desk.session.masks.state(Key(0, 1)) is State.ANCHOR


def test_a_project_saved_as_a_bare_name_is_opened_again(
    opened: Desk, tmp_path: Path, said: Said
) -> None:
    opened.draw()
    opened.ask.answer = tmp_path / "copy"
    opened.do("save_as")
    copy = tmp_path / "copy.maskwright"
    assert opened.session.files.project_path == copy
    assert said(str(copy))
    opened.do("close")
    opened.window.files.open(copy)
    assert len(opened.session.masks.document) == 1


def test_saving_a_project_as_itself_goes_on_in_it(opened: Desk, said: Said) -> None:
    opened.draw()
    opened.ask.answer = project = opened.session.files.project_path
    assert project is not None
    opened.do("save_as")
    assert said(f"The project is now {project}.")
    opened.draw(4)
    opened.do("close")
    opened.window.files.open(project)
    assert opened.session.masks.document.frames() == [0, 4]


def test_closing_the_window_during_a_propagation_keeps_what_is_finished(opened: Desk) -> None:
    opened.draw()
    tracker = opened.model.fake_tracker
    tracker.gate.close()
    opened.do("forward")
    tracker.gate.let(5)
    opened.qtbot.waitUntil(lambda: opened.session.masks.state(Key(3, 1)) is State.PREDICTED)
    tracker.gate.open()
    opened.window.close()
    assert not opened.session.video.is_open
    opened.window.files.open(opened.clip)
    assert opened.session.masks.state(Key(2, 1)) is State.PREDICTED


def test_arrangement_and_size_come_back_with_the_next_window(opened: Desk) -> None:
    opened.window.resize(700, 600)
    opened.do("inspect")
    opened.window.close()
    again = Window(opened.session, opened.store, ask=opened.ask)
    again.show()
    again.files.open(opened.clip)
    opened.settle()
    history = again.findChild(QDockWidget, "history")
    failures = again.findChild(QDockWidget, "episodes")
    assert again.height() == 600
    assert history is not None
    assert not history.isHidden(), "behind the failures"
    assert failures is not None
    assert failures.isVisible()
    again.close()
    shiboken6.delete(again)


def test_the_window_follows_a_propagation(opened: Desk) -> None:
    opened.draw()
    gate = opened.model.fake_tracker.gate
    gate.close()
    opened.do("forward")

    def follows() -> bool:
        now = opened.session.video.now
        if (
            now is not None and len(now.pending) >= gate.passed - 1
        ):  # no step runs ahead of the view
            gate.let(1)
        return (
            opened.session.status.state is not SessionState.IDLE and opened.session.view.frame >= 3
        )

    opened.qtbot.waitUntil(follows)


def propagate_behind_a_polygon(opened: Desk) -> Gate:
    """Begin a propagation and then a polygon; return the gate that the propagation stands at."""
    opened.draw()
    gate = opened.model.fake_tracker.gate
    gate.close()
    opened.do("forward")
    opened.press(Qt.Key.Key_T)
    mouse = mouse_on(opened.window.canvas)
    for corner in ((5, 5), (40, 5), (40, 40)):
        mouse.click(*corner)
    return gate


def test_the_window_stays_at_an_open_polygon_during_a_propagation(opened: Desk) -> None:
    gate = propagate_behind_a_polygon(opened)
    gate.open()
    opened.idle()
    assert opened.session.view.frame == 0
    assert opened.window.canvas.is_drawing


def test_who_goes_elsewhere_during_a_propagation_stays_there(opened: Desk) -> None:
    opened.draw()
    opened.model.fake_tracker.gate.close()
    opened.do("forward")
    opened.press(Qt.Key.Key_End)
    opened.model.fake_tracker.gate.open()
    opened.idle()
    assert opened.session.view.frame == 29


def test_the_first_object_of_a_full_video_takes_a_click_and_enter(opened: Desk) -> None:
    canvas = opened.window.canvas
    middle = canvas.viewport().rect().center()
    opened.qtbot.mouseClick(canvas.viewport(), Qt.MouseButton.LeftButton, pos=middle)
    opened.idle()
    assert opened.session.view.selected is not None
    opened.press(Qt.Key.Key_Return)
    opened.qtbot.waitUntil(lambda: opened.session.status.state is SessionState.IDLE)
    assert opened.session.masks.state(Key(29, opened.session.view.selected)) is State.PREDICTED


def test_two_windows_write_the_recent_list_newest_first(opened: Desk, tmp_path: Path) -> None:
    other = write_frames(tmp_path / "other", 3)
    opened.window.files.open(other)
    stored = opened.store.value("recent/sources")
    assert stored == [str(other), str(opened.clip)]


def test_a_new_window_is_no_larger_than_its_screen(desk: Desk, tmp_path: Path) -> None:
    store = QSettings(str(tmp_path / "new.ini"), QSettings.Format.IniFormat)
    window = Window(desk.session, store)
    room = window.screen().availableSize()
    assert window.width() < room.width()
    assert window.height() < room.height()
    window.deleteLater()


def test_what_another_video_has_ended_is_said_in_it(opened: Desk, tmp_path: Path) -> None:
    gate = propagate_behind_a_polygon(opened)
    opened.session.status.report("info", "Something of the first video.")
    gate.open()
    opened.window.files.open(write_frames(tmp_path / "next", 5))
    said = opened.window.messages.texts
    assert any(each.endswith("stopped; what is finished is kept.") for each in said)
    assert any("polygon on frame 0 is dropped" in each for each in said)
    assert "Something of the first video." not in said
