"""The verbs of the window itself: dialogs, arrangements, full screen."""

from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version

from PySide6.QtCore import QCoreApplication, Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QDialog, QMainWindow, QMessageBox

from app import paths
from app.gui.actions.actions import Actions, present_keys
from app.gui.actions.command_palette import CommandPalette
from app.gui.actions.menus import menu_title
from app.gui.actions.shortcut_sheet import Group, ShortcutSheet, group_of
from app.gui.actions.table.action import Action
from app.gui.actions.table.menus import MENUS
from app.gui.actions.table.view import SELECT_OBJECT
from app.gui.dialogs.go_to import GoToDialog
from app.gui.dialogs.help import HelpWindow
from app.gui.dialogs.settings import SettingsDialog
from app.gui.dialogs.shelf.dialog import ShelfDialog
from app.gui.panels.find import FindPanel
from app.gui.window.docks import Docks
from app.session.shelf.shelf import Shelf
from app.session.state.preferences import Preferences
from app.session.state.video import CurrentVideo
from app.session.state.view import ViewState


class PanelVerbs:
    """Opens what stands beside the picture. Dialogs are not modal: work goes on behind them."""

    def __init__(
        self,
        window: QMainWindow,
        video: CurrentVideo,
        view: ViewState,
        preferences: Preferences,
        docks: Docks,
        shelf: Shelf,
        find: FindPanel,
        actions: Callable[[], Actions],
    ) -> None:
        self._window = window
        self._video, self._view, self._preferences = video, view, preferences
        self._docks, self._shelf, self._find = docks, shelf, find
        self._actions = actions

    def settings(self) -> None:
        """Open the settings."""
        dialog = SettingsDialog(self._preferences, self._window)
        dialog.models_asked.connect(self.models)
        self._show(dialog)

    def models(self) -> None:
        """Open the shelf of models."""
        self._show(ShelfDialog(self._shelf, self._window))

    def go_to(self) -> None:
        """Ask for a frame or a time."""
        self._show(GoToDialog(self._video, self._view, self._window))

    def find(self) -> None:
        """Let the person say in words what to look for."""
        self._docks.show("find")
        self._find.ask()

    def sheet(self) -> None:
        """Show all keys."""
        self._show(ShortcutSheet(self._groups(), self._window))

    def palette(self) -> None:
        """Find a command, or a panel to show, by name."""
        actions = [*self._actions(), *self._docks.toggles()]
        self._show(CommandPalette(actions, self._window))

    def effort(self) -> None:
        """Show what the person has done for the clip."""
        self._docks.show("effort")

    def guide(self) -> None:
        """Show the user's guide."""
        folder = paths.resources() / "guide"
        self._show(HelpWindow(folder, present_keys(self._actions()), self._window))

    def annotate(self) -> None:
        """Arrange the panels for annotating."""
        self._docks.annotate()

    def inspect(self) -> None:
        """Arrange the panels for review."""
        self._docks.inspect()

    def changes(self) -> None:
        """Bring the list of the changes to the front."""
        self._docks.show("changes")

    def dense(self) -> None:
        """Bring the list of the dense runs to the front."""
        self._docks.show_high("dense")

    def full_screen(self) -> None:
        """Fill the screen, or become a window again."""
        self._window.setWindowState(self._window.windowState() ^ Qt.WindowState.WindowFullScreen)

    def logs(self) -> None:
        """Open the folder of the log files."""
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(paths.log_folder())))

    def about(self) -> None:
        """Say version, licence, and what is not under it."""
        box = QMessageBox(self._window)
        box.setWindowTitle(QCoreApplication.translate("PanelVerbs", "About Maskwright"))
        box.setText(f"Maskwright {_version()}")
        box.setInformativeText(
            QCoreApplication.translate(
                "PanelVerbs",
                "Correct video object masks: propagate, find the drift, heal, export.\n\n"
                "Apache License 2.0, but for two parts that the program works without: the list "
                "of noun classes (EPIC-KITCHENS-100, CC BY-NC 4.0), and the weights of the model "
                "lite (research use, as the data they learned from).",
            )
        )
        box.setModal(False)
        self._show(box)

    def quit(self) -> None:
        """Close the window, and with it the program."""
        self._window.close()

    def _groups(self) -> list[Group]:
        actions = self._actions()
        return [
            group_of(
                menu_title(menu),
                [actions[row.name] for row in menu.rows if isinstance(row, Action)],
            )
            for menu in (*MENUS, SELECT_OBJECT)
        ]

    def _show(self, dialog: QDialog) -> None:
        for before in self._window.findChildren(type(dialog)):
            before.close()
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.show()


def _version() -> str:
    try:
        return version("maskwright")
    except PackageNotFoundError:
        return ""
