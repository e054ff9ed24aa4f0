"""The window on a clip, offscreen, as the benchmarks use it."""

import gc
import sys
import time
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from types import TracebackType
from typing import cast

import shiboken6
from PySide6.QtCore import QCoreApplication, QEvent, QEventLoop, QObject, QSettings, Qt, QTimer
from PySide6.QtWidgets import QApplication

from app import paths
from app.cli.bench.clips import COLORS, disc_mask
from app.cli.bench.waiting import spin_until
from app.engine.inference import Choice, Models
from app.gui.canvas.canvas import Canvas
from app.gui.window.window import Window
from app.session.session import Session, load_models
from app.session.state.status import SessionState
from app.storage.settings import Settings
from models.api import Anchors, Frames, Prediction, Tracked, Tracker

_SIZE = (1600, 1000)  # of the window, in logical pixels


def show_once() -> None:
    """Show an empty window and print the time at which it was painted; then end."""
    application = QApplication(["maskwright"])
    session = Session(Settings())
    window = Window(session, _store())
    window.show()

    def tell() -> None:
        window.repaint()
        sys.stdout.write(f"{time.time()}\n")
        application.quit()

    QTimer.singleShot(0, tell)
    application.exec()


class Bench:
    """A window with a clip in it, or none. `copies`: propagate with a model that costs nothing.

    `projects` is the folder of new ones, where they are not to lie beside their videos.
    """

    def __init__(
        self,
        clip: Path | None,
        *,
        copies: bool = False,
        tracker: str = "classic",
        segmenter: str = "classic",
        projects: Path | str = "",
    ) -> None:
        self._application = QApplication.instance() or QApplication(["maskwright"])
        settings = Settings(
            tracker=tracker, segmenter=segmenter, refiner=segmenter, autosave_folder=str(projects)
        )
        self.session = Session(settings, _copying_models if copies else load_models)
        self.window = Window(self.session, _store())
        self.window.resize(*_SIZE)
        self.window.show()
        if clip is not None:
            self.session.files.open(clip)
        self.canvas = cast("Canvas", self.window.findChild(Canvas))
        self.spin(200)

    def __enter__(self) -> "Bench":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.session.files.close()
        self.window.close()
        shiboken6.delete(self.window)
        shiboken6.delete(self.session)
        gc.collect()  # what one scene leaves behind is not measured in the next

    def paint(self) -> None:
        """Draw all that is to be drawn, at once."""
        QCoreApplication.sendPostedEvents()
        QApplication.sendEvent(self.window, QEvent(QEvent.Type.UpdateRequest))

    def spin(self, milliseconds: int) -> None:
        """Let the event loop run for a time."""
        loop = QEventLoop()
        QTimer.singleShot(milliseconds, loop.quit)
        loop.exec()

    def spin_until(self, holds: Callable[[], bool], *, seconds: float = 60) -> float:
        """Let the event loop run until something holds; return how many seconds it took."""
        return spin_until(holds, seconds=seconds)

    @property
    def is_idle(self) -> bool:
        """Whether no job is under way."""
        return self.session.status.state is SessionState.IDLE

    def draw_anchors(self, count: int = len(COLORS)) -> None:
        """Draw an anchor of so many discs on the first frame."""
        self.session.view.go_to(0)
        for index in range(count):
            number = self.session.objects.add(f"disc {index + 1}")
            if number is None:
                raise RuntimeError("No video is open to draw on.")
            self.session.edit.draw_mask(
                0, number, disc_mask(self.session.video.size, 0, index), "Paint"
            )


class Heartbeat(QObject):
    """Beats every few milliseconds; `gaps` are the seconds between beats."""

    def __init__(self, milliseconds: int = 2) -> None:
        super().__init__()
        self.gaps: list[float] = []
        self._last = time.perf_counter()
        self._timer = QTimer(self, interval=milliseconds, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._beat)
        self._timer.start()

    def stop(self) -> None:
        """Beat no more."""
        self._timer.stop()

    def _beat(self) -> None:
        now = time.perf_counter()
        self.gaps.append(now - self._last)
        self._last = now


class _Copying:
    """A tracker that hands each object's first anchor on from frame to frame."""

    def track(
        self, anchors: Anchors, frames: Sequence[int], *, probabilities: bool = False
    ) -> Generator[Tracked, None, None]:
        """Yield the same masks for every frame."""
        del probabilities
        given = anchors[min(anchors)]
        found = {number: Prediction(mask, 0.9) for number, mask in given.items()}
        for frame in frames:
            yield frame, found


class _CopyingModels(Models):
    @property
    def tracker(self) -> Tracker:
        return _Copying()


def _copying_models(frames: Frames, _settings: Settings) -> Models:
    return _CopyingModels(frames, Choice())


def _store() -> QSettings:
    file = paths.settings_file().with_name("window.ini")
    return QSettings(str(file), QSettings.Format.IniFormat)
