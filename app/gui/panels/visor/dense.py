"""The panel of the densified runs: each is accepted or rejected."""

import enum
from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtCore import (
    QAbstractTableModel,
    QCoreApplication,
    QModelIndex,
    QPersistentModelIndex,
    Qt,
    QTimer,
    Slot,
)
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QCheckBox, QDoubleSpinBox, QHBoxLayout, QLabel, QWidget

from app.core.block import stretches
from app.gui.widgets.fields import keep_from_wheel
from app.gui.widgets.rows import TablePanel, table_of
from app.gui.widgets.words import counted, verbatim_tip
from app.session.choices import preferences as choices
from app.session.state.masks import Masks
from app.session.state.preferences import Preferences
from app.session.visor.dense import DenseRun, DenseRuns

Index = QModelIndex | QPersistentModelIndex
_SOON_MS = 200  # changes within this time are shown together


class Column(enum.IntEnum):
    """What stands in which column."""

    FRAMES = 0
    OBJECT = 1
    AGREEMENT = 2
    STATE = 3


class DenseModel(QAbstractTableModel):
    """The runs, one object of one run a row, in the order of time."""

    def __init__(self, masks: Masks, dense: DenseRuns, parent: QWidget) -> None:
        super().__init__(parent)
        self._masks, self._dense = masks, dense
        self.only_open = False  # whether only those in doubt are listed
        self.all: tuple[DenseRun, ...] = ()
        self.rows: tuple[DenseRun, ...] = ()  # of them, those that are listed

    def refresh(self) -> None:
        """List the runs as they are now."""
        self.beginResetModel()
        self.all = self._dense.all()
        self.rows = tuple(each for each in self.all if not (self.only_open and each.is_decided))
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(Column)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            words = (
                self.tr("Frames"), self.tr("Object"), self.tr("Agree"), self.tr("State"),
            )  # fmt: skip
            return words[section]
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid() or index.row() >= len(self.rows):
            return None
        found = self.rows[index.row()]
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._tip(found)
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        match Column(index.column()):
            case Column.FRAMES:
                return f"{found.run.start}-{found.run.end}"
            case Column.OBJECT:
                return self._masks.name_of(found.object)
            case Column.AGREEMENT:
                return "" if found.agreement is None else f"{found.agreement:.2f}"
            case _:
                return self._state(found)

    def _state(self, found: DenseRun) -> str:
        if found.doubted:
            return self.tr("in doubt: {}").format(_text(found.doubted))
        if found.stale:
            return self.tr("stale: {}").format(_text(found.stale))
        if found.missing == found.frames:
            return self.tr("to be filled")
        if not found.made:
            return self.tr("absent")
        if found.made < found.frames:
            return self.tr("{0} of {1} frames").format(found.made, found.frames)
        return self.tr("accepted")

    def _tip(self, found: DenseRun) -> str:
        name, run = self._masks.name_of(found.object), found.run
        said = [
            self.tr("{0}, frames {1}-{2}: {3} masks").format(name, run.start, run.end, found.made)
        ]
        if found.doubted:
            text = self.tr(
                "Both directions, or one and the mask at its end, disagree on {0} of them: {1}"
            )
            said.append(text.format(len(found.doubted), _text(found.doubted)))
        if found.stale:
            text = self.tr("Made before a mask beside them was changed: {}")
            said.append(text.format(_text(found.stale)))
        return verbatim_tip(". ".join(said))


class DensePanel(TablePanel):
    """The list of runs; a click on one goes to where it is most in doubt."""

    def __init__(
        self,
        masks: Masks,
        dense: DenseRuns,
        preferences: Preferences,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._dense, self._preferences = dense, preferences
        self._model = DenseModel(masks, dense, self)
        name = self.tr("Runs between annotated frames")
        self._tree = table_of(
            self._model, name, stretched=Column.STATE, fixed=(Column.OBJECT,), height=24
        )
        self._tree.header().resizeSection(Column.OBJECT, 84)
        self._only = QCheckBox(self.tr("only those in doubt"))
        self._only.setMinimumHeight(24)
        self._gate = _gate_field()
        self._gate.valueChanged.connect(self._on_gate)
        preferences.changed.connect(self._show_gate)
        self._show_gate()
        self._lay_out((self._count, self._choices()))
        self._soon = QTimer(self, singleShot=True, interval=_SOON_MS)
        self._soon.timeout.connect(self.refresh)
        dense.changed.connect(self._refresh_soon)
        self._tree.clicked.connect(self._on_chosen)
        self._tree.activated.connect(self._on_chosen)
        self._only.toggled.connect(self._on_only)

    @property
    def gate(self) -> QDoubleSpinBox:
        """The field of the gate."""
        return self._gate

    def chosen(self) -> DenseRun | None:
        """Return the run that is current in the list."""
        index = self._tree.currentIndex()
        return self._model.rows[index.row()] if index.isValid() else None

    def choose_next(self, row: int) -> None:
        """Go to the next run from a row on that is to be decided on; else to the row, or the last.

        Where what is left lies before the row, the first of these is the next.
        """
        self.refresh()
        if rows := self._model.rows:
            order = [*range(row, len(rows)), *range(min(row, len(rows)))]
            undecided = (each for each in order if not rows[each].is_decided)
            chosen = next(undecided, min(row, len(rows) - 1))
            self._tree.setCurrentIndex(self._model.index(chosen, Column.FRAMES))
            self._on_chosen(self._tree.currentIndex())

    @property
    def row(self) -> int:
        """The row that is current, 0 where none is."""
        return max(self._tree.currentIndex().row(), 0)

    @Slot()
    def refresh(self) -> None:
        """List the runs as they are now."""
        self._soon.stop()
        row = self._tree.currentIndex().row()
        self._model.refresh()
        if 0 <= row < len(self._model.rows):
            self._tree.setCurrentIndex(self._model.index(row, Column.FRAMES))
        self._count.setText(self._words(self._model.all))

    def showEvent(self, event: QShowEvent) -> None:
        """Read everything anew."""
        super().showEvent(event)
        self.refresh()

    def _words(self, found: Sequence[DenseRun]) -> str:
        if not found:
            return self.tr(
                "A run is what lies between two neighbouring annotated frames that have an object "
                "in common, with other frames between them."
            )
        undecided = sum(not each.is_decided for each in found)
        empty = sum(each.missing > 0 for each in found)
        runs = counted(len(found), self.tr("run of objects"), self.tr("runs of objects"))
        words = self.tr("{0}, {1} to decide on").format(runs, undecided)
        return self.tr("{0}, {1} to be filled").format(words, empty) if empty else words

    def _choices(self) -> QWidget:
        """Return the row of what is chosen for the list and for the next job."""
        row = QWidget()
        layout = QHBoxLayout(row)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._only, 1)
        label = QLabel(self.tr("Gate"))
        label.setToolTip(self._gate.toolTip())
        layout.addWidget(label)
        layout.addWidget(self._gate)
        return row

    @Slot()
    def _show_gate(self) -> None:
        self._gate.blockSignals(True)
        self._gate.setValue(self._preferences.settings.densify_gate)
        self._gate.blockSignals(False)

    @Slot(float)
    def _on_gate(self, value: float) -> None:
        self._preferences.apply(replace(self._preferences.settings, densify_gate=value))

    @Slot()
    def _refresh_soon(self) -> None:
        if self.isVisible() and not self._soon.isActive():
            self._soon.start()

    @Slot(bool)
    def _on_only(self, on: bool) -> None:  # noqa: FBT001
        self._model.only_open = on
        self.refresh()

    @Slot(QModelIndex)
    def _on_chosen(self, index: QModelIndex) -> None:
        self._dense.go_to(self._model.rows[index.row()])


def _gate_field() -> QDoubleSpinBox:
    """Return the field of the gate, as the settings have it."""
    field = next(each for each in choices() if each.name == "densify_gate")
    gate = QDoubleSpinBox()
    gate.setRange(field.low, field.high)
    gate.setDecimals(2)
    gate.setSingleStep(0.01)
    gate.setKeyboardTracking(False)
    gate.setAccessibleName(QCoreApplication.translate("Settings", field.label))
    gate.setToolTip(QCoreApplication.translate("Settings", field.tooltip))
    keep_from_wheel(gate)
    return gate


def _text(frames: Sequence[int]) -> str:
    """Return the stretches of frames in words."""
    ends = stretches(frames)
    return ", ".join(f"{first}-{last}" if first < last else str(first) for first, last in ends)
