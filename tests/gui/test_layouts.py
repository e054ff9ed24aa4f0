"""The keys on other keyboards than an American one."""
# ruff: noqa: RUF001

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QPlainTextEdit, QWidget

from app.gui.actions.presets import PRESETS
from app.gui.actions.table.action import Action
from app.gui.actions.table.menus import acts
from app.gui.canvas.tools.tool import Tool
from tests.gui.conftest import Desk

# Not on a key of their own, or not at all, on one of AZERTY, QWERTZ and the Cyrillic layouts.
HARD = set("[]{}/\\`~@#|;'=<>")


def sequences(act: Action, preset: str) -> list[str]:
    keys = PRESETS[preset].get(act.name, act.keys)
    return [key if isinstance(key, str) else QKeySequence(key).toString() for key in keys]


@pytest.mark.parametrize("preset", PRESETS)
def test_every_shortcut_can_be_typed_everywhere(preset: str, qapp: QApplication) -> None:
    for act in acts():
        keys = sequences(act, preset)
        easy = [key for key in keys if not HARD & set(key.split("+")[-1] or "+")]
        assert easy or not keys, act.name


@pytest.mark.parametrize("preset", PRESETS)
def test_no_key_does_two_things(preset: str, qapp: QApplication) -> None:
    keys = [key for act in acts() for key in sequences(act, preset)]
    assert sorted(keys) == sorted(set(keys))


def type_letter(widget: QWidget, text: str, keys: Qt.KeyboardModifier) -> bool:
    event = QKeyEvent(QEvent.Type.KeyPress, ord(text.upper()), keys, text)
    return QApplication.sendEvent(widget, event)


NONE, SHIFT = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier
CTRL = Qt.KeyboardModifier.ControlModifier


def test_cyrillic_letters_are_the_latin_ones_in_their_place(desk: Desk) -> None:
    desk.open()
    canvas, view = desk.window.canvas, desk.session.view
    type_letter(canvas, "у", NONE)
    assert canvas.tool is Tool.BRUSH
    type_letter(canvas, "в", NONE)
    assert view.frame == 1
    type_letter(canvas, "ф", NONE)
    assert view.frame == 0
    type_letter(canvas, "ь", NONE)
    assert len(desk.session.masks.objects) == 1
    desk.settle()
    type_letter(canvas, "Р", SHIFT)
    assert canvas.mode.name == "SOLO"
    type_letter(canvas, "й", Qt.KeyboardModifier.MetaModifier)
    assert canvas.tool is Tool.BRUSH
    count = desk.session.history.stack.index()
    type_letter(canvas, "Я", CTRL)
    assert desk.session.history.stack.index() == count - 1
    desk.settle()
    type_letter(canvas, "Я", CTRL | SHIFT)
    assert desk.session.history.stack.index() == count
    type_letter(canvas, "к", CTRL)
    assert canvas.tool is Tool.BRUSH


def test_a_text_field_keeps_its_letters(desk: Desk) -> None:
    desk.open()
    field = QLineEdit(desk.window)
    type_letter(field, "у", NONE)
    assert field.text() == "у"
    assert desk.window.canvas.tool is Tool.POINTS


@pytest.mark.parametrize("kind", [QLineEdit, QPlainTextEdit])
def test_a_text_field_copies_pastes_and_takes_back_with_cyrillic_letters(
    desk: Desk, kind: type[QLineEdit | QPlainTextEdit]
) -> None:
    desk.open()
    desk.draw(0)
    steps = desk.session.history.stack.index()
    field = kind(desk.window)
    read = field.text if isinstance(field, QLineEdit) else field.toPlainText
    QTest.keyClicks(field, "cup")
    type_letter(field, "ф", CTRL)
    type_letter(field, "ч", CTRL)
    assert (read(), QApplication.clipboard().text()) == ("", "cup")
    type_letter(field, "м", CTRL)
    type_letter(field, "м", CTRL)
    assert read() == "cupcup"
    type_letter(field, "я", CTRL)
    assert read() != "cupcup"
    type_letter(field, "Я", CTRL | SHIFT)
    assert read() == "cupcup"
    type_letter(field, "ф", CTRL)
    QApplication.clipboard().setText("")
    type_letter(field, "с", CTRL)
    assert QApplication.clipboard().text() == "cupcup"
    assert desk.session.history.stack.index() == steps
