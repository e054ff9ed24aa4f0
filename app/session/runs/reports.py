"""What is taken out of the window: figures and tables of how runs fail."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject

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
from app.batch.inspection.video import SideBySide, Track, write_video
from app.core.document import Key
from app.core.inspection.episodes import Episode
from app.core.inspection.results import Result
from app.core.runs import Run
from app.errors import FrameReadError, StorageError, UsageError
from app.session.runs.runs import Runs
from app.session.state.background import Background
from app.session.state.context import SessionContext
from app.storage.files.apart import check_apart
from app.storage.files.writing import atomic_write
from app.storage.video.frames import FrameCache
from models.api import BoolMask

_SHOTS = 5  # frames of an episode's strip
_FPS = 24.0  # of a video whose rate is not known


class Reports(QObject):
    """Writes figures and tables of the measured runs, in the background.

    Each says by itself which run, frames and program it shows. How it went is reported.
    """

    def __init__(self, context: SessionContext, runs: Runs, parent: QObject) -> None:
        super().__init__(parent)
        self._video, self._status, self._runs = context.video, context.status, runs
        self._background = Background("reports", self)
        self._background.failed.connect(partial(self._status.report, "error"))

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

    def save_video(self, path: Path, frames: range) -> None:
        """Write these frames as MP4: image, ground truth, and up to two runs with their errors.

        `path` ends in .mp4.
        """
        opened, truth = self._video.now, self._runs.run(self._runs.truth)
        traces = self._shown()
        if opened is None or truth is None or not traces:
            return
        cache, title, fps = opened.cache, self._video.title, self._video.fps or _FPS
        pictures = SideBySide(
            lambda index: f"{title}, frame {frames[index]}",
            lambda index: cache.get(frames[index]),
            _track("ground truth", truth, frames, cache.size, None),
            [
                _track(run.info.name, run, frames, cache.size, self._runs.results.get(number))
                for number, run in traces
            ],
            count=len(frames),
            size=cache.size,
        )
        self._status.report("info", f"Writing {path}…")
        self._submit(path, lambda: write_video(path, pictures, fps, self._check))

    def save_episodes(self, path: Path) -> None:
        """Write a line for each episode of every measured run, as CSV."""
        runs = self._tables()
        self._write(path, lambda: tables.events_csv(runs))

    def save_frames(self, path: Path) -> None:
        """Write a line for each run, frame and object, as CSV."""
        runs = self._tables()
        self._write(path, lambda: tables.frames_csv(runs))

    def stop(self) -> None:
        """Wait for the figure that is being written; a video is left."""
        self._background.finish()

    def _shown(self) -> list[tuple[int, Run]]:
        """Return up to two predictions by their numbers, the shown one first."""
        known = [*self._runs.results]
        order = sorted(known, key=lambda number: number != self._runs.shown)
        runs = [(number, self._runs.run(number)) for number in order[: len(RUN_COLORS)]]
        return [(number, run) for number, run in runs if run is not None]

    def _check(self, _frame: int) -> None:
        self._background.check()

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
        self._submit(path, lambda: atomic_write(path, make()))

    def _submit(self, path: Path, write: Callable[[], None]) -> None:
        opened = self._video.now
        # What runs were read from, too: it may be all that there is of them.
        read = [Path(info.source) for info in self._runs.infos.values() if info.source]
        inputs = (opened.video.source, opened.project_path, *read) if opened else ()

        def write_apart() -> None:
            try:
                check_apart(path, inputs)
                write()
            except (OSError, FrameReadError, StorageError, UsageError) as error:
                raise StorageError(f"{path} was not written: {error}") from error

        self._background.do(write_apart, lambda _: self._status.report("info", f"Saved {path}."))


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


def _track(
    name: str, run: Run, frames: range, size: tuple[int, int], result: Result | None
) -> Track:
    """Return a run as a video shows it."""
    scores = {} if result is None else dict(zip(result.positions, result.measures.jf, strict=True))

    def score(index: int) -> str:
        found = scores.get(frames[index])
        return "" if found is None else f"J&F {found.mean():.2f}"

    return Track(name, lambda index: run.labels(frames[index], size), score)


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
