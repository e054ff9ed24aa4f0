"""A window on a short clip, with fake models in a real inference thread."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import shiboken6
from PySide6.QtCore import QSettings, Qt
from PySide6.QtGui import QColor, QGuiApplication
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from app.gui.canvas.canvas import Canvas
from app.gui.dialogs.ask import Ask
from app.gui.widgets.messages import Messages
from app.gui.window.parts import make_canvas
from app.gui.window.window import Window
from app.session.session import Session
from app.session.state.status import SessionState
from app.storage.settings import Settings
from app.storage.video.frames import FrameCache
from tests.fakes import SIZE, FakeFrames, FakeModels, square, write_frames
from tests.gui.stage import Mouse, Stage, mouse_on

FRAMES = 30


class FakeAsk(Ask):
    """Answers the modal questions as a test says; `asked` holds the questions."""

    def __init__(self, parent: QWidget, store: QSettings) -> None:
        super().__init__(parent, store)
        self.answer: Path | None = None
        self.folders: list[Path] = []  # what is answered one after the other, before `answer`
        self.agrees = True
        self.number: int | None = None
        self.asked: list[str] = []

    def file(self, title: str, filters: object) -> Path | None:
        self.asked.append(title)
        return self.answer

    def folder(self, title: str) -> Path | None:
        self.asked.append(title)
        return self.folders.pop(0) if self.folders else self.answer

    def new_file(self, title: str, proposal: str, filters: object) -> Path | None:
        self.asked.append(title)
        return self.answer

    def confirm(self, question: str, what_follows: str, yes: str) -> bool:
        self.asked.append(question)
        return self.agrees

    def first_number(self, question: str) -> int | None:
        self.asked.append(question)
        return self.number


class Desk:
    """A window, its session and fake models, and what a person does with keys."""

    def __init__(self, folder: Path, qtbot: QtBot) -> None:
        self.store = QSettings(str(folder / "window.ini"), QSettings.Format.IniFormat)
        self.clip = write_frames(folder / "clip", FRAMES)
        self.model = FakeModels(FakeFrames(FRAMES, SIZE))
        self.qtbot = qtbot
        self.session = Session(Settings(theme="dark"), loader=self._load)
        self.ask = FakeAsk(QWidget(), self.store)
        self.window = Window(self.session, self.store, ask=self.ask, sample=lambda: self.clip)
        self.window.resize(1280, 800)  # more than the screen of the tests has room for
        self.window.show()

    def _load(self, frames: FrameCache, settings: Settings) -> FakeModels:
        return self.model

    def open(self) -> None:
        """Open the clip, as from the menu."""
        self.window.files.open(self.clip)
        self.settle()

    def draw(self, frame: int = 0, number: int = 1, x: int = 10) -> None:
        """Draw a square; the object is made if it is not there."""
        while number not in {info.id for info in self.session.masks.objects}:
            self.session.objects.add()
        self.session.view.select(number)
        self.session.edit.draw_mask(frame, number, square(x, size=SIZE), "Brush")
        self.settle()

    def press(
        self,
        key: Qt.Key,
        keys: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier,
        widget: QWidget | None = None,
    ) -> None:
        """Press a key on the picture, or on another widget."""
        self.settle()
        target = widget or self.window.canvas
        target.setFocus()
        self.qtbot.keyClick(target, key, keys)
        self.settle()

    def do(self, name: str) -> None:
        """Trigger an action."""
        self.window.actions_by_name[name].trigger()
        self.settle()

    def idle(self) -> None:
        """Wait until the session is idle."""
        self.qtbot.waitUntil(lambda: self.session.status.state is SessionState.IDLE)
        self.settle()

    def settle(self) -> None:
        """Let what was put off until the event loop turns happen now."""
        QApplication.sendPostedEvents()
        QApplication.processEvents()

    def close(self) -> None:
        self.model.fake_tracker.gate.open()
        self.model.fake_segmenter.gate.open()
        self.session.files.close()
        self.window.close()
        shiboken6.delete(self.window)
        shiboken6.delete(self.session)


@pytest.fixture
def desk(tmp_path: Path, qtbot: QtBot) -> Iterator[Desk]:
    """A window with nothing open."""
    desk = Desk(tmp_path, qtbot)
    # What another test of this process has left pressed, for whoever asks Qt for it.
    for button in (Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton):
        if QGuiApplication.mouseButtons() & button:
            qtbot.mouseRelease(desk.window, button)
    yield desk
    desk.close()


@pytest.fixture
def opened(desk: Desk) -> Desk:
    """A window on a clip of 30 frames."""
    desk.open()
    return desk


@pytest.fixture
def said(desk: Desk) -> Callable[[str], bool]:
    """Tell whether a message with these words is in view."""
    return lambda words: any(words in text for text in desk.window.messages.texts)


@pytest.fixture
def messages(qtbot: QtBot) -> Messages:
    """Messages over an empty widget of 600 by 400."""
    host = QWidget()
    qtbot.addWidget(host)
    host.resize(600, 400)
    host.show()
    return Messages(host)


@pytest.fixture
def stage(tmp_path: Path, qtbot: QtBot) -> Iterator[Stage]:
    """A session on a short video, without a window."""
    stage = Stage(tmp_path)
    yield stage
    stage.close()


@pytest.fixture
def canvas(stage: Stage, qtbot: QtBot) -> Canvas:
    """A canvas that shows the first frame."""
    canvas = make_canvas(stage.session)
    qtbot.addWidget(canvas)
    canvas.resize(800, 600)
    canvas.show()
    middle = canvas.viewport().rect().center()
    # Read, and shown: until then a grey ground stands in for it.
    qtbot.waitUntil(
        lambda: canvas.viewport().grab().toImage().pixelColor(middle) == QColor("black")
    )
    return canvas


@pytest.fixture
def mouse(canvas: Canvas) -> Mouse:
    """A mouse on the canvas."""
    return mouse_on(canvas)
