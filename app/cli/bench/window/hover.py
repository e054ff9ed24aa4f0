"""`maskwright bench hover`: how often previews come, and whether the window waits for the model."""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Generator
from pathlib import Path

from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication

from app.cli.bench.clips import write_clip
from app.cli.bench.table import Measure, as_json, table
from app.cli.bench.window.offscreen import Bench, Heartbeat
from app.cli.window.application import SWITCH_INTERVAL_S
from app.gui.canvas.tools.tool import Tool
from app.storage.files.writing import atomic_write
from models import registry

_SIZE = (720, 1280)  # height, width
_FRAMES = 6
_RATES = (30, 125)  # how often a pointer moves, per second
_SECONDS = 4.0  # of hovering at each rate
_STAY = 1500  # milliseconds on each frame: long enough for its embedding to begin


def run(arguments: argparse.Namespace) -> int:
    """Measure, print the table, and return 1 where a target is missed."""
    os.environ["QT_QPA_PLATFORM"] = "offscreen"

    name = arguments.model or registry.embedded()
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    with tempfile.TemporaryDirectory(prefix="maskwright-bench-") as folder:
        clip = write_clip(Path(folder) / "clip", _SIZE, _FRAMES, _FRAMES)
        with Bench(clip, segmenter=name) as bench:
            measures = [*_waiting(bench), *(_hovering(bench, rate) for rate in _RATES)]
    sys.stdout.write(f"{name}\n\n{table(measures)}")
    if arguments.json is not None:
        atomic_write(arguments.json, (json.dumps(as_json(measures), indent=1) + "\n").encode())
    return 0 if all(measure.is_met for measure in measures) else 1


def _waiting(bench: Bench) -> Generator[Measure, None, None]:
    """Ask for the first preview, then visit frames while they are prepared."""
    bench.canvas.set_tool(Tool.POINTS)
    shown = _shown(bench)
    heart = Heartbeat()
    _move(bench, 0)
    bench.spin_until(lambda: bool(shown), seconds=120)
    heart.stop()
    most = 1e3 * max(heart.gaps)
    yield Measure("event loop gap while the model is loaded, most", most, "ms")
    heart = Heartbeat()
    for frame in range(1, _FRAMES):
        bench.session.view.go_to(frame)
        bench.spin(_STAY)
    heart.stop()
    most = 1e3 * max(heart.gaps)
    yield Measure("event loop gap while frames are embedded, most", most, "ms", 150)


def _hovering(bench: Bench, rate: int) -> Measure:
    """Move the pointer with Shift held on a frame that is prepared."""
    shown = _shown(bench)
    _move(bench, 0)
    bench.spin_until(lambda: bool(shown), seconds=120)
    shown.clear()
    begun, steps = time.perf_counter(), 0
    while time.perf_counter() - begun < _SECONDS:
        steps += 1
        _move(bench, steps)
        due = begun + steps / rate
        bench.spin(max(0, round(1e3 * (due - time.perf_counter()))))
    each = 1e3 * (time.perf_counter() - begun) / max(1, len(shown))
    return Measure(f"from preview to preview at {rate} moves a second", each, "ms", 1e3 / 15)


def _shown(bench: Bench) -> list[object]:
    """Return a list that every preview is added to."""
    shown: list[object] = []
    bench.session.clicks.preview_changed.connect(
        lambda ghost: shown.append(ghost) if ghost is not None else None
    )
    return shown


def _move(bench: Bench, step: int) -> None:
    """Move the pointer near the middle of the picture, Shift held."""
    view = bench.canvas.viewport()
    place = QPointF(view.rect().center()) + QPointF(step % 40 - 20, step % 7)
    none = Qt.MouseButton.NoButton
    event = QMouseEvent(
        QEvent.Type.MouseMove,
        place,
        view.mapToGlobal(place),
        none,
        none,
        Qt.KeyboardModifier.ShiftModifier,
    )
    QApplication.sendEvent(view, event)
