"""The meter of the effort: what the person has done for the clip, and for each object."""

from PySide6.QtCore import Qt, QTimer, Slot
from PySide6.QtWidgets import (
    QHeaderView,
    QLabel,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.core.effort import Effort
from app.gui.widgets.words import duration
from app.session.files.interaction_log import InteractionLog
from app.session.state.masks import Masks

_SOON_MS = 300


class EffortPanel(QWidget):
    """Interactions, clicks, frames and time since the video was opened; the first row is all."""

    def __init__(self, masks: Masks, log: InteractionLog, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._masks, self._log, self._told = masks, log, log.interactions
        self._table = QTreeWidget()
        self._table.setRootIsDecorated(False)
        self._table.setUniformRowHeights(True)
        self._table.setAccessibleName(self.tr("Effort"))
        names = ("", self.tr("Actions"), self.tr("Clicks"), self.tr("Frames"), self.tr("Time"))
        self._table.setHeaderLabels(names)
        header = self._table.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column, tip in enumerate(self._tips(), start=1):
            self._table.headerItem().setToolTip(column, tip)
        self._note = QLabel()
        self._note.setObjectName("dim")
        self._note.setWordWrap(True)
        self._note.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 0, 6, 6)
        layout.addWidget(self._table, 1)
        layout.addWidget(self._note)
        self._soon = QTimer(self, singleShot=True, interval=_SOON_MS)
        self._soon.timeout.connect(self.refresh)
        self._told.made.connect(self._refresh_soon)
        self._told.began.connect(self._refresh_soon)
        masks.objects_changed.connect(self._refresh_soon)
        self.refresh()

    @property
    def rows(self) -> list[list[str]]:
        """What is shown, row by row."""
        count = self._table.columnCount()
        items = [self._table.topLevelItem(row) for row in range(self._table.topLevelItemCount())]
        return [[item.text(column) for column in range(count)] for item in items if item]

    @Slot()
    def refresh(self) -> None:
        """Show what it is now."""
        tally = self._told.tally
        self._table.clear()
        self._add(self.tr("This clip"), tally.whole)
        for info in self._masks.objects:
            if info.id in tally.objects:
                self._add(info.name, tally.objects[info.id])
        path = self._log.path
        self._note.setText(
            self.tr("Since the video was opened. A log is kept: {}").format(path)
            if path is not None
            else self.tr("Since the video was opened. No log is kept; the settings have one.")
        )

    def _tips(self) -> tuple[str, ...]:
        return (
            self.tr("Clicks, strokes, keys and commands that do something to masks"),
            self.tr("Points, boxes, strokes and pasted masks"),
            self.tr("Frames on which a mask was clicked or drawn"),
            self.tr("Time at work; of a pause only its first minute counts"),
        )

    def _add(self, name: str, effort: Effort) -> None:
        cells = [name, f"{effort.interactions:,}", f"{effort.clicks:,}", f"{len(effort.frames):,}"]
        item = QTreeWidgetItem([*cells, duration(effort.seconds)])
        for column in range(1, self._table.columnCount()):
            item.setTextAlignment(column, Qt.AlignmentFlag.AlignRight)
        self._table.addTopLevelItem(item)

    @Slot()
    def _refresh_soon(self) -> None:
        if not self._soon.isActive():
            self._soon.start()
