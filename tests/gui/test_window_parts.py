"""Small parts of the window, each alone."""

import logging
import sys
import threading
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QColor, QGuiApplication
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QCheckBox,
    QComboBox,
    QLineEdit,
    QListWidget,
    QPushButton,
    QRadioButton,
    QSpinBox,
    QToolBar,
    QWidget,
)
from pytestqt.qtbot import QtBot

from app.core.plan import Direction
from app.gui.actions.command_palette import CommandPalette, fit
from app.gui.actions.shortcut_sheet import ShortcutSheet
from app.gui.dialogs.export import FORMATS, ExportDialog, target_for
from app.gui.dialogs.go_to import GoToDialog, frame_of
from app.gui.widgets.elided_label import ElidedLabel
from app.gui.widgets.messages import Level, Message, Messages
from app.gui.widgets.theme import DARK, LIGHT, Colors, Theme, apply_theme, colors_for, style_sheet
from app.gui.widgets.words import duration
from app.gui.window.focus import keeps
from app.gui.window.process import crash
from app.gui.window.process.crash import CrashDialog, CrashWatch
from app.gui.window.status import StatusBar
from app.session.jobs.progress import Progress
from tests.gui.conftest import Desk
from tests.gui.stage import wheel_over

NONE = Qt.KeyboardModifier.NoModifier
CTRL = Qt.KeyboardModifier.ControlModifier


# Go to


@pytest.mark.parametrize(
    ("text", "frame"),
    [
        ("12", 12),
        (" 0 ", 0),
        ("2s", 50),
        ("2.0", 50),
        ("1,5", 38),
        ("0:02", 50),
        ("0:00:02.00", 50),
        ("100", None),
        ("1:00", None),
        ("-1", None),
        ("soon", None),
        ("", None),
    ],
)
def test_a_frame_or_a_time_is_understood(text: str, frame: int | None) -> None:
    assert frame_of(text, fps=25, count=100) == frame


def test_the_go_to_dialog_goes_there_on_enter(opened: Desk) -> None:
    opened.do("go_to")
    dialog = opened.window.findChild(GoToDialog)
    assert dialog is not None
    field = dialog.findChild(QLineEdit)
    assert field is not None
    opened.qtbot.keyClicks(field, "17")
    opened.qtbot.keyClick(field, Qt.Key.Key_Return)
    assert opened.session.view.frame == 17


# Finding commands


def test_words_find_commands_by_their_beginnings_first() -> None:
    names = ["Set in point", "Export", "Open sample clip", "Next object"]
    ranked = sorted((cost, name) for name in names if (cost := fit("op", name)) is not None)
    assert [name for _, name in ranked] == ["Open sample clip"]
    assert fit("clip open", "Open sample clip") is not None
    assert fit("opera", "Open sample clip") is None


def test_a_command_is_found_and_run_without_the_mouse(opened: Desk) -> None:
    opened.do("palette")
    dialog = opened.window.findChild(CommandPalette)
    assert dialog is not None
    field = dialog.findChild(QLineEdit)
    assert field is not None
    opened.qtbot.keyClicks(field, "new obj")
    assert dialog.names()[0] == "New object"
    opened.qtbot.keyClick(field, Qt.Key.Key_Return)
    assert len(opened.session.masks.objects) == 1


def test_the_sheet_lists_keys_and_finds_a_word(opened: Desk) -> None:
    opened.do("sheet")
    sheet = opened.window.findChild(ShortcutSheet)
    assert sheet is not None
    assert {"Verify and heal", "Next suspect"} <= set(sheet.shown())
    field = sheet.findChild(QLineEdit)
    assert field is not None
    field.setText("heal")
    assert sheet.shown() == ["Verify and heal"]


# Keys and focus


@pytest.mark.parametrize(
    ("kind", "key", "modifiers", "kept"),
    [
        (QLineEdit, Qt.Key.Key_M, NONE, True),
        (QSpinBox, Qt.Key.Key_1, NONE, True),
        (QLineEdit, Qt.Key.Key_G, CTRL, False),
        (QLineEdit, Qt.Key.Key_Escape, NONE, False),
        (QPushButton, Qt.Key.Key_Space, NONE, True),
        (QPushButton, Qt.Key.Key_M, NONE, False),
        (QListWidget, Qt.Key.Key_Down, NONE, True),
        (QListWidget, Qt.Key.Key_Right, NONE, False),
        (QWidget, Qt.Key.Key_Space, NONE, False),
    ],
)
def test_a_widget_keeps_the_keys_that_it_is_worked_with(
    qtbot: QtBot, kind: type[QWidget], key: Qt.Key, modifiers: Qt.KeyboardModifier, kept: bool
) -> None:
    widget = kind()
    qtbot.addWidget(widget)
    assert keeps(widget, key, modifiers) is kept


# Status bar


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "0 s"), (45, "45 s"), (125, "2 min 5 s"), (3780, "1 h 3 min")],
)
def test_a_duration_reads_as_people_say_it(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_the_status_bar_tells_progress_and_the_last_save(opened: Desk) -> None:
    bar = opened.window.findChild(StatusBar)
    assert bar is not None
    opened.session.jobs.progress_changed.emit(
        Progress("Propagating knife", 12, 40, 3.14159, 8.9, 0, 39, 12, (1,))
    )
    assert bar.progress.isVisible()
    assert bar.progress.text == "Propagating knife · 12 of 40 · 3.14 fps · 9 s left"
    opened.session.jobs.progress_changed.emit(None)
    assert not bar.progress.isVisible()
    opened.session.files.autosave.saved.emit(datetime(2026, 1, 2, 14, 2, 11))
    assert bar.saved_text == "saved 14:02:11 ✓"


def test_a_job_with_a_long_name_leaves_the_window_as_narrow_as_it_is(opened: Desk) -> None:
    window = opened.window
    window.resize(900, 600)
    opened.settle()
    name = "left <hand> of the person in white who sits behind the table"
    long = Progress(f"Propagating {name}", 12, 40, 3.14159, 8.9, 0, 39, 12, (1,))
    opened.session.jobs.progress_changed.emit(long)
    opened.settle()
    assert (window.width(), window.height()) == (900, 600)
    assert window.minimumSizeHint().width() <= 900
    label = next(
        label for label in window.findChildren(ElidedLabel) if label.text().startswith(long.text)
    )
    assert label.width() < label.sizeHint().width()
    assert "left &lt;hand&gt; of the person" in label.toolTip()


# Look


def contrast(one: str, other: str) -> float:
    """Return the contrast of WCAG 2.1, 1 to 21."""
    bright, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def luminance(name: str) -> float:
    color = QColor(name)
    parts = (color.redF(), color.greenF(), color.blueF())
    red, green, blue = (
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return float(0.2126 * red + 0.7152 * green + 0.0722 * blue)


@pytest.mark.parametrize("colors", [LIGHT, DARK], ids=["light", "dark"])
def test_every_text_can_be_read(colors: Colors) -> None:
    for ground in (colors.window, colors.base, colors.raised):
        assert contrast(colors.text, ground) >= 7
        assert contrast(colors.dim, ground) >= 4.5
        assert contrast(colors.disabled, ground) >= 3
    assert contrast(colors.on_accent, colors.accent) >= 4.5
    assert contrast(colors.accent, colors.window) >= 3


@pytest.mark.parametrize("kind", [QCheckBox, QRadioButton, QSpinBox, QLineEdit, QComboBox])
@pytest.mark.parametrize("theme", [Theme.LIGHT, Theme.DARK])
def test_what_can_be_filled_in_has_a_frame_that_is_seen(
    qtbot: QtBot, theme: Theme, kind: type[QWidget]
) -> None:
    application = QApplication.instance()
    assert isinstance(application, QApplication)
    apply_theme(application, theme)
    window = QWidget()
    qtbot.addWidget(window)
    widget = kind(window)
    window.show()
    seen, middle = widget.grab().toImage(), widget.height() // 2
    ground = colors_for(theme).window
    edge = [seen.pixelColor(x, middle).name() for x in range(3)]
    assert max(contrast(color, ground) for color in edge) >= 3


@pytest.mark.parametrize("level", list(Level))
def test_the_icon_of_a_message_follows_the_theme(messages: Messages, level: Level) -> None:
    application = QApplication.instance()
    assert isinstance(application, QApplication)
    apply_theme(application, Theme.DARK)
    messages.show_message(level, "Something is wrong.")
    for theme in (Theme.LIGHT, Theme.DARK):
        apply_theme(application, theme)
        QApplication.processEvents()
        (message,) = messages.findChildren(Message)
        seen = message.grab(QRect(6, 0, 30, 100)).toImage()
        colors = {
            seen.pixelColor(x, y).name() for x in range(seen.width()) for y in range(seen.height())
        }
        ground = colors_for(theme).raised
        assert max(contrast(color, ground) for color in colors) >= 7


@pytest.mark.parametrize("colors", [LIGHT, DARK], ids=["light", "dark"])
def test_the_style_sheet_has_every_colour_filled_in(colors: Colors) -> None:
    sheet = style_sheet(colors)
    assert colors.accent in sheet
    assert "{accent}" not in sheet


# Export


def test_an_export_gets_the_suffix_of_its_format(desk: Desk, tmp_path: Path) -> None:
    visor, davis = FORMATS[0], FORMATS[1]
    desk.ask.answer = tmp_path / "masks"
    assert target_for(visor, "clip", desk.ask) == tmp_path / "masks.json"
    desk.ask.answer = tmp_path
    assert target_for(davis, "clip", desk.ask) == tmp_path / "clip"
    desk.ask.answer = None
    assert target_for(visor, "clip", desk.ask) is None


def test_a_file_of_the_name_with_its_suffix_is_asked_about(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "masks.json").write_text("{}")
    desk.ask.answer = tmp_path / "masks"
    assert target_for(FORMATS[0], "clip", desk.ask) == tmp_path / "masks.json"
    assert str(tmp_path / "masks.json") in desk.ask.asked[-1]
    desk.ask.agrees = False
    assert target_for(FORMATS[0], "clip", desk.ask) is None
    asked = len(desk.ask.asked)
    desk.ask.answer = tmp_path / "masks.json"  # which the system has asked about
    assert target_for(FORMATS[0], "clip", desk.ask) == tmp_path / "masks.json"
    assert len(desk.ask.asked) == asked + 1


def test_the_export_dialog_says_that_masks_are_still_being_made(opened: Desk) -> None:
    gate = opened.model.fake_tracker.gate
    opened.draw()
    gate.close()
    opened.session.jobs.propagate(Direction.FORWARD)
    gate.let(4)
    opened.qtbot.waitUntil(lambda: opened.session.masks.shown(3) != {})
    dialog = ExportDialog(opened.session.masks, opened.session.status, opened.window)
    assert dialog.summary.startswith("4 masks of 1 object on 4 frames. Masks are still being made")
    gate.open()
    opened.idle()
    assert dialog.summary == "30 masks of 1 object on 30 frames"


# Crashes


@pytest.fixture
def watch(tmp_path: Path, qtbot: QtBot) -> Iterator[CrashWatch]:
    root = logging.getLogger()
    before = root.level, list(root.handlers)
    watch = CrashWatch(crash.log_to(tmp_path / "logs"))
    yield watch
    for handler in set(root.handlers) - set(before[1]):
        root.removeHandler(handler)
        handler.close()
    root.setLevel(before[0])
    if watch._dialog is not None:
        watch._dialog.close()


def fail(watch: CrashWatch) -> None:
    try:
        [].pop()
    except IndexError as error:
        watch.on_exception(type(error), error, error.__traceback__)


def test_an_unforeseen_error_is_logged_and_shown_with_a_report(
    watch: CrashWatch, tmp_path: Path
) -> None:
    logging.getLogger("app").info("Opened clip")
    fail(watch)
    dialog = watch._dialog
    assert dialog is not None
    assert dialog.isVisible()
    for words in ("IndexError: pop from empty list", "Python", "Qt", "Opened clip"):
        assert words in dialog.report_text
    assert "pop from empty" in (tmp_path / "logs" / crash.LOG_NAME).read_text(encoding="utf-8")


def test_the_report_is_copied(watch: CrashWatch, qtbot: QtBot) -> None:
    fail(watch)
    dialog = watch._dialog
    assert dialog is not None
    copy = next(b for b in dialog.findChildren(QPushButton) if "Copy" in b.text())
    qtbot.mouseClick(copy, Qt.MouseButton.LeftButton)
    assert QGuiApplication.clipboard().text() == dialog.report_text


def test_a_storm_of_errors_opens_one_dialog(watch: CrashWatch) -> None:
    fail(watch)
    first = watch._dialog
    fail(watch)
    assert watch._dialog is first
    assert isinstance(first, CrashDialog)


def test_an_error_in_another_thread_is_shown_in_the_gui_thread(
    watch: CrashWatch, qtbot: QtBot
) -> None:
    thread = threading.Thread(target=fail, args=(watch,))
    thread.start()
    thread.join()
    qtbot.waitUntil(lambda: watch._dialog is not None and watch._dialog.isVisible())
    assert sys.excepthook != watch.on_exception


def test_the_wheel_over_a_tool_bar_chooses_nothing(opened: Desk) -> None:
    boxes = [
        box for bar in opened.window.findChildren(QToolBar) for box in bar.findChildren(QComboBox)
    ]
    assert len(boxes) == 5
    for box in boxes:
        box.setFocus()  # as after a choice
        before = opened.session.preferences.settings, box.currentIndex()
        for notches in (-1, 1):
            wheel_over(box, notches)
            assert (opened.session.preferences.settings, box.currentIndex()) == before


def test_targets_are_at_least_24_pixels(opened: Desk) -> None:
    small = [
        button.accessibleName() or button.text() or button.toolTip()
        for button in opened.window.findChildren(QAbstractButton)
        if button.isVisible()
        and button.parentWidget() is not None
        and "QDockWidgetTitleButton" not in button.metaObject().className()
        and min(button.width(), button.height()) < 24
    ]
    assert small == []


def test_every_visible_control_has_a_name_for_screen_readers(opened: Desk) -> None:
    kinds = (QAbstractItemView, QAbstractSlider, QAbstractSpinBox, QComboBox)
    nameless = [
        type(widget).__name__
        for kind in kinds
        for widget in opened.window.findChildren(kind)
        if widget.isVisible()
        and not widget.accessibleName()
        and "Scroll" not in type(widget).__name__
    ]
    assert nameless == []
