"""VISOR in the window: contacts, flags and order set with keys, defects mended, runs reviewed."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from app.core.attributes import CONTACT, EXHAUSTIVE
from app.core.document import Entry, Key, Origin
from app.core.mask import Mask
from app.core.paint import Point
from app.gui.canvas.hud import Hud
from app.gui.canvas.mask_menu import MaskMenu
from app.gui.canvas.tools.tool import Tool
from app.gui.panels.visor.filmstrip import Filmstrip
from app.gui.panels.visor.panels import VisorPanels
from app.gui.panels.visor.rules import Column
from app.gui.panels.visor.tile import Tile
from app.session.visor.visor import Visor
from tests.fakes import SIZE, square
from tests.gui.conftest import Desk
from tests.session.visor.files import kitchen, number_of, write
from tests.session.visor.test_densify import source_in as sparse_source

K, SHIFT = Qt.Key, Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def visor(desk: Desk, tmp_path: Path) -> Visor:
    """A window on a small VISOR file."""
    desk.window.files.open(write(tmp_path, kitchen()))
    desk.settle()
    return desk.session.files.exchange.visor


@pytest.fixture
def panels(desk: Desk, visor: Visor) -> VisorPanels:
    return desk.window._parts.visor


def checked(desk: Desk, visor: Visor, qtbot: QtBot) -> None:
    visor.validation.check()
    qtbot.waitUntil(lambda: not visor.validation.is_checking)
    desk.settle()


def click(desk: Desk, view: Any, row: int, column: int = 0) -> None:  # noqa: ANN401
    place = view.visualRect(view.model().index(row, column)).center()
    desk.qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    desk.settle()


def test_contact_flag_order_and_a_hidden_mask_take_at_most_twelve_interactions(
    desk: Desk, visor: Visor, panels: VisorPanels, tmp_path: Path, qtbot: QtBot
) -> None:
    session = desk.session
    names = {info.name: info.id for info in session.masks.objects}
    out = desk.ask.answer = tmp_path / "out.json"
    desk.press(getattr(K, f"Key_{names['right hand']}"))  # 1: the hand
    desk.press(K.Key_G, SHIFT)  # 2: it touches nothing
    desk.press(K.Key_E, SHIFT)  # 3: its exhaustive flag, y to n
    desk.press(getattr(K, f"Key_{names['left glove']}"))  # 4: the glove
    desk.press(K.Key_L, SHIFT)  # 5: below the hand
    desk.press(K.Key_F4)  # 6: check by the rules
    qtbot.waitUntil(lambda: not visor.validation.is_checking)
    click(desk, panels.rules.view, 0)  # 7: the defect, which goes to its frame and mask
    assert session.view.selected == names["cup"]
    desk.press(K.Key_F4, SHIFT)  # 8: mend it: the hidden mask comes up
    qtbot.waitUntil(lambda: not visor.validation.is_checking)
    assert not [each for each in visor.validation.findings if not each.defect.harmless]
    session.files.exchange.export("visor", out)  # 9 to 11: Ctrl+E, Enter, a name
    qtbot.waitUntil(out.exists)
    here = json.loads(out.read_text())["video_annotations"][0]["annotations"]
    assert [each["name"] for each in here] == ["plate", "left glove", "right hand", "cup"]
    assert here[2][CONTACT] == "hand-not-in-contact"
    assert [each[EXHAUSTIVE] for each in here] == ["y", "y", "n", "n"]


def test_the_panel_shows_frame_name_time_and_what_lies_under_others(
    desk: Desk, visor: Visor, panels: VisorPanels
) -> None:
    panels.annotations.refresh()
    assert panels.annotations.where == "P01_01_frame_0000000101.jpg · 00:01.67 · P01_01_seq_00001"
    assert panels.annotations.warning == "cup: 100% of it lies under plate."
    model = panels.annotations.view.model()
    assert [model.index(row, 0).data() for row in range(4)] == [
        "left glove", "right hand", "plate", "cup",
    ]  # fmt: skip
    assert [model.index(1, column).data() for column in range(1, 4)] == ["y", "plate", ""]


def test_the_form_changes_what_is_said_of_the_selected_mask(
    desk: Desk, visor: Visor, panels: VisorPanels
) -> None:
    session = desk.session
    hand = number_of(session, "right hand")
    panels.annotations.refresh()
    click(desk, panels.annotations.view, 1)
    panels.annotations.refresh()
    assert session.view.selected == hand
    form = panels.annotations.form
    assert [form.contact.itemText(row) for row in range(4)] == [
        "plate", "inconclusive", "none-of-the-above", "hand-not-in-contact",
    ]  # fmt: skip
    form.contact.activated.emit(2)
    assert visor.attributes.value(Key(0, hand), CONTACT) == "none-of-the-above"
    form.exhaustive.activated.emit(2)
    assert visor.attributes.value(Key(0, hand), EXHAUSTIVE) == "inconclusive"
    form.name.setText("left hand")
    form.name.editingFinished.emit()
    assert (session.masks.name_of(hand), session.masks.objects[2].class_id) == ("left hand", 300)
    form.kind.setText("no such thing")
    form.kind.editingFinished.emit()
    assert session.masks.objects[2].class_id == 300
    assert session.history.stack.count() == 3


def test_what_is_typed_for_one_object_never_goes_to_another(
    desk: Desk, visor: Visor, panels: VisorPanels
) -> None:
    session, form = desk.session, panels.annotations.form
    session.view.select(number_of(session, "plate"))
    panels.annotations.refresh()
    form.name.setFocus()
    desk.qtbot.keyClicks(form.name, "s")
    session.view.select(number_of(session, "cup"))
    panels.annotations.refresh()
    assert form.name.text() == "cup"
    form.name.editingFinished.emit()
    assert {info.name for info in session.masks.objects} >= {"plate", "cup"}


def test_the_picture_draws_masks_as_the_frame_has_them(desk: Desk, visor: Visor) -> None:
    session, picture = desk.session, desk.window.canvas._picture
    cup, plate = number_of(session, "cup"), number_of(session, "plate")
    assert picture.object_at(Point(24, 14)) == plate
    session.view.select(cup)
    desk.press(K.Key_K, SHIFT)
    assert picture.object_at(Point(24, 14)) == cup
    session.history.undo()
    assert picture.object_at(Point(24, 14)) == plate


def test_a_click_on_a_defect_goes_there(
    desk: Desk, visor: Visor, panels: VisorPanels, qtbot: QtBot
) -> None:
    desk.session.objects.rename(number_of(desk.session, "tap"), "tap ")
    edited = next(info for info in desk.session.masks.objects if info.name == "tap")
    assert edited.class_id == 0  # space round a name is no name
    visor.attributes.say(EXHAUSTIVE, "maybe", (number_of(desk.session, "plate"),))
    desk.session.view.go_to(3)
    checked(desk, visor, qtbot)
    view = panels.rules.view
    texts = [view.model().index(row, Column.RULE).data() for row in range(2)]
    assert panels.rules.summary == "2 defects, 0 notes"
    assert any("exhaustive" in text for text in texts)
    row = next(row for row, text in enumerate(texts) if "exhaustive" in text)
    click(desk, view, row)
    assert (desk.session.view.frame, desk.session.view.selected) == (
        0, number_of(desk.session, "plate"),
    )  # fmt: skip
    desk.do("mend_all")
    qtbot.waitUntil(lambda: not visor.validation.is_checking)
    assert panels.rules.summary == "0 defects, 0 notes"
    desk.session.history.undo()
    assert "have changed" in panels.rules.summary


def test_subsequences_are_stepped_through_and_shown_as_a_strip(
    desk: Desk, visor: Visor, panels: VisorPanels
) -> None:
    desk.do("filmstrip")
    strip = panels.filmstrip
    assert [tile.frame for tile in strip.tiles] == [0, 1]
    desk.press(K.Key_PageDown, SHIFT)
    assert desk.session.view.frame == 2
    assert [tile.frame for tile in strip.tiles] == [2, 3]
    assert strip.title == "P01_01_seq_00002: 2 annotated frames, 2 to 3"
    tile = strip.tiles[1]
    tile.resize(64, 48 + 18)
    desk.qtbot.mouseClick(tile, Qt.MouseButton.LeftButton, pos=QPoint(10, 9))
    assert desk.session.view.frame == 3
    assert desk.session.view.selected == number_of(desk.session, "tap")
    desk.press(K.Key_PageUp, SHIFT)
    assert desk.session.view.frame == 0


def at(tile: Tile, x: float, y: float) -> QPoint:
    """Return where a pixel of the frame lies in a tile of a quarter of its size or so."""
    height, width = SIZE
    return QPoint(round(x * tile.width() / width), round(y * (tile.height() - 18) / height))


@pytest.fixture
def strip(desk: Desk, visor: Visor, panels: VisorPanels, qtbot: QtBot) -> Filmstrip:
    """The filmstrip of the first subsequence, its tiles drawn, with the cup selected."""
    desk.do("filmstrip")
    strip = panels.filmstrip
    for tile in strip.tiles:
        tile.resize(2 * SIZE[1], 2 * SIZE[0] + 18)
        qtbot.waitUntil(lambda tile=tile: desk.session.video.image(tile.frame) is not None)
        tile.refresh()
        tile.grab()
    desk.session.view.select(number_of(desk.session, "cup"))
    return strip


def test_clicks_in_a_tile_correct_the_selected_object_on_its_frame(
    desk: Desk, strip: Filmstrip
) -> None:
    session, cup = desk.session, number_of(desk.session, "cup")
    desk.window.canvas.set_tool(Tool.POINTS)
    tile = strip.tiles[1]
    desk.qtbot.mouseClick(tile, Qt.MouseButton.LeftButton, pos=at(tile, 40, 20))
    desk.idle()
    assert (session.view.frame, session.view.selected) == (tile.frame, cup)
    desk.qtbot.mouseClick(tile, Qt.MouseButton.RightButton, pos=at(tile, 10, 30))
    desk.idle()
    entry = session.masks.entry(Key(tile.frame, cup))
    assert entry is not None
    assert entry.origin is Origin.CLICKED
    assert [click.positive for click in entry.clicks] == [True, False]
    assert [(round(click.x), round(click.y)) for click in entry.clicks] == [(40, 20), (10, 30)]
    session.history.undo()
    session.history.undo()
    before = session.masks.entry(Key(tile.frame, cup))
    assert before is None or before.origin is not Origin.CLICKED


def test_a_box_is_drawn_in_a_tile_and_escape_drops_it(desk: Desk, strip: Filmstrip) -> None:
    session, qtbot, left = desk.session, desk.qtbot, Qt.MouseButton.LeftButton
    plate, tile = number_of(session, "plate"), strip.tiles[1]
    session.view.select(plate)
    desk.window.canvas.set_tool(Tool.BOX)
    before = session.masks.entry(Key(tile.frame, plate))
    qtbot.mousePress(tile, left, pos=at(tile, 4, 4))
    qtbot.mouseMove(tile, at(tile, 20, 20))
    strip.setFocus()
    qtbot.keyClick(strip, K.Key_Escape)
    qtbot.mouseRelease(tile, left, pos=at(tile, 20, 20))
    desk.idle()
    assert session.masks.entry(Key(tile.frame, plate)) == before
    qtbot.mousePress(tile, left, pos=at(tile, 4, 4))
    qtbot.mouseMove(tile, at(tile, 20, 20))
    qtbot.mouseRelease(tile, left, pos=at(tile, 20, 20))
    desk.idle()
    entry = session.masks.entry(Key(tile.frame, plate))
    assert session.view.frame == tile.frame
    assert entry is not None
    assert entry.origin is Origin.CLICKED


def test_a_box_in_a_tile_is_gone_where_another_object_is_selected(
    desk: Desk, strip: Filmstrip
) -> None:
    session, qtbot, tile = desk.session, desk.qtbot, strip.tiles[1]
    desk.window.canvas.set_tool(Tool.BOX)
    qtbot.mousePress(tile, Qt.MouseButton.LeftButton, pos=at(tile, 4, 4))
    qtbot.mouseMove(tile, at(tile, 20, 20))
    assert tile.busy
    session.view.select(number_of(session, "plate"))
    assert not tile.busy
    qtbot.mouseRelease(tile, Qt.MouseButton.LeftButton, pos=at(tile, 20, 20))
    assert session.clicks.asked == ""


def test_arrows_go_from_tile_to_tile_and_enter_verifies(desk: Desk, strip: Filmstrip) -> None:
    session, plate = desk.session, number_of(desk.session, "plate")
    edited = Entry(Mask.encode(square(21, size=SIZE)), Origin.PROPAGATED)
    session.masks.change({Key(1, plate): edited}, "Propagate")
    session.view.select(plate)
    desk.press(K.Key_Right, widget=strip)
    assert session.view.frame == strip.tiles[1].frame == 1
    desk.press(K.Key_Right, widget=strip)  # the last one
    assert session.view.frame == 1
    desk.press(K.Key_Return, widget=strip)
    desk.idle()
    entry = session.masks.entry(Key(1, plate))
    assert entry is not None
    assert entry.verified
    desk.press(K.Key_Left, widget=strip)
    assert session.view.frame == 0


def test_a_right_click_without_a_tool_that_asks_offers_repairs(
    desk: Desk, strip: Filmstrip
) -> None:
    desk.window.canvas.set_tool(Tool.SELECT)
    tile = strip.tiles[0]
    desk.qtbot.mousePress(tile, Qt.MouseButton.RightButton, pos=at(tile, 22, 20))
    menu = tile.findChild(MaskMenu)
    assert menu is not None
    menu.close()
    entry = desk.session.masks.entry(Key(0, number_of(desk.session, "plate")))
    assert entry is not None
    assert not entry.clicks


def test_propagation_keeps_to_the_subsequence_until_it_may_not(desk: Desk, visor: Visor) -> None:
    limits = visor.subsequences.limits
    assert limits() == (0, 1)
    desk.session.view.set_range(1, 2)
    assert limits() == (1, 2)
    desk.session.view.set_range(None, None)
    desk.do("keep_to_sequence")
    assert limits() == (None, None)
    number = number_of(desk.session, "cup")
    desk.do("keep_to_sequence")
    desk.session.view.select(number)
    desk.do("whole")
    desk.idle()
    assert set(desk.session.masks.of_object(number)) <= {0, 1}


def test_runs_are_accepted_and_rejected_one_by_one(
    desk: Desk, tmp_path: Path, qtbot: QtBot
) -> None:
    source = write(tmp_path, kitchen(), "P01_01")
    between = tmp_path / "P01_01" / "P01_01_frame_0000000101.jpg"
    for number in (103, 104, 105):
        data = between.read_bytes()
        (tmp_path / "P01_01" / f"P01_01_frame_{number:010d}.jpg").write_bytes(data)
    raw = kitchen()
    raw["video_annotations"][1]["image"] |= {
        "name": "P01_01_frame_0000000105.jpg", "image_path": "P01_01/P01_01_frame_0000000105.jpg",
    }  # fmt: skip
    source.write_text(json.dumps(raw))
    desk.window.files.open(source)
    desk.settle()
    session, dense = desk.session, desk.session.files.exchange.visor.dense
    plate = number_of(session, "plate")
    mask = Mask.encode(square(21, 10, 12))
    doubtful = Entry(mask, Origin.PROPAGATED, score=0.6, conflict=True)
    session.masks.change({Key(f, plate): doubtful for f in (1, 2, 3)}, "Densify")
    first = dense.all()[0]
    assert (first.run.start, first.run.end, first.doubted) == (0, 4, (1, 2, 3))
    panel = desk.window._parts.visor.dense
    session.view.go_to(1)  # between the annotated frames
    hud = desk.window.canvas.findChild(Hud)
    assert hud is not None
    assert hud.text().startswith("1 / 6 · 00:01.68 · P01_01_frame_0000000102")
    desk.do("accept_run")  # nothing is chosen: the list comes up at the first run
    assert session.view.frame == 2  # all of it is in doubt: its middle
    desk.do("accept_run")
    assert dense.all()[0].is_decided
    out = tmp_path / "dense.json"
    session.files.exchange.export("visor-dense", out)
    qtbot.waitUntil(out.exists)
    masks = [a for r in json.loads(out.read_text())["video_annotations"] for a in r["annotations"]]
    assert [each["type"] for each in masks] == [1, 0, 0, 0, 1]
    panel.choose_next(0)
    desk.do("reject_run")
    assert dense.all()[0].made == 0
    session.history.undo()
    assert dense.all()[0].made == 3


def test_densify_from_the_menu_then_decide_in_the_panel_and_export(
    desk: Desk, tmp_path: Path, qtbot: QtBot, said: Callable[[str], bool]
) -> None:
    source = sparse_source(tmp_path / "work")
    desk.window.files.open(source)
    desk.settle()
    panel, session = desk.window._parts.visor.dense, desk.session
    gate = panel.gate
    assert gate.value() == 0.85
    gate.setValue(0.5)
    assert session.preferences.settings.densify_gate == 0.5
    gate.setValue(0.85)
    menu = next(a.menu() for a in desk.window.menuBar().actions() if a.text() == "VI&SOR")
    assert isinstance(menu, QMenu)
    action = next(each for each in menu.actions() if each.text().startswith("Densif"))
    desk.model.fake_tracker.gate.close()
    action.trigger()
    desk.settle()
    assert panel.isVisible()
    assert panel.summary == "4 runs of objects, 0 to decide on, 4 to be filled"
    assert desk.window._parts.status.jobs.list.titles == ["Densify 2 objects, frames 0-8"]
    desk.model.fake_tracker.gate.let(11)
    qtbot.waitUntil(lambda: "2 to decide on, 2 to be filled" in panel.summary)
    desk.model.fake_tracker.gate.open()
    desk.idle()
    assert said("0 of 12 masks accepted. In doubt: cup 1-3; plate 1-3; cup 5-7 and 1 more")
    panel.refresh()
    assert panel.summary == "4 runs of objects, 4 to decide on"
    model = panel.view.model()
    states = [model.index(row, 3).data() for row in range(4)]
    assert states == ["in doubt: 1-3"] * 2 + ["in doubt: 5-7"] * 2
    assert "disagree on 3 of them: 1-3" in model.index(0, 3).data(Qt.ItemDataRole.ToolTipRole)
    click(desk, panel.view, 0)
    desk.press(Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier, panel.view)
    desk.press(Qt.Key.Key_Backspace, Qt.KeyboardModifier.ControlModifier, panel.view)
    assert [model.index(row, 3).data() for row in range(3)] == [
        "accepted",
        "to be filled",
        "in doubt: 5-7",
    ]
    assert panel.row == 2  # the next that is to be decided on
    click(desk, panel.view, 3)
    desk.do("accept_run")
    assert panel.row == 2
    session.history.undo()
    desk.ask.answer = tmp_path / "dense.json"
    desk.do("export_dense")
    qtbot.waitUntil((tmp_path / "dense.json").exists)
    records = json.loads((tmp_path / "dense.json").read_text())["video_annotations"]
    kinds = [[(each["name"], each["type"]) for each in r["annotations"]] for r in records]
    assert kinds == [[("cup", 1)], [("cup", 0)], [("cup", 0)], [("cup", 0)], [("cup", 1)]]
    desk.do("densify")  # what was rejected is made anew, what was accepted stays
    desk.idle()
    panel.refresh()
    assert [model.index(row, 3).data() for row in range(2)] == ["accepted", "in doubt: 1-3"]


def test_the_view_goes_along_from_one_run_to_the_next(
    desk: Desk, tmp_path: Path, qtbot: QtBot
) -> None:
    desk.window.files.open(sparse_source(tmp_path / "work"))
    desk.settle()
    gate = desk.model.fake_tracker.gate
    gate.close()
    desk.do("densify")
    gate.let(11)
    qtbot.waitUntil(lambda: len(desk.session.masks.document) == 12)  # the first run is kept
    qtbot.wait(120)  # no more often is it told how far a job is
    gate.let(2)
    qtbot.waitUntil(lambda: desk.session.view.frame > 4)
    desk.session.objects.add()  # who does something stays where he is
    here = desk.session.view.frame
    qtbot.wait(120)
    gate.open()
    desk.idle()
    assert desk.session.view.frame == here


def test_a_run_beside_an_edited_mask_is_stale_until_it_is_accepted_or_made_anew(
    desk: Desk, tmp_path: Path
) -> None:
    desk.window.files.open(sparse_source(tmp_path / "work"))
    desk.window._parts.visor.dense.gate.setValue(0)
    desk.do("densify")
    desk.idle()
    session, dense = desk.session, desk.session.files.exchange.visor.dense
    session.edit.draw_mask(0, 1, square(20, 10, size=session.video.size), "Brush")
    desk.settle()
    panel = desk.window._parts.visor.dense
    panel.refresh()
    model = panel.view.model()
    assert model.index(0, 3).data() == "stale: 1-3"
    assert [each.stale for each in dense.all()] == [(1, 2, 3), (), (), ()]
    click(desk, panel.view, 0)
    desk.do("accept_run")
    assert dense.all()[0].is_decided
    session.history.undo()
    desk.do("densify")
    desk.idle()
    assert dense.all()[0].is_decided
    entry = session.masks.document.get(Key(1, 1))
    drawn = session.masks.document.get(Key(0, 1))
    assert entry is not None
    assert drawn is not None
    assert entry.mask == drawn.mask


def test_without_a_visor_file_there_are_no_subsequences(opened: Desk) -> None:
    assert not opened.window.actions_by_name["next_sequence"].isEnabled()
    assert opened.session.files.exchange.visor.subsequences.limits() == (None, None)
    opened.do("filmstrip")
    opened.do("validate")
