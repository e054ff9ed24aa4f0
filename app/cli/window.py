"""`maskwright [SOURCE]`: the window."""

import argparse
import logging
import os
import sys
from pathlib import Path

from app import paths
from app.errors import UsageError
from app.session.choices import changed
from app.storage import settings as stored
from app.storage.sample import own_sample, sample_frames
from app.storage.settings import Settings

log = logging.getLogger(__name__)

# A model takes Python's lock anew for each of its operations. While the pointer moves and the
# window is busy, shorter turns than Python's 5 ms give it 13 previews a second instead of 9.
TURN = 0.0005  # seconds


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `open`."""
    parser.add_argument(
        "source",
        nargs="?",
        type=Path,
        metavar="SOURCE",
        help="a video, a folder of images, a project (*.maskwright) or a VISOR JSON",
    )


def run(arguments: argparse.Namespace) -> int:
    """Show the window until it is closed."""
    if arguments.source is not None and not arguments.source.exists():
        raise UsageError(f"{arguments.source} does not exist. Check the path.")
    return show_window(arguments.source, device=arguments.device, threads=arguments.threads)


def show_window(source: Path | None, *, device: str = "auto", threads: int = 0) -> int:
    """Open `source` in a window and return the exit status once it is closed.

    `device` and `threads` go before the settings for this run, and are not kept. Neither torch nor
    a model is imported before the window is on the screen. Raises UsageError where there is none.
    """
    _check_display()
    from PySide6.QtCore import QSettings, QTimer  # noqa: PLC0415  (Qt is for this command only)
    from PySide6.QtGui import QIcon  # noqa: PLC0415
    from PySide6.QtWidgets import QApplication  # noqa: PLC0415

    file = paths.settings_file()
    settings = stored.load(file)
    if settings.ui_scale != 1.0:
        os.environ.setdefault("QT_SCALE_FACTOR", str(settings.ui_scale))
    QApplication.setOrganizationName("Maskwright")
    QApplication.setApplicationName("Maskwright")
    QApplication.setDesktopFileName("maskwright")
    application = QApplication(["maskwright"])
    application.setWindowIcon(QIcon(str(paths.resources() / "icons" / "maskwright.svg")))

    from app.gui.window.window import Window  # noqa: PLC0415
    from app.session.session import Session  # noqa: PLC0415

    _watch_for_crashes()
    sys.setswitchinterval(TURN)
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
    return application.exec()


def _check_display() -> None:
    # Qt would abort the whole process. Elsewhere than on Linux there always is a display.
    names = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    if sys.platform == "linux" and not any(os.environ.get(name) for name in names):
        raise UsageError(
            "There is no display for the window: DISPLAY and WAYLAND_DISPLAY are not set. Start "
            "from a desktop (or use ssh -X), set QT_QPA_PLATFORM, or take a command without a "
            "window, see maskwright --help."
        )


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
    from app.gui.window.crash import CrashWatch, log_to  # noqa: PLC0415

    try:
        CrashWatch(log_to(paths.log_folder())).install()
    except OSError as error:
        log.warning("No log is kept: %s", error)
