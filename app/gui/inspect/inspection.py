"""The panels of the inspection, put together."""

from collections.abc import Callable

from PySide6.QtCore import QObject, Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QDockWidget, QWidget

from app.gui.inspect.curves import Curves
from app.gui.inspect.episodes import EpisodesPanel
from app.gui.inspect.memory import MemoryPanel
from app.gui.inspect.runs import RunsPanel
from app.gui.inspect.views import Views
from app.session.runs.memory import MemoryVotes
from app.session.runs.runs import Runs
from app.session.state.masks import Masks
from app.session.state.video import CurrentVideo
from app.session.state.view import ViewState


class Inspection(QObject):
    """The list of runs, the table of failures, the curves and the views."""

    def __init__(
        self,
        video: CurrentVideo,
        view: ViewState,
        masks: Masks,
        runs: Runs,
        memory: MemoryVotes,
    ) -> None:
        super().__init__()
        self.runs = RunsPanel(runs)
        self.episodes = EpisodesPanel(view, runs)
        self.curves = Curves(video, view, masks, runs)
        self.views = Views(video, view, masks, runs)
        self.memory = MemoryPanel(video, view, memory)
        self._votes = memory
        self.views.pixel_asked.connect(memory.ask)
        memory.changed.connect(self._show_memory)

    def panels(self) -> list[tuple[str, str, QWidget]]:
        """Return name, title and widget of each panel that is docked."""
        return [
            ("runs", self.tr("Runs"), self.runs),
            ("episodes", self.tr("Failures"), self.episodes),
            ("curves", self.tr("Curves"), self.curves),
            ("memory", self.tr("Memory"), self.memory),
        ]

    @Slot()
    def _show_memory(self) -> None:
        """Show what was answered, in front of what shares the panel's place."""
        dock = self.memory.parent()
        if isinstance(dock, QDockWidget) and self._votes.votes:
            dock.show()
            dock.raise_()

    def set_actions(self, named: Callable[..., list[QAction]]) -> None:
        """Offer actions, which are asked for by name, below the runs and below the failures."""
        self.runs.set_actions(named("import_run", "import_truth", "keep_run", "take_over"))
        self.episodes.set_actions(
            named("save_episode", "save_curve", "save_episodes", "save_frames")
        )
