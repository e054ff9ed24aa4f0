"""The messages over the picture: what happened and what to do, without stopping anybody."""

import enum
import re
from collections.abc import Sequence
from typing import NamedTuple

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QAccessible, QAccessibleEvent, QAction, QEnterEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.gui.widgets.theme import icon
from app.gui.widgets.words import verbatim_tip


class Level(enum.Enum):
    """How much a message matters; an error stays until it is dismissed."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


_ICONS = {
    Level.INFO: "mdi6.information-outline",
    Level.WARNING: "mdi6.alert-outline",
    Level.ERROR: "mdi6.alert-octagon-outline",
}
_OFFERED_MS = 20_000  # how long something is offered: time to look, and to think
_SHOWN_MS = {Level.INFO: 6_000, Level.WARNING: 15_000}
_MOST, _MOST_ERRORS = 4, 3  # in view, so that errors leave a place for what passes
_MOST_HEIGHT = 0.6  # of the picture's
_LISTED = 20  # the newest of what is folded away, in a tip
_WIDTH = 520
_MARGIN = 12
_NUMBER = re.compile(r"\d+")


class Offer(NamedTuple):
    """What a button of a message says and does; `ends`: the message has no more to say then."""

    text: str
    action: QAction
    ends: bool = False


class Message(QFrame):
    """One message with a button that dismisses it; errors alike but for numbers share one."""

    dismissed = Signal(object)  # itself

    def __init__(self, level: Level, text: str, offers: Sequence[Offer], parent: QWidget) -> None:
        super().__init__(parent)
        self.level = level
        self.of_video = self.of_waiting = self.outlasts = False
        self._said = [text]
        self._is_pointed_at = False
        self.setObjectName("message")
        self.setProperty("level", level.value)
        self.setAccessibleName(text)
        self._mark = QLabel()
        self._draw_mark()
        self._label = _label(text)
        self._label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._more = _label("")
        self._more.setObjectName("dim")
        self._more.hide()
        close = QToolButton()
        close.setObjectName("flat")
        close.setIcon(icon("mdi6.close"))
        close.setToolTip(self.tr("Dismiss"))
        close.setAccessibleName(self.tr("Dismiss message"))
        close.clicked.connect(self._dismiss)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self._label)
        words.addWidget(self._more)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(10, 6, 6, 6)
        layout.addWidget(self._mark)
        layout.addLayout(words, 1)
        self._buttons = [OfferButton(offer) for offer in offers]
        for offer, button in zip(offers, self._buttons, strict=True):
            layout.addWidget(button)
            if offer.ends:
                button.clicked.connect(self._dismiss)
        layout.addWidget(close)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._dismiss)
        self.restart()

    @property
    def text(self) -> str:
        """What it says."""
        return self._label.text()

    @property
    def more_text(self) -> str:
        """How many errors alike it stands for besides, in words."""
        return self._more.text()

    def stands_for(self, level: Level, text: str) -> bool:
        """Whether it says this already, or is an error that differs in its numbers only."""
        alike = level is self.level is Level.ERROR and _kind(text) == _kind(self.text)
        return alike or text in self._said

    def tell(self, text: str) -> None:
        """Say `text`; what was said before is counted, and listed in a tip."""
        self.restart()
        if text in self._said:
            return
        earlier = self._said[-_LISTED:]
        self._said.append(text)
        self._label.setText(text)
        self._more.setText(self.tr("and {} more like it").format(f"{len(self._said) - 1:,}"))
        self._more.setToolTip(verbatim_tip("\n".join(earlier)))
        self._more.show()
        self.setAccessibleName(f"{text} {self._more.text()}")

    def restart(self) -> None:
        """Let the time that it is shown begin anew; an error has no such time.

        Nor has one under the pointer: it would go just as it is reached for, and the click would
        go into the picture.
        """
        if self.level in _SHOWN_MS and not self._is_pointed_at:
            self._timer.start(_OFFERED_MS if self._buttons else _SHOWN_MS[self.level])

    @property
    def offers(self) -> tuple[QPushButton, ...]:
        """The buttons of what can be done about it."""
        return tuple(self._buttons)

    def withdraw_offers(self) -> None:
        """Offer nothing any more: what it tells of is no longer the newest."""
        for button in self._buttons:
            button.hide()

    def leave(self) -> None:
        """Go away for good; until it is deleted it says nothing more."""
        self._timer.stop()
        self.hide()
        self.deleteLater()

    @Slot()
    def _dismiss(self) -> None:
        self.dismissed.emit(self)

    def enterEvent(self, event: QEnterEvent) -> None:
        """Stay while the pointer is here."""
        super().enterEvent(event)
        self._is_pointed_at = True
        self._timer.stop()

    def leaveEvent(self, event: QEvent) -> None:
        """Go, a while after the pointer has."""
        super().leaveEvent(event)
        self._is_pointed_at = False
        if not self.isHidden():
            self.restart()

    def _draw_mark(self) -> None:
        self._mark.setPixmap(icon(_ICONS[self.level]).pixmap(20, 20))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() is QEvent.Type.PaletteChange:
            self._draw_mark()  # a pixmap keeps the colour of the theme it was drawn in


class OfferButton(QPushButton):
    """The button of something that can be done about a message; it follows its action."""

    def __init__(self, offer: Offer) -> None:
        super().__init__(offer.text)
        self._action = offer.action
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves the keys with the picture
        self.clicked.connect(offer.action.trigger)
        offer.action.changed.connect(self._follow)
        self._follow()

    @Slot()
    def _follow(self) -> None:
        self.setEnabled(self._action.isEnabled())
        self.setToolTip(self._action.toolTip())


class EarlierErrors(QFrame):
    """How many errors wait behind those in view, and a button that dismisses them all."""

    dismissed = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("message")
        self.setProperty("level", Level.ERROR.value)
        self._label = _label("")
        dismiss = QPushButton(self.tr("Dismiss all errors"))
        dismiss.clicked.connect(self.dismissed)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(10, 6, 6, 6)
        layout.addWidget(self._label, 1)
        layout.addWidget(dismiss)
        self.hide()

    @property
    def text(self) -> str:
        """What it says."""
        return self._label.text()

    def show_waiting(self, waiting: list[Message]) -> None:
        """Count what waits; the tip lists it."""
        self._label.setText(self.tr("Earlier errors: {}").format(f"{len(waiting):,}"))
        said = "\n".join(message.text for message in waiting[-_LISTED:])
        self._label.setToolTip(verbatim_tip(said))
        self.setVisible(bool(waiting))


class Messages(QWidget):
    """The messages in view, newest below, in the lower left corner of `host`.

    Of the errors, which stay, only the newest are in view; the others come back as those go.
    """

    def __init__(self, host: QWidget) -> None:
        super().__init__(host)
        self._host = host
        self._kept: list[Message] = []
        self._earlier = EarlierErrors(self)
        self._earlier.dismissed.connect(self._dismiss_errors)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(6)
        self._layout.addWidget(self._earlier)
        host.installEventFilter(self)
        self.hide()

    @property
    def texts(self) -> tuple[str, ...]:
        """What the messages in view say."""
        return tuple(message.text for message in self._kept if not message.isHidden())

    @property
    def earlier(self) -> EarlierErrors:
        """What counts the errors that are not in view."""
        return self._earlier

    def show_message(
        self,
        level: Level,
        text: str,
        *,
        of_video: bool = False,
        outlasts: bool = False,
        of_waiting: bool = False,
        offers: Sequence[Offer] = (),
    ) -> None:
        """Show `text`; one that says the same is shown longer, an error that is like it counts.

        What is said `of_video`, of what is open, ends with `clear` even where it is an error; what
        `outlasts` it does not. What is said `of_waiting` ends with `end_waiting`. `offers` become
        buttons.
        """
        if offers:  # the same words may tell of something else now
            self._remove([each for each in self._kept if each.offers])
        message = next((each for each in self._kept if each.stands_for(level, text)), None)
        if message is None:
            message = Message(level, text, offers, self)
            message.dismissed.connect(self._dismiss)
            self._append(message)
            QAccessible.updateAccessibility(QAccessibleEvent(message, QAccessible.Event.Alert))
        else:
            message.tell(text)
            if message.isHidden():
                self._kept.remove(message)
                self._append(message)
        message.of_video, message.of_waiting = of_video, of_waiting
        message.outlasts = outlasts
        self._drop_oldest()
        self._arrange()
        self.raise_()

    def clear(self) -> None:
        """Dismiss all but errors that were not said of a video, and what outlasts it."""
        self._remove([each for each in self._errors() if each.of_video])
        self._remove([each for each in self._passing() if not each.outlasts])

    @Slot()
    def end_waiting(self) -> None:
        """Dismiss what says that something waits, or that a key ends it: that is past."""
        self._remove([each for each in self._kept if each.of_waiting])

    def withdraw_offers(self) -> None:
        """Take the buttons of all messages away, not what they say."""
        for message in self._kept:
            message.withdraw_offers()

    def _append(self, message: Message) -> None:
        self._kept.append(message)
        self._layout.removeWidget(message)
        self._layout.addWidget(message)

    def _errors(self) -> list[Message]:
        return [message for message in self._kept if message.level is Level.ERROR]

    def _passing(self) -> list[Message]:
        return [message for message in self._kept if message.level is not Level.ERROR]

    def _drop_oldest(self) -> None:
        room = _MOST - min(len(self._errors()), _MOST_ERRORS)
        self._remove(self._passing()[:-room])

    @Slot(object)
    def _dismiss(self, message: Message) -> None:
        self._remove([message])

    @Slot()
    def _dismiss_errors(self) -> None:
        self._remove(self._errors())

    def _remove(self, messages: list[Message]) -> None:
        for message in messages:
            self._kept.remove(message)
            self._layout.removeWidget(message)
            message.leave()
        self._arrange()

    def _arrange(self) -> None:
        """Show what passes, and as many of the newest errors as there is room for."""
        self.setVisible(bool(self._kept))
        errors = self._errors()
        for message in self._passing():
            message.show()  # now: what is hidden still has no room in the layout
        for count in range(_MOST_ERRORS, 0, -1):
            waiting, shown = errors[:-count], errors[-count:]
            for message in errors:
                message.setVisible(message in shown)
            self._earlier.show_waiting(waiting)
            if self._place():
                break

    def _place(self) -> bool:
        """Take the place in the corner; return whether enough of the picture stays free."""
        width = min(_WIDTH, self._host.width() - 2 * _MARGIN)
        self.setFixedWidth(max(width, 1))
        self._layout.activate()
        self.resize(self.width(), self._layout.heightForWidth(self.width()))
        self.move(_MARGIN, self._host.height() - self.height() - _MARGIN)
        return self.height() <= _MOST_HEIGHT * self._host.height()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.Resize:
            self._arrange()
        return super().eventFilter(watched, event)


def _label(text: str) -> QLabel:
    """Return a label that takes names in a text for what they are, not for HTML."""
    label = QLabel(text)
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    return label


def _kind(text: str) -> str:
    return _NUMBER.sub("0", text)
