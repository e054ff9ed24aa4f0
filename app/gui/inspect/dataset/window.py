"""The window of a data set."""

from PySide6.QtCore import QModelIndex, QSize, QSortFilterProxyModel, Qt, Signal, Slot
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSpinBox,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from app.core.inspection.results import overall
from app.gui.inspect.dataset.heat_map import Cell, HeatMap
from app.gui.inspect.dataset.tables import SORT, SequencesModel, WorstModel
from app.gui.widgets.elided_label import ElidedLabel
from app.gui.widgets.rows import stretch, table_of
from app.session.runs.dataset import DataSet, Ranked

_SIZE = QSize(1180, 680)
_WORST = 50  # episodes that are listed at first


class DataSetWindow(QDialog):
    """Every sequence of a data set: a heat map, a table, and the worst episodes."""

    enter_asked = Signal(str, object)  # sequence, Ranked or None
    figure_asked = Signal(object)  # Ranked
    report_asked = Signal(int)  # how many episodes get figures
    compare_asked = Signal()
    other_asked = Signal()

    def __init__(self, data_set: DataSet, parent: QWidget | None) -> None:
        super().__init__(parent)
        self._data = data_set
        self.setWindowTitle(self.tr("Data set"))
        self.setWindowFlag(Qt.WindowType.WindowMaximizeButtonHint)
        self.resize(_SIZE.boundedTo(self.screen().availableSize() - QSize(16, 48)))
        self._title, self._told = QLabel(), ElidedLabel()
        self._title.setTextFormat(Qt.TextFormat.PlainText)
        self._title.setWordWrap(True)
        self._told.setObjectName("dim")
        self._progress = QProgressBar()
        self._progress.setAccessibleName(self.tr("Scoring"))
        self._stop = QPushButton(self.tr("&Stop"))
        self._stop.setAutoDefault(False)
        self._heat = HeatMap()
        self._sequences, self._worst = SequencesModel(self), WorstModel(self)
        self._sorted = QSortFilterProxyModel(self)
        self._sorted.setSourceModel(self._sequences)
        self._sorted.setSortRole(SORT)
        self._table = table_of(self._sorted, self.tr("Sequences"))
        self._table.setSortingEnabled(True)
        self._list = table_of(self._worst, self.tr("Worst episodes"))
        self._count = QSpinBox()
        self._count.setRange(1, 9999)
        self._count.setValue(_WORST)
        self._count.setAccessibleName(self.tr("How many of the worst episodes are listed"))
        self._parts = QSplitter()
        self._buttons: list[QPushButton] = []
        self._lay_out()
        self._connect()
        self.refresh()

    @property
    def worst_view(self) -> QWidget:
        """The table of the worst episodes."""
        return self._list

    @property
    def summary(self) -> str:
        """What was found, in words."""
        return self._title.text()

    def current(self) -> Ranked | None:
        """Return the episode that is chosen: at first the most costly of all."""
        return self._worst.ranked(self._list.currentIndex().row())

    @Slot()
    def refresh(self) -> None:
        """Show what was found as it is now."""
        names, runs = self._data.names, self._data.results
        letters = [name.split(" ")[0] for name in names]
        self._parts.setVisible(bool(runs))
        self._heat.show_results(names, runs)
        self._heat.setVisible(bool(runs))
        self._sequences.show_results(letters, runs)
        self._table.sortByColumn(1, Qt.SortOrder.AscendingOrder)
        stretch(self._table, 0)
        self._fill_worst()
        self._title.setText(self._words())
        for button in self._buttons[:-1]:
            button.setEnabled(bool(runs))
        self._buttons[2].setVisible(len(runs) < 2)

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.addWidget(self._title, 1)
        top.addWidget(self._progress)
        top.addWidget(self._stop)
        counted = QHBoxLayout()
        label = QLabel(self.tr("&Worst"))
        label.setBuddy(self._count)
        counted.addWidget(label)
        counted.addWidget(self._count)
        counted.addWidget(QLabel(self.tr("episodes of each run")), 1)
        right = QWidget()
        listed = QVBoxLayout(right)
        listed.setContentsMargins(0, 0, 0, 0)
        listed.addLayout(counted)
        listed.addWidget(self._list, 1)
        self._parts.addWidget(self._table)
        self._parts.addWidget(right)
        self._parts.setSizes([560, 620])
        self._parts.setChildrenCollapsible(False)
        bottom = QHBoxLayout()
        for text, run in (
            (self.tr("&Go into the sequence"), self._enter),
            (self.tr("Save &figure of the failure…"), self._ask_figure),
            (self.tr("&Compare with another prediction…"), self.compare_asked.emit),
            (self.tr("Save &report…"), lambda: self.report_asked.emit(self._count.value())),
            (self.tr("&Open another data set…"), self.other_asked.emit),
        ):
            button = QPushButton(text)
            button.setAutoDefault(False)
            button.clicked.connect(run)
            bottom.addWidget(button)
            self._buttons.append(button)
        bottom.addStretch(1)
        whole = QVBoxLayout(self)
        whole.addLayout(top)
        whole.addWidget(self._heat)
        whole.addWidget(self._parts, 1)
        whole.addStretch(0)
        whole.addWidget(self._told)
        whole.addLayout(bottom)

    def _connect(self) -> None:
        self._data.changed.connect(self.refresh)
        self._data.progressed.connect(self._on_progressed)
        self._data.told.connect(self._told.setText)
        self._stop.clicked.connect(self._data.stop)
        self._count.valueChanged.connect(self._fill_worst)
        self._heat.chosen.connect(self._on_cell_chosen)
        self._heat.entered.connect(lambda cell: self.enter_asked.emit(cell.sequence, None))
        self._table.clicked.connect(self._on_sequence_chosen)
        self._table.activated.connect(self._on_sequence_entered)
        self._list.clicked.connect(self._on_episode_chosen)
        self._list.activated.connect(self._enter)
        QShortcut(QKeySequence("Ctrl+Shift+E"), self, self._ask_figure)
        self._on_progressed(None)

    def _words(self) -> str:
        names, runs = self._data.names, self._data.results
        if not runs:
            paths = self._data.paths
            return self.tr("{} against {}").format(paths[1], paths[0]) if paths else ""
        parts = [
            f"{name}: J&F {overall(results).jf:.3f}"
            for name, results in zip(names, runs, strict=True)
        ]
        between = self._data.difference
        if between is not None:
            interval = (
                self.tr(" (95 % between {:+.3f} and {:+.3f})").format(between.low, between.high)
                if between.low is not None and between.high is not None
                else ""
            )
            parts.append(self.tr("B minus A: {:+.3f}").format(between.mean) + interval)
        frames = sum(len(each.frames) for each in runs[0])
        parts.append(self.tr("{} sequences, {:,} scored frames").format(len(runs[0]), frames))
        return "   ·   ".join(parts)

    @Slot()
    def _fill_worst(self) -> None:
        letters = [name.split(" ")[0] for name in self._data.names]
        self._worst.show_ranked(letters, self._data.worst(self._count.value()))
        stretch(self._list, self._worst.columnCount() - 1)
        if self._worst.rowCount():
            self._list.setCurrentIndex(self._worst.index(0, 0))
            self._on_episode_chosen(self._worst.index(0, 0))

    @Slot(object)
    def _on_progressed(self, done: tuple[int, int] | None) -> None:
        for part in (self._progress, self._stop):
            part.setVisible(done is not None)
        if done is not None:
            frames, total = done
            self._progress.setRange(0, total)
            self._progress.setValue(frames)
            self._told.setText(
                self.tr("Scoring: {:,} of {:,} frames").format(frames, total) if total else
                self.tr("Reading…")
            )  # fmt: skip
        elif self._data.results:
            self._told.setText(self.tr("A double click goes into a sequence."))

    @Slot(object)
    def _on_cell_chosen(self, cell: Cell) -> None:
        for row in range(self._sorted.rowCount()):
            if self._sorted.index(row, 0).data() == cell.sequence:
                self._table.setCurrentIndex(self._sorted.index(row, 0))

    @Slot(QModelIndex)
    def _on_sequence_chosen(self, index: QModelIndex) -> None:
        self._heat.mark(self._sequence(index), 0)

    @Slot(QModelIndex)
    def _on_sequence_entered(self, index: QModelIndex) -> None:
        self.enter_asked.emit(self._sequence(index), None)

    @Slot(QModelIndex)
    def _on_episode_chosen(self, _index: QModelIndex) -> None:
        if (ranked := self.current()) is not None:
            self._heat.mark(ranked.result.sequence, ranked.run)

    def _sequence(self, index: QModelIndex) -> str:
        return self._sequences.sequence(self._sorted.mapToSource(index).row())

    @Slot()
    def _enter(self) -> None:
        if (ranked := self.current()) is not None:
            self.enter_asked.emit(ranked.result.sequence, ranked)

    @Slot()
    def _ask_figure(self) -> None:
        if (ranked := self.current()) is not None:
            self.figure_asked.emit(ranked)
