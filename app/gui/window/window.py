"""The main window: the parts of the window side by side, and their wiring."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QSettings, Qt, Slot
from PySide6.QtGui import (
    QAction,
    QCloseEvent,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QGuiApplication,
)
from PySide6.QtWidgets import (
    QApplication,
    QMainWindow,
    QStackedWidget,
    QWidget,
)

from app.gui.actions.actions import Actions
from app.gui.actions.menus import RecentMenu, fill_menu_bar, panels_menu, select_menu
from app.gui.actions.table.action import MODES, PANELS, RECENT, SELECT
from app.gui.actions.verbs.files.files import FileVerbs
from app.gui.canvas.canvas import Canvas
from app.gui.canvas.tools.tool import Tool
from app.gui.dialogs.ask import Ask
from app.gui.widgets.messages import Messages
from app.gui.widgets.places import Places
from app.gui.widgets.reporter import Reporter
from app.gui.widgets.theme import Theme, apply_theme
from app.gui.window.compose import (
    TOOLS,
    ask_before_models,
    fill_bars,
    follow_propagations,
    make_context,
    make_tools_bar,
    situation_changes,
    situation_of,
)
from app.gui.window.dialogs import PanelVerbs
from app.gui.window.docks import Docks, fit_screen
from app.gui.window.focus import FocusKeys
from app.gui.window.parts import make_parts
from app.gui.window.process.garbage_collector import IdleGarbageCollector
from app.gui.window.welcome import Welcome
from app.session.session import Session
from app.session.shelf.shelf import Shelf
from app.session.state.status import SessionState


class Window(QMainWindow):
    """The main window on one session.

    `store` keeps its geometry and what was opened last. `sample` returns the sample clip, None
    where there is none.
    """

    def __init__(
        self,
        session: Session,
        store: QSettings,
        *,
        ask: Ask | None = None,
        sample: Callable[[], Path] | None = None,
    ) -> None:
        super().__init__()
        self._session = session
        self._store = store
        self.setObjectName("window")
        self.setAcceptDrops(True)
        fit_screen(self)
        self._make_parts(ask or Ask(self, store), sample)
        self._make_bars()
        self._make_menus()
        self._make_pages()
        self._connect()
        self._docks.set_shown(shown=False)
        self._docks.restore(store)
        self._apply_settings()
        self._on_opened()

    @property
    def actions_by_name(self) -> Actions:
        """Every action of the window."""
        return self._actions

    @property
    def canvas(self) -> Canvas:
        """The picture."""
        return self._parts.canvas

    @property
    def messages(self) -> Messages:
        """The messages over the picture."""
        return self._parts.messages

    @property
    def files(self) -> FileVerbs:
        """Opens and exports, and tells what goes wrong."""
        return self._files

    def _make_parts(self, ask: Ask, sample: Callable[[], Path] | None) -> None:
        session = self._session
        ask_before_models(session, ask)
        self._pages = QStackedWidget()
        self._parts = make_parts(session, self._store, self._pages, self)
        follow_propagations(session, self._parts.canvas, self)
        IdleGarbageCollector(session.video, self)
        Places(self._store, session.video, session.view, self)
        self._docks = Docks(self, self._show_page)
        panels = PanelVerbs(
            self,
            session.video,
            session.view,
            session.preferences,
            self._docks,
            Shelf(session.preferences, session.status, self),
            self._parts.find,
            lambda: self._actions,
        )
        context = make_context(session, self._parts, panels, ask, sample)
        self._files = context.files
        self._actions = Actions(
            context,
            partial(situation_of, session, has_sample=sample is not None),
            session.preferences,
            changes=situation_changes(session),
            parent=self,
        )

    def _named(self, *names: str) -> list[QAction]:
        return [self._actions[name] for name in names]

    def _make_bars(self) -> None:
        self._docks.add_bar(make_tools_bar(self._actions), Qt.ToolBarArea.LeftToolBarArea)
        self._docks.add_bar(self._parts.propagate, Qt.ToolBarArea.TopToolBarArea)
        self._docks.add_bar(self._parts.mask_bar, Qt.ToolBarArea.TopToolBarArea)
        fill_bars(self._actions, self._parts)
        self.setStatusBar(self._parts.status)

    def _make_menus(self) -> None:
        for name, title, panel in self._parts.panels():
            self._docks.add(name, title, panel)
        fill_menu_bar(
            self,
            self._actions,
            {
                RECENT: RecentMenu(self._parts.recent, self._files, self),
                SELECT: select_menu(self._actions, self),
                PANELS: panels_menu(self.tr("Pa&nels"), self._docks.toggles(), self),
                MODES: self._parts.mask_bar.menu(self.tr("&Masks"), self),
            },
        )
        # Shortcuts hold wherever the focus is, with the menu bar hidden too.
        self.addActions(list(self._actions))

    def _make_pages(self) -> None:
        begin = self._named("open", "open_folder", "open_sample")
        self._welcome = Welcome(self._parts.recent, begin)
        for page in (self._welcome, self._parts.canvas):
            self._pages.addWidget(page)
        self._pages.currentChanged.connect(self._parts.messages.raise_)  # the page has gone on top
        self.setCentralWidget(self._pages)

    def _connect(self) -> None:
        session = self._session
        session.video.opened.connect(self._on_opened)
        view, runs, undo, models = self._named("view_changes", "dense", "undo", "models")
        Reporter(session, self._parts.messages, view, runs, undo, models, self)
        session.status.state_changed.connect(self._on_state_changed)
        session.preferences.changed.connect(self._apply_settings)
        self._welcome.chosen.connect(self._files.open)
        self._parts.canvas.cursor_moved.connect(self._parts.status.show_pointer)
        self._parts.canvas.tool_changed.connect(self._on_tool_changed)
        self._parts.objects.solo_asked.connect(self._actions["solo"].trigger)
        self._actions.refreshed.connect(self._parts.mask_bar.refresh)
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._apply_settings)
        application = QApplication.instance()
        if application is not None:
            self._focus_keys = FocusKeys(self)
            application.installEventFilter(self._focus_keys)
        self._parts.canvas.set_tool(Tool.POINTS)

    @Slot()
    def _on_opened(self) -> None:
        is_open, title = self._session.video.is_open, self._session.video.title
        self._docks.set_shown(shown=is_open)
        self._show_page()
        self.setWindowTitle(f"{title} — Maskwright" if is_open else "Maskwright")
        self._parts.messages.clear()
        if is_open and self._session.files.exchange.visor.is_there:
            self._parts.visor.show_panel("annotations")
            self._docks.enlarge("objects", "review")
        if is_open:
            self._parts.canvas.setFocus()

    def _show_page(self) -> None:
        page: QWidget = self._parts.canvas if self._session.video.is_open else self._welcome
        if self._session.video.is_open and self._docks.inspects:
            page = self._parts.inspection.views  # made now, where it was not needed before
            self._pages.addWidget(page)
        self._pages.setCurrentWidget(page)

    @Slot(object)
    def _on_state_changed(self, state: SessionState) -> None:
        if state is SessionState.IDLE and not self.isActiveWindow():
            QApplication.alert(self)  # the job that somebody waits for elsewhere has ended

    @Slot(object)
    def _on_tool_changed(self, tool: Tool) -> None:
        self._actions[TOOLS[tool]].setChecked(True)

    @Slot()
    def _apply_settings(self) -> None:
        settings = self._session.preferences.settings
        self._parts.canvas.set_opacity(settings.overlay_opacity)
        self._parts.mask_bar.refresh()
        application = QApplication.instance()
        if isinstance(application, QApplication):
            apply_theme(application, Theme(settings.theme))

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()
            self._welcome.mark_drop(over=True)

    def dragLeaveEvent(self, _event: QDragLeaveEvent) -> None:
        self._welcome.mark_drop(over=False)

    def dropEvent(self, event: QDropEvent) -> None:
        self._welcome.mark_drop(over=False)
        self._files.drop_urls(event.mimeData().urls())
        event.acceptProposedAction()

    def closeEvent(self, event: QCloseEvent) -> None:
        self._docks.save(self._store)
        self._parts.player.stop()
        event.setAccepted(self._files.close())
        if event.isAccepted():
            self._session.inspection.data_set.stop()
