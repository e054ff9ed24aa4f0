"""The application of the window: Qt, the settings, the session and the window, put together."""

import logging
import os
import sys
from pathlib import Path

from PySide6.QtCore import QSettings, QTimer
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication

from app import paths
from app.engine.ahead import load_ahead
from app.gui.window.process.crash import CrashWatch, log_to
from app.gui.window.window import Window
from app.session.choices import changed
from app.session.session import Session
from app.session.state.preferences import choice_of
from app.storage import settings as stored
from app.storage.sample import own_sample, sample_frames
from app.storage.settings import Settings

log = logging.getLogger(__name__)

# A model takes Python's lock anew for each of its operations. While the pointer moves and the
# window is busy, shorter turns than Python's 5 ms give it 13 previews a second instead of 9.
SWITCH_INTERVAL_S = 0.0005
_SHOWN_MS = 300  # after which the window has been painted


def show(source: Path | None, *, device: str, threads: int) -> int:
    """Open `source` in a window and return the exit status once it is closed.

    Neither torch nor a model is imported before the window is on the screen.
    """
    file = paths.settings_file()
    settings = stored.load(file)
    if settings.ui_scale != 1.0:
        os.environ.setdefault("QT_SCALE_FACTOR", str(settings.ui_scale))
    QApplication.setOrganizationName("Maskwright")
    QApplication.setApplicationName("Maskwright")
    QApplication.setDesktopFileName("maskwright")
    application = QApplication(["maskwright"])
    application.setWindowIcon(QIcon(str(paths.resources() / "icons" / "maskwright.svg")))
    _watch_for_crashes()
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    for_now = changed(settings, _given(device, threads))
    session = Session(for_now)
    session.preferences.changed.connect(
        lambda: _keep(file, session.preferences.settings, settings, for_now)
    )
    store = QSettings(str(file.with_name("window.ini")), QSettings.Format.IniFormat)
    window = Window(session, store, sample=own_sample if sample_frames().is_dir() else None)
    window.show()
    if source is not None:
        QTimer.singleShot(0, window, lambda: window.files.open(source))
    else:
        QTimer.singleShot(_SHOWN_MS, window, lambda: load_ahead(choice_of(for_now)))
    return application.exec()


def _given(device: str, threads: int) -> dict[str, str | int]:
    """Return the settings that the command line sets."""
    return ({"device": device} if device != "auto" else {}) | (
        {"threads": threads} if threads else {}
    )


def _keep(file: Path, now: Settings, before: Settings, for_now: Settings) -> None:
    """Write the settings, without what only the command line set."""
    if now.device == for_now.device:
        now = changed(now, {"device": before.device})
    if now.threads == for_now.threads:
        now = changed(now, {"threads": before.threads})
    try:
        stored.save(file, now)
    except OSError as error:
        log.warning("The settings could not be written: %s", error)


def _watch_for_crashes() -> None:
    try:
        CrashWatch(log_to(paths.log_folder())).install()
    except OSError as error:
        log.warning("No log is kept: %s", error)
