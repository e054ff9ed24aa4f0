"""The panel of the annotations of a frame: a table, and a form for the selected one."""

import enum

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QPersistentModelIndex,
    Qt,
    QTimer,
    Slot,
)
from PySide6.QtGui import QAction, QHideEvent, QShowEvent
from PySide6.QtWidgets import QHeaderView, QLabel, QToolBar, QTreeView, QVBoxLayout, QWidget

from app.gui.panels.visor.form import AttributeForm
from app.gui.widgets.words import clock, verbatim_tip
from app.session.edits.objects import ObjectEdits
from app.session.state.video import CurrentVideo
from app.session.state.view import ViewState
from app.session.visor.attributes import AttributeEdits, Row
from app.session.visor.subsequences import Subsequences

Index = QModelIndex | QPersistentModelIndex
_SOON_MS = 120  # changes within this time are shown together
_WARN = 0.75  # share of a mask under others from which on it is told


class Column(enum.IntEnum):
    """What stands in which column."""

    OBJECT = 0
    EXHAUSTIVE = 1
    CONTACT = 2
    HIDDEN = 3


class AnnotationsModel(QAbstractTableModel):
    """The annotations of the current frame, the topmost first."""

    def __init__(self, attributes: AttributeEdits, parent: QWidget) -> None:
        super().__init__(parent)
        self._attributes = attributes
        self.rows: tuple[Row, ...] = ()

    def set_rows(self, rows: tuple[Row, ...]) -> None:
        """Show these rows in place of those before."""
        self.beginResetModel()
        self.rows = rows
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(Column)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return (self.tr("Object"), self.tr("Exh."), self.tr("Contact"), self.tr("Hidden"))[
                section
            ]
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid() or index.row() >= len(self.rows):
            return None
        row = self.rows[index.row()]
        if role == Qt.ItemDataRole.ToolTipRole:
            return verbatim_tip(self._tip(row))
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        match Column(index.column()):
            case Column.OBJECT:
                return row.info.name
            case Column.EXHAUSTIVE:
                return {"inconclusive": "?"}.get(row.exhaustive, row.exhaustive)
            case Column.CONTACT:
                return self.contact(row)
            case _:
                return f"{row.hidden:.0%}" if row.hidden >= 0.005 else ""

    def contact(self, row: Row) -> str:
        """Return what a hand or a glove touches, in words; empty for all else."""
        if not (row.is_hand or row.is_glove):
            return ""
        return self._attributes.text(row.contact)

    def _tip(self, row: Row) -> str:
        kind = f"{row.info.class_id} {row.class_name}" if row.class_name else self.tr("no class")
        parts = [f"{row.info.name}: {kind}", self.tr("exhaustive: {}").format(row.exhaustive)]
        if row.is_hand or row.is_glove:
            parts.append(self.tr("touches {}").format(self.contact(row)))
        if row.is_glove:
            worn = self._attributes.text(row.worn_on)
            parts.append(self.tr("worn on {}").format(worn))
        return "\n".join(parts)


class AnnotationsPanel(QWidget):
    """Frame name and time, a table of the frame's annotations, and the selected one's form.

    While it is shown, the objects that border the selected hand are lit in the picture.
    """

    def __init__(
        self,
        video: CurrentVideo,
        view: ViewState,
        objects: ObjectEdits,
        attributes: AttributeEdits,
        subsequences: Subsequences,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._video, self._view = video, view
        self._attributes, self._subsequences = attributes, subsequences
        self._model = AnnotationsModel(attributes, self)
        self._tree = QTreeView()
        self._tree.setModel(self._model)
        self._tree.setAccessibleName(self.tr("Annotations of the frame"))
        self._where, self._warning = QLabel(), QLabel()
        self.form = AttributeForm(objects, attributes)
        self._buttons = QToolBar()
        self._set_up()
        self._soon = QTimer(self, singleShot=True, interval=_SOON_MS)
        self._soon.timeout.connect(self.refresh)
        attributes.changed.connect(self._refresh_soon)
        self._tree.selectionModel().currentRowChanged.connect(self._on_row_changed)

    @property
    def view(self) -> QTreeView:
        """The table itself."""
        return self._tree

    @property
    def where(self) -> str:
        """The frame's name, time and subsequence, in words."""
        return self._where.text()

    @property
    def warning(self) -> str:
        """Which masks hide others, in words."""
        return self._warning.text()

    def set_actions(self, buttons: list[QAction]) -> None:
        """Offer actions below the table."""
        self._buttons.addActions(buttons)

    @Slot()
    def refresh(self) -> None:
        """Read everything anew."""
        self._soon.stop()
        frame = self._view.frame
        rows = self._attributes.rows(frame) if self._video.is_open else ()
        self._where.setText(self._place(frame))
        hidden = [row for row in rows if row.hidden >= _WARN]
        self._warning.setText("\n".join(map(self._told, hidden)))
        self._warning.setVisible(bool(hidden))
        self._tree.selectionModel().blockSignals(True)
        self._model.set_rows(rows)
        numbers = [row.info.id for row in rows]
        chosen = self._view.selected
        at = numbers.index(chosen) if chosen in numbers else -1
        self._tree.setCurrentIndex(self._model.index(at, 0) if at >= 0 else QModelIndex())
        self._tree.selectionModel().blockSignals(False)
        self._tree.viewport().update()
        self.form.show_row(rows[at] if at >= 0 else None)

    def showEvent(self, event: QShowEvent) -> None:
        """Light what borders the hand, from now on."""
        super().showEvent(event)
        self._attributes.set_lighting(lighting=True)

    def hideEvent(self, event: QHideEvent) -> None:
        """Light nothing any more."""
        super().hideEvent(event)
        self._attributes.set_lighting(lighting=False)

    def _set_up(self) -> None:
        self._where.setWordWrap(True)
        self._where.setObjectName("dim")
        self._where.setTextFormat(Qt.TextFormat.PlainText)
        self._warning.setWordWrap(True)
        self._warning.setObjectName("warning")
        self._warning.setTextFormat(Qt.TextFormat.PlainText)
        self._warning.hide()
        self._tree.setRootIsDecorated(False)
        self._tree.setUniformRowHeights(True)
        self._tree.setAllColumnsShowFocus(True)
        self._tree.setStyleSheet("QTreeView::item { min-height: 24px; }")
        header = self._tree.header()
        header.setStretchLastSection(False)
        header.setSectionsMovable(False)
        header.setSectionResizeMode(Column.OBJECT, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(Column.CONTACT, QHeaderView.ResizeMode.Stretch)
        for column in (Column.EXHAUSTIVE, Column.HIDDEN):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 0, 6, 6)
        layout.setSpacing(4)
        for widget in (self._where, self._tree, self._warning, self._buttons, self.form):
            layout.addWidget(widget, int(widget is self._tree))

    def _place(self, frame: int) -> str:
        if not self._video.is_open:
            return ""
        here = self._subsequences.at(frame)
        parts = [self._video.name_of(frame), clock(self._video.time_of(frame))]
        return " · ".join([*parts, *([here.name] if here else [])])

    def _told(self, row: Row) -> str:
        over = ", ".join(self._attributes.text(number) for number in row.hidden_by)
        words = self.tr("{0}: {1} of it lies under {2}.")
        return words.format(row.info.name, f"{row.hidden:.0%}", over)

    @Slot()
    def _refresh_soon(self) -> None:
        if self.isVisible() and not self._soon.isActive():
            self._soon.start()

    @Slot(QModelIndex)
    def _on_row_changed(self, index: QModelIndex) -> None:
        if index.isValid():
            self._view.select(self._model.rows[index.row()].info.id)
