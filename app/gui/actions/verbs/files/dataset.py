"""The verbs of a data set: opened, gone into, written out."""

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QObject

from app.gui.actions.verbs.files.files import FileVerbs
from app.gui.actions.verbs.files.runs import ask_picture
from app.gui.dialogs.ask import Ask
from app.session.runs.dataset import DataSet, Ranked
from app.session.state.video import CurrentVideo
from app.session.state.view import ViewState

if TYPE_CHECKING:
    from app.gui.inspect.dataset.window import DataSetWindow


class DataSetVerbs(QObject):
    """Each asks for the folders it needs; the window is made with the first data set.

    `inspect` arranges the main window for inspecting.
    """

    def __init__(
        self,
        data_set: DataSet,
        video: CurrentVideo,
        view: ViewState,
        files: FileVerbs,
        ask: Ask,
        inspect: Callable[[], None],
    ) -> None:
        super().__init__(data_set)
        self._data, self._video, self._view = data_set, video, view
        self._files, self._ask, self._inspect = files, ask, inspect

    @cached_property
    def window(self) -> "DataSetWindow":
        """The window of the data set."""
        from app.gui.inspect.dataset.window import DataSetWindow  # noqa: PLC0415 - when needed

        window = DataSetWindow(self._data, self._ask.parent)
        window.enter_asked.connect(self.enter)
        window.figure_asked.connect(self.save_figure)
        window.report_asked.connect(self.save_report)
        window.compare_asked.connect(self.compare)
        window.other_asked.connect(self.open)
        return window

    def show(self) -> None:
        """Show the data set; where there is none, ask for one."""
        if self._data.paths:
            self._bring_up()
        else:
            self.open()

    def open(self) -> None:
        """Ask for a ground truth and a prediction, and read them."""
        truth = self._ask.folder(_tr("Ground truth: a folder for each sequence, or one sequence's"))
        if truth is None:
            return
        prediction = self._ask.folder(_tr("Prediction: a folder for each sequence, likewise"))
        if prediction is not None:
            self._bring_up()
            self._data.open(truth, (prediction,))

    def compare(self) -> None:
        """Ask for a second prediction, and compare it with the first."""
        other = self._ask.folder(_tr("Second prediction: a folder for each sequence"))
        if other is not None:
            truth, first, *_ = self._data.paths
            self._data.open(truth, (first, other))

    def enter(self, sequence: str, ranked: Ranked | None) -> None:
        """Open the frames of a sequence with its masks as runs, at the failure if there is one."""
        images = self._data.images_of(sequence)
        if images is None:
            text = _tr("There are no frames of {} with the ground truth, so it cannot be shown.")
            self._data.told.emit(text.format(sequence))
            return
        self._files.open(images)
        now = self._video.now
        if now is None or now.video.source != images:
            return
        self.window.hide()
        self._data.bring_runs(sequence, ranked.run if ranked else 0)
        self._inspect()
        if ranked is not None:
            self._view.go_to(ranked.result.positions[ranked.episode.peak])

    def save_figure(self, ranked: Ranked) -> None:
        """Ask where, and write the figure of an episode."""
        result, episode = ranked.result, ranked.episode
        name = f"{result.sequence}-{result.objects[episode.object]}-{episode.failure.value}"
        if path := ask_picture(self._ask, _tr("Save figure"), name):
            self._data.save_figure(ranked, path)

    def save_report(self, worst: int) -> None:
        """Ask where, and write the report: one page with tables and figures."""
        if folder := self._ask.new_file(_tr("Save report: a new folder"), "report", []):
            self._data.save_report(folder, worst)

    def _bring_up(self) -> None:
        self.window.show()
        self.window.raise_()
        self.window.activateWindow()


def _tr(text: str) -> str:
    return QCoreApplication.translate("DataSetVerbs", text)
