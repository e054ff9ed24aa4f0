"""The scenes of `bench gui`: what is done in the window, and what is measured of it."""

import os
import random
import sys
import time
from collections.abc import Callable, Generator, Sequence
from pathlib import Path

import numpy as np
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication

from app.cli.bench.clips import disc_mask
from app.cli.bench.table import Measure, percentile
from app.cli.bench.window.offscreen import Bench, Heartbeat
from app.core.plan import Direction
from app.gui.canvas.tools.tool import Tool
from app.session.jobs.progress import Progress

_VISITS = 120
_STROKES, _MOVES = 6, 40
_CANCELS = 5
_MIB = 1 << 20


def scrubbing(bench: Bench) -> Generator[Measure, None, None]:
    """Go to random frames that are in memory, and to some that are not."""
    session = bench.session
    cached = range(session.video.frame_count // 3)
    away = list(range(cached.stop + 5, session.video.frame_count, 7))
    random.Random(1).shuffle(away)
    waits = []
    for frame in away:
        begun = time.perf_counter()
        session.view.go_to(frame)
        bench.spin_until(lambda wanted=frame: _is_held(bench, wanted))  # type: ignore[misc]
        bench.paint()
        waits.append(1000 * (time.perf_counter() - begun))
    _hold(bench, cached)
    visits = [_go_to(bench, frame) for frame in _random(cached)]
    yield Measure("scrub to a cached frame, p95", percentile(visits, 95), "ms", 16)
    yield Measure("scrub to a frame on disk, p95", percentile(waits, 95), "ms", 80)


def annotation_ratio(bare: Path, full: Path, count: int) -> Measure:
    """Compare scrubbing with masks on all frames against masks on the visited ones alone.

    Two windows are scrubbed in turns, so that what else the machine does falls on both alike, and
    the work of the window's thread is compared.
    """
    frames = range(count)
    with Bench(bare) as few, Bench(full) as many:
        _hold(few, frames)
        _hold(many, frames)
        few_spent = many_spent = 0.0
        for frame in _random(frames):
            few_spent += _go_to(few, frame, time.thread_time)
            many_spent += _go_to(many, frame, time.thread_time)
    ratio = many_spent / few_spent
    return Measure("scrub with 20,000 annotated frames, against none", ratio, "times", 1.1)


def propagating(bench: Bench) -> Generator[Measure, None, None]:
    """Propagate while the window follows; then cancel some propagations half way."""
    session = bench.session
    bench.draw_anchors()
    session.jobs.progress_changed.connect(lambda progress: _follow(bench, progress))
    heart = Heartbeat()
    begun = time.perf_counter()
    session.jobs.propagate(Direction.FORWARD)
    bench.spin_until(lambda: bench.is_idle, seconds=600)
    seconds = time.perf_counter() - begun
    yield from _gaps(heart, "propagating")
    rate = (session.video.frame_count - 1) / seconds
    yield Measure("propagation at 1080p, three objects, classic", rate, "frames/s")
    yield Measure("cancel", percentile([_cancel(bench) for _ in range(_CANCELS)], 100), "ms", 300)


def healing(bench: Bench) -> Generator[Measure, None, None]:
    """Propagate the lower halves of discs, then draw them whole on the middle frame and heal."""
    session = bench.session
    middle = session.video.frame_count // 2
    bench.draw_anchors()
    numbers = [info.id for info in session.masks.objects]
    _draw(bench, numbers, 0, halves=True)
    session.jobs.propagate(Direction.FORWARD)
    bench.spin_until(lambda: bench.is_idle, seconds=600)
    _draw(bench, numbers, middle)
    heart = Heartbeat()
    session.view.select(numbers[0])
    session.correction.verify_and_heal()  # the others with it
    bench.spin_until(lambda: bench.is_idle, seconds=600)
    yield from _gaps(heart, "healing")


def _draw(bench: Bench, numbers: Sequence[int], frame: int, *, halves: bool = False) -> None:
    """Draw the discs of a frame, whole or their lower halves."""
    session = bench.session
    session.view.go_to(frame)
    for index, number in enumerate(numbers):
        pixels = disc_mask(session.video.size, frame, index)
        if halves:
            rows = np.flatnonzero(pixels.any(axis=1))
            pixels[: (rows[0] + rows[-1]) // 2] = False
        session.edit.draw_mask(frame, number, pixels, "Paint")


def _gaps(heart: Heartbeat, doing: str) -> Generator[Measure, None, None]:
    """Yield how long the event loop was held up meanwhile."""
    heart.stop()
    gaps = [1000 * gap for gap in heart.gaps]
    yield Measure(f"event loop gap while {doing}, p50", percentile(gaps, 50), "ms")
    yield Measure(f"event loop gap while {doing}, p99", percentile(gaps, 99), "ms", 50)
    yield Measure(f"event loop gap while {doing}, most", max(gaps), "ms", 150)


def undoing(bench: Bench, count: int) -> Measure:
    """Undo a propagation through `count` frames."""
    session = bench.session
    bench.draw_anchors()
    session.jobs.propagate(Direction.FORWARD)
    bench.spin_until(lambda: bench.is_idle, seconds=600)
    if len(session.masks.document) < count:
        raise RuntimeError("The propagation did not fill the frames.")
    bench.spin(500)
    begun = time.perf_counter()
    session.history.stack.undo()
    bench.paint()
    spent = 1000 * (time.perf_counter() - begun)
    return Measure(f"undo of a propagation through {count:,} frames", spent, "ms", 500)


def painting(bench: Bench) -> Generator[Measure, None, None]:
    """Paint strokes of a wide brush on the whole of a 4K frame, fitted and at 100 %."""
    canvas = bench.canvas
    bench.draw_anchors()
    canvas.set_tool(Tool.BRUSH)
    canvas.set_brush_diameter(120)
    moves: list[float] = []
    ends: list[float] = []
    for percent in (None, 100):
        canvas.fit() if percent is None else canvas.zoom_to(percent)
        bench.spin(100)
        for number in range(_STROKES):
            _stroke(bench, number, moves, ends)
    yield Measure("brush event at 4K, p95", percentile(moves, 95), "ms", 16)
    yield Measure("end of a stroke at 4K, p95", percentile(ends, 95), "ms", 100)


def enduring(bench: Bench, count: int) -> Generator[Measure, None, None]:
    """Propagate one object through a long clip and watch the memory."""
    session = bench.session
    bench.draw_anchors(1)
    readings: list[tuple[int, float]] = []

    def read(progress: Progress | None) -> None:
        if progress is not None:
            readings.append((progress.done, resident_mib()))
            _follow(bench, progress)

    session.jobs.progress_changed.connect(read)
    session.jobs.propagate(Direction.FORWARD)
    bench.spin_until(lambda: bench.is_idle, seconds=7200)
    if len(session.masks.document) < count:
        raise RuntimeError("The propagation did not fill the frames.")
    last = resident_mib()
    early = next(held for done, held in readings if done >= count // 10)
    most = max(last, *(held for _, held in readings))
    yield Measure(f"memory through {count:,} frames at 720p, most", most, "MiB", 1500)
    text = f"memory growth from frame {count // 10:,} to {count:,}"
    yield Measure(text, last - early, "MiB", 100)


def resident_mib() -> float:
    """Return the memory that this process has in use now; the most it had, off Linux."""
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / _MIB
    import resource  # noqa: PLC0415 - not there on Windows

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (_MIB if sys.platform == "darwin" else 1024)


def _is_held(bench: Bench, frame: int) -> bool:
    near = bench.session.video.nearest_image(frame)
    return near is not None and near[0] == frame


def _hold(bench: Bench, frames: range) -> None:
    """Have the frames read."""
    for frame in frames:
        bench.session.view.go_to(frame)
        bench.spin_until(lambda wanted=frame: _is_held(bench, wanted))  # type: ignore[misc]
    bench.spin(300)


def _random(frames: range) -> list[int]:
    """Return which frames to visit, never one twice in a row."""
    choose, chosen = random.Random(2), [frames.stop - 1]
    for _ in range(_VISITS):
        chosen.append(choose.choice([each for each in frames if each != chosen[-1]]))
    return chosen[1:]


def _go_to(bench: Bench, frame: int, clock: Callable[[], float] = time.perf_counter) -> float:
    """Go to a frame that is held; return the milliseconds until it is painted."""
    begun = clock()
    bench.session.view.go_to(frame)
    bench.paint()
    spent = 1000 * (clock() - begun)
    bench.spin(5)
    return spent


def _follow(bench: Bench, progress: Progress | None) -> None:
    if progress is not None:
        bench.session.view.go_to(progress.at)


def _cancel(bench: Bench) -> float:
    session = bench.session
    session.history.stack.undo()
    session.view.go_to(0)
    before = len(session.masks.document)
    session.jobs.propagate(Direction.FORWARD)
    bench.spin_until(lambda: not bench.is_idle)
    bench.spin(700)
    begun = time.perf_counter()
    session.jobs.cancel()
    bench.spin_until(lambda: bench.is_idle)
    bench.paint()
    spent = 1000 * (time.perf_counter() - begun)
    if len(session.masks.document) < before:
        raise RuntimeError("The cancelled propagation lost what was finished.")
    return spent


def _stroke(bench: Bench, number: int, moves: list[float], ends: list[float]) -> None:
    view = bench.canvas.viewport().rect()
    left, right = view.width() * 0.2, view.width() * 0.8
    y = view.height() * (0.2 + 0.1 * number)
    _mouse(bench, QEvent.Type.MouseButtonPress, QPointF(left, y))
    for step in range(1, _MOVES):
        x = left + (right - left) * step / _MOVES
        moves.append(_mouse(bench, QEvent.Type.MouseMove, QPointF(x, y + step % 7)))
    ends.append(_mouse(bench, QEvent.Type.MouseButtonRelease, QPointF(right, y)))
    bench.spin(20)


def _mouse(bench: Bench, kind: QEvent.Type, place: QPointF) -> float:
    """Send a mouse event and paint what it changed; return the milliseconds."""
    view = bench.canvas.viewport()
    left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
    button = none if kind == QEvent.Type.MouseMove else left
    held = none if kind == QEvent.Type.MouseButtonRelease else left
    everywhere = view.mapToGlobal(place)
    event = QMouseEvent(kind, place, everywhere, button, held, Qt.KeyboardModifier.NoModifier)
    begun = time.perf_counter()
    QApplication.sendEvent(view, event)
    bench.paint()
    return 1000 * (time.perf_counter() - begun)
