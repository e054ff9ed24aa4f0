"""The tabs of panels that share one place: words where there is room, icons where there is not."""

from collections.abc import Mapping

from PySide6.QtCore import QEvent, QObject, QSize, Qt, QTimer, Slot
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import (
    QDockWidget,
    QMainWindow,
    QProxyStyle,
    QStyle,
    QStyleOption,
    QStyleOptionTab,
    QTabBar,
    QWidget,
)

from app.gui.widgets.theme import icon

_ICON = QSize(16, 16)
_ICONS = {
    "anchors": "anchor", "annotations": "tag-outline", "changes": "compare",
    "curves": "chart-line", "dense": "layers-outline", "effort": "timer-outline",
    "episodes": "alert-outline", "filmstrip": "filmstrip", "find": "magnify",
    "history": "history", "memory": "memory", "objects": "shape-outline",
    "review": "flag-outline", "rules": "format-list-checks", "runs": "table",
    "timeline": "chart-gantt",
}  # fmt: skip
_CROWDED = "crowded"  # the property of a tab bar whose titles have no room beside each other
_RESHAPED = {QEvent.Type.Resize, QEvent.Type.Show, QEvent.Type.FontChange, QEvent.Type.StyleChange}


class DockTabs(QObject):
    """Keeps every tab of a window's panels readable.

    Where all titles have room they are words alone. Where not, each tab is an icon, and the current
    one has its title beside it; the tool tips say the others.
    """

    def __init__(self, window: QMainWindow, docks: Mapping[str, QDockWidget]) -> None:
        """`docks` are the window's panels by name; more may come to it later."""
        super().__init__(window)
        self._window, self._docks = window, docks
        self._known: set[QTabBar] = set()
        self._style = _IconTabs()
        self._soon = QTimer(self, singleShot=True, interval=0)
        self._soon.timeout.connect(self.fit)

    def watch(self, dock: QDockWidget) -> None:
        """Follow a panel: when it is shown, hidden, or given more room or less."""
        dock.visibilityChanged.connect(self._fit_soon)
        dock.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in _RESHAPED:
            self._fit_soon()
        return super().eventFilter(watched, event)

    @Slot()
    def fit(self) -> None:
        """Give every tab as much of its title as there is room for."""
        for bar in self._bars():
            self._fit(bar)

    @Slot()
    def _fit_soon(self) -> None:
        self._soon.start()

    def _bars(self) -> list[QTabBar]:
        only_own = Qt.FindChildOption.FindDirectChildrenOnly
        bars = self._window.findChildren(QTabBar, options=only_own)
        for bar in bars:
            if bar not in self._known:  # Qt makes them as they are needed
                self._known.add(bar)
                bar.setStyle(self._style)
                bar.setIconSize(_ICON)
                bar.setElideMode(Qt.TextElideMode.ElideNone)
        return bars

    def _fit(self, bar: QTabBar) -> None:
        self._show_icons(bar, crowded=False)
        # What the bar itself says: the style sheet adds to what titles take.
        if bar.sizeHint().width() > bar.width():
            self._show_icons(bar, crowded=True)

    def _show_icons(self, bar: QTabBar, *, crowded: bool) -> None:
        icons = {dock.windowTitle(): _ICONS[name] for name, dock in self._docks.items()}
        bar.setProperty(_CROWDED, crowded)
        for index in range(bar.count()):
            # A new icon has the bar measure its tabs again, and no other call does.
            name = icons[bar.tabText(index)]
            bar.setTabIcon(index, icon(f"mdi6.{name}") if crowded else QIcon())


class _IconTabs(QProxyStyle):
    """Makes crowded tabs as narrow as an icon, but for the current one."""

    def sizeFromContents(
        self,
        kind: QStyle.ContentsType,
        option: QStyleOption,
        size: QSize,
        widget: QWidget | None = None,
        /,
    ) -> QSize:
        if kind is QStyle.ContentsType.CT_TabBarTab and _is_icon(option, widget):
            room = self.pixelMetric(QStyle.PixelMetric.PM_TabBarTabHSpace, option, widget)
            size = QSize(_ICON.width() + room * 2 // 3, size.height())
        # The stubs have no None for the widget, though Qt gives none for what stands alone.
        return super().sizeFromContents(kind, option, size, widget)  # type: ignore[arg-type]


def _is_icon(option: QStyleOption, widget: QWidget | None) -> bool:
    """Whether a tab has room for its icon only: its title is not drawn then."""
    if not isinstance(option, QStyleOptionTab) or widget is None or not widget.property(_CROWDED):
        return False
    return not option.state & QStyle.StateFlag.State_Selected
