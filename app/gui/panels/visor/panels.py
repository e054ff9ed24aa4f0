"""The panels of VISOR, put together."""

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QDockWidget, QWidget

from app.gui.panels.visor.annotations import AnnotationsPanel
from app.gui.panels.visor.dense import DensePanel
from app.gui.panels.visor.filmstrip import Filmstrip
from app.gui.panels.visor.rules import RulesPanel
from app.gui.panels.visor.tile import OpenMenu, TileTools
from app.session.edits.objects import ObjectEdits
from app.session.state.masks import Masks
from app.session.state.preferences import Preferences
from app.session.state.video import CurrentVideo
from app.session.state.view import ViewState
from app.session.visor.visor import Visor


class VisorPanels(QObject):
    """The annotations of the frame, the rules, the dense runs and the filmstrip."""

    def __init__(
        self,
        video: CurrentVideo,
        view: ViewState,
        masks: Masks,
        objects: ObjectEdits,
        open_menu: OpenMenu,
        visor: Visor,
        preferences: Preferences,
        tools: TileTools,
    ) -> None:
        super().__init__()
        self.annotations = AnnotationsPanel(
            video, view, objects, visor.attributes, visor.subsequences
        )
        self.rules = RulesPanel(visor.validation)
        self.dense = DensePanel(masks, visor.dense, preferences)
        self.filmstrip = Filmstrip(video, view, masks, visor.subsequences, open_menu, tools)
        visor.validation.opened_with_defects.connect(partial(self.show_panel, "rules"))

    def panels(self) -> list[tuple[str, str, QWidget]]:
        """Return name, title and widget of each panel that is docked."""
        return [
            ("annotations", self.tr("VISOR"), self.annotations),
            ("rules", self.tr("Rules"), self.rules),
            ("dense", self.tr("Dense runs"), self.dense),
            ("filmstrip", self.tr("Filmstrip"), self.filmstrip),
        ]

    def set_actions(self, named: Callable[..., list[QAction]]) -> None:
        """Offer actions, which are asked for by name, in the panels."""
        self.annotations.set_actions(
            named("touch", "touch_nothing", "exhaustive", "raise_here", "lower_here")
        )
        self.rules.set_actions(named("validate", "mend", "mend_all"))
        self.dense.set_actions(named("densify", "accept_run", "reject_run", "export_dense"))
        self.filmstrip.set_actions(named("previous_sequence", "next_sequence", "keep_to_sequence"))

    def show_panel(self, name: str) -> None:
        """Bring a panel to the front, which may be hidden or lie behind another."""
        widget = {each: panel for each, _, panel in self.panels()}[name]
        dock = widget.parent()
        if isinstance(dock, QDockWidget):
            dock.show()
            dock.raise_()
