"""Take the readme's picture of the real window: the sample clip, propagated and corrected.

python packaging/screenshot.py resources/screenshot.png
"""

import os
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QEventLoop, QSettings, QTimer
from PySide6.QtWidgets import QApplication

from app.core.document import Key
from app.core.plan import Direction
from app.gui.window.window import Window
from app.paths import sample_folder
from app.session.session import Session
from app.session.state.status import SessionState
from app.storage.formats.palette import read_palette_png
from app.storage.settings import Settings

_OBJECTS = ("mug", "bottle", "left hand", "right hand")
_SHOWN, _CORRECTED = 36, 32


def _pause(milliseconds: int) -> None:
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


def _truth(session: Session, frame: int, identity: int) -> None:
    labels = read_palette_png(sample_folder() / "masks" / f"{frame:06d}.png", session.video.size)
    if (labels == identity).any():
        session.edit.draw_mask(frame, identity, labels == identity, "Paint")


def _annotate(session: Session) -> None:
    for name in _OBJECTS:
        session.objects.add(name)
    for identity in range(1, len(_OBJECTS) + 1):
        _truth(session, 0, identity)
    session.jobs.propagate(Direction.FORWARD)
    _pause(1000)
    while session.status.state is not SessionState.IDLE:
        _pause(200)
    _truth(session, _CORRECTED, 1)
    session.edit.verify([Key(frame, 1) for frame in range(3, 9)])
    session.view.select(1)
    session.view.go_to(_SHOWN)
    _pause(2000)


def main(target: Path) -> None:
    """Write the picture; the project is thrown away."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["MASKWRIGHT_HOME"] = folder
        application = QApplication([])
        session = Session(Settings(tracker="classic", segmenter="classic", refiner="classic"))
        store = QSettings(str(Path(folder) / "window.ini"), QSettings.Format.IniFormat)
        window = Window(session, store)
        window.resize(1440, 960)
        window.show()
        session.files.open(_clip(Path(folder)))
        _pause(500)
        _annotate(session)
        window.grab().save(str(target))
        window.close()
        session.files.close()
        application.quit()


def _clip(folder: Path) -> Path:
    """Return a copy of the sample's frames, so that no project appears in the resources."""
    clip = folder / "kitchen"
    clip.mkdir()
    for frame in sorted((sample_folder() / "frames").iterdir()):
        (clip / frame.name).write_bytes(frame.read_bytes())
    return clip


if __name__ == "__main__":
    main(Path(sys.argv[1]))
