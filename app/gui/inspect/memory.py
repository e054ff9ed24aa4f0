"""The memory inspector: the remembered frames that voted for a pixel."""

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPointF, QSize, Qt, Slot
from PySide6.QtGui import QAction, QColor, QIcon, QImage, QPainter, QPixmap, QRadialGradient
from PySide6.QtWidgets import (
    QLabel,
    QListView,
    QListWidget,
    QListWidgetItem,
    QToolBar,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.session.runs.memory import MemoryVotes
from app.session.state.video import CurrentVideo
from app.session.state.view import ViewState
from models.api import Image, Place, Vote

_SHOWN = 8  # as many frames as are read at a time
_SIZE = QSize(128, 84)
_FRAME = Qt.ItemDataRole.UserRole
_PLACES = _FRAME + 1
_HEAT = QColor(255, 196, 0)
_HEAT_SIZE = 9.0  # of a place in a thumbnail, across


class MemoryPanel(QWidget):
    """The votes as thumbnails with their weights, strongest first; a click goes to the frame."""

    def __init__(
        self,
        video: CurrentVideo,
        view: ViewState,
        memory: MemoryVotes,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._video, self._view, self._memory = video, view, memory
        self._title = QLabel()
        self._title.setObjectName("dim")
        self._title.setWordWrap(True)
        self._list = QListWidget()
        self._list.setAccessibleName(self.tr("Remembered frames, strongest vote first"))
        self._list.setViewMode(QListView.ViewMode.IconMode)
        self._list.setIconSize(_SIZE)
        self._list.setMovement(QListView.Movement.Static)
        self._list.setResizeMode(QListView.ResizeMode.Adjust)
        self._list.setWrapping(False)
        self._list.setMinimumHeight(56)
        self._buttons = QToolBar()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 0, 6, 6)
        layout.addWidget(self._title)
        layout.addWidget(self._list, 1)
        layout.addWidget(self._buttons)
        self._list.itemClicked.connect(self._on_chosen)
        self._list.itemActivated.connect(self._on_chosen)
        memory.changed.connect(self.refresh)
        video.image_ready.connect(self._on_image_ready)
        self.refresh()

    @property
    def view(self) -> QListWidget:
        """The list itself."""
        return self._list

    def set_actions(self, buttons: list[QAction]) -> None:
        """Offer actions below the list, with words."""
        for action in buttons:
            button = QToolButton()
            button.setObjectName("flat")
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
            button.setDefaultAction(action)
            self._buttons.addWidget(button)

    def current(self) -> int | None:
        """Return the remembered frame that is chosen: at first the strongest."""
        item = self._list.currentItem()
        return None if item is None else int(item.data(_FRAME))

    @Slot()
    def refresh(self) -> None:
        """Show the votes as they are now."""
        self._list.clear()
        self._title.setText(self._words())
        for vote in self._memory.votes[:_SHOWN]:
            text = self.tr("frame {} · {:.0%}\n{}").format(
                vote.frame, vote.weight, vote.store.value
            )
            item = QListWidgetItem(text)
            item.setData(_FRAME, vote.frame)
            item.setData(_PLACES, vote.places)
            item.setToolTip(self._tip(vote))
            item.setTextAlignment(Qt.AlignmentFlag.AlignHCenter)
            self._list.addItem(item)
            self._set_icon(item)
        self._list.setCurrentRow(0)

    def _tip(self, vote: Vote) -> str:
        if not vote.places:
            return self.tr("Long-term memory keeps summaries: where they were read is not known.")
        return self.tr("Read at {} places; the brighter, the more").format(len(vote.places))

    def _words(self) -> str:
        if self._memory.at is None:
            return self.tr(
                "Ctrl+click a pixel in a view: the frames that the last propagation remembered, "
                "by how much they decided about it."
            )
        frame, x, y = self._memory.at
        left = sum(vote.weight for vote in self._memory.votes[_SHOWN:])
        # It may have been another one that made the mask there.
        text = self.tr("Frame {}, pixel {:.0f}, {:.0f}, by what the last propagation remembers")
        text = text.format(frame, x, y)
        return text + (self.tr("; all other frames {:.0%}").format(left) if left else "")

    def _set_icon(self, item: QListWidgetItem) -> None:
        image = self._video.image(item.data(_FRAME))
        if image is not None:
            pixmap = _thumbnail(image)
            _paint_places(pixmap, item.data(_PLACES), pixmap.width() / image.shape[1])
            item.setIcon(QIcon(pixmap))

    @Slot(QListWidgetItem)
    def _on_chosen(self, item: QListWidgetItem) -> None:
        self._view.go_to(item.data(_FRAME))

    @Slot(int)
    def _on_image_ready(self, frame: int) -> None:
        for row in range(self._list.count()):
            item = self._list.item(row)
            if item.data(_FRAME) == frame and item.icon().isNull():
                self._set_icon(item)


def _paint_places(pixmap: QPixmap, places: Sequence[Place], scale: float) -> None:
    """Paint where a frame was read over its thumbnail, as a heat map."""
    most = max((place.weight for place in places), default=0.0)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    for place in reversed(places):  # the strongest on top
        centre = QPointF(place.x * scale, place.y * scale)
        glow = QRadialGradient(centre, _HEAT_SIZE)
        color = QColor(_HEAT)
        color.setAlphaF(0.25 + 0.65 * place.weight / most)
        glow.setColorAt(0, color)
        color.setAlphaF(0)
        glow.setColorAt(1, color)
        painter.setBrush(glow)
        painter.drawEllipse(centre, _HEAT_SIZE, _HEAT_SIZE)
    painter.end()


def _thumbnail(pixels: Image) -> QPixmap:
    height, width, _ = pixels.shape
    whole = np.ascontiguousarray(pixels)
    image = QImage(whole.data, width, height, 3 * width, QImage.Format.Format_RGB888)
    keep, smooth = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
    return QPixmap.fromImage(image.scaled(_SIZE, keep, smooth))
