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
from app.gui.actions.table import MODES, PANELS, RECENT, SELECT
from app.gui.actions.verbs.files.files import FileVerbs
from app.gui.canvas.canvas import Canvas
from app.gui.canvas.tools.tool import Tool
from app.gui.dialogs.ask import Ask
from app.gui.panels.anchors import AnchorsPanel
from app.gui.panels.mask_bar import MaskBar
from app.gui.panels.propagate_bar import PropagateBar
from app.gui.panels.review import ReviewPanel
from app.gui.timeline.playback import Player
from app.gui.timeline.transport import Transport
from app.gui.widgets.messages import Messages
from app.gui.widgets.places import Places
from app.gui.widgets.recent import RecentSources
from app.gui.widgets.reporter import Reporter
from app.gui.widgets.theme import Theme, apply_theme
from app.gui.window.compose import (
    TOOLS,
    ask_before_models,
    fill_bars,
    follow_propagations,
    make_canvas,
    make_context,
    make_history,
    make_inspection,
    make_objects_panel,
    make_status_bar,
    make_timeline,
    make_tools_bar,
    situation_changes,
    situation_of,
    stacked,
)
from app.gui.window.dialogs import PanelVerbs
from app.gui.window.docks import Docks, fit_screen
from app.gui.window.focus import FocusKeys
from app.gui.window.garbage_collector import IdleGarbageCollector
from app.gui.window.welcome import Welcome
from app.session.session import Session
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
        return self._canvas

    @property
    def messages(self) -> Messages:
        """The messages over the picture."""
        return self._messages

    @property
    def files(self) -> FileVerbs:
        """Opens and exports, and tells what goes wrong."""
        return self._files

    def _make_parts(self, ask: Ask, sample: Callable[[], Path] | None) -> None:
        session = self._session
        ask_before_models(session, ask)
        video, view, preferences = session.video, session.view, session.preferences
        self._pages = QStackedWidget()
        self._canvas = make_canvas(session)
        self._timeline = make_timeline(session)
        self._objects = make_objects_panel(session)
        self._review = ReviewPanel(view, session.masks, session.review)
        self._anchors = AnchorsPanel(video, view, session.masks)
        self._history = make_history(session, self.tr("As opened"))
        self._messages = Messages(self._pages)
        self._status = make_status_bar(session)
        self._player = Player(video, view, self)
        follow_propagations(session, self)
        IdleGarbageCollector(video, self)
        Places(self._store, video, view, self)
        self._recent = RecentSources(self._store, self)
        self._propagate_bar = PropagateBar(video, view, preferences)
        self._mask_bar = MaskBar(preferences, self._canvas)
        self._transport = Transport(video, view)
        self._inspection = make_inspection(session)
        self._docks = Docks(self, self._show_page)
        panels = PanelVerbs(self, video, view, preferences, self._docks, lambda: self._actions)
        context = make_context(
            session,
            self._canvas,
            self._player,
            panels,
            anchors=self._anchors,
            objects=self._objects,
            review=self._review,
            propagate=self._propagate_bar,
            inspection=self._inspection,
            ask=ask,
            recent=self._recent,
            tell=self._messages.show_message,
            sample=sample,
            show_jobs=self._status.jobs.open_list,
        )
        self._files = context.files
        self._actions = Actions(
            context,
            partial(situation_of, session, has_sample=sample is not None),
            preferences,
            changes=situation_changes(session),
            parent=self,
        )

    def _named(self, *names: str) -> list[QAction]:
        return [self._actions[name] for name in names]

    def _make_bars(self) -> None:
        self._docks.add_bar(make_tools_bar(self._actions), Qt.ToolBarArea.LeftToolBarArea)
        self._docks.add_bar(self._propagate_bar, Qt.ToolBarArea.TopToolBarArea)
        self._docks.add_bar(self._mask_bar, Qt.ToolBarArea.TopToolBarArea)
        fill_bars(
            self._actions,
            propagate=self._propagate_bar,
            timeline=self._timeline,
            transport=self._transport,
            anchors=self._anchors,
            objects=self._objects,
            review=self._review,
        )
        self._inspection.set_actions(self._named)
        self.setStatusBar(self._status)

    def _make_menus(self) -> None:
        self._docks.add("timeline", self.tr("Timeline"), stacked(self._transport, self._timeline))
        self._docks.add("objects", self.tr("Objects"), self._objects)
        self._docks.add("review", self.tr("Review"), self._review)
        self._docks.add("anchors", self.tr("Anchors"), self._anchors)
        self._docks.add("history", self.tr("History"), self._history)
        for name, title, panel in self._inspection.panels():
            self._docks.add(name, title, panel)
        fill_menu_bar(
            self,
            self._actions,
            {
                RECENT: RecentMenu(self._recent, self._files, self),
                SELECT: select_menu(self._actions, self),
                PANELS: panels_menu(self.tr("Pa&nels"), self._docks.toggles(), self),
                MODES: self._mask_bar.menu(self.tr("&Masks"), self),
            },
        )
        # Shortcuts hold wherever the focus is, with the menu bar hidden too.
        self.addActions(list(self._actions))

    def _make_pages(self) -> None:
        begin = self._named("open", "open_folder", "open_sample")
        self._welcome = Welcome(self._recent, begin)
        for page in (self._welcome, self._canvas):
            self._pages.addWidget(page)
        self._pages.currentChanged.connect(self._messages.raise_)  # the page has gone on top
        self.setCentralWidget(self._pages)

    def _connect(self) -> None:
        session = self._session
        session.video.opened.connect(self._on_opened)
        view, undo = self._named("next_change", "undo")
        Reporter(session, self._messages, view, undo, self)
        session.status.state_changed.connect(self._on_state_changed)
        session.preferences.changed.connect(self._apply_settings)
        self._welcome.chosen.connect(self._files.open)
        self._canvas.cursor_moved.connect(self._status.show_pointer)
        self._canvas.tool_changed.connect(self._on_tool_changed)
        self._objects.solo_asked.connect(self._actions["solo"].trigger)
        self._actions.refreshed.connect(self._mask_bar.refresh)
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._apply_settings)
        application = QApplication.instance()
        if application is not None:
            self._focus_keys = FocusKeys(self)
            application.installEventFilter(self._focus_keys)
        self._canvas.set_tool(Tool.POINTS)

    @Slot()
    def _on_opened(self) -> None:
        is_open, title = self._session.video.is_open, self._session.video.title
        self._docks.set_shown(shown=is_open)
        self._show_page()
        self.setWindowTitle(f"{title} — Maskwright" if is_open else "Maskwright")
        self._messages.clear()
        if is_open:
            self._canvas.setFocus()

    def _show_page(self) -> None:
        page: QWidget = self._canvas if self._session.video.is_open else self._welcome
        if self._session.video.is_open and self._docks.inspects:
            page = self._inspection.views  # made now, where it was not needed before
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
        self._canvas.set_opacity(settings.overlay_opacity)
        self._mask_bar.refresh()
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
        self._player.stop()
        event.setAccepted(self._files.close())
        if event.isAccepted():
            self._session.inspector.data_set.stop()
