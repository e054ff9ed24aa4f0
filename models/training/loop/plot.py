"""A run's metrics as a picture: losses and validation J&F over iterations, as SVG."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_WIDTH, _HEIGHT, _MARGIN = 720, 320, 48
_COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00")
_SMOOTHING = 10  # reported losses averaged into one point

Point = tuple[float, float]


@dataclass(frozen=True)
class Curve:
    """One line of the plot."""

    name: str
    points: tuple[Point, ...]


def plot_metrics(metrics: Path, picture: Path) -> None:
    """Draw the JSON lines in `metrics` into `picture` (.svg), replacing it."""
    lines = metrics.read_text(encoding="utf-8").splitlines()
    curves = read_curves([json.loads(line) for line in lines])
    beside = picture.with_name(f".{picture.name}.new")
    beside.write_text(draw(curves), encoding="utf-8")
    beside.replace(picture)


def read_curves(records: Sequence[dict[str, object]]) -> list[Curve]:
    """Return a smoothed loss curve for each data set, and the mean validation J&F."""
    losses: dict[str, list[Point]] = {}
    scores: list[Point] = []
    for record in records:
        at = float(str(record["iteration"]))
        if "mean" in record:
            scores.append((at, float(str(record["mean"]))))
        loss = record.get("loss")
        if isinstance(loss, dict):
            for name, value in loss.items():
                losses.setdefault(str(name), []).append((at, float(value)))
    curves = [Curve(f"loss, {name}", _smooth(points)) for name, points in sorted(losses.items())]
    return [*curves, Curve("validation J&F", tuple(scores))] if scores else curves


def draw(curves: Sequence[Curve]) -> str:
    """Return the SVG text; all curves share both axes, from 0."""
    points = [point for curve in curves for point in curve.points] or [(1.0, 1.0)]
    right, top = max(x for x, _ in points), max(y for _, y in points)
    inner_width, inner_height = _WIDTH - 2 * _MARGIN, _HEIGHT - 2 * _MARGIN

    def place(point: Point) -> str:
        x = _MARGIN + inner_width * point[0] / right
        y = _HEIGHT - _MARGIN - inner_height * point[1] / top
        return f"{x:.1f},{y:.1f}"

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        'font-family="sans-serif" font-size="11">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
        *_axes(right, top),
    ]
    for index, curve in enumerate(curves):
        colour = _COLOURS[index % len(_COLOURS)]
        path = " ".join(place(point) for point in curve.points)
        parts.append(f'<polyline fill="none" stroke="{colour}" points="{path}"/>')
        left = _MARGIN + 150 * (index % 4)
        line = 16 + 14 * (index // 4)
        parts.append(f'<text x="{left}" y="{line}" fill="{colour}">{_escaped(curve.name)}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def _axes(right: float, top: float) -> list[str]:
    marks = []
    for step in range(6):
        share = step / 5
        x = _MARGIN + (_WIDTH - 2 * _MARGIN) * share
        y = _HEIGHT - _MARGIN - (_HEIGHT - 2 * _MARGIN) * share
        marks.append(
            f'<line x1="{_MARGIN}" x2="{_WIDTH - _MARGIN}" y1="{y:.0f}" y2="{y:.0f}" '
            'stroke="#dddddd"/>'
        )
        marks.append(
            f'<text x="{_MARGIN - 6}" y="{y + 4:.0f}" text-anchor="end">{top * share:.2f}</text>'
        )
        bottom = _HEIGHT - _MARGIN + 16
        marks.append(
            f'<text x="{x:.0f}" y="{bottom}" text-anchor="middle">{right * share:.0f}</text>'
        )
    return marks


def _smooth(points: Sequence[Point]) -> tuple[Point, ...]:
    parts = [points[start : start + _SMOOTHING] for start in range(0, len(points), _SMOOTHING)]
    return tuple((part[-1][0], sum(y for _, y in part) / len(part)) for part in parts)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")
