"""The dialog of the shelf of models, from a click on Fetch to the model in use."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QFileDialog, QPushButton, QToolButton
from pytestqt.qtbot import QtBot

from app.gui.dialogs.settings import SettingsDialog
from app.gui.dialogs.shelf.dialog import ShelfDialog
from app.gui.dialogs.shelf.own import OwnWeightsDialog
from app.gui.panels.propagate_bar import PropagateBar
from app.session.state.status import Topic
from models.weights import store
from models.weights.zoo import NON_COMMERCIAL, ZOO
from tests.gui.conftest import Desk
from tests.weights_server import CONTENT, DIGEST, Server, serving

NAME = "mobile-sam"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    with serving(Server(knows_versions=True)) as server:
        made = replace(ZOO[NAME], url=server.url, digest=DIGEST, packaged=None, size=len(CONTENT))
        monkeypatch.setitem(ZOO, NAME, made)
        yield server


@pytest.fixture
def dialog(desk: Desk, server: Server) -> Iterator[ShelfDialog]:
    desk.do("models")
    dialog = desk.window.findChild(ShelfDialog)
    assert dialog is not None
    dialog.models.select(NAME)
    yield dialog
    dialog.close()


def press(dialog: ShelfDialog, name: str, qtbot: QtBot) -> None:
    button = dialog.details.buttons[name]
    assert button.isVisible()
    assert button.isEnabled()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def shown(dialog: ShelfDialog) -> set[str]:
    return {name for name, button in dialog.details.buttons.items() if button.isVisible()}


def state(dialog: ShelfDialog, name: str = NAME) -> str:
    rows = dialog.models.findItems(name, Qt.MatchFlag.MatchExactly)
    return rows[0].text(5)


def test_a_model_is_fetched_paused_resumed_and_used(
    dialog: ShelfDialog, server: Server, desk: Desk, qtbot: QtBot
) -> None:
    assert shown(dialog) == {"fetch", "put"}
    server.piece_s = 0.005
    press(dialog, "fetch", qtbot)
    qtbot.waitUntil(lambda: "%" in state(dialog))
    assert shown(dialog) == {"pause", "cancel"}
    press(dialog, "pause", qtbot)
    qtbot.waitUntil(lambda: state(dialog).startswith("Paused at"))
    assert shown(dialog) == {"fetch", "cancel"}
    assert dialog.details.buttons["fetch"].text() == "Resume"
    server.piece_s = 0.0
    press(dialog, "fetch", qtbot)
    qtbot.waitUntil(lambda: state(dialog) == "On this machine")
    assert dialog.models.current == NAME
    assert shown(dialog) == {"use", "verify", "remove"}
    assert "checksum is as published" in dialog.details.said
    dialog.details.use_menu.actions()[0].trigger()
    assert desk.session.preferences.settings.segmenter == NAME
    assert state(dialog) == "In use"
    assert state(dialog, "lite") == "In use: Propagation"
    press(dialog, "verify", qtbot)
    qtbot.waitUntil(lambda: dialog.details.said == "Its checksum is as published.")
    press(dialog, "remove", qtbot)
    assert state(dialog) == "Can be fetched"
    assert desk.session.preferences.settings.segmenter == ""
    assert not store.place(NAME).exists()


def test_a_cancelled_fetch_can_begin_again(
    dialog: ShelfDialog, server: Server, qtbot: QtBot
) -> None:
    server.piece_s = 0.005
    press(dialog, "fetch", qtbot)
    qtbot.waitUntil(lambda: "%" in state(dialog))
    press(dialog, "cancel", qtbot)
    qtbot.waitUntil(lambda: state(dialog) == "Can be fetched")
    assert dialog.details.buttons["fetch"].text() == "Fetch"


def test_a_licence_is_accepted_in_the_dialog(
    desk: Desk, server: Server, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ZOO, NAME, replace(ZOO[NAME], licence=NON_COMMERCIAL))
    desk.do("models")
    dialog = desk.window.findChild(ShelfDialog)
    assert dialog is not None
    dialog.models.select(NAME)
    assert not dialog.details.buttons["fetch"].isEnabled()
    assert "no commercial use" in dialog.details.licence.text()
    dialog.details.licence.click()
    press(dialog, "fetch", qtbot)
    qtbot.waitUntil(lambda: state(dialog) == "On this machine")
    dialog.models.select("hq-sam-tiny")
    assert not dialog.details.licence.isVisible()
    dialog.models.select("depth-large")
    assert not dialog.details.licence.isChecked()  # what was accepted was another licence
    dialog.close()


def test_a_failed_fetch_says_why_and_what_to_do(
    dialog: ShelfDialog, server: Server, qtbot: QtBot
) -> None:
    server.status = 404
    press(dialog, "fetch", qtbot)
    qtbot.waitUntil(lambda: "404" in dialog.details.said)
    assert "put it at" in dialog.details.said
    assert shown(dialog) == {"fetch", "put"}


def test_weights_of_ones_own_are_added_and_those_that_do_not_fit_are_named(
    dialog: ShelfDialog, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "kitchen.safetensors"
    shutil.copy(store.place("lite"), file)
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(file), ""))
    dialog._add()
    asked = dialog.findChild(OwnWeightsDialog)
    assert asked is not None
    asked._browse()
    assert asked.name.text() == "kitchen"
    asked.family.setCurrentText("cutie-base")
    asked.accept()
    qtbot.waitUntil(lambda: "does not fit" in dialog.own.text())
    dialog._add()
    asked = next(each for each in dialog.findChildren(OwnWeightsDialog) if each.isVisible())
    asked._browse()
    asked.family.setCurrentText("lite")
    asked.accept()
    qtbot.waitUntil(lambda: bool(dialog.models.findItems("kitchen", Qt.MatchFlag.MatchExactly)))
    assert state(dialog, "kitchen") == "On this machine"


def test_the_bar_says_which_model_is_the_best_here_and_leads_to_more(
    desk: Desk, server: Server
) -> None:
    desk.open()
    bar = desk.window.findChild(PropagateBar)
    assert bar is not None
    box = next(each for each in bar.findChildren(QComboBox) if each.findData("classic") >= 0)
    assert box.currentText() == "best here: lite"
    box.setCurrentIndex(box.count() - 1)
    box.activated.emit(box.count() - 1)
    assert box.currentText() == "best here: lite"
    assert desk.window.findChild(ShelfDialog) is not None


def test_the_quality_is_chosen_in_the_bar_unless_a_size_was(desk: Desk) -> None:
    desk.open()
    bar = desk.window.findChild(PropagateBar)
    assert bar is not None
    box = next(each for each in bar.findChildren(QComboBox) if each.findText("Fine") >= 0)
    assert box.currentText() == "Normal"
    box.setCurrentIndex(2)
    box.activated.emit(2)
    preferences = desk.session.preferences
    assert preferences.settings.quality == "fine"
    preferences.apply(replace(preferences.settings, quality="finest"))
    assert box.currentText() == "Finest"
    preferences.apply(replace(preferences.settings, quality="quick"))
    assert box.currentText() == "Quick"
    assert box.isEnabled()
    preferences.apply(replace(preferences.settings, size=480))
    assert not box.isEnabled()


def test_settings_lead_to_the_shelf_and_offer_what_was_fetched(desk: Desk, server: Server) -> None:
    desk.do("settings")
    settings = desk.window.findChild(SettingsDialog)
    assert settings is not None
    box = settings.editor("segmenter")
    assert isinstance(box, QComboBox)

    def is_offered() -> bool:
        index = box.model().index(box.findData(NAME), 0)
        return bool(index.flags() & Qt.ItemFlag.ItemIsEnabled)

    tip = box.itemData(box.findData(NAME), Qt.ItemDataRole.ToolTipRole)
    assert "Models…" in tip
    assert not is_offered()
    store.fetch(NAME)
    desk.session.preferences.weights_changed.emit()
    assert is_offered()
    settings.models_asked.emit()
    assert desk.window.findChild(ShelfDialog) is not None
    settings.close()


def test_an_error_about_missing_weights_offers_the_shelf(desk: Desk) -> None:
    desk.open()
    desk.session.status.report("error", "Not on this machine.", Topic.MODELS)
    offers = [each.text() for each in desk.window.messages.findChildren(QPushButton)]
    assert "Models…" in offers


def test_the_bar_offers_what_sharpens_each_mask(desk: Desk, server: Server) -> None:
    desk.open()
    bar = desk.window.findChild(PropagateBar)
    assert bar is not None
    button = next(each for each in bar.findChildren(QToolButton) if each.menu())
    rows = {each.data(): each for each in button.menu().actions()}
    assert rows[""].isChecked()
    assert not button.isChecked()
    assert not rows["hq-sam-large"].isEnabled()
    assert "1.25 GB" in rows["hq-sam-large"].toolTip()
    rows["classic"].trigger()
    assert desk.session.preferences.settings.sharpener == "classic"
    assert button.isChecked()
    assert "by classic" in button.toolTip()
    assert [name for name, row in rows.items() if row.isChecked()] == ["classic"]
    rows[""].trigger()
    assert desk.session.preferences.settings.sharpener == ""
    assert not button.isChecked()
