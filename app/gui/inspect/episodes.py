"""The table of drift episodes: where, how and why the shown run fails, the most costly first."""

import enum

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QPersistentModelIndex,
    Qt,
    Signal,
    Slot,
)
from PySide6.QtGui import QAction, QColor, QPixmap
from PySide6.QtWidgets import (
    QLabel,
    QProgressBar,
    QToolBar,
    QTreeView,
    QVBoxLayout,
    QWidget,
)

from app.core.inspection.causes import Cause
from app.core.inspection.episodes import Episode
from app.core.inspection.failures import Failure
from app.core.inspection.results import Result
from app.gui.inspect.palette import FAILURE_COLORS
from app.gui.widgets.rows import table_of
from app.session.runs.runs import Runs
from app.session.state.view import ViewState

_FAILURE_WIDTH = 140  # pixels; the tool tip has all of it
Index = QModelIndex | QPersistentModelIndex
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class Column(enum.IntEnum):
    """What stands in which column."""

    FAILURE = 0
    FRAMES = 1
    LOST = 2
    CAUSE = 3


class EpisodesModel(QAbstractTableModel):
    """The episodes of the shown run, one a row."""

    def __init__(self, runs: Runs, parent: QWidget) -> None:
        super().__init__(parent)
        self._runs = runs
        self.result: Result | None = None
        self._swatches: dict[Failure, QPixmap] = {}
        runs.measured.connect(self._on_changed)
        runs.changed.connect(self._on_changed)
        self._on_changed()

    def episode(self, row: int) -> Episode | None:
        """Return the episode in a row."""
        if self.result is None or not 0 <= row < len(self.result.episodes):
            return None
        return self.result.episodes[row]

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() or self.result is None else len(self.result.episodes)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(Column)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        if orientation is not Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            titles = (self.tr("Failure"), self.tr("Frames"), self.tr("Lost"), self.tr("Why"))
            return titles[section]
        if role == Qt.ItemDataRole.ToolTipRole and section == Column.LOST:
            return self.tr("The sum of 1 - J&F over the frames of the episode")
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        episode = self.episode(index.row())
        if episode is None or self.result is None:
            return None
        column = Column(index.column())
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(self.result, episode, column)
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._tip(self.result, episode)
        if role == Qt.ItemDataRole.DecorationRole and column is Column.FAILURE:
            return self._swatch(episode.failure)
        if role == Qt.ItemDataRole.TextAlignmentRole and column is Column.LOST:
            return _RIGHT
        return None

    def _text(self, result: Result, episode: Episode, column: Column) -> str:
        match column:
            case Column.FAILURE:
                if len(result.objects) == 1:
                    return episode.failure.value
                return f"{result.objects[episode.object]}: {episode.failure.value}"
            case Column.FRAMES:
                first, last = (result.positions[p] for p in (episode.first, episode.last))
                return f"{first}" if first == last else f"{first}-{last}"
            case Column.LOST:
                return f"{episode.lost:.2f}"
            case _:
                return ", ".join(_causes(result, episode)) or self.tr("unknown")

    def _tip(self, result: Result, episode: Episode) -> str:
        frames = result.positions
        until = (
            self.tr("found again on frame {}").format(frames[episode.recovery])
            if episode.recovery is not None
            else self.tr("to the end")
        )
        partner = (
            self.tr(" with {}").format(result.objects[episode.partner])
            if episode.partner is not None
            else ""
        )
        text = self.tr("{}: {}{}. Onset on frame {}, worst on {}, {}. Likely cause: {}.")
        return text.format(
            result.objects[episode.object], episode.failure.value, partner, frames[episode.first],
            frames[episode.peak], until,
            ", ".join(_causes(result, episode)) or self.tr("nothing that was measured"),
        )  # fmt: skip

    def _swatch(self, failure: Failure) -> QPixmap:
        if failure not in self._swatches:
            pixmap = QPixmap(10, 10)
            pixmap.fill(QColor(*FAILURE_COLORS[failure]))
            self._swatches[failure] = pixmap
        return self._swatches[failure]

    @Slot()
    def _on_changed(self) -> None:
        result = self._runs.results.get(self._runs.shown or 0)
        if result is not self.result:
            self.beginResetModel()
            self.result = result
            self.endResetModel()


class EpisodesPanel(QWidget):
    """The table; a click or Enter goes to the worst frame and selects the object."""

    chosen = Signal(object)  # Episode

    def __init__(self, view: ViewState, runs: Runs, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view, self._runs = view, runs
        self._model = EpisodesModel(runs, self)
        name = self.tr("Episodes of failure, most costly first")
        self._tree = table_of(self._model, name, stretched=Column.CAUSE, fixed=(Column.FAILURE,))
        self._tree.header().resizeSection(Column.FAILURE, _FAILURE_WIDTH)
        self._summary = QLabel()
        self._summary.setObjectName("dim")
        self._summary.setWordWrap(True)
        self._progress = QProgressBar()
        self._progress.setAccessibleName(self.tr("Measuring"))
        self._progress.setMaximumHeight(8)
        self._progress.setTextVisible(False)
        self._progress.hide()
        self._buttons = QToolBar()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 0, 6, 6)
        layout.setSpacing(4)
        layout.addWidget(self._summary)
        layout.addWidget(self._progress)
        layout.addWidget(self._tree, 1)
        layout.addStretch(0)
        layout.addWidget(self._buttons)
        self._tree.clicked.connect(self._on_chosen)
        self._tree.activated.connect(self._on_chosen)
        self._model.modelReset.connect(self._on_reset)
        runs.changed.connect(self._on_reset_summary)
        runs.progressed.connect(self._on_progressed)
        self._on_reset()

    @property
    def view(self) -> QTreeView:
        """The table itself."""
        return self._tree

    @property
    def summary(self) -> str:
        """What was found, in words."""
        return self._summary.text()

    def set_actions(self, buttons: list[QAction]) -> None:
        """Offer actions below the table."""
        self._buttons.addActions(buttons)

    def current(self) -> Episode | None:
        """Return the episode that is chosen: at first the most costly."""
        return self._model.episode(self._tree.currentIndex().row())

    @Slot(QModelIndex)
    def _on_chosen(self, index: QModelIndex) -> None:
        episode, result = self._model.episode(index.row()), self._model.result
        if episode is None or result is None:
            return
        self._runs.select(episode.object + 1)
        self._view.go_to(result.positions[episode.peak])
        self.chosen.emit(episode)

    @Slot()
    def _on_reset(self) -> None:
        if self._model.rowCount():
            self._tree.setCurrentIndex(self._model.index(0, 0))
        self._on_reset_summary()

    @Slot()
    def _on_reset_summary(self) -> None:
        self._summary.setText(self._words())
        self._tree.setVisible(self._model.rowCount() > 0)

    def _words(self) -> str:
        result, run = self._model.result, self._runs.run(self._runs.shown)
        if run is None or self._runs.truth is None:
            return self.tr("Failures appear here once there are a prediction and a ground truth.")
        if result is None:
            return self.tr("Measuring {}…").format(run.info.name)
        frames, count = len(result.frames), len(result.episodes)
        text = self.tr("{}: J&F {:.3f} on {} frames. ").format(
            run.info.name, result.jf.mean(), frames
        )
        return text + (self.tr("{} episodes, most costly first").format(count) if count else "")

    @Slot(object)
    def _on_progressed(self, share: float | None) -> None:
        self._progress.setVisible(share is not None)
        self._progress.setValue(round(100 * (share or 0)))


def _causes(result: Result, episode: Episode) -> list[str]:
    return [cause.value for cause in result.causes(episode) if cause is not Cause.UNKNOWN]
