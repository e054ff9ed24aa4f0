"""The tables of a data set: its sequences, and its worst episodes."""

from collections.abc import Sequence

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QPersistentModelIndex,
    Qt,
)
from PySide6.QtGui import QColor, QPixmap
from PySide6.QtWidgets import QWidget

from app.core.inspection.causes import Cause
from app.core.inspection.failures import Failure
from app.core.inspection.results import Result
from app.gui.inspect.palette import FAILURE_COLORS
from app.session.runs.dataset import Ranked

Index = QModelIndex | QPersistentModelIndex
SORT = Qt.ItemDataRole.UserRole  # the role of what a column is sorted by
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
Value = str | float


class _Table(QAbstractTableModel):
    """Rows of text and numbers."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._titles: tuple[str, ...] = ()
        self._cells: list[tuple[Value, ...]] = []

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._cells)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._titles)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return self._titles[section]
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid() or index.row() >= len(self._cells):
            return None
        value = self._cells[index.row()][index.column()]
        if role == SORT:
            return value
        if role == Qt.ItemDataRole.DisplayRole:
            return value if isinstance(value, str) else self._text(index.column(), value)
        if role == Qt.ItemDataRole.TextAlignmentRole and not isinstance(value, str):
            return _RIGHT
        return None

    def _text(self, _column: int, value: float) -> str:
        return f"{value:.3f}"

    def _fill(self, titles: tuple[str, ...], cells: list[tuple[Value, ...]]) -> None:
        self.beginResetModel()
        self._titles, self._cells = titles, cells
        self.endResetModel()


class SequencesModel(_Table):
    """A row a sequence: its J&F under each prediction, and how it fails most."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._change = -1  # the column of the difference

    def show_results(self, letters: Sequence[str], runs: Sequence[Sequence[Result]]) -> None:
        """Show what was found of each prediction, the worst of the first on top."""
        differs = len(runs) == 2
        scores = [self.tr("J&F {}").format(letter) if differs else "J&F" for letter in letters]
        change = (self.tr("B minus A"),) if differs else ()
        titles = (self.tr("Sequence"), *scores, *change, self.tr("Worst failure"), self.tr("Lost"))
        self._change = 1 + len(runs) if differs else -1
        together = zip(*runs, strict=True) if runs else ()
        cells = [self._row(results, differs=differs) for results in together]
        self._fill(titles, sorted(cells, key=lambda row: row[1]))

    def sequence(self, row: int) -> str:
        """Return the name of the sequence in a row."""
        return str(self._cells[row][0])

    def _row(self, results: Sequence[Result], *, differs: bool) -> tuple[Value, ...]:
        means = [float(each.jf.mean()) for each in results]
        change = (means[1] - means[0],) if differs else ()
        first = results[0]
        worst = first.episodes[0].failure.value if first.episodes else Failure.GOOD.value
        lost = sum(each.lost for each in first.episodes)
        return (first.sequence, *means, *change, worst, lost)

    def _text(self, column: int, value: float) -> str:
        if column == self._change:
            return f"{value:+.3f}"
        return f"{value:.1f}" if column == len(self._titles) - 1 else f"{value:.3f}"


class WorstModel(_Table):
    """A row an episode of failure, the most costly of the whole data set on top."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._ranked: Sequence[Ranked] = ()
        self._swatches: dict[Failure, QPixmap] = {}

    def show_ranked(self, letters: Sequence[str], ranked: Sequence[Ranked]) -> None:
        """Show these episodes, in their order."""
        self._ranked = ranked
        run = (self.tr("Run"),) if len(letters) > 1 else ()
        titles = (
            self.tr("Failure"), self.tr("Sequence"), *run, self.tr("Frames"), self.tr("Lost"),
            self.tr("Why"),
        )  # fmt: skip
        self._fill(titles, [self._row(each, letters) for each in ranked])

    def ranked(self, row: int) -> Ranked | None:
        """Return the episode in a row."""
        return self._ranked[row] if 0 <= row < len(self._ranked) else None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if role == Qt.ItemDataRole.DecorationRole and index.column() == 0:
            each = self.ranked(index.row())
            return self._swatch(each.episode.failure) if each else None
        return super().data(index, role)

    def _row(self, each: Ranked, letters: Sequence[str]) -> tuple[Value, ...]:
        result, episode = each.result, each.episode
        several = len(result.objects) > 1
        name = f"{result.objects[episode.object]}: " if several else ""
        run = (letters[each.run],) if len(letters) > 1 else ()
        first, last = result.frames[episode.first], result.frames[episode.last]
        why = [cause.value for cause in result.causes(episode) if cause is not Cause.UNKNOWN]
        return (
            f"{name}{episode.failure.value}", result.sequence, *run,
            first if first == last else f"{first}-{last}", episode.lost,
            ", ".join(why) or self.tr("unknown"),
        )  # fmt: skip

    def _text(self, _column: int, value: float) -> str:
        return f"{value:.1f}"

    def _swatch(self, failure: Failure) -> QPixmap:
        if failure not in self._swatches:
            pixmap = QPixmap(10, 10)
            pixmap.fill(QColor(*FAILURE_COLORS[failure]))
            self._swatches[failure] = pixmap
        return self._swatches[failure]
