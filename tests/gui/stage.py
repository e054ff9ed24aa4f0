"""A canvas on a real session with fake models, and a mouse that works in pixels of the frame."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import shiboken6
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from app.core.document import Entry, Key
from app.gui.canvas.canvas import Canvas
from app.session.session import Session
from app.session.state.status import Report, SessionState
from app.storage.settings import Settings
from app.storage.video.frames import FrameCache
from models.api import BoolMask
from tests.fakes import FakeModels, write_frames

SIZE = (60, 80)
FRAMES = 30
NONE = Qt.KeyboardModifier.NoModifier
LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
MIDDLE = Qt.MouseButton.MiddleButton


class Stage:
    """A session with a short video."""

    def __init__(self, folder: Path, size: tuple[int, int] = SIZE, frames: int = FRAMES) -> None:
        self.reports: list[Report] = []
        self.made: FakeModels | None = None  # with the first job
        self.holds_clicks = False  # until the gate of the segmenter is opened
        self.session = Session(loader=self._load)
        self.session.status.reported.connect(self.reports.append)
        self.session.files.open(write_frames(folder / "clip", frames, size))

    def _load(self, frames: FrameCache, settings: Settings) -> FakeModels:
        self.made = FakeModels(frames)
        if self.holds_clicks:
            self.made.fake_segmenter.gate.close()
        return self.made

    def close(self) -> None:
        """End the session's threads."""
        self.session.files.close()
        shiboken6.delete(self.session)

    @property
    def is_idle(self) -> bool:
        """Whether no job is under way."""
        return self.session.status.state is SessionState.IDLE

    def entry(self, frame: int = 0, number: int = 1) -> Entry | None:
        """Return what is shown of an object."""
        return self.session.masks.shown(frame).get(number)

    def pixels(self, frame: int = 0, number: int = 1) -> BoolMask:
        """Return the mask of an object, empty where there is none."""
        entry = self.entry(frame, number)
        if entry is None or entry.mask is None:
            return np.zeros(self.session.video.size, np.bool_)
        return entry.mask.decode()

    def draw(self, pixels: BoolMask, frame: int = 0) -> int:
        """Draw a new object and return its id."""
        number = self.session.objects.add()
        assert number is not None
        self.session.edit.draw_mask(frame, number, pixels, "Paint")
        return number

    def let_masks_overlap(self) -> None:
        """Choose that masks may overlap."""
        preferences = self.session.preferences
        preferences.apply(replace(preferences.settings, overlap=True))

    def state(self, frame: int, number: int = 1) -> str:
        """Return the name of an object's state on a frame."""
        return self.session.masks.state(Key(frame, number)).name


class Mouse:
    """Presses, moves and releases over a widget, at places that `place` maps to the widget's."""

    def __init__(self, widget: QWidget, place: Callable[[float, float], QPointF]) -> None:
        self._widget = widget
        self._place = place
        self._held = Qt.MouseButton.NoButton

    def press(
        self,
        x: float,
        y: float,
        button: Qt.MouseButton = LEFT,
        keys: Qt.KeyboardModifier = NONE,
    ) -> None:
        """Press a button."""
        self._held = button
        self._send(QEvent.Type.MouseButtonPress, x, y, button, keys)

    def move(self, x: float, y: float, keys: Qt.KeyboardModifier = NONE) -> None:
        """Move, with whatever is held."""
        self._send(QEvent.Type.MouseMove, x, y, Qt.MouseButton.NoButton, keys)

    def release(self, x: float, y: float, keys: Qt.KeyboardModifier = NONE) -> None:
        """Let go of the button."""
        button, self._held = self._held, Qt.MouseButton.NoButton
        self._send(QEvent.Type.MouseButtonRelease, x, y, button, keys)

    def click(
        self,
        x: float,
        y: float,
        button: Qt.MouseButton = LEFT,
        keys: Qt.KeyboardModifier = NONE,
    ) -> None:
        """Press and let go."""
        self.press(x, y, button, keys)
        self.release(x, y, keys)

    def double_click(self, x: float, y: float) -> None:
        """Click twice in a row."""
        self.click(x, y)
        self._held = LEFT
        self._send(QEvent.Type.MouseButtonDblClick, x, y, LEFT, NONE)
        self.release(x, y)

    def drag(
        self,
        start: tuple[float, float],
        end: tuple[float, float],
        button: Qt.MouseButton = LEFT,
        keys: Qt.KeyboardModifier = NONE,
    ) -> None:
        """Press, move in four steps, and let go."""
        self.press(*start, button, keys)
        for step in range(1, 5):
            share = step / 4
            x = start[0] + (end[0] - start[0]) * share
            y = start[1] + (end[1] - start[1]) * share
            self.move(x, y, keys)
        self.release(*end, keys)

    def wheel(self, x: float, y: float, notches: int, keys: Qt.KeyboardModifier = NONE) -> None:
        """Turn the wheel."""
        place = self._place(x, y)
        event = QWheelEvent(
            place,
            place,
            QPoint(),
            QPoint(0, 120 * notches),
            Qt.MouseButton.NoButton,
            keys,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(self._widget, event)

    def _send(
        self,
        kind: QEvent.Type,
        x: float,
        y: float,
        button: Qt.MouseButton,
        keys: Qt.KeyboardModifier,
    ) -> None:
        place = self._place(x, y)
        held = Qt.MouseButton.NoButton if kind == QEvent.Type.MouseButtonRelease else self._held
        event = QMouseEvent(kind, place, self._widget.mapToGlobal(place), button, held, keys)
        QApplication.sendEvent(self._widget, event)


def mouse_on(canvas: Canvas) -> Mouse:
    """Return a mouse whose places are pixel centres of the frame."""

    def place(x: float, y: float) -> QPointF:
        return canvas.viewportTransform().map(QPointF(x + 0.5, y + 0.5))

    return Mouse(canvas.viewport(), place)


def wheel_over(widget: QWidget, notches: int) -> None:
    """Turn the wheel over a widget, which may pass it on to what scrolls behind."""
    window = widget.window()
    middle = widget.mapTo(window, widget.rect().center())
    QTest.wheelEvent(window.windowHandle(), middle, QPoint(0, 120 * notches))
    QApplication.processEvents()
