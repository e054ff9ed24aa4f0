"""What is taken out of the window: figures and tables of how runs fail."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject, Signal, Slot

from app.batch.inspection import tables
from app.batch.inspection.drawing import Figure
from app.batch.inspection.figures import (
    RUN_COLORS,
    Column,
    Shot,
    Trace,
    chosen_places,
    curve_figure,
    episode_figure,
)
from app.core.document import Key
from app.core.inspection.episodes import Episode
from app.core.inspection.results import Result
from app.core.runs import Run
from app.errors import FrameReadError, UsageError
from app.session.runs.runs import Runs
from app.session.state.context import SessionContext
from app.storage.files.apart import check_apart
from app.storage.files.writing import atomic_write
from app.storage.video.frames import FrameCache
from models.api import BoolMask

_SHOTS = 5  # frames of an episode's strip


class Reports(QObject):
    """Writes figures and tables of the measured runs, in a thread of its own.

    Each says by itself which run, frames and program it shows. How it went is reported.
    """

    _done = Signal(object, object)  # Path, Future

    def __init__(self, context: SessionContext, runs: Runs, parent: QObject) -> None:
        super().__init__(parent)
        self._video, self._status, self._runs = context.video, context.status, runs
        self._worker: ThreadPoolExecutor | None = None
        self._done.connect(self._on_done)

    def save_episode(self, episode: Episode, path: Path) -> None:
        """Write the strip of frames and the curves of one of the shown run's episodes.

        `path` ends in .svg or .png.
        """
        opened, truth = self._video.now, self._runs.run(self._runs.truth)
        prediction = self._runs.run(self._runs.shown)
        traces = self._traces()
        if opened is None or truth is None or prediction is None or not traces:
            return
        cache = opened.cache

        def draw() -> bytes:
            shots = take_shots(truth, prediction, traces[0].result, episode, cache)
            return _drawn(episode_figure(traces, episode, shots, Column.DOUBLE), path)

        self._write(path, draw)

    def save_curve(self, number: int, path: Path) -> None:
        """Write the curves of one object, by its id; `path` ends in .svg or .png."""
        if traces := self._traces():
            self._write(path, lambda: _drawn(curve_figure(traces, number - 1), path))

    def save_episodes(self, path: Path) -> None:
        """Write a line for each episode of every measured run, as CSV."""
        runs = self._tables()
        self._write(path, lambda: tables.events_csv(runs))

    def save_frames(self, path: Path) -> None:
        """Write a line for each run, frame and object, as CSV."""
        runs = self._tables()
        self._write(path, lambda: tables.frames_csv(runs))

    def stop(self) -> None:
        """Wait for what is being written."""
        if self._worker is not None:
            self._worker.shutdown()
            self._worker = None

    def _traces(self) -> list[Trace]:
        """Return the measured runs as they are drawn, the shown one first."""
        infos, results, shown = self._runs.infos, self._runs.results, self._runs.shown
        if shown not in results:
            return []
        others = [number for number in results if number != shown]
        chosen = (shown, *others)[: len(RUN_COLORS)]
        return [
            Trace(infos[number].name, color, _numbered(results[number]))
            for number, color in zip(chosen, RUN_COLORS, strict=False)
        ]

    def _tables(self) -> list[tables.Run]:
        infos = self._runs.infos
        return [
            tables.Run(
                _letter(place), infos[number].name, Path(infos[number].source), (_numbered(result),)
            )
            for place, (number, result) in enumerate(self._runs.results.items())
        ]

    def _write(self, path: Path, make: Callable[[], bytes]) -> None:
        if self._worker is None:
            self._worker = ThreadPoolExecutor(1, "reports")
        opened = self._video.now
        inputs = (opened.video.source, opened.project_path) if opened else ()

        def write() -> None:
            check_apart(path, inputs)
            atomic_write(path, make())

        done = self._worker.submit(write)
        done.add_done_callback(lambda future: self._done.emit(path, future))

    @Slot(object, object)
    def _on_done(self, path: Path, done: Future[None]) -> None:
        error = done.exception()
        if error is None:
            self._status.report("info", f"Saved {path}.")
        elif isinstance(error, OSError | FrameReadError | UsageError):
            self._status.report("error", f"{path} was not written: {error}")
        else:
            raise error


def take_shots(
    truth: Run, prediction: Run, result: Result, episode: Episode, images: FrameCache
) -> list[Shot]:
    """Return the frames that tell of an episode. Raises FrameReadError."""
    return [
        Shot(
            place,
            images.get(frame),
            _mask(truth, frame, episode.object + 1, images.size),
            _mask(prediction, frame, episode.object + 1, images.size),
        )
        for place in chosen_places(result, episode, _SHOTS)
        for frame in (result.positions[place],)
    ]


def _mask(run: Run, frame: int, number: int, size: tuple[int, int]) -> BoolMask:
    """Return what a run shows of an object, (H, W), as it is measured."""
    labels = run.labels(frame, size)
    assert labels is not None, Key(frame, number)
    return np.asarray(labels == number, np.bool_)


def _drawn(figure: Figure, path: Path) -> bytes:
    return figure.png() if path.suffix.lower() == ".png" else figure.svg()


def _numbered(result: Result) -> Result:
    """Return a result whose nameless objects are called by their numbers, as in a caption."""
    names = (name.removeprefix("object ") for name in result.objects)
    return replace(result, objects=tuple(names))


def _letter(place: int) -> str:
    return chr(ord("A") + place) if place < 26 else str(place + 1)
