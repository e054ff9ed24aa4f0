"""The actions: every key does what the table says, and what cannot be used says why."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest
import qtawesome
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QComboBox, QDialog, QLineEdit, QMenu, QToolBar, QToolButton

from app.core.document import Key, State
from app.gui.actions.needs import Need, Situation
from app.gui.actions.table.menus import acts
from app.gui.canvas.scene.overlay import OverlayMode
from app.gui.canvas.tools.tool import Tool
from models.api import Click
from tests.gui.conftest import Desk
from tests.gui.stage import mouse_on

K = Qt.Key
SHIFT = Qt.KeyboardModifier.ShiftModifier
CTRL = Qt.KeyboardModifier.ControlModifier
ALT = Qt.KeyboardModifier.AltModifier

# The default keys, as they are promised.
PROMISED = (
    "Left Right A D Shift+Left Shift+Right Ctrl+Left Ctrl+Right PgUp PgDown Home End Space Ctrl+G "
    "I O Ctrl+Shift+X 1 2 3 4 5 6 7 8 9 0 Ctrl+Up Ctrl+Down M H Shift+H L X Shift+X Del Shift+Del "
    "Ctrl+Z Ctrl+Shift+Z Q W E R T V [ ] U Shift+U Return Esc F B P Shift+P Alt+. Alt+, C Shift+C "
    "N Shift+N Y F1 Ctrl+/ Ctrl+K F2 F3 Ctrl+0 Ctrl+Alt+0 Ctrl+O Ctrl+S Ctrl+Shift+S Ctrl+E "
    "Ctrl+W Ctrl+Q Ctrl+, F11 Ctrl+C Ctrl+V"
)


def keys_of(desk: Desk) -> list[str]:
    portable = QKeySequence.SequenceFormat.PortableText
    return [
        keys.toString(portable)
        for action in desk.window.actions_by_name
        for keys in action.shortcuts()
    ]


def test_every_promised_key_belongs_to_an_action_and_no_key_to_two(desk: Desk) -> None:
    keys = keys_of(desk)
    assert [key for key in PROMISED.split() if key not in keys] == []
    assert [key for key, count in Counter(keys).items() if count > 1] == []


def test_every_action_has_a_tip_and_an_icon_that_exists(desk: Desk) -> None:
    for act in acts():
        assert act.tip
        if act.icon:
            qtawesome.icon(f"mdi6.{act.icon}")


def test_every_mnemonic_in_a_menu_is_there_once(desk: Desk) -> None:
    for menu in desk.window.menuBar().findChildren(QMenu):
        texts = [action.text() for action in menu.actions() if "&" in action.text()]
        letters = Counter(text[text.index("&") + 1].lower() for text in texts)
        assert [letter for letter, count in letters.items() if count > 1] == [], menu.title()


def test_what_cannot_be_used_says_why_in_its_tip(desk: Desk) -> None:
    forward = desk.window.actions_by_name["forward"]
    assert not forward.isEnabled()
    assert "Open a video first" in forward.toolTip()
    desk.open()
    assert "no mask to start from" in forward.toolTip()
    desk.draw()
    assert forward.isEnabled()
    assert "first" not in forward.toolTip()


@pytest.mark.parametrize("need", [need for need in Need if need is not Need.NOTHING])
def test_every_need_is_lacking_where_nothing_is_open(need: Need) -> None:
    assert Situation().lacking(need) is not None


def test_a_tool_button_that_shows_no_text_has_an_icon(opened: Desk) -> None:
    for bar in opened.window.findChildren(QToolBar):
        for action in bar.actions():
            button = bar.widgetForAction(action)
            if isinstance(button, QToolButton) and not action.isSeparator():
                icon_only = button.toolButtonStyle() == Qt.ToolButtonStyle.ToolButtonIconOnly
                assert not icon_only or not action.icon().isNull(), action.objectName()


def test_keys_move_through_the_video(opened: Desk) -> None:
    session = opened.session
    for key, keys, frame in (
        (K.Key_Right, None, 1),
        (K.Key_D, None, 2),
        (K.Key_Left, None, 1),
        (K.Key_A, None, 0),
        (K.Key_Right, SHIFT, 10),
        (K.Key_Left, SHIFT, 0),
        (K.Key_End, None, 29),
        (K.Key_Home, None, 0),
        (K.Key_Right, CTRL, round(session.video.fps)),
        (K.Key_Left, CTRL, 0),
    ):
        opened.press(key, keys or Qt.KeyboardModifier.NoModifier)
        assert session.view.frame == min(frame, 29), (key, keys)


def test_in_and_out_points_limit_home_and_end(opened: Desk) -> None:
    session = opened.session
    session.view.go_to(5)
    opened.press(K.Key_I)
    session.view.go_to(12)
    opened.press(K.Key_O)
    assert (session.view.in_point, session.view.out_point) == (5, 12)
    opened.press(K.Key_Home)
    assert session.view.frame == 5
    opened.press(K.Key_Home)
    assert session.view.frame == 0
    opened.press(K.Key_End)
    assert session.view.frame == 12
    opened.press(K.Key_End)
    assert session.view.frame == 29
    opened.press(K.Key_X, CTRL | SHIFT)
    assert (session.view.in_point, session.view.out_point) == (None, None)


def test_page_keys_go_from_anchor_to_anchor(opened: Desk) -> None:
    for frame in (3, 17):
        opened.draw(frame)
    opened.session.view.go_to(10)
    opened.press(K.Key_PageDown)
    assert opened.session.view.frame == 17
    opened.press(K.Key_PageUp)
    assert opened.session.view.frame == 3


def test_letters_take_up_tools_and_brackets_change_the_brush(opened: Desk) -> None:
    canvas = opened.window.canvas
    for key, tool, name in (
        (K.Key_W, Tool.BOX, "tool_box"),
        (K.Key_E, Tool.BRUSH, "tool_brush"),
        (K.Key_R, Tool.ERASER, "tool_eraser"),
        (K.Key_T, Tool.POLYGON, "tool_polygon"),
        (K.Key_V, Tool.SELECT, "tool_select"),
        (K.Key_Q, Tool.POINTS, "tool_points"),
    ):
        opened.press(key)
        assert canvas.tool is tool
        assert opened.window.actions_by_name[name].isChecked()
    before = canvas.brush_diameter
    opened.press(K.Key_BracketRight)
    assert canvas.brush_diameter > before
    opened.press(K.Key_BracketLeft)
    assert canvas.brush_diameter == pytest.approx(before)


def test_object_keys(opened: Desk) -> None:
    session = opened.session
    opened.press(K.Key_M)
    opened.press(K.Key_M)
    assert [info.id for info in session.masks.objects] == [1, 2]
    opened.press(K.Key_1)
    assert session.view.selected == 1
    opened.press(K.Key_Down, CTRL)
    assert session.view.selected == 2
    opened.press(K.Key_H)
    opened.press(K.Key_L)
    assert (session.masks.document.object(2).visible, session.masks.document.object(2).locked) == (
        False,
        True,
    )
    opened.press(K.Key_H, SHIFT)
    modes = [opened.window.canvas.mode]
    opened.press(K.Key_H, SHIFT)
    modes.append(opened.window.canvas.mode)
    assert modes == [OverlayMode.SOLO, OverlayMode.FILL_AND_CONTOUR]
    opened.press(K.Key_Up, CTRL | SHIFT)
    assert [info.id for info in session.masks.objects] == [2, 1]


def test_mask_keys_and_their_undo(opened: Desk) -> None:
    session, key = opened.session, Key(0, 1)
    opened.draw()
    opened.press(K.Key_X)
    assert session.masks.state(key) is State.ABSENT
    opened.press(K.Key_X)
    assert session.masks.state(key) is State.ANCHOR
    opened.press(K.Key_Z, CTRL)
    opened.press(K.Key_Z, CTRL)
    assert session.masks.state(key) is State.ANCHOR
    opened.press(K.Key_Delete)
    assert session.masks.state(key) is State.NONE
    opened.press(K.Key_Z, CTRL)
    opened.press(K.Key_Z, CTRL | SHIFT)
    assert session.masks.state(key) is State.NONE


def test_range_keys_act_from_in_to_out(opened: Desk) -> None:
    session = opened.session
    opened.draw(3)
    session.view.set_range(2, 5)
    opened.press(K.Key_Delete, SHIFT)
    assert session.masks.state(Key(3, 1)) is State.NONE
    opened.press(K.Key_X, SHIFT)
    states = [session.masks.state(Key(frame, 1)) for frame in (1, 2, 5, 6)]
    assert states == [State.NONE, State.ABSENT, State.ABSENT, State.NONE]


def test_f_b_and_p_propagate_up_to_anchors_and_leave_them(opened: Desk) -> None:
    session = opened.session
    opened.draw(10)
    opened.draw(20, x=30)
    session.view.go_to(10)
    opened.press(K.Key_F)
    opened.idle()
    assert session.masks.state(Key(15, 1)) is State.PREDICTED
    assert session.masks.state(Key(20, 1)) is State.ANCHOR
    assert session.masks.state(Key(25, 1)) is State.NONE
    session.view.go_to(10)
    opened.press(K.Key_B)
    opened.idle()
    assert session.masks.state(Key(0, 1)) is State.PREDICTED
    opened.press(K.Key_P, SHIFT)
    opened.idle()
    assert session.masks.state(Key(29, 1)) is State.PREDICTED
    assert session.masks.state(Key(20, 1)) is State.ANCHOR


def test_one_frame_is_propagated_with_alt_and_the_picture_goes_there(opened: Desk) -> None:
    opened.draw(10)
    opened.session.view.go_to(10)
    opened.press(K.Key_Period, ALT)
    opened.idle()
    assert opened.session.view.frame == 11
    states = [opened.session.masks.state(Key(frame, 1)) for frame in (11, 12)]
    assert states == [State.PREDICTED, State.NONE]


def test_c_commits_an_anchor_and_shift_c_takes_it_back(opened: Desk) -> None:
    session = opened.session
    opened.draw(10)
    session.view.go_to(10)
    opened.press(K.Key_F)
    opened.idle()
    session.view.go_to(12)
    opened.press(K.Key_C)
    assert session.masks.state(Key(12, 1)) is State.VERIFIED
    opened.press(K.Key_C, SHIFT)
    assert session.masks.state(Key(12, 1)) is State.STALE


def test_escape_stops_the_job_and_keeps_what_is_finished(opened: Desk) -> None:
    opened.draw()
    gate = opened.model.fake_tracker.gate
    gate.close()
    opened.press(K.Key_F)
    gate.let(4)
    opened.qtbot.waitUntil(lambda: opened.session.masks.state(Key(2, 1)) is State.PREDICTED)
    opened.press(K.Key_Escape)
    gate.open()
    opened.idle()
    assert opened.session.masks.state(Key(2, 1)) is State.PREDICTED
    assert opened.session.masks.state(Key(29, 1)) is State.NONE


def test_escape_and_undo_drop_a_click_that_is_not_answered_yet(opened: Desk) -> None:
    session, gate = opened.session, opened.model.fake_segmenter.gate
    opened.draw()
    before = session.masks.document.get(Key(0, 1))
    for keys in ((K.Key_Escape,), (K.Key_Z, CTRL)):
        gate.close()
        session.clicks.click(Click(40, 20))
        opened.settle()
        opened.press(*keys)
        gate.open()
        opened.idle()
        opened.qtbot.wait(50)
        assert session.masks.document.get(Key(0, 1)) == before


def test_x_twice_leaves_the_mask_as_it_was(opened: Desk) -> None:
    opened.draw()
    opened.do("forward")
    opened.idle()
    opened.session.view.go_to(5)
    before = opened.session.masks.document.get(Key(5, 1))
    opened.press(K.Key_X)
    assert opened.session.masks.state(Key(5, 1)) is State.ABSENT
    opened.press(K.Key_X)
    after = opened.session.masks.document.get(Key(5, 1))
    assert before is not None
    assert after is not None
    assert after.mask == before.mask


def test_a_mask_is_copied_and_pasted_on_another_frame_and_to_another_object(opened: Desk) -> None:
    session = opened.session
    session.preferences.apply(replace(session.preferences.settings, overlap=True))
    assert not opened.window.actions_by_name["paste_mask"].isEnabled()
    opened.draw()
    opened.press(K.Key_C, CTRL)
    opened.press(K.Key_Right)
    opened.press(K.Key_V, CTRL)
    opened.press(K.Key_M)
    opened.press(K.Key_V, CTRL)
    masks = [session.masks.document.get(key) for key in (Key(0, 1), Key(1, 1), Key(1, 2))]
    assert len({entry.mask if entry else None for entry in masks}) == 1
    assert session.masks.state(Key(1, 2)) is State.ANCHOR
    opened.press(K.Key_Z, CTRL)
    assert session.masks.state(Key(1, 2)) is State.NONE


def test_the_switch_for_overlap_is_the_setting(opened: Desk) -> None:
    preferences = opened.session.preferences
    switch = opened.window.actions_by_name["overlap"]
    assert not switch.isChecked()
    opened.do("overlap")
    assert preferences.settings.overlap
    assert switch.isChecked()
    preferences.apply(replace(preferences.settings, overlap=False))
    opened.settle()
    assert not switch.isChecked()


def test_undo_with_an_open_polygon_takes_a_corner_and_no_step(opened: Desk) -> None:
    opened.draw()
    before = opened.session.masks.document.get(Key(0, 1))
    opened.press(K.Key_T)
    mouse = mouse_on(opened.window.canvas)
    for corner in ((5, 5), (40, 5), (40, 40)):
        mouse.click(*corner)
    for _ in range(3):
        opened.press(K.Key_Z, CTRL)
        assert opened.session.masks.document.get(Key(0, 1)) == before
    opened.press(K.Key_Z, CTRL)
    assert opened.session.masks.document.get(Key(0, 1)) is None


def test_u_shows_a_ghost_that_enter_takes_over_and_escape_drops(opened: Desk) -> None:
    session = opened.session
    opened.draw()
    before = session.masks.document.get(Key(0, 1))
    for key, taken in ((K.Key_Escape, False), (K.Key_Return, True)):
        opened.press(K.Key_U)
        opened.qtbot.waitUntil(lambda: session.correction.has_refinement)
        opened.press(key)
        opened.idle()
        assert not session.correction.has_refinement
        assert (session.masks.document.get(Key(0, 1)) != before) is taken


def test_single_letters_are_text_while_a_text_field_has_the_focus(opened: Desk) -> None:
    field = QLineEdit(opened.window)
    field.show()
    field.setFocus()
    for key in (K.Key_M, K.Key_D, K.Key_Space, K.Key_1):
        opened.press(key, widget=field)
    assert field.text() == "md 1"
    assert opened.session.masks.objects == ()
    assert opened.session.view.frame == 0


@pytest.mark.parametrize("key", [K.Key_Delete, K.Key_X, K.Key_C])
@pytest.mark.parametrize("keys", [Qt.KeyboardModifier.NoModifier, SHIFT])
def test_keys_leave_the_masks_of_a_hidden_object_alone_and_say_so(
    opened: Desk, said: Callable[[str], bool], key: Qt.Key, keys: Qt.KeyboardModifier
) -> None:
    opened.draw()
    opened.session.view.set_range(0, 5)
    (info,) = opened.session.masks.objects
    opened.session.objects.edit(replace(info, visible=False))
    before = dict(opened.session.masks.document.items())
    opened.press(key, keys)
    assert dict(opened.session.masks.document.items()) == before
    assert said("is hidden. Show it (H) to edit it.")


@pytest.mark.parametrize("name", ["settings", "go_to", "sheet", "palette", "guide", "about"])
def test_dialogs_open_beside_the_work_and_close_with_escape(opened: Desk, name: str) -> None:
    opened.do(name)
    shown = [dialog for dialog in opened.window.findChildren(QDialog) if dialog.isVisible()]
    assert len(shown) == 1
    assert not shown[0].isModal()
    opened.press(K.Key_Escape, widget=shown[0])
    assert not [dialog for dialog in opened.window.findChildren(QDialog) if dialog.isVisible()]


def test_undo_names_what_it_takes_back(opened: Desk) -> None:
    opened.draw()
    assert "brush" in opened.window.actions_by_name["undo"].text().lower()


def test_space_plays_and_stops_at_the_out_point(opened: Desk) -> None:
    opened.session.view.set_range(0, 3)
    opened.press(K.Key_Space)
    opened.qtbot.waitUntil(lambda: opened.session.view.frame == 3)
    opened.press(K.Key_Right)
    opened.qtbot.waitUntil(lambda: opened.session.view.frame == 4)


def test_a_propagation_may_be_limited_to_the_selected_object(opened: Desk) -> None:
    opened.draw(number=1)
    opened.draw(number=2, x=40)
    bar = opened.window.findChild(QToolBar, "propagate_bar")
    assert bar is not None
    bar.findChildren(QComboBox)[0].setCurrentIndex(1)
    opened.press(K.Key_F)
    opened.idle()
    assert opened.session.masks.state(Key(5, 2)) is State.PREDICTED
    assert opened.session.masks.state(Key(5, 1)) is State.NONE


def test_tab_shows_the_next_candidate_on_the_picture(opened: Desk) -> None:
    canvas = opened.window.canvas
    middle = canvas.viewport().rect().center()
    opened.qtbot.mouseClick(canvas.viewport(), Qt.MouseButton.LeftButton, pos=middle)
    opened.idle()
    first = opened.session.masks.shown(0)[1].mask
    opened.press(K.Key_Tab)
    assert opened.session.masks.shown(0)[1].mask != first


def test_a_dialog_is_not_opened_twice(opened: Desk) -> None:
    opened.do("settings")
    opened.do("settings")
    shown = [dialog for dialog in opened.window.findChildren(QDialog) if dialog.isVisible()]
    assert len(shown) == 1
