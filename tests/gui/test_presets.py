"""Keys as in other tools."""

from collections import Counter
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QTextBrowser

from app.gui.actions.presets import PRESETS
from app.gui.dialogs.help import HelpWindow
from app.storage.settings import field_of
from tests.gui.conftest import Desk


def _choose(desk: Desk, preset: str) -> None:
    desk.session.preferences.apply(replace(desk.session.preferences.settings, shortcuts=preset))


@pytest.mark.parametrize("preset", PRESETS)
def test_no_key_has_two_meanings(desk: Desk, preset: str) -> None:
    _choose(desk, preset)
    actions = desk.window.actions_by_name
    keys = Counter(each.toString() for action in actions for each in action.shortcuts())
    assert {key: count for key, count in keys.items() if count > 1} == {}


def test_every_preset_can_be_chosen() -> None:
    assert {choice.value for choice in field_of("shortcuts").choices} == set(PRESETS)


def test_a_preset_holds_at_once_and_is_told(opened: Desk) -> None:
    _choose(opened, "cvat")
    opened.press(Qt.Key.Key_F)
    assert opened.session.view.frame == 1
    assert "(F)" in opened.window.actions_by_name["next_frame"].toolTip()
    _choose(opened, "default")
    opened.press(Qt.Key.Key_D)
    assert opened.session.view.frame == 2


def test_the_guide_names_the_keys_of_the_preset(desk: Desk) -> None:
    _choose(desk, "cvat")
    desk.do("guide")
    (guide,) = desk.window.findChildren(HelpWindow)
    text = guide.findChildren(QTextBrowser)[0].toPlainText()
    assert "J goes to the next suspect" in text
    assert "N or M makes another one" in text
    assert "{" not in text
