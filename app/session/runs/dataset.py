"""The data set under inspection: a ground truth, one or two predictions, and how they fail."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

from PySide6.QtCore import QObject, Signal

from app.batch.inspection import tables
from app.batch.inspection.dataset import find_cases, frame_count, score_cases
from app.batch.inspection.report import Cases, check_report, episode_drawing, write_report
from app.core.inspection.comparison import Difference
from app.core.inspection.episodes import Episode
from app.core.inspection.results import Result
from app.core.runs import RunInfo, RunKind
from app.session.files.autosave import Autosave
from app.session.runs.runs import Runs
from app.session.state.background import Background
from app.storage.files.apart import check_apart
from app.storage.files.writing import atomic_write
from app.storage.formats.importing import Source

_OFTEN = 10  # frames from one telling of the progress to the next


class Ranked(NamedTuple):
    """An episode of the data set: the place of its run, its sequence's result, and itself."""

    run: int
    result: Result
    episode: Episode


@dataclass(frozen=True)
class _Scored:
    truth: Path
    cases: Cases
    runs: tuple[tables.Run, ...]
    notes: tuple[str, ...]


class DataSet(QObject):
    """Reads and scores a data set, in a thread of its own, and writes what is found of it.

    It does not need an open video. What was scored before is found again.
    """

    changed = Signal()  # another data set is read, or none
    progressed = Signal(object)  # (frames scored, frames in all); None when it has ended
    told = Signal(str)  # what a person should know

    def __init__(self, autosave: Autosave, runs: Runs, parent: QObject) -> None:
        super().__init__(parent)
        self._autosave, self._runs = autosave, runs
        self._scored: _Scored | None = None
        self.paths: tuple[Path, ...] = ()  # the ground truth, then the predictions
        self._background = Background("data set", self)
        self._background.failed.connect(self._fail)

    def open(self, truth: Path, predictions: Sequence[Path]) -> None:
        """Read a ground truth and one or two predictions of it, each a folder or a JSON."""
        self.stop()
        self.paths, self._scored = (truth, *predictions), None
        tell = self._background.relay(self.progressed.emit)
        work = _Scoring(truth, tuple(predictions), self._background.check, tell)
        self.changed.emit()
        self.progressed.emit((0, 0))
        self._background.do(work, self._take)

    def stop(self) -> None:
        """Stop reading; waits for the frame that is scored."""
        self._background.stop()
        self.progressed.emit(None)

    @property
    def names(self) -> tuple[str, ...]:
        """What the predictions are called; empty until they are scored."""
        return tuple(run.name for run in self._scored.runs) if self._scored else ()

    @property
    def results(self) -> tuple[tuple[Result, ...], ...]:
        """What was found of each prediction, sequence by sequence."""
        return tuple(run.results for run in self._scored.runs) if self._scored else ()

    @property
    def difference(self) -> Difference | None:
        """How much better the second prediction is than the first, where there are two."""
        return tables.difference(self._scored.runs) if self._scored else None

    def worst(self, count: int) -> list[Ranked]:
        """Return the most costly episodes of each prediction, the most costly of all first."""
        runs = self._scored.runs if self._scored else ()
        every = [
            Ranked(place, *pair)
            for place, run in enumerate(runs)
            for pair in run.episodes()[:count]
        ]
        return sorted(every, key=lambda each: -each.episode.lost)

    def images_of(self, sequence: str) -> Path | None:
        """Return where the images of a sequence lie, None where none were found."""
        cases = self._scored.cases if self._scored else {}
        return next((case.images for (_, name), case in cases.items() if name == sequence), None)

    def bring_runs(self, sequence: str, shown: int = 0) -> None:
        """Give the open project the masks of a sequence as runs, but those that it has.

        The prediction at the place `shown` is looked at then.
        """
        self._background.ask(
            self._autosave.on_project(lambda project: dict(project.runs.infos())),
            partial(self._bring, sequence, shown),
        )

    def save_figure(self, ranked: Ranked, path: Path) -> None:
        """Write the figure of an episode; `path` ends in .svg or .png."""
        scored = self._scored
        if scored is None:
            return

        inputs = self._inputs(scored)

        def draw() -> None:
            check_apart(path, inputs)
            run = scored.runs[ranked.run]
            figure = episode_drawing(scored.runs, run, ranked.result, ranked.episode, scored.cases)
            atomic_write(path, figure.png() if path.suffix.lower() == ".png" else figure.svg())

        self._write(draw, path)

    def save_report(self, folder: Path, worst: int) -> None:
        """Write the report as HTML with tables and figures of the `worst` episodes."""
        scored = self._scored
        if scored is None:
            return
        inputs = self._inputs(scored)

        def write() -> None:
            check_report(folder, inputs)
            write_report(folder, scored.runs, scored.cases, scored.truth, worst=worst)

        self._write(write, folder / "index.html")

    def _inputs(self, scored: _Scored) -> tuple[Path | None, ...]:
        """Return what is read: nothing may be written over it."""
        return (*self.paths, *{case.images for case in scored.cases.values()})

    def _write(self, write: Callable[[], None], path: Path) -> None:
        self.told.emit(f"Writing {path}…")
        self._background.do(write, lambda _: self.told.emit(f"Saved {path}."))

    def _take(self, scored: _Scored) -> None:
        self._scored = scored
        self.progressed.emit(None)
        self.changed.emit()
        if scored.notes:
            self.told.emit(" ".join(scored.notes))

    def _fail(self, why: str) -> None:
        self.progressed.emit(None)
        self.told.emit(why)

    def _bring(self, sequence: str, shown: int, infos: dict[int, RunInfo]) -> None:
        if self._scored is None:
            return
        there = {(info.source, info.kind): number for number, info in infos.items()}
        of_it = [case for (_, name), case in self._scored.cases.items() if name == sequence]
        predictions = [
            (RunKind.PREDICTION, case.prediction, run.label)
            for case, run in zip(of_it, self._scored.runs, strict=True)
        ]
        last = predictions.pop(shown)  # the one that comes last is looked at
        truth = (RunKind.GROUND_TRUTH, of_it[0].truth, "ground truth")
        for kind, masks, label in (truth, *predictions, last):
            source = masks.files[0].parent if masks.form is Source.DAVIS else masks.files[0]
            number = there.get((str(source), kind))
            if number is None:
                self._runs.import_run(source, kind, label)
            else:
                self._runs.show(number)


class _Scoring:
    """One data set read and scored; `check` raises once that is wanted no more."""

    def __init__(
        self,
        truth: Path,
        predictions: tuple[Path, ...],
        check: Callable[[], None],
        tell: Callable[[tuple[int, int]], None],
    ) -> None:
        self._truth, self._predictions = truth, predictions
        self._check, self._tell = check, tell
        self._done = self._total = 0

    def __call__(self) -> _Scored:
        cases, notes = find_cases(self._truth, self._predictions)
        self._total = frame_count(cases)
        runs = score_cases(cases, self._predictions, os.cpu_count() or 1, self._count)
        for run in runs:
            for result in run.results:
                # Worked out here, so that the window need not wait for it.
                _ = result.episodes, result.circumstances
        return _Scored(self._truth, cases, tuple(runs), notes)

    def _count(self) -> None:
        self._check()
        self._done += 1
        if self._done % _OFTEN == 0:
            self._tell((self._done, self._total))
