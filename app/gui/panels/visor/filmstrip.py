"""The filmstrip: the annotated frames of a subsequence side by side."""

from collections.abc import Callable

import cv2
import numpy as np
from PySide6.QtCore import QPoint, QRect, QSize, Qt, QTimer, Slot
from PySide6.QtGui import QAction, QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QScrollArea, QToolBar, QVBoxLayout, QWidget

from app.core.document import Entry, Key, Objects
from app.core.paint import Point
from app.gui.canvas.tools.choice import object_at
from app.session.state.masks import Masks
from app.session.state.video import CurrentVideo
from app.session.state.view import ViewState
from app.session.visor.subsequences import Subsequences
from models.api import Image

OpenMenu = Callable[[Point, QPoint, QWidget], None]
_SOON_MS = 100
_LINE = 18  # height of the name under a tile
_GAP = 6
_LEAST = 90  # height of a tile
_OPACITY = 0.5


class Tile(QWidget):
    """One frame with its masks; a click goes there and selects what lies under it."""

    def __init__(
        self,
        video: CurrentVideo,
        view: ViewState,
        masks: Masks,
        frame: int,
        open_menu: OpenMenu,
    ) -> None:
        super().__init__()
        self._video, self._view, self._masks = video, view, masks
        self.frame, self._open_menu = frame, open_menu
        self._shown: QImage | None = None
        self.setToolTip(video.name_of(frame))
        self.setAccessibleName(video.name_of(frame))

    def refresh(self) -> None:
        """Draw the picture and its masks anew."""
        self._shown = None
        self.update()

    def sizeHint(self) -> QSize:
        height, width = self._video.size
        strip = self.parentWidget()
        tall = _LEAST if strip is None else max(strip.height() - _LINE - 4, _LEAST)
        return QSize(round(tall * width / max(height, 1)), tall + _LINE)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the picture, the name, and a frame round the current one."""
        painter = QPainter(self)
        place = self._place()
        if self._shown is None or self._shown.size() != place.size() * self.devicePixelRatioF():
            self._shown = self._drawn(place.size() * self.devicePixelRatioF())
        if self._shown is None:
            painter.fillRect(place, QColor(60, 60, 60))
        else:
            painter.drawImage(place, self._shown)
        is_here = self._view.frame == self.frame
        highlight = self.palette().highlight().color()
        if is_here:
            painter.setPen(highlight)
            painter.drawRect(place.adjusted(0, 0, -1, -1))
            painter.drawRect(place.adjusted(1, 1, -2, -2))
            painter.fillRect(0, place.bottom() + 1, place.width(), _LINE, highlight)
        ink = self.palette().highlightedText() if is_here else self.palette().windowText()
        painter.setPen(ink.color())
        entry = self._masks.shown(self.frame).get(self._view.selected or -1)
        mark = "" if self._view.selected is None else " ◆" if entry and entry.mask else " ○"
        room = QRect(2, place.bottom() + 1, self.width() - 4, _LINE)
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, f"{self.frame}{mark}")

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Go to the frame; select what is there, and offer what can be done to it."""
        at = self._point(event)
        self._view.go_to(self.frame)
        infos = tuple(each for each in self._video.ordered(self.frame) if each.visible)
        if (under := object_at(infos, self._masks.shown(self.frame), at)) is not None:
            self._view.select(under)
        if event.button() == Qt.MouseButton.RightButton:
            self._open_menu(at, event.globalPosition().toPoint(), self)

    def _place(self) -> QRect:
        room = QSize(self.width(), max(self.height() - _LINE, 1))
        height, width = self._video.size
        size = QSize(max(width, 1), max(height, 1)).scaled(room, Qt.AspectRatioMode.KeepAspectRatio)
        return QRect(0, (room.height() - size.height()) // 2, size.width(), size.height())

    def _point(self, event: QMouseEvent) -> Point:
        place, (height, width) = self._place(), self._video.size
        x = (event.position().x() - place.left()) * width / max(place.width(), 1)
        y = (event.position().y() - place.top()) * height / max(place.height(), 1)
        return Point(x - 0.5, y - 0.5)

    def _drawn(self, size: QSize) -> QImage | None:
        image = self._video.image(self.frame)
        if image is None or size.isEmpty():
            return None
        pixels = with_masks(
            image,
            self._video.ordered(self.frame),
            self._masks.shown(self.frame),
            (size.height(), size.width()),
            self._view.selected,
        )
        height, width, _ = pixels.shape
        made = QImage(pixels.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888)
        return made.copy()  # the bytes belong to nobody else


class Filmstrip(QWidget):
    """The annotated frames, usually six, of the subsequence that the current frame lies in."""

    def __init__(
        self,
        video: CurrentVideo,
        view: ViewState,
        masks: Masks,
        subsequences: Subsequences,
        open_menu: OpenMenu,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._video, self._view, self._masks = video, view, masks
        self._subsequences, self._open_menu = subsequences, open_menu
        self.tiles: tuple[Tile, ...] = ()
        self._title = QLabel()
        self._title.setTextFormat(Qt.TextFormat.PlainText)
        self._bar = QToolBar()
        self._row = QWidget()
        self._row_layout = QHBoxLayout(self._row)
        self._row_layout.setContentsMargins(0, 0, 0, 0)
        self._row_layout.setSpacing(_GAP)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setWidget(self._row)
        scroll.setMinimumHeight(_LEAST + _LINE + 16)
        head = QHBoxLayout()
        head.addWidget(self._title, 1)
        head.addWidget(self._bar)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 0, 6, 4)
        layout.setSpacing(2)
        layout.addLayout(head)
        layout.addWidget(scroll, 1)
        self._stale: set[int] = set()
        self._soon = QTimer(self, singleShot=True, interval=_SOON_MS)
        self._soon.timeout.connect(self._redraw)
        video.opened.connect(self._make_anew)
        video.image_ready.connect(self._on_image_ready)
        view.frame_changed.connect(self._on_frame_changed)
        view.selection_changed.connect(self._redraw_all)
        masks.entries_changed.connect(self._on_entries_changed)
        masks.objects_changed.connect(self._redraw_all)
        masks.attributes_changed.connect(self._redraw_all)

    @property
    def title(self) -> str:
        """The subsequence, in words."""
        return self._title.text()

    def set_actions(self, buttons: list[QAction]) -> None:
        """Offer actions beside the title."""
        self._bar.addActions(buttons)

    def showEvent(self, event: QShowEvent) -> None:
        """Show the subsequence of the current frame."""
        super().showEvent(event)
        self._make_anew()

    @Slot()
    def _make_anew(self) -> None:
        for tile in self.tiles:
            self._row_layout.removeWidget(tile)
            tile.deleteLater()
        self.tiles = ()
        if not self.isVisible() or not self._video.is_open:
            return
        here = self._subsequences.at(self._view.frame)
        frames = here.frames if here else ()
        words = self.tr("{0}: {1} annotated frames, {2} to {3}")
        self._title.setText(
            words.format(here.name, len(frames), here.first, here.last)
            if here
            else self.tr("This frame lies in no subsequence.")
        )
        self.tiles = tuple(
            Tile(self._video, self._view, self._masks, frame, self._open_menu) for frame in frames
        )
        for tile in self.tiles:
            self._row_layout.addWidget(tile)
            tile.setMinimumWidth(_LEAST)

    @Slot(int)
    def _on_frame_changed(self, frame: int) -> None:
        if not self.isVisible():
            return
        here = self._subsequences.at(frame)
        if (here.frames if here else ()) != tuple(tile.frame for tile in self.tiles):
            self._make_anew()
        for tile in self.tiles:
            tile.update()

    @Slot(int)
    def _on_image_ready(self, frame: int) -> None:
        self._mark({frame})

    @Slot(object)
    def _on_entries_changed(self, keys: frozenset[Key]) -> None:
        self._mark({key.frame for key in keys})

    @Slot()
    def _redraw_all(self) -> None:
        self._mark({tile.frame for tile in self.tiles})

    def _mark(self, frames: set[int]) -> None:
        self._stale |= frames.intersection(tile.frame for tile in self.tiles)
        if self._stale and not self._soon.isActive():
            self._soon.start()

    @Slot()
    def _redraw(self) -> None:
        stale, self._stale = self._stale, set()
        for tile in self.tiles:
            if tile.frame in stale:
                tile.refresh()


def with_masks(
    image: Image,
    infos: Objects,
    entries: dict[int, Entry],
    size: tuple[int, int],
    selected: int | None,
) -> Image:
    """Return an image of another size (height, width) with masks over it, in drawing order."""
    height, width = size
    small = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    labels = np.zeros(image.shape[:2], np.uint8)
    drawn = [each for each in infos if each.visible and each.id in entries][-255:]
    for label, info in enumerate(drawn, start=1):
        mask = entries[info.id].mask
        if mask is not None:
            y0, y1, x0, x1 = mask.box
            labels[y0:y1, x0:x1][mask.crop()] = label
    shown = cv2.resize(labels, (width, height), interpolation=cv2.INTER_NEAREST)
    colors = np.array([(0, 0, 0), *(each.color for each in drawn)], np.float32)
    strength = np.array(
        [0.0, *(_OPACITY + 0.25 * (each.id == selected) for each in drawn)], np.float32
    )[shown][..., None]
    return np.asarray(small * (1 - strength) + colors[shown] * strength, np.uint8)
