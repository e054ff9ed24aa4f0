"""The panels round the picture, and their two arrangements."""

from collections.abc import Callable

from PySide6.QtCore import QByteArray, QSettings, QSize, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QDockWidget, QMainWindow, QToolBar, QWidget

from app.gui.window.dock_tabs import DockTabs

_STATE, _GEOMETRY, _INSPECTS = "window/state", "window/geometry", "window/inspects"
_VERSION = 5  # raise it when panels come or go: an older state is then not restored
_RIGHT, _BOTTOM = Qt.DockWidgetArea.RightDockWidgetArea, Qt.DockWidgetArea.BottomDockWidgetArea
_LOW = ("curves", "timeline", "memory", "filmstrip")
_PAGES = {
    "annotations": "objects", "rules": "review", "dense": "review", "filmstrip": "timeline",
    "history": "review", "effort": "review", "memory": "review",
}  # fmt: skip
_HORIZONTAL, _VERTICAL = Qt.Orientation.Horizontal, Qt.Orientation.Vertical
_SIZE = QSize(1280, 800)
_HIGH = 320  # pixels from which on a list has room for its rows
_FRAME = QSize(8, 40)  # what the title and the border of a window take of the screen


def fit_screen(window: QMainWindow) -> None:
    """Give a window the usual size, or as much of it as the screen has room for."""
    room = window.screen().availableSize() - _FRAME
    window.resize(_SIZE.boundedTo(room))


class Docks:
    """The dock widgets of the window. They are hidden while no video is open."""

    def __init__(self, window: QMainWindow, arranged: Callable[[], None]) -> None:
        """`arranged` is called when the other arrangement has been chosen."""
        self._window, self._arranged = window, arranged
        self.inspects = False  # runs are looked at, in place of the picture that is worked on
        self._docks: dict[str, QDockWidget] = {}
        self._tabs = DockTabs(window, self._docks)
        self._bars: list[QToolBar] = []
        self._state: QByteArray | None = None
        self._shown: bool | None = None  # not decided yet
        # The lower panel stays under the picture and the right ones keep the full height.
        window.setCorner(Qt.Corner.BottomRightCorner, _RIGHT)

    def add(self, name: str, title: str, widget: QWidget) -> None:
        """Make a panel of `widget`."""
        dock = QDockWidget(title, self._window)
        dock.setObjectName(name)
        dock.setWidget(widget)
        self._docks[name] = dock
        self._tabs.watch(dock)
        self._window.addDockWidget(_BOTTOM if name in _LOW else _RIGHT, dock)

    def add_bar(self, bar: QToolBar, area: Qt.ToolBarArea) -> None:
        """Add a tool bar that comes and goes with the panels."""
        self._bars.append(bar)
        self._window.addToolBar(area, bar)

    def toggles(self) -> list[QAction]:
        """Return the actions that show and hide the panels and bars."""
        return [part.toggleViewAction() for part in self._parts()]

    def show(self, name: str) -> None:
        """Show a panel, before the others that share its place."""
        self._docks[name].show()
        self._docks[name].raise_()

    def annotate(self) -> None:
        """Objects above suspects on the right, a low timeline below, no history."""
        self.inspects = False
        self._arrange(("objects", "review"), heights=(300, 300), low=("timeline",), below=256)
        for name in ("anchors", "changes", "find"):  # behind the suspects, as other pages
            self._window.tabifyDockWidget(self._docks["review"], self._docks[name])
            self._docks[name].show()
        # The others come up, each as a page beside these, once they are asked for.
        for name, front in _PAGES.items():
            self._window.tabifyDockWidget(self._docks[front], self._docks[name])
            self._docks[name].hide()
        self._docks["review"].raise_()
        self._arranged()

    def inspect(self) -> None:
        """Runs and their failures on the right, curves before the timeline, no tool bars."""
        self.inspects = True
        self._arrange(("runs", "episodes"), heights=(200, 400), low=_LOW, below=236)
        for name in ("review", "objects", "history"):
            self._window.tabifyDockWidget(self._docks["episodes"], self._docks[name])
            self._docks[name].show()
        for name in ("episodes", "curves"):
            self._docks[name].raise_()
        for bar in self._bars:
            bar.hide()
        self._arranged()

    def enlarge(self, name: str, other: str) -> None:
        """Give one panel of the right more room than the one above or below it."""
        docks = [self._docks[name], self._docks[other]]
        self._window.resizeDocks(docks, [440, 240], _VERTICAL)

    def show_high(self, name: str) -> None:
        """Show a panel of the lower right, a list of many rows, with room for some of them."""
        self.show(name)
        dock = self._docks[name]
        if not dock.isFloating() and dock.height() < _HIGH:
            upper = "annotations" if self._docks["annotations"].isVisible() else "objects"
            self.enlarge(name, upper)

    def set_shown(self, *, shown: bool) -> None:
        """Hide everything while no video is open, and bring back what was there before."""
        if shown == self._shown:
            return
        if self._shown:
            self._state = self._window.saveState(_VERSION)
        for part in self._parts():
            if not shown:  # all of them at once would need a larger window
                part.hide()
            part.toggleViewAction().setEnabled(shown)
        if shown and (self._state is None or not self._window.restoreState(self._state, _VERSION)):
            self.annotate()
        self._shown = shown

    def save(self, store: QSettings) -> None:
        """Write size, place and arrangement of the window."""
        store.setValue(_GEOMETRY, self._window.saveGeometry())
        state = self._window.saveState(_VERSION) if self._shown else self._state
        if state is not None:
            store.setValue(_STATE, state)
            store.setValue(_INSPECTS, self.inspects)

    def restore(self, store: QSettings) -> None:
        """Take size, place and arrangement up again; call it while nothing is shown."""
        geometry, state = store.value(_GEOMETRY), store.value(_STATE)
        if isinstance(geometry, QByteArray):
            self._window.restoreGeometry(geometry)
        if isinstance(state, QByteArray):
            self._state = state
            self.inspects = store.value(_INSPECTS, False, bool) is True

    def _parts(self) -> list[QDockWidget | QToolBar]:
        return [*self._docks.values(), *self._bars]

    def _arrange(
        self, right: tuple[str, ...], heights: tuple[int, ...], low: tuple[str, ...], below: int
    ) -> None:
        """Show these docks on the right and those `low` ones, as tabs, under the picture."""
        window = self._window
        for name, dock in self._docks.items():
            dock.setFloating(False)
            window.removeDockWidget(dock)
            if name not in right and name not in low:
                window.addDockWidget(_BOTTOM if name in _LOW else _RIGHT, dock)
                dock.hide()
        docks = [self._docks[name] for name in right]
        for dock in docks:
            window.addDockWidget(_RIGHT, dock, _VERTICAL)
            dock.show()
        first, *others = (self._docks[name] for name in low)
        window.addDockWidget(_BOTTOM, first)
        first.show()
        for dock in others:
            window.tabifyDockWidget(first, dock)
            dock.show()
        for bar in self._bars:
            bar.show()
        window.resizeDocks(docks, list(heights), _VERTICAL)
        window.resizeDocks(docks[:1], [320], _HORIZONTAL)
        window.resizeDocks([first], [below], _VERTICAL)
