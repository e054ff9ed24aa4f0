"""The panel of the changes: each mask before and after the last job, to accept or to reject."""

import enum
from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QPersistentModelIndex,
    QSize,
    Qt,
    Signal,
    Slot,
)
from PySide6.QtGui import QAction, QColor, QIcon, QImage, QPainter, QPixmap
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QListView,
    QToolBar,
    QVBoxLayout,
    QWidget,
)

from app.core.document import Key
from app.core.mask import Mask
from app.gui.widgets.fields import keep_from_wheel
from app.gui.widgets.rows import NarrowRows
from app.session.edits.changes import Change, Changes
from app.session.state.masks import Masks
from app.session.state.video import CurrentVideo
from models.api import Image

Index = QModelIndex | QPersistentModelIndex
_HALF = QSize(84, 63)  # one of the two pictures, in pixels
_GAP = 4  # pixels between them
_MARGIN = 1.5  # how much more than the masks is shown
_ROLES = frozenset(
    {
        Qt.ItemDataRole.DisplayRole,
        Qt.ItemDataRole.DecorationRole,
        Qt.ItemDataRole.ToolTipRole,
        Qt.ItemDataRole.AccessibleTextRole,
    }
)


class Scope(enum.Enum):
    """What a decision on a change holds for, besides."""

    FRAME = "frame"
    RANGE = "range"  # the changes of the object on the frames beside it
    OBJECT = "object"  # all changes of the object


class ChangesModel(QAbstractListModel):
    """The open changes, one a row, the largest first, with a picture before and one after."""

    def __init__(
        self, video: CurrentVideo, masks: Masks, changes: Changes, parent: QWidget
    ) -> None:
        super().__init__(parent)
        self._video, self._masks, self._changes = video, masks, changes
        self._rows: tuple[Change, ...] = changes.open
        self._icons: dict[Key, QIcon] = {}
        changes.changed.connect(self._on_changed)
        masks.objects_changed.connect(self._on_changed)
        video.image_ready.connect(self._on_image_ready)

    def change(self, row: int) -> Change:
        """Return the change in a row."""
        return self._rows[row]

    def row_of(self, key: Key) -> int | None:
        """Return the row of a change, or None."""
        return next((row for row, each in enumerate(self._rows) if each.key == key), None)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if role not in _ROLES or not index.isValid() or index.row() >= len(self._rows):
            return None
        change = self._rows[index.row()]
        match role:
            case Qt.ItemDataRole.DecorationRole:
                return self._icon(change.key)
            case Qt.ItemDataRole.DisplayRole:
                name = self._masks.name_of(change.key.object)
                return f"{change.key.frame} · {name}\n{self._words(change)}"
            case _:
                text = self.tr("Frame {}, {}: {}. Left before, right after.")
                name = self._masks.name_of(change.key.object)
                return text.format(change.key.frame, name, self._words(change))

    def _words(self, change: Change) -> str:
        pair = self._changes.pair(change.key)
        before, after = (pair[0], pair[1]) if pair else (None, None)
        if before is None:
            return self.tr("filled")
        if before.mask is None:
            return self.tr("was absent")
        if after is None or after.mask is None:
            return self.tr("is absent now")
        return self.tr("{} changed").format(f"{change.amount:.0%}")

    def _icon(self, key: Key) -> QIcon | None:
        """Return the pictures; where the frame is not at hand it is asked for, and they follow."""
        if key not in self._icons:
            image, pair = self._video.image(key.frame), self._changes.pair(key)
            if image is None or pair is None:
                return None
            color = next((o.color for o in self._masks.objects if o.id == key.object), (0, 0, 0))
            masks = [entry.mask if entry else None for entry in pair]
            self._icons[key] = QIcon(_side_by_side(image, masks, color))
        return self._icons[key]

    @Slot()
    def _on_changed(self) -> None:
        self.beginResetModel()
        self._rows = self._changes.open
        self._icons = {}
        self.endResetModel()

    @Slot(int)
    def _on_image_ready(self, frame: int) -> None:
        for row, change in enumerate(self._rows):
            if change.key.frame == frame and change.key not in self._icons:
                self.dataChanged.emit(self.index(row), self.index(row))


class ChangesPanel(QWidget):
    """The list of the changes. `asked` follows a click or Enter: show this one."""

    asked = Signal(object)  # Key

    def __init__(
        self, video: CurrentVideo, masks: Masks, changes: Changes, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._changes = changes
        self._model = ChangesModel(video, masks, changes, self)
        self._list = QListView()
        self._list.setModel(self._model)
        self._list.setAccessibleName(self.tr("Changes, largest first"))
        self._list.setIconSize(QSize(2 * _HALF.width() + _GAP, _HALF.height()))
        self._list.setUniformItemSizes(True)
        self._list.setItemDelegate(NarrowRows(self._list))
        self._list.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self._list.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self._scope = QComboBox()
        keep_from_wheel(self._scope)
        for text, scope in (
            (self.tr("these frames"), Scope.FRAME),
            (self.tr("and the frames beside"), Scope.RANGE),
            (self.tr("all of the object"), Scope.OBJECT),
        ):
            self._scope.addItem(text, scope)
        self._scope.setCurrentIndex(1)
        self._scope.setAccessibleName(self.tr("What accept and reject hold for"))
        self._scope.setToolTip(self.tr("What accept and reject hold for"))
        self._count = QLabel()
        self._count.setObjectName("dim")
        self._count.setWordWrap(True)
        self._buttons = QToolBar()
        self._arrange()
        self._list.clicked.connect(self._on_chosen)
        self._list.activated.connect(self._on_chosen)
        self._model.modelReset.connect(self._on_reset)
        self._on_reset()

    @property
    def view(self) -> QListView:
        """The list itself."""
        return self._list

    @property
    def is_in_view(self) -> bool:
        """Whether the list can be seen; behind another panel it is visible only by name."""
        return self._list.isVisible() and not self._list.visibleRegion().isEmpty()

    @property
    def scope(self) -> QComboBox:
        """What a decision holds for."""
        return self._scope

    @property
    def summary(self) -> str:
        """How many changes there are, in words."""
        return self._count.text()

    def set_actions(self, buttons: Sequence[QAction]) -> None:
        """Offer actions below the list."""
        self._buttons.addActions(list(buttons))

    def chosen(self) -> tuple[Key, ...]:
        """Return the changes that a decision holds for: those selected, and what the scope adds."""
        keys = [self._model.change(each.row()).key for each in self._list.selectedIndexes()]
        return tuple(sorted({each for key in keys for each in self.reach(key)}))

    def chosen_here(self) -> Key | None:
        """Return the change that is current in the list."""
        index = self._list.currentIndex()
        return self._model.change(index.row()).key if index.isValid() else None

    def reach(self, key: Key) -> tuple[Key, ...]:
        """Return the changes that a decision on this one holds for."""
        match self._scope.currentData():
            case Scope.RANGE:
                return self._changes.range_of(key)
            case Scope.OBJECT:
                return self._changes.of_object(key.object)
            case _:
                return (key,)

    def choose(self, key: Key) -> None:
        """Select one change in the list, where it is there."""
        if (row := self._model.row_of(key)) is not None:
            self._list.setCurrentIndex(self._model.index(row))

    def _arrange(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 0, 6, 6)
        layout.setSpacing(4)
        choices = QHBoxLayout()
        choices.addWidget(self._scope)
        choices.addWidget(self._count, 1)
        layout.addLayout(choices)
        layout.addWidget(self._list, 1)
        layout.addWidget(self._buttons)
        layout.addStretch(0)

    @Slot(QModelIndex)
    def _on_chosen(self, index: QModelIndex) -> None:
        self.asked.emit(self._model.change(index.row()).key)

    @Slot()
    def _on_reset(self) -> None:
        count = self._model.rowCount()
        self._count.setText(
            self.tr("{} to look at").format(f"{count:,}")
            if count
            else self.tr("What a propagation or a heal changes appears here.")
        )
        self._scope.setVisible(count > 0)
        self._list.setVisible(count > 0)
        if count:
            # The next one is at hand: a row of decisions needs no pointer.
            self._list.setCurrentIndex(self._model.index(0))


def _side_by_side(
    image: Image, masks: Sequence[Mask | None], color: tuple[int, int, int]
) -> QPixmap:
    """Return a picture (H, W, 3) of each mask over the same part of an image, beside each other."""
    area = _around([mask for mask in masks if mask is not None], image.shape[0], image.shape[1])
    top, bottom, left, right = area
    step = max(1, (right - left) // (2 * _HALF.width()))
    whole = QPixmap(2 * _HALF.width() + _GAP, _HALF.height())
    whole.fill(QColor(Qt.GlobalColor.transparent))
    painter = QPainter(whole)
    for place, mask in enumerate(masks):
        part = image[top:bottom:step, left:right:step].copy()
        if mask is not None:
            inside = mask.decode()[top:bottom:step, left:right:step]
            part[inside] = (part[inside].astype(np.uint16) + np.array(color)) // 2
        height, width, _ = part.shape
        drawn = QImage(part.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888)
        scaled = drawn.scaled(
            _HALF, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
        )
        painter.drawImage(place * (_HALF.width() + _GAP), 0, scaled)
    painter.end()
    return whole


def _around(masks: Sequence[Mask], height: int, width: int) -> tuple[int, int, int, int]:
    """Return the rows and columns round some masks, in the shape of one picture."""
    if not masks:
        return 0, height, 0, width
    y0, y1 = min(m.box[0] for m in masks), max(m.box[1] for m in masks)
    x0, x1 = min(m.box[2] for m in masks), max(m.box[3] for m in masks)
    tall = max((y1 - y0) * _MARGIN, (x1 - x0) * _MARGIN * _HALF.height() / _HALF.width(), 24)
    wide = tall * _HALF.width() / _HALF.height()
    middle_y, middle_x = (y0 + y1) / 2, (x0 + x1) / 2
    return (
        max(0, round(middle_y - tall / 2)),
        min(height, round(middle_y + tall / 2)),
        max(0, round(middle_x - wide / 2)),
        min(width, round(middle_x + wide / 2)),
    )
