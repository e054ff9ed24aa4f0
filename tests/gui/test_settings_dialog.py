"""The settings dialog."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QPalette
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFileDialog,
    QLineEdit,
    QScrollArea,
    QSpinBox,
)

from app.gui.dialogs.settings import SettingsDialog
from app.session.choices import changed, preferences
from app.session.session import Session
from app.storage.settings import Settings
from tests.gui.conftest import Desk
from tests.gui.stage import wheel_over


@pytest.fixture
def dialog(desk: Desk) -> Iterator[SettingsDialog]:
    desk.do("settings")
    dialog = desk.window.findChild(SettingsDialog)
    assert dialog is not None
    yield dialog
    dialog.close()


def test_every_setting_has_an_editor_with_a_name_for_screen_readers(
    dialog: SettingsDialog,
) -> None:
    for preference in preferences():
        assert dialog.editor(preference.name).accessibleName()


def test_a_change_holds_at_once(dialog: SettingsDialog, desk: Desk) -> None:
    box = dialog.editor("undo_limit")
    assert isinstance(box, QSpinBox)
    box.setValue(77)
    assert desk.session.preferences.settings.undo_limit == 77
    opacity = dialog.editor("overlay_opacity")
    assert isinstance(opacity, QDoubleSpinBox)
    opacity.setValue(0.25)
    assert desk.window.canvas.opacity == pytest.approx(0.25)


def test_the_theme_changes_live(dialog: SettingsDialog, desk: Desk) -> None:
    box = dialog.editor("theme")
    assert isinstance(box, QComboBox)
    lightness = []
    for theme in ("dark", "light"):
        row = box.findData(theme)
        box.setCurrentIndex(row)
        box.activated.emit(row)
        lightness.append(QGuiApplication.palette().color(QPalette.ColorRole.Window).lightness())
    assert lightness[0] < 60
    assert lightness[1] > 200


def test_a_model_that_is_not_on_this_machine_cannot_be_chosen_and_says_why(
    dialog: SettingsDialog,
) -> None:
    box = dialog.editor("tracker")
    assert isinstance(box, QComboBox)
    row = box.findData("vmos")
    index = box.model().index(row, 0)
    assert not index.flags() & Qt.ItemFlag.ItemIsEnabled
    assert index.data(Qt.ItemDataRole.ToolTipRole)


def test_a_model_that_can_be_chosen_says_what_it_is(dialog: SettingsDialog) -> None:
    box = dialog.editor("tracker")
    assert isinstance(box, QComboBox)
    index = box.model().index(box.findData("classic"), 0)
    assert "no weights" in index.data(Qt.ItemDataRole.ToolTipRole)


def test_weights_that_are_missing_are_named_with_their_size(dialog: SettingsDialog) -> None:
    box = dialog.editor("refiner")
    assert isinstance(box, QComboBox)
    index = box.model().index(box.findData("hq-sam-tiny"), 0)
    assert not index.flags() & Qt.ItemFlag.ItemIsEnabled
    tip = index.data(Qt.ItemDataRole.ToolTipRole)
    assert "maskwright models get hq-sam-tiny" in tip
    assert "42.5 MB" in tip


def test_defaults_come_back(dialog: SettingsDialog, desk: Desk) -> None:
    box = dialog.editor("cache_mib")
    assert isinstance(box, QSpinBox)
    box.setValue(128)
    dialog._restore()
    assert desk.session.preferences.settings == Settings()
    assert box.value() == Settings().cache_mib


def test_a_word_finds_its_settings(dialog: SettingsDialog) -> None:
    field = dialog.findChildren(QLineEdit)[0]
    field.setText("undo")
    assert dialog.editor("undo_limit").isVisible()
    assert not dialog.editor("theme").isVisible()


def test_enter_in_a_field_does_not_close_the_dialog(dialog: SettingsDialog, desk: Desk) -> None:
    box = dialog.editor("undo_limit")
    for field in (dialog.findChildren(QLineEdit)[0], box):
        field.setFocus()
        desk.qtbot.keyClick(field, Qt.Key.Key_Return)
        assert dialog.isVisible()


def test_the_wheel_scrolls_the_list_and_changes_no_setting(
    dialog: SettingsDialog, desk: Desk
) -> None:
    area = dialog.findChild(QScrollArea)
    assert area is not None
    bar, before = area.verticalScrollBar(), desk.session.preferences.settings
    for preference in preferences():
        editor = dialog.editor(preference.name)
        if isinstance(editor, QLineEdit | QCheckBox):
            continue
        area.ensureWidgetVisible(editor)
        there = bar.value()
        wheel_over(editor, 1 if there else -1)
        assert bar.value() != there, preference.name
        assert editor.focusPolicy() is Qt.FocusPolicy.StrongFocus  # the wheel gives no focus
    assert desk.session.preferences.settings == before


def test_the_wheel_counts_in_the_field_that_has_the_focus(
    dialog: SettingsDialog, desk: Desk
) -> None:
    box = dialog.editor("undo_limit")
    assert isinstance(box, QSpinBox)
    area = dialog.findChild(QScrollArea)
    assert area is not None
    area.ensureWidgetVisible(box)
    box.setFocus()
    before = box.value()
    wheel_over(box, 1)
    assert desk.session.preferences.settings.undo_limit == before + 1


def test_the_dialog_shows_a_change_made_elsewhere(dialog: SettingsDialog, desk: Desk) -> None:
    session: Session = desk.session
    session.preferences.apply(changed(session.preferences.settings, {"undo_limit": 33}))
    box = dialog.editor("undo_limit")
    assert isinstance(box, QSpinBox)
    assert box.value() == 33


def test_the_folder_can_be_browsed_for(
    dialog: SettingsDialog, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: "/chosen")
    (browse,) = dialog.editor("autosave_folder").actions()
    browse.trigger()
    assert desk.session.preferences.settings.autosave_folder == "/chosen"
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: "")
    browse.trigger()
    assert desk.session.preferences.settings.autosave_folder == "/chosen"
