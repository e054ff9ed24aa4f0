"""The verbs of the runs: imported, kept, taken over, and what is written of their failures."""

import re
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QCoreApplication

from app.core.runs import RunKind
from app.gui.dialogs.ask import Ask
from app.gui.inspect.inspection import InspectionPanels
from app.session.runs.inspection import Inspection
from app.session.state.status import Status
from app.session.state.video import CurrentVideo
from app.session.state.view import ViewState

_PICTURES = (".svg", ".png")


class RunVerbs:
    """Each asks for the file it needs; how it went is reported by the session."""

    def __init__(
        self,
        video: CurrentVideo,
        view: ViewState,
        status: Status,
        inspection: Inspection,
        panels: InspectionPanels,
        ask: Ask,
    ) -> None:
        self._video, self._view, self._panels, self._ask = video, view, panels, ask
        self._runs, self._reports = inspection.runs, inspection.reports
        self._experiments = inspection.experiments
        panels.drop_asked.connect(self.drop)
        status.first_number_wanted.connect(self._ask_first_number)

    def import_folder(self, kind: RunKind) -> None:
        """Ask for a folder of mask PNGs and keep it as a run."""
        title = _tr("Ground truth: folder of mask PNGs")
        if kind is RunKind.PREDICTION:
            title = _tr("Prediction: folder of mask PNGs, named like the frames")
        if folder := self._ask.folder(title):
            self._runs.import_run(folder, kind)

    def import_file(self, kind: RunKind) -> None:
        """Ask for a VISOR or COCO JSON and keep it as a run."""
        title = _tr("Ground truth: JSON")
        if kind is RunKind.PREDICTION:
            title = _tr("Prediction: JSON")
        if file := self._ask.file(title, [_tr("VISOR or COCO JSON (*.json)")]):
            self._runs.import_run(file, kind)

    def _ask_first_number(self, question: str, read: Callable[[int], None]) -> None:
        if (number := self._ask.first_number(question)) is not None:
            read(number)

    def keep(self) -> None:
        """Keep the present masks as a run."""
        self._runs.keep()

    def drop(self, number: int) -> None:
        """Delete a run, having asked: no undo brings it back."""
        name = self._runs.infos[number].name
        if self._ask.confirm(
            _tr("Delete the run {} from the project?").format(name),
            _tr("It is not brought back by undo. The masks of the project stay as they are."),
            _tr("&Delete"),
        ):
            self._runs.drop(number)

    def take_over(self) -> None:
        """Make the chosen run's masks anchors: from in to out, without a range on this frame."""
        view, chosen = self._view, self._panels.runs.current()
        number = self._runs.shown if chosen is None else chosen
        if number is None:
            return
        if view.in_point is None and view.out_point is None:
            self._runs.take_over(number, view.frame, view.frame)
        else:
            self._runs.take_over(number, view.first, view.last)

    def run_without(self) -> None:
        """Run anew without the remembered frame that is chosen: at first the strongest."""
        if (frame := self._panels.memory.current()) is not None:
            self._experiments.without(frame)

    def run_with(self) -> None:
        """Run anew with the masks of this frame as anchors, too."""
        self._experiments.given(self._view.frame)

    def save_episode(self) -> None:
        """Ask where, and write the figure of the chosen failure."""
        episode = self._panels.episodes.current()
        if episode is None:
            return
        names = self._runs.objects
        name = f"{names.get(episode.object + 1, '')}-{episode.failure.value}"
        if path := self._picture(_tr("Save figure"), name):
            self._reports.save_episode(episode, path)

    def save_curve(self) -> None:
        """Ask where, and write the curves of the object that is looked at."""
        number = self._runs.object
        if number is None:
            return
        name = f"{self._runs.objects.get(number, '')}-curves"
        if path := self._picture(_tr("Save curves"), name):
            self._reports.save_curve(number, path)

    def save_video(self) -> None:
        """Ask where, and write what is from in to out as a video, side by side."""
        filters, title = [_tr("MP4 video (*.mp4)")], _tr("Save side by side video")
        proposal = _file_name(f"{self._video.title}-side-by-side", ".mp4")
        if path := self._ask.new_file_ending(".mp4", title, proposal, filters):
            self._reports.save_video(path, range(self._view.first, self._view.last + 1))

    def save_episodes(self) -> None:
        """Ask where, and write the table of failures."""
        if path := self._table(_tr("Save table of failures"), "failures"):
            self._reports.save_episodes(path)

    def save_frames(self) -> None:
        """Ask where, and write the measures of every frame."""
        if path := self._table(_tr("Save measures"), "measures"):
            self._reports.save_frames(path)

    def _picture(self, title: str, name: str) -> Path | None:
        return ask_picture(self._ask, title, f"{self._video.title}-{name}")

    def _table(self, title: str, name: str) -> Path | None:
        filters = [_tr("CSV table (*.csv)")]
        proposal = _file_name(f"{self._video.title}-{name}", ".csv")
        return self._ask.new_file_ending(".csv", title, proposal, filters)


def ask_picture(ask: Ask, title: str, name: str) -> Path | None:
    """Return where to write a figure of this name; what has another suffix becomes an SVG."""
    filters = [_tr("SVG figure (*.svg)"), _tr("PNG picture, 300 dpi (*.png)")]
    path = ask.new_file(title, _file_name(name, ".svg"), filters)
    if path is None or path.suffix.lower() in _PICTURES:
        return path
    return path.with_name(f"{path.name}.svg")


def _file_name(name: str, suffix: str) -> str:
    return re.sub(r"[^\w.]+", "-", name.lower()) + suffix


def _tr(text: str) -> str:
    return QCoreApplication.translate("RunVerbs", text)
