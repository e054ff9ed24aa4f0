"""The figures of the inspector: curves, strips of failures, and the frames of an episode."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from app.batch.inspection.drawing import (
    QUIET,
    RULE,
    Dots,
    Figure,
    Item,
    Line,
    Raster,
    Text,
    box,
    rings,
    wrapped,
)
from app.batch.inspection.provenance import program
from app.core.inspection.causes import Cause
from app.core.inspection.episodes import Episode
from app.core.inspection.failures import FAILURES, Failure
from app.core.inspection.results import Result
from models.api import BoolMask, Image

TRUTH = "#009e73"
RUN_COLORS = ("#d55e00", "#0072b2")  # A, B; these three are told apart by everyone
FAILURE_COLORS = {
    Failure.GOOD: "#e9ecea",
    Failure.BOUNDARY: "#c8cfb4",
    Failure.PART_LOSS: "#56b4e9",
    Failure.LEAK_BACKGROUND: "#e69f00",
    Failure.LEAK_NEIGHBOUR: "#d55e00",
    Failure.IDENTITY_SWAP: "#cc79a7",
    Failure.MISS: "#0072b2",
    Failure.LATE_REENTRY: "#5d3a9b",
    Failure.FALSE_PRESENCE: "#33363b",
}
RIGHT, EXTRA, MISSING = (0, 158, 115), (213, 94, 0), (170, 51, 119)  # of the error map
_GAP = 4.0
_CAPTION_SIZE = 7.0
_LINE = 9.0
_LEAST = 2.0  # points that a scored frame among unscored ones takes


class Column(enum.Enum):
    """How wide a figure is, in points: a column or the whole page of a two-column paper."""

    SINGLE = 237
    DOUBLE = 496


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """One run of a sequence as it is drawn."""

    name: str
    color: str
    result: Result


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """One frame of an episode: its image or None, and the truth and prediction of the object."""

    place: int  # among the scored frames
    image: Image | None
    truth: BoolMask
    prediction: BoolMask


def chosen_places(result: Result, episode: Episode, count: int) -> tuple[int, ...]:
    """Return which scored frames tell of an episode: before, onset, peak, end, after, in order."""
    frames = len(result.frames)
    after = episode.recovery if episode.recovery is not None else frames - 1
    middle = (episode.first + episode.last) // 2
    telling = (episode.first, episode.peak, after, max(0, episode.first - 1), episode.last, middle)
    return tuple(sorted(list(dict.fromkeys(telling))[:count]))


def episode_figure(
    runs: Sequence[Trace],
    episode: Episode,
    shots: Sequence[Shot],
    column: Column = Column.DOUBLE,
) -> Figure:
    """Return the figure of one episode of the first run: frames, error maps, curves, caption.

    `shots` are of one size; the curves of other runs of the sequence are drawn, too.
    """
    width = float(column.value)
    tile = (width - _GAP * (len(shots) - 1)) / len(shots)
    window = _window(shots)
    items: list[Item] = []
    scale = tile / (window[1].stop - window[1].start)
    height = scale * (window[0].stop - window[0].start)
    result = runs[0].result
    for index, shot in enumerate(shots):
        x = index * (tile + _GAP)
        items += _tile(shot, window, (x, 10.0), scale, runs[0].color)
        items.append(Text(x, 7, _heading(result, episode, shot.place)))
        items.append(Raster(x, 12 + height, tile, height, _errors(shot, window)))
    y = 12 + 2 * height + 10
    items += _legend(y, "outlines:", (("truth", TRUTH), (runs[0].name, runs[0].color)))
    items += _legend(
        y + _LINE,
        "areas:",
        (
            ("right", _hex(RIGHT)),
            ("too much", _hex(EXTRA)),
            ("missing", _hex(MISSING)),
        ),
    )
    y += _LINE + 8
    items += _curves(runs, episode.object, (18.0, y, width - 18, 62.0), episode)
    text = caption(runs[0].name, result, episode)
    return _captioned(items, y + 62 + _foot(runs), width, text)


def curve_figure(runs: Sequence[Trace], number: int, column: Column = Column.SINGLE) -> Figure:
    """Return the figure of the J&F of one object of a sequence, frame by frame, for every run."""
    width = float(column.value)
    items = _curves(runs, number, (18.0, 6.0, width - 18, 80.0), None)
    result = runs[0].result
    means = ", ".join(f"{run.name} {run.result.jf[number]:.3f}" for run in runs)
    text = (
        f"J&F of {result.sequence}, object {result.objects[number]}, on frames "
        f"{result.frames[0]} to {result.frames[-1]}. Means: {means}. {program()}."
    )
    return _captioned(items, 6 + 80 + _foot(runs), width, text)


def failure_strip(result: Result, number: int, width: float = 360, height: float = 9) -> Figure:
    """Return how one object fails along the video: a colour a failure; gaps are not scored."""
    first, last = result.positions[0], result.positions[-1]
    step = width / (last - first + 1)
    codes = result.labelling.failures[:, number]
    items: list[Item] = []
    begin = 0
    for index in range(1, len(codes) + 1):
        ends = index == len(codes) or codes[index] != codes[begin]
        if not ends and result.positions[index] == result.positions[index - 1] + 1:
            continue
        start, end = result.positions[begin] - first, result.positions[index - 1] - first + 1
        color = FAILURE_COLORS[FAILURES[codes[begin]]]
        items.append(box(start * step, 0, max((end - start) * step, _LEAST), height, color))
        begin = index
    name = f"{result.sequence}, object {result.objects[number]}: failures frame by frame"
    return Figure(width, height, tuple(items), name)


def caption(name: str, result: Result, episode: Episode) -> str:
    """Return what a reader must know of an episode: run, frames, failure, cause, program."""
    until = (
        f"found again on frame {result.frames[episode.recovery]}"
        if episode.recovery is not None
        else "to the end"
    )
    reasons = [cause.value for cause in result.causes(episode) if cause is not Cause.UNKNOWN]
    return (
        f"{title(result, episode)}. Run {name}; onset on frame {result.frames[episode.first]}, "
        f"worst on {result.frames[episode.peak]}, {until}; {episode.lost:.1f} J&F lost over "
        f"{len(episode)} frames. "
        + (f"Likely cause: {', '.join(reasons)}. " if reasons else "No cause was measured. ")
        + f"{program()}."
    )


def title(result: Result, episode: Episode) -> str:
    """Return an episode in a line: sequence, object and failure."""
    other = f" with {result.objects[episode.partner]}" if episode.partner is not None else ""
    if episode.failure is Failure.LEAK_NEIGHBOUR and other:
        other = f" ({result.objects[episode.partner or 0]})"
    name = f"{result.sequence}, object {result.objects[episode.object]}"
    return f"{name}: {episode.failure.value}{other}"


def _captioned(items: list[Item], y: float, width: float, text: str) -> Figure:
    lines = wrapped(text, width - 2, _CAPTION_SIZE)
    items += [
        Text(0, y + index * _LINE, line, _CAPTION_SIZE, QUIET) for index, line in enumerate(lines)
    ]
    return Figure(width, y + len(lines) * _LINE - 4, tuple(items), text)


def _heading(result: Result, episode: Episode, place: int) -> str:
    names = {episode.first: "onset", episode.peak: "worst", episode.recovery: "after"}
    role = names.get(place, "")
    jf = result.measures.jf[place, episode.object]
    return f"{result.frames[place]}{f' {role}' if role else ''}, {jf:.2f}"


def _window(shots: Sequence[Shot]) -> tuple[slice, slice]:
    """Return the part of the frame that holds the masks, with room, in the frame's proportions."""
    height, width = shots[0].truth.shape
    held = np.logical_or.reduce([mask for shot in shots for mask in (shot.truth, shot.prediction)])
    x, y, w, h = cv2.boundingRect(held.view(np.uint8))
    share = min(1.0, max(1.35 * w / width, 1.35 * h / height, 0.3))
    size = round(height * share), round(width * share)
    top = int(np.clip(y + h // 2 - size[0] // 2, 0, height - size[0]))
    left = int(np.clip(x + w // 2 - size[1] // 2, 0, width - size[1]))
    return slice(top, top + size[0]), slice(left, left + size[1])


def _tile(
    shot: Shot,
    window: tuple[slice, slice],
    corner: tuple[float, float],
    scale: float,
    run_color: str,
) -> list[Item]:
    image = _picture(shot, window)
    height, width = image.shape[:2]
    items: list[Item] = [Raster(*corner, width * scale, height * scale, image)]
    for mask, color in ((shot.truth, TRUTH), (shot.prediction, run_color)):
        cut = np.ascontiguousarray(mask[window]).view(np.uint8)
        outlines, _ = cv2.findContours(cut, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
        offset = np.array(corner, np.float64)
        items += [
            Line(points, color, 0.9, closed=True)
            for points in rings([np.asarray(each, np.int32) for each in outlines], offset, scale)
        ]
    return items


def _picture(shot: Shot, window: tuple[slice, slice]) -> Image:
    if shot.image is not None:
        return np.ascontiguousarray(shot.image[window])
    return np.full((*shot.truth[window].shape, 3), 226, np.uint8)


def _errors(shot: Shot, window: tuple[slice, slice]) -> Image:
    """Return the picture in pale grey with what is right, too much and missing."""
    grey = cv2.cvtColor(_picture(shot, window), cv2.COLOR_RGB2GRAY)
    pale = (grey * 0.5 + 110).astype(np.uint8)
    errors = np.repeat(pale[..., None], 3, axis=2)
    truth, prediction = shot.truth[window], shot.prediction[window]
    for mask, color in (
        (truth & prediction, RIGHT),
        (prediction & ~truth, EXTRA),
        (truth & ~prediction, MISSING),
    ):
        blend = 0.6 * np.array(color, np.float64) + 0.4 * errors[mask]
        errors[mask] = blend.astype(np.uint8)
    return errors


def _curves(
    runs: Sequence[Trace],
    number: int,
    area: tuple[float, float, float, float],
    episode: Episode | None,
) -> list[Item]:
    """Draw J&F by frame; dots where the ground truth is sparse, for nothing is known between."""
    left, top, width, height = area
    result = runs[0].result
    first, last = result.positions[0], result.positions[-1]
    step = width / max(1, last - first)
    items: list[Item] = []
    if episode is not None:
        begin, end = (result.positions[place] - first for place in (episode.first, episode.last))
        items.append(
            box(left + begin * step, top, max(1.5, (end - begin) * step), height, "#f3e6da")
        )
    for level in (0.0, 0.5, 1.0):
        y = top + (1 - level) * height
        items.append(Line(np.array([(left, y), (left + width, y)]), RULE, 0.5))
        items.append(Text(left - 3, y + 2.3, f"{level:.1f}", 6.5, QUIET, "end"))
    items.append(Text(left, top + height + 9, result.frames[0], 6.5, QUIET))
    items.append(Text(left + width, top + height + 9, result.frames[-1], 6.5, QUIET, "end"))
    middle = "J&F by frame" if len(runs) == 1 else "frame"
    items.append(Text(left + width / 2, top + height + 9, middle, 6.5, QUIET, "middle"))
    for run in reversed(runs):
        values = run.result.measures.jf[:, number]
        x = left + (np.array(run.result.positions, np.float64) - first) * step
        points = np.stack([x, top + (1 - values) * height], axis=1)
        sparse = run.result.is_sparse
        items.append(Dots(points, run.color) if sparse else Line(points, run.color, 1.1))
    if len(runs) > 1:
        items += _legend(top + height + 20, "J&F:", [(run.name, run.color) for run in runs])
    return items


def _foot(runs: Sequence[Trace]) -> float:
    """Return the height of what stands under a curve: frames, and which line is whose."""
    return 34.0 if len(runs) > 1 else 22.0


def _legend(y: float, what: str, entries: Sequence[tuple[str, str]]) -> list[Item]:
    items: list[Item] = [Text(0, y, what, 6.5, QUIET)]
    x = 30.0
    for name, color in entries:
        items.append(box(x, y - 5, 6, 6, color))
        items.append(Text(x + 8.5, y, name, 6.5))
        x += 8.5 + 3.7 * len(name) + 10
    return items


def _hex(color: tuple[int, int, int]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*color)
