"""The panel of the anchors: a picture of each, and the frames that it governs."""

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QPersistentModelIndex,
    QSize,
    Qt,
    QTimer,
    Slot,
)
from PySide6.QtGui import QAction, QIcon, QImage, QPixmap
from PySide6.QtWidgets import QAbstractItemView, QLabel, QListView, QToolBar, QVBoxLayout, QWidget

from app.core.anchors import Anchor, anchors_of
from app.core.document import Key, State
from app.gui.timeline.thumbnails import thumbnail, with_masks
from app.gui.widgets.rows import NarrowRows
from app.gui.widgets.words import state_name
from app.session.state.masks import Masks
from app.session.state.video import CurrentVideo
from app.session.state.view import ViewState

Index = QModelIndex | QPersistentModelIndex
_PICTURE = QSize(112, 63)
_SOON_MS = 200
_ROLES = frozenset({Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.DecorationRole})


class AnchorsModel(QAbstractListModel):
    """The anchors of the selected object, of all where none is selected; frames rising."""

    def __init__(self, video: CurrentVideo, view: ViewState, masks: Masks, parent: QWidget) -> None:
        super().__init__(parent)
        self._video, self._view, self._masks = video, view, masks
        self._anchors: list[Anchor] = []
        self._icons: dict[Anchor, QIcon] = {}
        self._soon = QTimer(self, singleShot=True, interval=_SOON_MS)
        self._soon.timeout.connect(self._refill)
        video.opened.connect(self._refill)
        video.image_ready.connect(self._on_image_ready)
        masks.document_changed.connect(self._refill_soon)
        masks.objects_changed.connect(self._refill_soon)
        view.selection_changed.connect(self._refill)

    def anchor(self, row: int) -> Anchor:
        """Return the anchor in a row."""
        return self._anchors[row]

    def row_of(self, frame: int) -> int | None:
        """Return the first row of a frame, or None."""
        rows = (row for row, each in enumerate(self._anchors) if each.key.frame == frame)
        return next(rows, None)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._anchors)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if role not in _ROLES or not index.isValid() or index.row() >= len(self._anchors):
            return None
        anchor = self._anchors[index.row()]
        return self._words(anchor) if role == Qt.ItemDataRole.DisplayRole else self._icon(anchor)

    def _words(self, anchor: Anchor) -> str:
        state = self._masks.state(anchor.key)
        what = "" if state is State.ANCHOR else f" · {state_name(state)}"
        name = self._masks.name_of(anchor.key.object)
        governs = self.tr("governs {} to {}").format(anchor.first, anchor.last)
        return f"{anchor.key.frame} · {name}{what}\n{governs}"

    def _icon(self, anchor: Anchor) -> QIcon | None:
        """Return the picture; where its frame is not at hand it is asked for, and comes later."""
        if anchor not in self._icons:
            image = self._video.image(anchor.key.frame)
            entry = self._masks.entry(anchor.key)
            if image is None or entry is None:
                return None
            color = self._masks.document.object(anchor.key.object).color
            small = with_masks(thumbnail(image), image.shape[1], {color: entry.mask})
            height, width, _ = small.shape
            picture = QImage(small.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888)
            self._icons[anchor] = QIcon(QPixmap.fromImage(picture))
        return self._icons[anchor]

    @Slot(int)
    def _on_image_ready(self, frame: int) -> None:
        for row, anchor in enumerate(self._anchors):
            if anchor.key.frame == frame and anchor not in self._icons:
                self.dataChanged.emit(self.index(row), self.index(row))

    @Slot()
    def _refill_soon(self) -> None:
        if not self._soon.isActive():
            self._soon.start()

    @Slot()
    def _refill(self) -> None:
        document, selected = self._masks.document, self._view.selected
        there = [info.id for info in document.objects if selected in {None, info.id}]
        self.beginResetModel()
        self._icons = {}
        self._anchors = sorted(
            each for number in there for each in anchors_of(number, document.of_object(number))
        )
        self.endResetModel()


class AnchorsPanel(QWidget):
    """The list of the anchors; a click goes there."""

    def __init__(
        self,
        video: CurrentVideo,
        view: ViewState,
        masks: Masks,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._view = view
        self._model = AnchorsModel(video, view, masks, self)
        self._list = QListView()
        self._list.setModel(self._model)
        self._list.setAccessibleName(self.tr("Anchors"))
        self._list.setIconSize(_PICTURE)
        self._list.setUniformItemSizes(True)
        self._list.setItemDelegate(NarrowRows(self._list))
        self._list.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self._empty = QLabel(self.tr("Masks that you make or verify appear here."))
        self._empty.setObjectName("dim")
        self._empty.setWordWrap(True)
        self._buttons = QToolBar()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 0, 6, 6)
        layout.setSpacing(4)
        layout.addWidget(self._empty)
        layout.addWidget(self._list, 1)
        layout.addWidget(self._buttons)
        layout.addStretch(0)
        self._list.clicked.connect(self._on_chosen)
        self._list.activated.connect(self._on_chosen)
        self._model.modelReset.connect(self._on_reset)
        view.frame_changed.connect(self._mark_current)
        self._on_reset()

    @property
    def view(self) -> QListView:
        """The list itself."""
        return self._list

    def set_actions(self, buttons: list[QAction]) -> None:
        """Offer actions below the list."""
        self._buttons.addActions(buttons)

    def chosen(self) -> Key | None:
        """Return where the anchor stands that is current in the list."""
        index = self._list.currentIndex()
        return self._model.anchor(index.row()).key if index.isValid() else None

    @Slot(QModelIndex)
    def _on_chosen(self, index: QModelIndex) -> None:
        # The selection stays: with another one the list would become another one.
        self._view.go_to(self._model.anchor(index.row()).key.frame)

    @Slot()
    def _on_reset(self) -> None:
        self._empty.setVisible(self._model.rowCount() == 0)
        self._list.setVisible(self._model.rowCount() > 0)
        self._mark_current()

    @Slot()
    def _mark_current(self) -> None:
        current = self.chosen()
        row = self._model.row_of(self._view.frame)
        if row is not None and (current is None or current.frame != self._view.frame):
            self._list.setCurrentIndex(self._model.index(row))
