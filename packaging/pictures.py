"""The pictures of the README and of the guide, taken of the real window while it is worked with.

python packaging/pictures.py resources/guide

Writes the guide's PNGs and `loop.webp`, the moving picture: click, propagate, N, click, Enter.
"""

import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PIL import Image as Picture
from PySide6.QtCore import QEventLoop, QPoint, QPointF, QRect, QSettings, Qt, QTimer
from PySide6.QtGui import QColor, QImage, QPainter, QPen, QPolygonF
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QDockWidget, QWidget

from app.batch.annotator import SimulatedAnnotator
from app.core.evaluate import Labels
from app.core.mask import Mask
from app.core.runs import RunKind
from app.gui.window.window import Window
from app.paths import sample_folder
from app.session.session import Session
from app.session.state.status import SessionState
from app.storage.formats.palette import read_palette_png, write_palette_png
from app.storage.settings import Settings
from models.api import BoolMask, Click

_SIZE = (1280, 800)  # of the window
_MOVING_WIDTH = 900
_EVERY = 5  # frames of the clip from picture to picture while a propagation runs
# Sequences that the clip is cut into; both objects are there on the first frame of each.
_PARTS = tuple(range(*ends) for ends in ((0, 15), (5, 25), (10, 45), (15, 60), (45, 60), (50, 60)))
_MUG, _BOTTLE = 1, 2  # objects of the sample's masks
_ARROW = ((0, 0), (0, 17), (4, 13), (7, 20), (10, 19), (7, 12), (13, 12))


class Film:
    """The moving picture: what the window showed, and for how long."""

    def __init__(self) -> None:
        self._pictures: list[Picture.Image] = []
        self._times: list[int] = []

    def add(self, image: QImage, milliseconds: int) -> None:
        """Append a picture; one that equals the last only makes that longer."""
        scaled = image.scaledToWidth(_MOVING_WIDTH, Qt.TransformationMode.SmoothTransformation)
        picture = _to_pillow(scaled)
        if self._pictures and picture.tobytes() == self._pictures[-1].tobytes():
            self._times[-1] += milliseconds
            return
        self._pictures.append(picture)
        self._times.append(milliseconds)

    def write(self, path: Path) -> None:
        """Write all pictures as one animated WebP."""
        first, *rest = self._pictures
        first.save(
            path, save_all=True, append_images=rest, duration=self._times, loop=0, quality=68,
            method=6,
        )  # fmt: skip


class Studio:
    """The real window on a copy of the sample clip, and what a person does in it.

    Clicks go where somebody who knows the truth would make them.
    """

    def __init__(self, folder: Path) -> None:
        self._session = Session(Settings(theme="light", tracker="classic", review_advance=False))
        store = QSettings(str(folder / "window.ini"), QSettings.Format.IniFormat)
        self.window = Window(self._session, store)
        self.window.resize(*_SIZE)
        self.window.show()
        self.window.files.open(_clip(folder))
        self._annotator = SimulatedAnnotator(self._truth)
        self._pointer = QPoint(_SIZE[0] // 2, _SIZE[1] // 2)
        self.film = Film()
        pause(500)

    def close(self) -> None:
        """End the session and the window."""
        self.window.close()
        self._session.files.close()

    @property
    def frame(self) -> int:
        """The frame that is shown."""
        return self._session.view.frame

    def press(self, action: str) -> None:
        """Do what a key or a menu does, by the name of the action."""
        self.window.actions_by_name[action].trigger()
        pause(150)

    def wait(self, watch: Callable[[], None] = lambda: None) -> None:
        """Wait until no job is under way; `watch` is called often."""
        pause(200)
        while self._session.clicks.asked or self._session.status.state is not SessionState.IDLE:
            watch()
            pause(15)
        pause(400)

    def correct(self, number: int) -> None:
        """Click where the mask of an object is wrong until it is right, four times at most."""
        for _ in range(4):
            if not self._annotator.is_content(self.frame, number, self._mask(number)):
                self._click(self._annotator.click(self.frame, number, self._mask(number)))

    def name(self, number: int, name: str) -> None:
        """Call an object by a name."""
        info = next(info for info in self._session.masks.objects if info.id == number)
        self._session.objects.edit(replace(info, name=name))

    def take(self, milliseconds: int, caption: str = "") -> None:
        """Add the window, with pointer and caption, to the moving picture."""
        image = self.window.grab().toImage()
        painter = QPainter(image)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        _draw_pointer(painter, self._pointer)
        if caption:
            canvas = self.window.canvas
            corner = canvas.mapTo(self.window, QPoint(canvas.width() // 2, canvas.height() - 60))
            _draw_caption(painter, corner, caption)
        painter.end()
        self.film.add(image, milliseconds)

    def dock(self, name: str) -> QRect:
        """Return where a panel is in the window."""
        dock = self.window.findChild(QDockWidget, name)
        assert isinstance(dock, QDockWidget), name
        return dock.geometry()

    def dialog(self, action: str) -> QImage:
        """Open a dialog, which may be modal, take its picture and close it."""
        images: list[QImage] = []

        def take() -> None:
            (dialog,) = (each for each in self.window.findChildren(QDialog) if each.isVisible())
            images.append(dialog.grab().toImage())
            dialog.close()

        QTimer.singleShot(600, take)
        self.press(action)
        pause(700)
        return images[0]

    def inspect(self, folder: Path) -> None:
        """Measure the masks against the sample's, and go to where they fail most."""
        for frame in range(self._session.video.frame_count):
            write_palette_png(folder / f"{frame:06d}.png", self._labels(frame, self._truth))
        runs = self._session.inspection.runs
        runs.keep()
        runs.import_run(folder, RunKind.GROUND_TRUTH)
        self.press("inspect")
        while not runs.results:
            pause(50)
        worst = runs.episodes[0]
        runs.select(worst.object + 1)
        self._session.view.go_to(runs.results[runs.shown or 0].positions[worst.peak])
        pause(6000)  # until the messages are gone

    def show_data_set(self, folder: Path) -> QWidget:
        """Cut the clip and its masks into sequences, and return the window of these as a set."""
        for number, frames in enumerate(_PARTS, 1):
            for frame in frames:
                for name, labels in (
                    ("truth", self._labels(frame, self._truth)),
                    ("classic", self._labels(frame, self._shown)),
                ):
                    path = folder / name / f"part-{number}" / f"{frame:06d}.png"
                    write_palette_png(path, labels)
        data = self._session.inspection.data_set
        self.press("annotate")
        data.open(folder / "truth", (folder / "classic",))
        while not data.results:
            pause(50)
        self.press("data_set")
        pause(700)
        (shown,) = (each for each in self.window.findChildren(QDialog) if each.isVisible())
        return shown

    def _labels(self, frame: int, mask: Callable[[int, int], BoolMask]) -> Labels:
        labels = np.zeros(self._session.video.size, np.uint8)
        for number in (_MUG, _BOTTLE):
            labels[mask(frame, number)] = number
        return labels

    def _shown(self, frame: int, number: int) -> BoolMask:
        entry = self._session.masks.shown(frame).get(number)
        mask: Mask | None = entry.mask if entry else None
        return np.zeros(self._session.video.size, np.bool_) if mask is None else mask.decode()

    def _truth(self, frame: int, number: int) -> BoolMask:
        path = sample_folder() / "masks" / f"{frame:06d}.png"
        labels: BoolMask = read_palette_png(path, self._session.video.size) == number
        return labels

    def _mask(self, number: int) -> BoolMask:
        return self._shown(self.frame, number)

    def _click(self, click: Click) -> None:
        canvas = self.window.canvas
        place = canvas.viewportTransform().map(QPointF(click.x, click.y)).toPoint()
        button = Qt.MouseButton.LeftButton if click.positive else Qt.MouseButton.RightButton
        caption = "click" if click.positive else "right click"
        self._move_to(place)
        self.take(500, caption)
        QTest.mouseClick(canvas.viewport(), button, Qt.KeyboardModifier.NoModifier, place)
        self.wait()
        self.take(800, caption)

    def _move_to(self, place: QPoint) -> None:
        """Show the pointer on its way to a place of the canvas."""
        start = self._pointer
        end = self.window.canvas.viewport().mapTo(self.window, place)
        for step in range(1, 6):
            self._pointer = start + (end - start) * step / 5
            self.take(60)


def pause(milliseconds: int) -> None:
    """Let the window work for a while."""
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


def film(studio: Studio, out: Path) -> None:
    """Click, propagate, N, click, Enter; stills on the way."""
    studio.take(600)
    studio.correct(_MUG)
    studio.name(_MUG, "mug")
    studio.take(600)
    _save(studio.window.canvas, out / "first-click.png")
    studio.take(500, "F")
    studio.press("forward")
    studio.wait(_filming(studio))
    studio.take(900)
    studio.take(600, "N")
    studio.press("next_suspect")
    pause(500)
    studio.take(1200, "N")
    _save(studio.window, out / "suspect.png")
    studio.correct(_MUG)
    _save(studio.window, out / "corrected.png")
    studio.take(500, "Enter")
    studio.press("verify_and_heal")
    studio.wait(_filming(studio))
    studio.press("fit")
    studio.take(1800)
    studio.film.write(out / "loop.webp")


def _filming(studio: Studio) -> Callable[[], None]:
    """Return what takes a picture now and then while the window follows a propagation."""
    taken = {studio.frame}

    def watch() -> None:
        if studio.frame % _EVERY == 0 and studio.frame not in taken:
            taken.add(studio.frame)
            studio.take(160)

    return watch


def stills(studio: Studio, out: Path) -> None:
    """Take what the guide explains: the window, its timeline, its dialogs."""
    studio.press("changes")
    pause(500)
    _save(studio.window, out / "changes.png")
    studio.press("changes")
    studio.press("first")
    studio.press("new_object")
    studio.correct(_BOTTLE)
    studio.name(_BOTTLE, "bottle")
    studio.press("forward")
    studio.wait()
    studio.press("next_suspect")
    pause(500)
    studio.press("fit")
    _save(studio.window, out / "window.png")
    _save(studio.window, out / "timeline.png", studio.dock("timeline"))
    dialogs = {"keys": "sheet", "settings": "settings", "models": "models", "export": "export"}
    for name, action in dialogs.items():
        studio.dialog(action).save(str(out / f"{name}.png"))
        _shrink(out / f"{name}.png")


def inspection(studio: Studio, out: Path, folder: Path) -> None:
    """Take the layout that compares runs with a ground truth, and a data set."""
    studio.inspect(folder / "whole")
    _save(studio.window, out / "inspect.png")
    _save(studio.show_data_set(folder / "set"), out / "data-set.png")


def _save(window: QWidget, path: Path, part: QRect | None = None) -> None:
    window.grab(part or window.rect()).save(str(path))
    _shrink(path)


def _shrink(path: Path) -> None:
    """Write a PNG anew with a palette: a third of its size."""
    with Picture.open(path) as picture:
        small = picture.convert("RGB").quantize(256, dither=Picture.Dither.NONE)
    small.save(path, optimize=True)


def _to_pillow(image: QImage) -> Picture.Image:
    plain = image.convertToFormat(QImage.Format.Format_RGBA8888)
    size = (plain.width(), plain.height())
    return Picture.frombytes("RGBA", size, bytes(plain.constBits())).convert("RGB")


def _draw_pointer(painter: QPainter, at: QPoint) -> None:
    painter.setPen(QPen(QColor("white"), 1.5))
    painter.setBrush(QColor("black"))
    painter.drawPolygon(QPolygonF([QPointF(at.x() + x, at.y() + y) for x, y in _ARROW]))


def _draw_caption(painter: QPainter, middle: QPoint, text: str) -> None:
    font = painter.font()
    font.setPixelSize(26)
    font.setBold(True)
    painter.setFont(font)
    box = painter.fontMetrics().boundingRect(text).adjusted(-18, -8, 18, 8)
    box.moveCenter(middle)
    painter.setPen(QPen(QColor("white"), 2))
    painter.setBrush(QColor(20, 20, 24, 220))
    painter.drawRoundedRect(box, 9, 9)
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)


def _clip(folder: Path) -> Path:
    """Return a copy of the sample's frames, so that no project appears in the resources."""
    clip = folder / "kitchen"
    clip.mkdir()
    for frame in sorted((sample_folder() / "frames").iterdir()):
        (clip / frame.name).write_bytes(frame.read_bytes())
    return clip


def main(out: Path) -> None:
    """Write the pictures; the project is thrown away."""
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["MASKWRIGHT_HOME"] = folder
        application = QApplication([])
        studio = Studio(Path(folder))
        film(studio, out)
        stills(studio, out)
        inspection(studio, out, Path(folder))
        studio.close()
        application.quit()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
