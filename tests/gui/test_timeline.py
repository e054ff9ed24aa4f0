"""The timeline: mouse, states, ranges; on a real session."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from app.core.document import Key, ObjectInfo
from app.core.plan import Direction
from app.gui.timeline.legend import Legend
from app.gui.timeline.menu import RangeMenu
from app.gui.timeline.paint import HEADER, LANE, RULER, tick_step
from app.gui.timeline.thumbnails import Thumbnails
from app.gui.timeline.timeline import Timeline
from app.gui.timeline.tip import tip
from app.gui.widgets.exchange_menu import ExchangeMenu
from app.gui.window.parts import make_timeline
from app.session.jobs.progress import Progress
from tests.gui.stage import SIZE, Mouse, Stage

CTRL = Qt.KeyboardModifier.ControlModifier


def range_menu(stage: Stage, item: ObjectInfo, frames: range) -> RangeMenu:
    session = stage.session
    exchange = partial(ExchangeMenu, session.masks, session.edit)
    parts = (session.view, session.objects, session.edit, session.jobs)
    return RangeMenu(*parts, exchange, item, frames)


@pytest.fixture
def timeline(stage: Stage, qtbot: QtBot) -> Timeline:
    timeline = make_timeline(stage.session)
    qtbot.addWidget(timeline)
    timeline.resize(HEADER + 600, 200)  # 20 pixels a frame
    timeline.show()
    return timeline


@pytest.fixture
def mouse(timeline: Timeline) -> Mouse:
    """Return a mouse whose places are frames and rows; row -1 is the ruler."""

    def place(frame: float, row: float) -> QPointF:
        layout = timeline.layout_now()
        y = RULER / 2 if row < 0 else RULER + (row + 0.5) * LANE - layout.top
        return QPointF(layout.x_of(frame + 0.5), y)

    return Mouse(timeline.viewport(), place)


def add(stage: Stage, *frames: int) -> int:
    pixels = np.zeros(SIZE, np.bool_)
    pixels[10:30, 10:30] = True
    number = stage.session.objects.add()
    assert number is not None
    for frame in frames:
        stage.session.edit.draw_mask(frame, number, pixels, "Paint")
    return number


def propagate(stage: Stage, qtbot: QtBot) -> None:
    stage.session.jobs.propagate(Direction.FORWARD)
    qtbot.waitUntil(lambda: stage.is_idle and stage.state(29) == "PREDICTED")


def colors(timeline: Timeline, row: int, frame: int) -> set[str]:
    """Return the colours that are drawn in one frame of a lane."""
    layout = timeline.layout_now()
    image = timeline.viewport().grab().toImage()
    x0, x1 = round(layout.x_of(frame)) + 1, round(layout.x_of(frame + 1)) - 1
    top = layout.row_top(row)
    return {
        QColor(image.pixel(x, y)).name()
        for x in range(x0, x1)
        for y in range(top + 3, top + LANE - 3)
    }


def menu_of(timeline: Timeline) -> RangeMenu:
    return next(child for child in timeline.children() if isinstance(child, RangeMenu))


def choose(menu: QMenu, words: str) -> None:
    next(action for action in menu.actions() if words in action.text()).trigger()


# Travel


def test_dragging_on_the_ruler_scrubs(stage: Stage, mouse: Mouse) -> None:
    visited: list[int] = []
    stage.session.view.frame_changed.connect(visited.append)
    mouse.drag((4, -1), (20, -1))
    assert visited == [4, 8, 12, 16, 20]


def test_a_click_on_a_lane_goes_there_and_selects_its_object(stage: Stage, mouse: Mouse) -> None:
    first = add(stage, 0)
    add(stage, 0)
    mouse.click(12, 0)
    assert stage.session.view.frame == 12
    assert stage.session.view.selected == first


def test_a_double_click_finds_the_anchor_beside_it(
    stage: Stage, timeline: Timeline, mouse: Mouse
) -> None:
    add(stage, 0, 13)
    mouse.double_click(12.8, 0)
    assert stage.session.view.frame == 13


def test_a_click_on_a_name_selects_only(stage: Stage, timeline: Timeline, mouse: Mouse) -> None:
    first = add(stage, 0)
    add(stage, 0)
    mouse.click(-3, 0)
    assert stage.session.view.selected == first
    assert stage.session.view.frame == 0


def test_the_view_follows_the_playhead(stage: Stage, timeline: Timeline, mouse: Mouse) -> None:
    for _ in range(8):
        mouse.wheel(0, -1, 1, CTRL)
    assert 29 not in timeline.layout_now().frames()
    stage.session.view.go_to(29)
    assert 29 in timeline.layout_now().frames()


def test_ctrl_and_the_wheel_zoom_at_the_cursor(timeline: Timeline, mouse: Mouse) -> None:
    mouse.wheel(15, -1, 1, CTRL)
    layout = timeline.layout_now()
    assert layout.scale.per_frame == pytest.approx(25)
    assert layout.x_of(15.5) == pytest.approx(HEADER + 310, abs=1)


def test_the_whole_video_stays_in_view_until_it_is_zoomed(timeline: Timeline, mouse: Mouse) -> None:
    timeline.resize(HEADER + 300, 200)
    assert timeline.layout_now().scale.per_frame == pytest.approx(10)
    mouse.wheel(0, -1, 1, CTRL)
    timeline.resize(HEADER + 200, 200)
    assert timeline.layout_now().scale.per_frame == pytest.approx(12.5)


def test_the_middle_button_pans(timeline: Timeline, mouse: Mouse) -> None:
    mouse.wheel(0, -1, 2, CTRL)
    mouse.press(10, 0, Qt.MouseButton.MiddleButton)
    mouse.move(5, 0)
    mouse.release(5, 0)
    assert timeline.layout_now().scale.first == pytest.approx(5, abs=0.2)


# States


def test_every_change_of_state_is_drawn_soon(
    stage: Stage, timeline: Timeline, qtbot: QtBot
) -> None:
    add(stage, 0)
    empty = colors(timeline, 0, 20)
    propagate(stage, qtbot)
    qtbot.waitUntil(lambda: colors(timeline, 0, 20) != empty)
    stage.session.history.stack.undo()
    qtbot.waitUntil(lambda: colors(timeline, 0, 20) == empty)


def test_changes_are_drawn_at_most_ten_times_a_second(
    stage: Stage, timeline: Timeline, qtbot: QtBot
) -> None:
    add(stage, 0)
    qtbot.waitUntil(lambda: not timeline._redraw.isActive())
    drawn: list[int] = []
    timeline._redraw.timeout.connect(lambda: drawn.append(1))
    for frame in range(1, 30):
        stage.session.edit.mark_absent([Key(frame, 1)])
    assert not drawn
    qtbot.waitUntil(lambda: not timeline._redraw.isActive())
    assert len(drawn) == 1


def test_lanes_follow_the_objects(stage: Stage, timeline: Timeline) -> None:
    number = add(stage, 0)
    assert timeline.layout_now().rows == 1
    stage.session.objects.delete(number)
    assert timeline.layout_now().rows == 0
    stage.session.history.stack.undo()
    assert timeline.layout_now().rows == 1
    assert timeline._lanes.ranks(number)[0] > 0


def test_many_objects_scroll(stage: Stage, timeline: Timeline, mouse: Mouse) -> None:
    for _ in range(20):
        add(stage, 0)
    assert len(timeline.layout_now().visible_rows()) < 10
    mouse.wheel(3, 0, -5)
    assert timeline.layout_now().visible_rows().start == 5


def test_a_running_job_is_shown_and_gone_when_it_ends(
    stage: Stage, timeline: Timeline, qtbot: QtBot
) -> None:
    number = add(stage, 0)
    before = colors(timeline, 0, 20)
    progress = Progress("Propagate", 3, 20, None, None, 5, 25, 8, (number,))
    stage.session.jobs.progress_changed.emit(progress)
    qtbot.waitUntil(lambda: colors(timeline, 0, 20) != before)
    stage.session.jobs.progress_changed.emit(None)
    qtbot.waitUntil(lambda: colors(timeline, 0, 20) == before)


def test_frames_outside_the_in_and_out_points_are_veiled(stage: Stage, timeline: Timeline) -> None:
    add(stage, *range(30))
    before = colors(timeline, 0, 25)
    stage.session.view.set_range(5, 15)
    assert colors(timeline, 0, 25) != before
    stage.session.view.set_range(None, None)
    assert colors(timeline, 0, 25) == before


# Ranges


# Popups: what Qt's offscreen platform cannot do, it says.
@pytest.mark.qt_log_ignore("This plugin does not support")
def test_dragging_on_a_lane_offers_what_can_be_done_to_the_range(
    stage: Stage, timeline: Timeline, mouse: Mouse
) -> None:
    number = add(stage, *range(10))
    before = stage.session.history.stack.count()
    mouse.drag((6, 0), (3, 0))
    menu = menu_of(timeline)
    choose(menu, "Delete")
    menu.close()
    assert [frame for frame in range(10) if stage.entry(frame, number)] == [0, 1, 2, 7, 8, 9]
    assert stage.session.history.stack.count() == before + 1


@pytest.mark.parametrize(
    ("words", "state"), [("absent", "ABSENT"), ("occluded", "OCCLUDED"), ("Verify", "VERIFIED")]
)
def test_the_range_menu_changes_the_state_of_its_frames(
    stage: Stage, timeline: Timeline, qtbot: QtBot, words: str, state: str
) -> None:
    add(stage, 0)
    propagate(stage, qtbot)
    menu = range_menu(stage, stage.session.masks.objects[0], range(4, 7))
    qtbot.addWidget(menu)
    choose(menu, words)
    assert [stage.state(frame) for frame in range(4, 7)] == [state] * 3
    assert stage.state(8) != state


def test_a_range_is_propagated_again(stage: Stage, timeline: Timeline, qtbot: QtBot) -> None:
    add(stage, 0)
    menu = range_menu(stage, stage.session.masks.objects[0], range(4, 7))
    qtbot.addWidget(menu)
    choose(menu, "Propagate")
    qtbot.waitUntil(lambda: stage.is_idle and stage.state(6) == "PREDICTED")
    assert stage.state(5) == "PREDICTED"
    assert stage.state(9) == "NONE"


def test_two_objects_exchange_their_masks_on_a_range(
    stage: Stage, timeline: Timeline, qtbot: QtBot
) -> None:
    stage.let_masks_overlap()
    add(stage, 0)
    add(stage, 0)
    propagate(stage, qtbot)
    menu = range_menu(stage, stage.session.masks.objects[0], range(4, 7))
    qtbot.addWidget(menu)
    exchange = next(child for child in menu.findChildren(ExchangeMenu))
    steps = stage.session.history.stack.count()
    exchange.actions()[0].trigger()
    assert stage.session.history.stack.count() == steps + 1
    assert [stage.state(frame) for frame in range(3, 8)] == [
        "PREDICTED", "VERIFIED", "PREDICTED", "VERIFIED", "PREDICTED",
    ]  # fmt: skip


def test_the_range_menu_sets_in_and_out_and_locks(
    stage: Stage, timeline: Timeline, qtbot: QtBot
) -> None:
    number = add(stage, 0)
    menu = range_menu(stage, stage.session.masks.objects[0], range(4, 7))
    qtbot.addWidget(menu)
    choose(menu, "in and out")
    choose(menu, "Lock")
    assert (stage.session.view.in_point, stage.session.view.out_point) == (4, 6)
    assert stage.session.masks.document.object(number).locked


def test_the_range_menu_of_a_locked_object_edits_nothing(stage: Stage, qtbot: QtBot) -> None:
    number = add(stage, 0)
    info = replace(stage.session.masks.document.object(number), locked=True)
    menu = range_menu(stage, info, range(3))
    qtbot.addWidget(menu)
    enabled = [action.text() for action in menu.actions() if action.isEnabled() and action.text()]
    assert len([words for words in enabled if "Unlock" in words or "points" in words]) == 2
    assert not any("Delete" in words or "absent" in words for words in enabled)


# Words and pictures


def test_the_tooltip_names_frame_object_state_and_confidence(
    stage: Stage, timeline: Timeline, qtbot: QtBot
) -> None:
    add(stage, 0)
    propagate(stage, qtbot)
    item = stage.session.masks.objects[0]
    thumbnails = Thumbnails(stage.session.video, stage.session.view)
    words = tip(stage.session.video, stage.session.masks, thumbnails, item, 5, 1)
    assert "<b>5</b>" in words
    assert item.name in words
    assert "predicted, 97%" in words  # of a score of .9


def test_a_mask_is_shown_as_less_sure_once_its_object_is_not_alone(
    stage: Stage, timeline: Timeline, qtbot: QtBot
) -> None:
    number = add(stage, 0)
    propagate(stage, qtbot)
    alone = timeline._lanes.scores(number)[5]
    stage.session.objects.add()
    assert timeline._lanes.scores(number)[5] < alone
    stage.session.history.undo()
    assert timeline._lanes.scores(number)[5] == alone


def test_the_tooltip_has_a_picture_of_frames_that_were_seen(stage: Stage, qtbot: QtBot) -> None:
    thumbnails = Thumbnails(stage.session.video, stage.session.view)
    stage.session.view.go_to(3)
    if stage.session.video.image(3) is None:
        qtbot.waitSignal(stage.session.video.image_ready).wait()
    qtbot.waitUntil(lambda: thumbnails.nearest(3, 0) is not None)
    assert "<img" in tip(stage.session.video, stage.session.masks, thumbnails, None, 3, 0)
    assert thumbnails.nearest(20, 5) is None


def test_the_legend_explains_every_state(timeline: Timeline, qtbot: QtBot) -> None:
    legend = Legend(timeline)
    qtbot.addWidget(legend)
    image = legend.grab().toImage()
    assert (
        len({image.pixel(x, y) for x in range(0, 80, 3) for y in range(0, image.height(), 3)}) > 9
    )


@pytest.mark.parametrize(
    ("per_frame", "step"), [(48, 2), (86, 1), (1, 100), (0.1, 1000), (0.01, 10000)]
)
def test_ticks_stand_at_round_numbers(per_frame: float, step: int) -> None:
    assert tick_step(per_frame) == step
