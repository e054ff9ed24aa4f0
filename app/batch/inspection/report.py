"""The report of an inspection: a folder that opens anywhere."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing, nullcontext
from pathlib import Path

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
from app.batch.inspection.page import build_page
from app.batch.inspection.scoring import images_of
from app.batch.inspection.sequences import Case
from app.batch.inspection.tables import Run, events_csv, frames_csv, summary
from app.core.evaluate import Protocol
from app.core.inspection.episodes import Episode
from app.core.inspection.results import Result
from app.errors import UsageError
from app.storage.files.apart import check_apart
from app.storage.files.writing import atomic_folder, check_folder

_SHOTS = 5
Cases = Mapping[tuple[str, str], Case]  # run's letter and sequence

PARTS = frozenset({"index.html", "frames.csv", "events.csv", "summary.json", "figures"})


def check_report(folder: Path, inputs: Iterable[Path | None]) -> None:
    """Raise UsageError where a report would take the place of something else.

    A whole folder takes its place, so that all in it must be of an earlier report.
    """
    check_apart(folder, inputs)
    check_folder(folder)
    if folder.exists() and not {each.name for each in folder.iterdir()} <= PARTS:
        raise UsageError(f"{folder} holds other things than a report. Give a new folder.")


def write_report(
    folder: Path,
    runs: Sequence[Run],
    cases: Cases,
    truth: Path,
    *,
    worst: int,
    progress: Callable[[], None] = lambda: None,
) -> None:
    """Write index.html, frames.csv, events.csv, summary.json and figures/ to `folder`.

    The whole folder takes the place of an earlier report at the end, or nothing does. The `worst`
    episodes of each run get figures; `progress` is told each. Raises OSError, FrameReadError.
    """
    protocol = next(iter(cases.values())).protocol
    with atomic_folder(folder) as fresh:
        (fresh / "figures").mkdir()
        shown = []
        for run in runs:
            for number, (result, episode) in enumerate(run.episodes()[:worst], 1):
                file = f"{run.letter}-{number:02}"
                figure = episode_drawing(runs, run, result, episode, cases)
                _draw(fresh / "figures" / file, _traces(runs, run, result), episode, figure)
                shown.append((run, result, episode, file))
                progress()
        (fresh / "frames.csv").write_bytes(frames_csv(runs))
        (fresh / "events.csv").write_bytes(events_csv(runs))
        (fresh / "summary.json").write_bytes(_json(runs, truth, protocol))
        (fresh / "index.html").write_bytes(build_page(runs, truth, protocol, shown))


def take_shots(case: Case, result: Result, episode: Episode, count: int = _SHOTS) -> list[Shot]:
    """Read the frames that tell of an episode. Raises FormatError, FrameReadError."""
    video = case.video()
    number = episode.object + 1
    with closing(video) if video else nullcontext():
        image = images_of(case, video)
        shots = []
        for place in chosen_places(result, episode, count):
            truth, prediction = case.labels(place)
            shots.append(Shot(place, image(place), truth == number, prediction == number))
        return shots


def episode_drawing(
    runs: Sequence[Run], run: Run, result: Result, episode: Episode, cases: Cases
) -> Figure:
    """Return the figure of one of the run's episodes. Raises FormatError, FrameReadError."""
    shots = take_shots(cases[run.letter, result.sequence], result, episode)
    return episode_figure(_traces(runs, run, result), episode, shots, Column.DOUBLE)


def _draw(path: Path, traces: Sequence[Trace], episode: Episode, figure: Figure) -> None:
    """Write an episode's figure over the page's width, and its curve in one column's."""
    path.with_suffix(".svg").write_bytes(figure.svg())
    path.with_suffix(".png").write_bytes(figure.png())
    curve = curve_figure(traces, episode.object)
    path.with_name(f"{path.name}-curve.svg").write_bytes(curve.svg())
    path.with_name(f"{path.name}-curve.png").write_bytes(curve.png())


def _traces(runs: Sequence[Run], first: Run, result: Result) -> list[Trace]:
    """Return the runs of one sequence as they are drawn, `first` first."""
    place = first.results.index(result)
    colored = zip(runs, RUN_COLORS, strict=False)
    traces = [Trace(run.name, color, run.results[place]) for run, color in colored]
    return sorted(traces, key=lambda trace: trace.name != first.name)


def _json(runs: Sequence[Run], truth: Path, protocol: Protocol) -> bytes:
    return json.dumps(summary(runs, truth, protocol), indent=1).encode()
