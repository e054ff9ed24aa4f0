"""The panels of the inspection, put together."""

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QAction, QShowEvent
from PySide6.QtWidgets import QDockWidget, QVBoxLayout, QWidget

from app.session.runs.agreement import Agreement
from app.session.runs.memory import MemoryVotes
from app.session.runs.runs import Runs
from app.session.state.masks import Masks
from app.session.state.video import CurrentVideo
from app.session.state.view import ViewState

if TYPE_CHECKING:
    from app.gui.inspect.curves.curves import Curves
    from app.gui.inspect.episodes import EpisodesPanel
    from app.gui.inspect.frames.views import Views
    from app.gui.inspect.memory import MemoryPanel
    from app.gui.inspect.runs import RunsPanel

Named = Callable[..., list[QAction]]


class InspectionPanels(QObject):
    """The list of runs, the table of failures, the curves and the views.

    Each is made when it is needed first: a window that only annotates does not wait for them.
    """

    drop_asked = Signal(int)  # the number of the run to delete

    def __init__(
        self,
        video: CurrentVideo,
        view: ViewState,
        masks: Masks,
        runs: Runs,
        memory: MemoryVotes,
        agreement: Agreement,
    ) -> None:
        super().__init__()
        self._video, self._view, self._masks = video, view, masks
        self._runs, self._votes, self._agreement = runs, memory, agreement
        self._named: Named = lambda *_: []
        self._memory_page = _LatePanel(lambda: self.memory)
        memory.changed.connect(self._show_memory)

    @cached_property
    def runs(self) -> "RunsPanel":
        """The list of runs."""
        from app.gui.inspect.runs import RunsPanel  # noqa: PLC0415 - made when it is needed

        panel = RunsPanel(self._runs)
        panel.drop_asked.connect(self.drop_asked)
        panel.set_actions(self._named("import_run", "import_truth", "keep_run", "take_over"))
        return panel

    @cached_property
    def episodes(self) -> "EpisodesPanel":
        """The table of failures."""
        from app.gui.inspect.episodes import EpisodesPanel  # noqa: PLC0415

        panel = EpisodesPanel(self._view, self._runs)
        panel.set_actions(
            self._named("save_episode", "save_curve", "save_video", "save_episodes", "save_frames")
        )
        return panel

    @cached_property
    def curves(self) -> "Curves":
        """The curves over the frames."""
        from app.gui.inspect.curves.curves import Curves  # noqa: PLC0415

        return Curves(self._video, self._view, self._masks, self._runs, self._agreement)

    @cached_property
    def views(self) -> "Views":
        """The views of the current frame."""
        from app.gui.inspect.frames.views import Views  # noqa: PLC0415

        views = Views(self._video, self._view, self._masks, self._runs)
        views.pixel_asked.connect(self._votes.ask)
        return views

    @cached_property
    def memory(self) -> "MemoryPanel":
        """The frames that voted for a pixel."""
        from app.gui.inspect.memory import MemoryPanel  # noqa: PLC0415

        panel = MemoryPanel(self._video, self._view, self._votes)
        panel.set_actions(self._named("run_without", "run_with"))
        return panel

    def panels(self) -> list[tuple[str, str, QWidget]]:
        """Return name, title and widget of each panel that is docked."""
        return [
            ("runs", self.tr("Runs"), _LatePanel(lambda: self.runs)),
            ("episodes", self.tr("Failures"), _LatePanel(lambda: self.episodes)),
            ("curves", self.tr("Curves"), _LatePanel(lambda: self.curves)),
            ("memory", self.tr("Memory"), self._memory_page),
        ]

    def set_actions(self, named: Named) -> None:
        """Offer actions, which are asked for by name, below the runs and below the failures."""
        self._named = named

    @Slot()
    def _show_memory(self) -> None:
        """Show what was answered, in front of what shares the panel's place."""
        dock = self._memory_page.parent()
        if isinstance(dock, QDockWidget) and self._votes.votes:
            dock.show()
            dock.raise_()


class _LatePanel(QWidget):
    """The place of a panel that is made when it is shown first."""

    def __init__(self, make: Callable[[], QWidget]) -> None:
        super().__init__()
        self._make: Callable[[], QWidget] | None = make
        self._body = QVBoxLayout(self)
        self._body.setContentsMargins(0, 0, 0, 0)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._make is not None:
            make, self._make = self._make, None
            self._body.addWidget(make())
