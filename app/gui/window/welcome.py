"""The page that is shown while no video is open."""

from pathlib import Path

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QAction, QIcon, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.gui.widgets.recent import RecentSources
from app.gui.widgets.theme import icon
from app.gui.widgets.words import verbatim_tip

_PATH = Qt.ItemDataRole.UserRole
_WIDEST = 880


class RecentList(QListWidget):
    """The sources opened last. Those that are gone are greyed; Delete takes one off the list."""

    chosen = Signal(object)  # Path

    def __init__(self, recent: RecentSources, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._recent = recent
        self.setAccessibleName(self.tr("Recent"))
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setStyleSheet("QListWidget::item { min-height: 40px; }")
        self.itemActivated.connect(self._choose)
        self.itemClicked.connect(self._choose)
        recent.changed.connect(self.refresh)
        self.refresh()

    @Slot()
    def refresh(self) -> None:
        """Look which sources are still there."""
        self.clear()
        for path in self._recent.paths:
            item = QListWidgetItem(f"{path.name}\n{path.parent}")
            item.setData(_PATH, path)
            item.setIcon(icon(_icon_name(path)))
            item.setToolTip(verbatim_tip(str(path)))
            if not path.exists():
                item.setFlags(Qt.ItemFlag.ItemIsSelectable)
                gone = self.tr("{} is not there any more").format(path)
                item.setToolTip(verbatim_tip(gone))
            self.addItem(item)

    @Slot(QListWidgetItem)
    def _choose(self, item: QListWidgetItem) -> None:
        if item.flags() & Qt.ItemFlag.ItemIsEnabled:
            self.chosen.emit(item.data(_PATH))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        item = self.currentItem()
        if event.key() == Qt.Key.Key_Delete and item is not None:
            self._recent.remove(item.data(_PATH))
        else:
            super().keyPressEvent(event)


class Welcome(QWidget):
    """How to begin: open something, drop it here, or try the sample. `chosen` carries a path."""

    chosen = Signal(object)  # Path

    def __init__(
        self, recent: RecentSources, actions: list[QAction], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._drop = QFrame()
        self._drop.setObjectName("dropzone")
        hint = QLabel(
            self.tr("Drop a video, a folder of frames, a project or a VISOR JSON anywhere here")
        )
        hint.setObjectName("dim")
        hint.setWordWrap(True)
        hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        inside = QVBoxLayout(self._drop)
        inside.setContentsMargins(16, 26, 16, 26)
        inside.addWidget(hint)
        self._recent = RecentList(recent)
        self._recent.chosen.connect(self.chosen)
        self._none = QLabel(self.tr("Nothing opened yet."))
        self._none.setObjectName("dim")
        recent.changed.connect(self._show_recent)

        begin = _buttons(actions, self.tr("Open video, project or VISOR JSON"))
        begin.addSpacing(8)
        begin.addWidget(self._drop)
        begin.addStretch(1)
        lately = QVBoxLayout()
        lately.setSpacing(8)
        heading = QLabel(self.tr("Recent"))
        heading.setObjectName("section")
        lately.addWidget(heading)
        lately.addWidget(self._none)
        lately.addWidget(self._recent, 100)
        lately.addStretch(1)
        columns = QHBoxLayout()
        columns.setSpacing(32)
        columns.addLayout(begin, 4)
        columns.addLayout(lately, 5)
        self._page = QWidget(self)
        page = QVBoxLayout(self._page)
        page.setContentsMargins(24, 24, 24, 24)
        page.addLayout(_heading(self))
        page.addSpacing(18)
        page.addLayout(columns)
        self._show_recent()

    @property
    def recent_list(self) -> RecentList:
        """The list of the sources opened last."""
        return self._recent

    def mark_drop(self, *, over: bool) -> None:
        """Show that something is being dragged over the window, or no more."""
        self._drop.setProperty("over", "true" if over else "false")
        self._drop.style().unpolish(self._drop)
        self._drop.style().polish(self._drop)

    @Slot()
    def _show_recent(self) -> None:
        some = self._recent.count() > 0
        self._recent.setVisible(some)
        self._none.setVisible(not some)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        width, height = min(self.width(), _WIDEST), min(self.height(), 560)
        top = max(0, (self.height() - height) // 3)
        self._page.setGeometry((self.width() - width) // 2, top, width, height)


def _heading(page: QWidget) -> QVBoxLayout:
    layout = QVBoxLayout()
    title = QLabel("Maskwright")
    title.setObjectName("title")
    claim = QLabel(page.tr("Correct video object masks: propagate, find the drift, heal, export."))
    claim.setObjectName("dim")
    claim.setWordWrap(True)
    layout.addWidget(title)
    layout.addWidget(claim)
    return layout


def _buttons(actions: list[QAction], first_text: str) -> QVBoxLayout:
    layout = QVBoxLayout()
    layout.setSpacing(8)
    first, *others = actions
    layout.addWidget(_first_button(first, first_text))
    for action in others:
        layout.addWidget(_button_for(action))
    return layout


def _first_button(action: QAction, text: str) -> QPushButton:
    button = _button_for(action)
    button.setObjectName("primary")
    button.setText(text)
    button.setIcon(QIcon())  # icons have the colour of an ordinary button's text
    return button


def _button_for(action: QAction) -> QPushButton:
    button = QPushButton(action.icon(), action.iconText())
    button.setToolTip(action.toolTip())
    button.setEnabled(action.isEnabled())
    button.setMinimumHeight(36)
    button.setStyleSheet("text-align: left;")
    button.clicked.connect(action.trigger)
    return button


def _icon_name(path: Path) -> str:
    if path.is_dir():
        return "mdi6.folder-outline"
    if path.suffix == ".json":
        return "mdi6.code-json"
    return "mdi6.filmstrip" if path.suffix != ".maskwright" else "mdi6.file-edit-outline"
