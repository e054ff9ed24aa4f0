"""The panel of the objects."""

import enum
from dataclasses import replace

from PySide6.QtCore import (
    QAbstractItemModel,
    QAbstractTableModel,
    QModelIndex,
    QPersistentModelIndex,
    QSize,
    QStringListModel,
    Qt,
    QTimer,
    Signal,
    Slot,
)
from PySide6.QtGui import QAction, QColor, QIcon, QPainter, QPixmap
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCompleter,
    QHeaderView,
    QLabel,
    QLineEdit,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QToolBar,
    QTreeView,
    QVBoxLayout,
    QWidget,
)

from app.core.document import Entry, Key, ObjectInfo, State
from app.gui.widgets.theme import icon
from app.gui.widgets.words import entry_name, percent, verbatim_tip
from app.session.edits.objects import ObjectEdits
from app.session.state.masks import Masks
from app.session.state.video import CurrentVideo
from app.session.state.view import ViewState

Index = QModelIndex | QPersistentModelIndex
_SWATCH = 14
_UNLIKELY = 0.5
_MARKS = {
    State.PREDICTED: "",
    State.STALE: "▨",
    State.ANCHOR: "◆",
    State.VERIFIED: "✓",
    State.ABSENT: "○",
    State.OCCLUDED: "◌",
    State.CONFLICT: "⚡",
    State.GROUND_TRUTH: "═",
}


class Column(enum.IntEnum):
    """What stands in which column."""

    NAME = 0
    STATE = 1
    VISIBLE = 2
    LOCKED = 3
    SOLO = 4


_ROLES = frozenset(
    {
        Qt.ItemDataRole.DisplayRole,
        Qt.ItemDataRole.EditRole,
        Qt.ItemDataRole.DecorationRole,
        Qt.ItemDataRole.ToolTipRole,
        Qt.ItemDataRole.TextAlignmentRole,
        Qt.ItemDataRole.AccessibleTextRole,
    }
)


class ObjectsModel(QAbstractTableModel):
    """The objects, one a row, and their state on the current frame."""

    def __init__(
        self,
        video: CurrentVideo,
        view: ViewState,
        masks: Masks,
        objects: ObjectEdits,
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self._view, self._masks, self._edits = view, masks, objects
        self._rows = masks.objects
        # By colour: the view asks for them again with every frame that is shown.
        self._swatches: dict[tuple[int, int, int], QIcon] = {}
        video.opened.connect(self._on_objects_changed)
        masks.objects_changed.connect(self._on_objects_changed)
        view.frame_changed.connect(self._on_state_changed)
        masks.entries_changed.connect(self._on_entries_changed)

    def info(self, row: int) -> ObjectInfo:
        """Return the object in a row."""
        return self._rows[row]

    def row_of(self, object_id: int | None) -> int | None:
        """Return the row of an object, or None."""
        return next((row for row, info in enumerate(self._rows) if info.id == object_id), None)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(Column)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        # The view asks for many more roles with every frame that is shown.
        if role not in _ROLES or not index.isValid() or index.row() >= len(self._rows):
            return None
        info = self._rows[index.row()]
        match Column(index.column()):
            case Column.NAME:
                return self._name_data(info, role)
            case Column.STATE:
                return self._state_data(info, role)
            case column:
                return self._switch_data(info, column, role)

    def _name_data(self, info: ObjectInfo, role: int) -> object:
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return f"{info.id}  {info.name}"
            case Qt.ItemDataRole.EditRole:
                return info.name
            case Qt.ItemDataRole.DecorationRole:
                if info.color not in self._swatches:
                    self._swatches[info.color] = _swatch(info.color)
                return self._swatches[info.color]
            case Qt.ItemDataRole.ToolTipRole:
                tip = self.tr("{} (object {}). Double-click to rename.")
                return verbatim_tip(tip.format(info.name, info.id))
        return None

    def _state_data(self, info: ObjectInfo, role: int) -> object:
        entry = self._masks.shown(self._view.frame).get(info.id)
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return self._state_text(entry)
            case Qt.ItemDataRole.TextAlignmentRole:
                return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            case Qt.ItemDataRole.ToolTipRole:
                return self.tr("How the mask here came to be, and how likely it is right (IoU 0.8)")
        return None

    def _state_text(self, entry: Entry | None) -> str:
        if entry is None:
            return "-"
        state = entry.state
        parts = [_MARKS.get(state, ""), "" if state is State.PREDICTED else entry_name(entry)]
        confidence = None if entry.is_anchor else self._masks.confidence(entry)
        if confidence is not None:
            parts.append(percent(confidence))
            parts.append("⚠" if confidence < _UNLIKELY else "")
        return " ".join(filter(None, parts))

    def _switch_data(self, info: ObjectInfo, column: Column, role: int) -> object:
        on = info.visible if column is Column.VISIBLE else info.locked
        match role, column:
            case Qt.ItemDataRole.DecorationRole, Column.VISIBLE:
                return icon("mdi6.eye-outline" if on else "mdi6.eye-off-outline")
            case Qt.ItemDataRole.DecorationRole, Column.LOCKED:
                return icon("mdi6.lock" if on else "mdi6.lock-open-variant-outline")
            case Qt.ItemDataRole.DecorationRole, _:
                return icon("mdi6.alpha-s-box-outline")
            case ((Qt.ItemDataRole.ToolTipRole | Qt.ItemDataRole.AccessibleTextRole), _):
                return self._switch_words(column, on=on)
        return None

    def _switch_words(self, column: Column, *, on: bool) -> str:
        match column:
            case Column.VISIBLE:
                return self.tr("Shown: hide it (H)") if on else self.tr("Hidden: show it (H)")
            case Column.LOCKED:
                return self.tr("Locked: unlock it (L)") if on else self.tr("Open: lock it (L)")
            case _:
                return self.tr("Show only this object, or all again (Shift+H)")

    def setData(self, index: Index, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:
        name = str(value).strip()
        if role != Qt.ItemDataRole.EditRole or index.column() != Column.NAME or not name:
            return False
        self._edits.rename(self._rows[index.row()].id, name)
        return True

    def flags(self, index: Index) -> Qt.ItemFlag:
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        if index.column() == Column.NAME:
            flags |= Qt.ItemFlag.ItemIsEditable
        return flags

    @Slot()
    def _on_objects_changed(self) -> None:
        objects = self._masks.objects
        if [info.id for info in objects] == [info.id for info in self._rows]:
            self._rows = objects
            self._redraw(Column.NAME, Column.SOLO)
            return
        self.beginResetModel()
        self._rows = objects
        self.endResetModel()

    @Slot()
    def _on_state_changed(self) -> None:
        self._redraw(Column.STATE, Column.STATE)

    @Slot(object)
    def _on_entries_changed(self, keys: frozenset[Key]) -> None:
        if any(key.frame == self._view.frame for key in keys):
            self._on_state_changed()

    def _redraw(self, first: Column, last: Column) -> None:
        if self._rows:
            self.dataChanged.emit(self.index(0, first), self.index(len(self._rows) - 1, last))


class NameDelegate(QStyledItemDelegate):
    """Edits a name in place and offers the VISOR noun classes that fit."""

    def __init__(self, objects: ObjectEdits, parent: QWidget) -> None:
        super().__init__(parent)
        self._objects = objects

    def createEditor(
        self, parent: QWidget, _option: QStyleOptionViewItem, _index: Index
    ) -> QWidget:
        editor = ClassEdit(self._objects, parent)
        editor.setAccessibleName(self.tr("Name of the object"))
        editor.chosen.connect(self._on_chosen)
        return editor

    def setEditorData(self, editor: QWidget, index: Index) -> None:
        if isinstance(editor, QLineEdit):
            editor.setText(str(index.data(Qt.ItemDataRole.EditRole)))
            editor.selectAll()

    def setModelData(self, editor: QWidget, model: QAbstractItemModel, index: Index) -> None:
        if isinstance(editor, QLineEdit):
            model.setData(index, editor.text())

    @Slot(object)
    def _on_chosen(self, editor: QWidget) -> None:
        self.commitData.emit(editor)
        self.closeEditor.emit(editor)


class ClassEdit(QLineEdit):
    """A text field that offers VISOR noun classes, best match first; any other text is fine too.

    `chosen` follows Enter while classes are offered, and a click on one: the delegate, which
    finishes with the Enter that comes to the field, does not see those.
    """

    chosen = Signal(object)  # itself

    def __init__(self, objects: ObjectEdits, parent: QWidget) -> None:
        super().__init__(parent)
        self._objects = objects
        self._names = QStringListModel(self)
        completer = QCompleter(self._names, self)
        # The session has ranked the matches already; Qt's own filter would hide most of them.
        completer.setCompletionMode(QCompleter.CompletionMode.UnfilteredPopupCompletion)
        self.setCompleter(completer)
        self.textEdited.connect(self._offer)
        self._choice = ""
        # Once the list has done with the key or the click: it would go on with a closed field.
        self._soon = QTimer(self, singleShot=True, interval=0)
        self._soon.timeout.connect(self._take_choice)
        self.returnPressed.connect(self._on_return)
        completer.activated.connect(self._choose)

    @Slot(str)
    def _offer(self, text: str) -> None:
        names = [match.name for match in self._objects.search_classes(text)]
        self._names.setStringList(names)
        if names:
            self.completer().complete()

    @Slot()
    def _on_return(self) -> None:
        popup = self.completer().popup()
        if popup is not None and popup.isVisible():
            self._choose(self.text())

    @Slot(str)
    def _choose(self, text: str) -> None:
        # What Enter found in the field holds, though the list may go on and complete it.
        if not self._soon.isActive():
            self._choice = text
            self._soon.start()

    @Slot()
    def _take_choice(self) -> None:
        self.setText(self._choice)
        self.chosen.emit(self)


class ObjectsPanel(QWidget):
    """The list of objects. `solo_asked` follows a press on an object's solo switch."""

    solo_asked = Signal()

    def __init__(
        self,
        video: CurrentVideo,
        view: ViewState,
        masks: Masks,
        objects: ObjectEdits,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._view, self._objects = view, objects
        self._model = ObjectsModel(video, view, masks, objects, self)
        self._tree = QTreeView()
        self._tree.setModel(self._model)
        self._tree.setItemDelegateForColumn(Column.NAME, NameDelegate(objects, self._tree))
        self._tree.setAccessibleName(self.tr("Objects"))
        self._set_up_view()
        self._hint = QLabel(
            self.tr("Click a thing in the picture: it becomes an object with a mask.")
        )
        self._hint.setWordWrap(True)
        self._buttons = QToolBar()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 0, 6, 6)
        layout.setSpacing(4)
        layout.addWidget(self._hint)
        layout.addWidget(self._tree)
        layout.addWidget(self._buttons)
        self._tree.clicked.connect(self._on_clicked)
        self._tree.selectionModel().currentRowChanged.connect(self._on_row_changed)
        view.selection_changed.connect(self._show_selection)
        self._model.modelReset.connect(self._show_selection)
        self._model.modelReset.connect(self._show_hint)

    @property
    def view(self) -> QTreeView:
        """The list itself."""
        return self._tree

    @Slot()
    def _show_hint(self) -> None:
        self._hint.setVisible(self._model.rowCount() == 0)

    def set_actions(self, buttons: list[QAction], menu: list[QAction]) -> None:
        """Offer actions below the list, and in its context menu."""
        self._buttons.addActions(buttons)
        self._tree.addActions(menu)

    def edit_name(self) -> None:
        """Let the person type another name for the selected object."""
        row = self._model.row_of(self._view.selected)
        if row is not None:
            self._tree.setFocus()
            self._tree.edit(self._model.index(row, Column.NAME))

    def _set_up_view(self) -> None:
        view = self._tree
        view.setRootIsDecorated(False)
        view.setUniformRowHeights(True)
        view.setHeaderHidden(True)
        view.setIconSize(QSize(18, 18))
        view.setStyleSheet("QTreeView::item { min-height: 26px; }")
        view.setAllColumnsShowFocus(True)
        view.setTextElideMode(Qt.TextElideMode.ElideRight)
        view.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        view.setEditTriggers(
            QAbstractItemView.EditTrigger.DoubleClicked
            | QAbstractItemView.EditTrigger.EditKeyPressed
        )
        header = view.header()
        header.setStretchLastSection(False)
        header.setMinimumSectionSize(28)
        header.setResizeContentsPrecision(0)  # only what is seen: rows may be hundreds
        header.setSectionResizeMode(Column.NAME, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(Column.STATE, QHeaderView.ResizeMode.ResizeToContents)
        for column in (Column.VISIBLE, Column.LOCKED, Column.SOLO):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Fixed)
            header.resizeSection(column, 28)

    @Slot(QModelIndex)
    def _on_clicked(self, index: QModelIndex) -> None:
        info = self._model.info(index.row())
        match Column(index.column()):
            case Column.VISIBLE:
                self._objects.edit(replace(info, visible=not info.visible))
            case Column.LOCKED:
                self._objects.edit(replace(info, locked=not info.locked))
            case Column.SOLO:
                self._view.select(info.id)
                self.solo_asked.emit()
            case _:
                self._view.select(info.id)

    @Slot(QModelIndex)
    def _on_row_changed(self, index: QModelIndex) -> None:
        # A press on a switch must not select; the arrow keys must.
        if index.isValid() and index.column() in {Column.NAME, Column.STATE}:
            self._view.select(self._model.info(index.row()).id)

    @Slot()
    def _show_selection(self) -> None:
        row = self._model.row_of(self._view.selected)
        index = QModelIndex() if row is None else self._model.index(row, Column.NAME)
        if index.row() != self._tree.currentIndex().row() or not index.isValid():
            self._tree.setCurrentIndex(index)


def _swatch(color: tuple[int, int, int]) -> QIcon:
    pixmap = QPixmap(2 * _SWATCH, 2 * _SWATCH)
    pixmap.setDevicePixelRatio(2)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QColor(128, 128, 128))  # navy is lost on a dark row, white on a light one
    painter.setBrush(QColor(*color))
    painter.drawRoundedRect(1, 1, _SWATCH - 2, _SWATCH - 2, 3, 3)
    painter.end()
    same = QIcon(pixmap)
    # A selected row must not tint the colour: it is what tells the object.
    same.addPixmap(pixmap, QIcon.Mode.Selected)
    return same
