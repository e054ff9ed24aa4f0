"""The panel of the suspects."""

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QComboBox, QLabel

from app.core.document import Entry, Key, Origin, State
from app.core.events import Event
from app.core.mask import Mask
from app.core.suspects import Order
from app.gui.panels.review import ReviewPanel
from tests.gui.conftest import Desk


@pytest.fixture
def drifted(opened: Desk) -> Desk:
    """A propagation that jumps away on frames 10 to 12."""
    opened.draw()
    opened.model.fake_tracker.drift = {10: 30, 11: 30, 12: 30}
    opened.do("forward")
    opened.idle()
    opened.qtbot.waitUntil(lambda: len(opened.session.review.suspects) > 0)
    opened.session.view.go_to(0)
    opened.settle()
    return opened


def panel_of(desk: Desk) -> ReviewPanel:
    panel = desk.window.findChild(ReviewPanel)
    assert panel is not None
    return panel


def test_suspects_are_listed_with_frames_object_and_reason(drifted: Desk) -> None:
    model = panel_of(drifted).view.model()
    row = [str(model.index(0, column).data()) for column in range(3)]
    assert "1" in row[0]
    assert row[1] == drifted.session.masks.objects[0].name
    assert "place jumps" in row[2]


def test_n_goes_to_a_suspect_and_zooms_to_its_object(drifted: Desk) -> None:
    before = drifted.window.canvas.percent
    drifted.session.view.select(None)
    drifted.press(Qt.Key.Key_N)
    suspect = drifted.session.review.suspects[0]
    assert (drifted.session.view.frame, drifted.session.view.selected) == (
        suspect.frame,
        suspect.object,
    )
    assert drifted.window.canvas.percent != before


def test_n_shows_where_an_object_was_last_that_a_suspect_has_lost(opened: Desk) -> None:
    opened.draw(x=50)
    opened.do("forward")
    opened.idle()
    gone = Entry(None, Origin.PROPAGATED)
    opened.session.masks.change({Key(frame, 1): gone for frame in range(10, 30)}, "Lose")
    review, canvas = opened.session.review, opened.window.canvas
    opened.qtbot.waitUntil(lambda: len(review.suspects) > 0)
    before = canvas.percent
    opened.press(Qt.Key.Key_N)
    assert opened.session.masks.state(Key(opened.session.view.frame, 1)) is State.ABSENT
    assert canvas.percent != before


def test_enter_in_the_list_shows_the_suspect(drifted: Desk) -> None:
    view = panel_of(drifted).view
    view.setCurrentIndex(view.model().index(0, 0))
    drifted.press(Qt.Key.Key_Return, widget=view)
    assert drifted.session.view.frame == drifted.session.review.suspects[0].frame


def test_enter_goes_on_to_another_object_while_this_one_heals(opened: Desk) -> None:
    opened.draw(number=1, x=10)
    opened.draw(number=2, x=40)
    opened.model.fake_tracker.drift = {10: 20, 11: 20, 12: 20}
    opened.do("forward")
    opened.idle()
    opened.qtbot.waitUntil(lambda: {i.object for i in opened.session.review.suspects} == {1, 2})
    opened.press(Qt.Key.Key_N)
    corrected = opened.session.view.selected
    opened.press(Qt.Key.Key_Return)
    assert opened.session.view.selected != corrected
    frame = opened.session.view.frame
    assert (frame, opened.session.view.selected) in {
        (i.frame, i.object) for i in opened.session.review.suspects
    }
    opened.idle()


def test_enter_stays_where_no_suspect_is_being_looked_at(drifted: Desk) -> None:
    still = replace(drifted.session.preferences.settings, follow_playhead=False)
    drifted.session.preferences.apply(still)
    drifted.session.view.go_to(10)
    drifted.press(Qt.Key.Key_Return)
    assert drifted.session.view.frame == 10


def test_who_is_taken_along_by_a_heal_is_back_at_its_end(drifted: Desk) -> None:
    visited: list[int] = []
    drifted.draw(frame=10, x=30)
    drifted.session.view.go_to(10)
    drifted.session.view.select(1)
    drifted.session.view.frame_changed.connect(lambda: visited.append(drifted.session.view.frame))
    gate = drifted.model.fake_tracker.gate
    gate.close()
    drifted.press(Qt.Key.Key_Return)

    def is_elsewhere() -> bool:
        gate.let(1)
        return bool(visited)

    drifted.qtbot.waitUntil(is_elsewhere)
    gate.open()
    drifted.idle()
    assert drifted.session.view.frame == 10


def test_y_verifies_the_mask(drifted: Desk) -> None:
    drifted.press(Qt.Key.Key_N)
    frame = drifted.session.view.frame
    drifted.press(Qt.Key.Key_Y)
    assert drifted.session.masks.state(Key(frame, 1)) is State.VERIFIED


@pytest.mark.parametrize("key", [Qt.Key.Key_Y, Qt.Key.Key_Return])
def test_what_a_person_finds_right_is_not_asked_about_again(opened: Desk, key: Qt.Key) -> None:
    opened.draw()
    opened.model.fake_tracker.drift = {frame: 2 * frame for frame in range(8, 16)}
    opened.model.fake_tracker.score = 0.3
    opened.do("forward")
    opened.idle()
    review = opened.session.review
    opened.qtbot.waitUntil(lambda: review.is_up_to_date and len(review.suspects) > 0)
    opened.press(Qt.Key.Key_N)
    asked = review.suspects[0]
    assert asked.last > asked.first + 1
    opened.press(key)
    opened.idle()
    opened.qtbot.waitUntil(lambda: review.is_up_to_date)
    frames = range(asked.first, asked.last + 1)
    assert not any(each.first in frames and each.last in frames for each in review.suspects)


def test_a_suspect_is_taken_off_the_list(drifted: Desk) -> None:
    before = len(drifted.session.review.suspects)
    drifted.press(Qt.Key.Key_N)
    drifted.do("dismiss")
    assert len(drifted.session.review.suspects) == before - 1


def test_an_empty_list_says_what_would_fill_it(opened: Desk) -> None:
    assert "after a propagation" in panel_of(opened).summary


def test_a_drift_takes_three_interactions(drifted: Desk) -> None:
    drifted.model.fake_tracker.drift = {}
    drifted.press(Qt.Key.Key_N)
    canvas = drifted.window.canvas
    middle = canvas.viewport().rect().center()
    drifted.qtbot.mouseClick(canvas.viewport(), Qt.MouseButton.LeftButton, pos=middle)
    drifted.idle()
    drifted.press(Qt.Key.Key_Return)
    drifted.idle()
    assert State.ANCHOR in {drifted.session.masks.state(Key(frame, 1)) for frame in (10, 11, 12)}


def test_a_swap_is_named_and_taken_back_with_one_key(opened: Desk) -> None:
    session = opened.session
    opened.draw(number=1, x=10)
    opened.draw(number=2, x=40)
    opened.do("forward")
    opened.idle()
    before = masks_at(opened, 15)
    session.edit.exchange(1, 2, range(10, 30))  # as a model does it, but that the ends are anchors
    for frame in (10, 29):
        session.edit.unanchor([Key(frame, 1), Key(frame, 2)])
    opened.qtbot.waitUntil(lambda: any(i.event is Event.SWAP for i in session.review.found))
    (swap,) = [each for each in session.review.found if each.event is Event.SWAP]
    model = panel_of(opened).view.model()
    words = [str(model.index(row, 2).data()) for row in range(model.rowCount())]
    assert any("swapped with object" in text for text in words)
    session.review.show(swap)
    assert masks_at(opened, 15) == before[::-1]
    opened.press(Qt.Key.Key_Z)
    assert masks_at(opened, 15) == before
    assert masks_at(opened, 5) == before
    opened.qtbot.waitUntil(lambda: not any(i.event is Event.SWAP for i in session.review.found))


def masks_at(desk: Desk, frame: int) -> list[Mask | None]:
    shown = desk.session.masks.shown(frame)
    return [shown[number].mask for number in (1, 2)]


def test_the_list_is_ordered_and_filtered(drifted: Desk) -> None:
    panel = panel_of(drifted)
    order, only = panel.findChild(QComboBox), panel.findChild(QCheckBox)
    assert order is not None
    assert only is not None
    order.setCurrentIndex(1)
    order.activated.emit(1)
    assert drifted.session.review.order is Order.TIME
    drifted.draw(number=2, x=40)
    only.setChecked(True)
    drifted.settle()
    assert panel.view.model().rowCount() == 0
    assert "others have some" in panel.summary


def test_a_low_panel_cuts_off_no_sentence(opened: Desk) -> None:
    session = opened.session
    panel = ReviewPanel(session.view, session.masks, session.review)
    opened.qtbot.addWidget(panel)
    panel.resize(200, panel.minimumSizeHint().height())
    panel.show()
    label = next(label for label in panel.findChildren(QLabel) if label.text() == panel.summary)
    assert label.height() >= label.heightForWidth(label.width())
