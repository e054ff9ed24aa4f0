"""The report of an unexpected error: logged, and shown in a dialog."""

import faulthandler
import logging
import platform
import sys
import threading
import traceback
from collections import deque
from importlib.metadata import PackageNotFoundError, version
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType

from PySide6 import __version__ as pyside_version
from PySide6.QtCore import (
    QMessageLogContext,
    QObject,
    QtMsgType,
    QUrl,
    Signal,
    Slot,
    qInstallMessageHandler,
    qVersion,
)
from PySide6.QtGui import QDesktopServices, QFontDatabase, QGuiApplication
from PySide6.QtWidgets import (
    QApplication,
    QDialog,
    QDialogButtonBox,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

log = logging.getLogger(__name__)

LOG_NAME = "maskwright.log"
_REPORT_LINES = 200
_LEVELS = {
    QtMsgType.QtDebugMsg: logging.DEBUG,
    QtMsgType.QtInfoMsg: logging.INFO,
    QtMsgType.QtWarningMsg: logging.WARNING,
    QtMsgType.QtCriticalMsg: logging.ERROR,
    QtMsgType.QtFatalMsg: logging.CRITICAL,
}


def log_to(folder: Path) -> Path:
    """Log everything from INFO up to a rotating file in `folder`, and return the file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / LOG_NAME
    handler = RotatingFileHandler(path, maxBytes=1_000_000, backupCount=3, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    handler.setLevel(logging.INFO)
    root = logging.getLogger()
    for before in root.handlers:
        # The terminal keeps its own level; only the file hears more than that.
        before.setLevel(max(before.level, root.level))
    root.addHandler(handler)
    root.setLevel(min(root.level, logging.INFO))
    return path


class CrashWatch(QObject):
    """Catches what no code caught, on any thread, in Python and in Qt. Lives on the GUI thread.

    `crashed` carries the report. The program goes on: the project on disk is already complete.
    """

    crashed = Signal(str)

    def __init__(self, log_file: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._log_file = log_file
        self._dialog: CrashDialog | None = None
        self.crashed.connect(self._show)

    def install(self) -> None:
        """Take over the hooks of Python, its threads, the C stack and Qt's messages."""
        # Kept open for the life of the process: the fault handler writes to the descriptor.
        self._faults = (self._log_file.parent / "faults.log").open("a", encoding="utf-8")
        faulthandler.enable(self._faults)
        sys.excepthook = self.on_exception
        threading.excepthook = self._on_thread_exception
        qInstallMessageHandler(_on_qt_message)

    def on_exception(
        self,
        kind: type[BaseException],
        error: BaseException,
        where: TracebackType | None,
    ) -> None:
        """Log an exception that nothing caught, and show it."""
        if issubclass(kind, KeyboardInterrupt):
            QGuiApplication.quit()
            return
        log.critical("Unexpected error", exc_info=(kind, error, where))
        trace = "".join(traceback.format_exception(kind, error, where))
        self.crashed.emit(report(trace, self._log_file))

    def _on_thread_exception(self, hook: threading.ExceptHookArgs) -> None:
        if hook.exc_value is not None:
            self.on_exception(hook.exc_type, hook.exc_value, hook.exc_traceback)

    @Slot(str)
    def _show(self, text: str) -> None:
        # One dialog for a storm of errors: the first says most, the log has them all.
        if self._dialog is not None and self._dialog.isVisible():
            return
        self._dialog = CrashDialog(text, self._log_file.parent, QApplication.activeWindow())
        self._dialog.show()


def report(trace: str, log_file: Path) -> str:
    """Return what a bug report needs: versions, system, traceback, end of the log."""
    lines = [
        f"Maskwright {_version('maskwright')}",
        f"Python {platform.python_version()}, Qt {qVersion()}, PySide6 {pyside_version}",
        f"{platform.platform()}, display {QGuiApplication.platformName()}",
        f"torch {_version('torch')}, numpy {_version('numpy')}",
        "",
        trace.rstrip(),
        "",
        f"Last lines of {LOG_NAME}:",
        *_tail(log_file, _REPORT_LINES),
    ]
    return "\n".join(lines)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "(not installed)"


def _tail(path: Path, count: int) -> list[str]:
    try:
        with path.open(encoding="utf-8", errors="replace") as lines:
            return [line.rstrip("\n") for line in deque(lines, maxlen=count)]
    except OSError as error:
        return [f"(the log cannot be read: {error})"]


def _on_qt_message(kind: QtMsgType, _context: QMessageLogContext, message: str) -> None:
    logging.getLogger("qt").log(_LEVELS.get(kind, logging.WARNING), "%s", message)


class CrashDialog(QDialog):
    """Says what happened and what is safe, and hands out the report."""

    def __init__(self, text: str, log_folder: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._log_folder = log_folder
        self.setWindowTitle(self.tr("Unexpected error"))
        self.resize(720, 480)
        said = QLabel(
            self.tr(
                "Maskwright met an error that it did not expect. Your work is safe: every change "
                "is already in the project file. You can go on working; if the window behaves "
                "oddly, close it and open the project again."
            )
        )
        said.setWordWrap(True)
        self._report = QPlainTextEdit(text)
        self._report.setReadOnly(True)
        self._report.setAccessibleName(self.tr("Report"))
        self._report.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        copy = QPushButton(self.tr("&Copy report"))
        folder = QPushButton(self.tr("Open &log folder"))
        buttons.addButton(copy, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.addButton(folder, QDialogButtonBox.ButtonRole.ActionRole)
        copy.clicked.connect(self._copy)
        folder.clicked.connect(self._open_folder)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(said)
        layout.addWidget(self._report)
        layout.addWidget(buttons)

    @property
    def report_text(self) -> str:
        """The report as it is copied."""
        return self._report.toPlainText()

    @Slot()
    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.report_text)

    @Slot()
    def _open_folder(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._log_folder)))
