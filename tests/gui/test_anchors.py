"""The panel of the anchors, which frame next, and where videos were left."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt

from app.core.document import Key, State
from app.gui.panels.anchors import AnchorsPanel
from tests.fakes import write_frames
from tests.gui.conftest import Desk


def panel_of(desk: Desk) -> AnchorsPanel:
    panel = desk.window.findChild(AnchorsPanel)
    assert panel is not None
    return panel


def texts(desk: Desk) -> list[str]:
    model = panel_of(desk).view.model()
    return [str(model.index(row, 0).data()) for row in range(model.rowCount())]


def anchored(desk: Desk) -> None:
    """Two anchors of one object, one of another, propagated."""
    desk.draw(0, number=1)
    desk.draw(20, number=1)
    desk.draw(5, number=2, x=40)
    desk.do("whole")
    desk.idle()


def test_anchors_are_listed_with_the_frames_that_they_govern(opened: Desk) -> None:
    anchored(opened)
    opened.session.view.select(1)
    opened.qtbot.waitUntil(
        lambda: texts(opened) == [
            "0 · object 1\ngoverns 0 to 19", "20 · object 1\ngoverns 1 to 29",
        ]
    )  # fmt: skip
    opened.session.view.select(None)
    opened.qtbot.waitUntil(lambda: len(texts(opened)) == 3)


def test_an_anchor_has_a_picture_with_its_mask(opened: Desk) -> None:
    anchored(opened)
    opened.session.view.select(2)
    model = panel_of(opened).view.model()

    def colors() -> set[int]:
        icon = model.index(0, 0).data(Qt.ItemDataRole.DecorationRole)
        if icon is None:
            return set()
        image = icon.pixmap(64, 48).toImage()
        width, height = range(image.width()), range(image.height())
        return {image.pixel(x, y) & 0xFFFFFF for x in width for y in height}

    opened.qtbot.waitUntil(lambda: len(colors()) > 1)


def test_a_click_goes_there_and_remove_lets_models_overwrite_it(opened: Desk) -> None:
    anchored(opened)
    opened.session.view.select(1)
    opened.qtbot.waitUntil(lambda: len(texts(opened)) == 2)
    view = panel_of(opened).view
    index = view.model().index(1, 0)
    view.setCurrentIndex(index)
    view.clicked.emit(index)
    assert opened.session.view.frame == 20
    opened.do("remove_anchor")
    assert opened.session.masks.state(Key(20, 1)) is State.STALE
    opened.qtbot.waitUntil(lambda: len(texts(opened)) == 1)


def test_the_frame_most_worth_annotating_is_gone_to(opened: Desk) -> None:
    anchored(opened)
    opened.session.view.select(1)
    opened.do("suggest_frame")
    assert opened.session.view.frame == 10
    assert any("frame 10 helps most" in text for text in opened.window.messages.texts)


def test_a_video_opens_where_it_was_left(opened: Desk, tmp_path: Path) -> None:
    opened.draw(3)
    opened.session.view.set_range(2, 12)
    opened.session.view.go_to(7)
    other = write_frames(tmp_path / "other", 5)
    opened.window.files.open(other)
    assert (opened.session.view.frame, opened.session.view.in_point) == (0, None)
    opened.open()
    view = opened.session.view
    assert (view.frame, view.in_point, view.out_point, view.selected) == (7, 2, 12, 1)


def test_a_place_beyond_the_end_is_forgotten(opened: Desk, tmp_path: Path) -> None:
    opened.session.view.go_to(29)
    opened.do("close")
    stored = opened.store.value("places")
    assert len(stored) == 1
    opened.store.setValue("places", [stored[0].replace(" 29 ", " 99 ")])
    opened.open()
    assert opened.session.view.frame == 0


@pytest.mark.parametrize(
    "wild", ["", "9" * 30, "9" * 5000, "-5 -5 -5 -5", "5 20 3 7", "1 2", "٣ ٣ ٣ ٣"]
)
def test_a_place_that_is_none_keeps_no_video_from_being_opened(opened: Desk, wild: str) -> None:
    opened.session.view.go_to(29)
    opened.do("close")
    (stored,) = opened.store.value("places")
    name = stored.split()[0]
    numbers = wild if " " in wild or not wild else f"{wild} {wild} {wild} {wild}"
    line = f"{name} {numbers}" if wild else ""
    opened.store.setValue("places", [line, " ", stored.replace(name, "0")])
    opened.open()
    view = opened.session.view
    assert 0 <= view.frame < opened.session.video.frame_count
    assert view.first <= view.last
    assert opened.session.video.is_open
