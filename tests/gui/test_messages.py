"""The messages over the picture."""

from PySide6.QtCore import QEvent, QPointF
from PySide6.QtGui import QAction, QEnterEvent
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QToolButton

from app.gui.widgets.messages import Level, Message, Messages, Offer
from models.api import Click
from tests.gui.conftest import Desk


def test_an_error_stays_until_it_is_dismissed_and_others_go(messages: Messages) -> None:
    messages.show_message(Level.ERROR, "The disk is full. Make room.")
    messages.show_message(Level.INFO, "Exported.")
    for message in messages.findChildren(Message):
        message._timer.timeout.emit() if message._timer.isActive() else None
    assert messages.texts == ("The disk is full. Make room.",)


def test_a_message_stays_while_the_pointer_is_on_it(messages: Messages) -> None:
    """Else a click on its button goes into the picture, where it is a correction."""
    messages.show_message(Level.INFO, "Exported.")
    (message,) = messages.findChildren(Message)
    here = QPointF(5, 5)
    QApplication.sendEvent(message, QEnterEvent(here, here, here))
    messages.show_message(Level.INFO, "Exported.")  # which would show it longer
    assert not message._timer.isActive()
    QApplication.sendEvent(message, QEvent(QEvent.Type.Leave))
    assert message._timer.isActive()


def test_the_same_message_is_not_shown_twice(messages: Messages) -> None:
    messages.show_message(Level.INFO, "Saved.")
    messages.show_message(Level.INFO, "Saved.")
    assert messages.texts == ("Saved.",)


def test_a_flood_of_messages_keeps_the_errors_and_the_newest(messages: Messages) -> None:
    messages.show_message(Level.ERROR, "wrong")
    for number in range(10):
        messages.show_message(Level.INFO, str(number))
    assert messages.texts == ("wrong", "7", "8", "9")


def test_errors_alike_but_for_numbers_are_one_that_counts(messages: Messages) -> None:
    for frame in range(150, 163):
        messages.show_message(Level.ERROR, f"Frame {frame} of a<b>.mp4 cannot be read.")
    assert messages.texts == ("Frame 162 of a<b>.mp4 cannot be read.",)
    (message,) = messages.findChildren(Message)
    assert message.more_text == "and 12 more like it"
    count = next(each for each in message.findChildren(QLabel) if each.text() == message.more_text)
    assert count.isVisible()
    assert "Frame 150 of a&lt;b&gt;.mp4" in count.toolTip()


def test_many_errors_leave_the_picture_free_and_none_is_lost(messages: Messages) -> None:
    host = messages.parentWidget()
    assert host is not None
    host.resize(600, 600)
    names = ["one", "two", "three", "four", "five"]
    for name in names:
        messages.show_message(Level.ERROR, f"{name} cannot be opened.")
    messages.show_message(Level.INFO, "Saved.")
    assert [text.split()[0] for text in messages.texts] == ["three", "four", "five", "Saved."]
    assert messages.earlier.isVisible()
    assert messages.earlier.text == "Earlier errors: 2"
    messages.show_message(Level.ERROR, "one cannot be opened.")
    assert messages.texts[-1] == "one cannot be opened."
    seen: set[str] = set()
    while messages.isVisible():
        seen.update(messages.texts)
        press_dismiss(next(m for m in messages.findChildren(Message) if not m.isHidden()))
    assert {f"{name} cannot be opened." for name in names} < seen


def test_all_errors_are_dismissed_at_once(messages: Messages) -> None:
    for name in "abcde":
        messages.show_message(Level.ERROR, f"{name} is wrong.")
    messages.show_message(Level.INFO, "Saved.")
    button = messages.earlier.findChild(QPushButton)
    assert button is not None
    button.click()
    assert messages.texts == ("Saved.",)
    assert not messages.earlier.isVisible()


def test_errors_do_not_grow_out_of_a_low_window(messages: Messages) -> None:
    host = messages.parentWidget()
    assert host is not None
    for name in "abcde":
        messages.show_message(Level.ERROR, f"{name} is wrong.")
    host.resize(600, 120)
    assert host.rect().contains(messages.geometry())
    assert messages.texts == ("e is wrong.",)
    host.resize(600, 400)
    assert len(messages.texts) == 3


def press_dismiss(message: Message) -> None:
    button = message.findChild(QToolButton)
    assert button is not None
    button.click()


def test_messages_stay_within_a_small_window(messages: Messages) -> None:
    messages.show_message(Level.WARNING, "word " * 60)
    host = messages.parentWidget()
    assert host is not None
    host.resize(300, 300)
    assert host.rect().contains(messages.geometry())


def test_several_messages_at_once_are_all_readable(opened: Desk) -> None:
    for which in ("One", "Another", "A third"):
        text = f"{which} message with enough words that it takes a second line of the label."
        opened.window.messages.show_message(Level.ERROR, text)
    opened.settle()
    shown = opened.window.messages.findChildren(Message)
    assert len(shown) == 3
    assert all(each.height() >= each.heightForWidth(each.width()) for each in shown)
    assert opened.window.messages.geometry().top() >= 0


def test_a_button_of_a_message_is_as_what_it_does_is_now(messages: Messages) -> None:
    """A job ends, and is told of, before the actions have looked at what it has left."""
    action = QAction("View", messages)
    action.setEnabled(False)
    action.setToolTip("Nothing was propagated.")
    messages.show_message(Level.INFO, "Done.", offers=(Offer("View", action),))
    button = next(each for each in messages.findChildren(QPushButton) if each.text() == "View")
    action.setToolTip("What has changed")
    action.setEnabled(True)
    assert (button.isEnabled(), button.toolTip()) == (True, "What has changed")


def undo_is_offered(desk: Desk) -> bool:
    buttons = desk.window.messages.findChildren(QPushButton)
    return any(each.text() == "Undo" and each.isVisible() for each in buttons)


def test_undo_is_offered_no_more_once_another_job_is_what_it_would_take_back(opened: Desk) -> None:
    opened.draw(0)
    opened.do("forward")
    opened.idle()
    opened.qtbot.waitUntil(lambda: undo_is_offered(opened))
    gate = opened.model.fake_tracker.gate
    gate.close()
    opened.session.view.go_to(5)
    opened.do("forward")
    assert not undo_is_offered(opened)
    gate.open()
    opened.idle()


def test_that_a_propagation_waits_is_said_until_it_begins(opened: Desk) -> None:
    opened.draw(0)
    opened.do("forward")
    opened.idle()
    gate = opened.model.fake_tracker.gate
    gate.close()
    said = opened.window.messages
    opened.session.view.go_to(5)
    opened.do("forward")
    opened.session.view.go_to(8)
    opened.do("whole")
    assert any("waits for its turn" in each for each in said.texts)
    gate.open()
    opened.idle()
    assert not any("waits for its turn" in each for each in said.texts)


def test_that_a_propagation_waits_for_a_click_is_said_until_it_begins(opened: Desk) -> None:
    opened.draw(0)
    opened.do("forward")
    opened.idle()
    gate = opened.model.fake_segmenter.gate
    gate.close()
    opened.session.clicks.click(Click(20, 20))
    opened.do("forward")
    begins = "The propagation begins with the answer to the click."
    assert begins in opened.window.messages.texts
    gate.open()
    opened.idle()
    assert begins not in opened.window.messages.texts
