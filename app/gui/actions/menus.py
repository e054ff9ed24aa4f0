"""The menu bar, made from the table of actions."""

from collections.abc import Mapping

from PySide6.QtCore import QCoreApplication, Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMainWindow, QMenu

from app.gui.actions.actions import Actions
from app.gui.actions.table.action import Action, Menu
from app.gui.actions.table.menus import MENUS
from app.gui.actions.table.view import SELECT_OBJECT
from app.gui.actions.verbs.files.files import FileVerbs
from app.gui.widgets.recent import RecentSources
from app.gui.widgets.words import verbatim_item, verbatim_tip


def fill_menu_bar(window: QMainWindow, actions: Actions, submenus: Mapping[str, QMenu]) -> None:
    """Fill the window's menu bar; `submenus` stand where the table names them."""
    for menu in MENUS:
        shown = window.menuBar().addMenu(menu_title(menu))
        _fill(shown, menu, actions, submenus)


def select_menu(actions: Actions, parent: QMainWindow) -> QMenu:
    """Return the menu that selects an object by its number."""
    menu = QMenu(menu_title(SELECT_OBJECT), parent)
    _fill(menu, SELECT_OBJECT, actions, {})
    return menu


def menu_title(menu: Menu) -> str:
    """Return a menu's title in the person's language, mnemonic included."""
    return QCoreApplication.translate("Action", menu.title)


def panels_menu(title: str, toggles: list[QAction], parent: QMainWindow) -> QMenu:
    """Return the menu that shows and hides panels."""
    menu = QMenu(title, parent)
    menu.addActions(toggles)
    return menu


class RecentMenu(QMenu):
    """The sources opened last; those that are gone are greyed."""

    def __init__(self, recent: RecentSources, files: FileVerbs, parent: QMainWindow) -> None:
        super().__init__(parent)
        self.setTitle(self.tr("Open &recent"))
        self.setToolTipsVisible(True)
        self._recent = recent
        self._files = files
        self.aboutToShow.connect(self.refresh)
        recent.changed.connect(self.refresh)
        self.triggered.connect(self._on_triggered)
        self.refresh()

    @Slot()
    def refresh(self) -> None:
        """Look which sources are still there."""
        self.clear()
        for number, path in enumerate(self._recent.paths, start=1):
            action = self.addAction(f"&{number % 10}  {verbatim_item(path.name)}")
            action.setData(path)
            action.setEnabled(path.exists())
            gone = "" if path.exists() else self.tr(" is not there any more")
            action.setToolTip(verbatim_tip(f"{path}{gone}"))
        if self.isEmpty():
            self.addAction(self.tr("Nothing opened yet")).setEnabled(False)
            return
        self.addSeparator()
        self.addAction(self.tr("&Clear this list")).triggered.connect(self._recent.clear)

    @Slot(QAction)
    def _on_triggered(self, action: QAction) -> None:
        if action.data() is not None:
            self._files.open(action.data())


def _fill(shown: QMenu, menu: Menu, actions: Actions, submenus: Mapping[str, QMenu]) -> None:
    shown.setToolTipsVisible(True)
    for row in menu.rows:
        if row is None:
            shown.addSeparator()
        elif isinstance(row, Action):
            shown.addAction(actions[row.name])
        else:
            shown.addMenu(submenus[row])
