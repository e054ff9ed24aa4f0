"""`maskwright bench gui`: how quickly the window answers, measured offscreen on made clips."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from pathlib import Path

from app.cli.bench.clips import annotate, write_clip
from app.cli.bench.parsers import LONG_FRAMES
from app.cli.bench.table import Measure, as_json, table
from app.cli.bench.window import scenes
from app.cli.bench.window.offscreen import Bench

_HD, _UHD, _SMALL = (1080, 1920), (2160, 3840), (720, 1280)  # height, width
_ANNOTATED = 20_000
_UNDONE = 1_000
_DISTINCT = 60  # frames that are drawn; longer clips repeat them
_SHOW_ONCE = "from app.cli.bench.window.offscreen import show_once; show_once()"


def run(arguments: argparse.Namespace) -> int:
    """Measure, print the table, and return 1 where a target is missed."""
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    with tempfile.TemporaryDirectory(prefix="maskwright-bench-") as folder:
        # The settings, projects and logs of the person are left alone.
        os.environ["MASKWRIGHT_HOME"] = str(Path(folder) / "home")
        measures = list(_measured(Path(folder), arguments))
    sys.stdout.write(table(measures))
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(as_json(measures), indent=1) + "\n")
    return 0 if all(measure.is_met for measure in measures) else 1


def _measured(folder: Path, arguments: argparse.Namespace) -> Generator[Measure, None, None]:
    yield _window_up()

    _say("scrubbing at 1080p")
    plain = write_clip(folder / "plain", _HD, 3 * _DISTINCT, 3 * _DISTINCT)
    bare = write_clip(folder / "bare", _HD, _ANNOTATED, _DISTINCT)
    full = write_clip(folder / "full", _HD, _ANNOTATED, _DISTINCT)
    annotate(plain, _HD, range(3 * _DISTINCT))
    annotate(bare, _HD, range(_DISTINCT))
    annotate(full, _HD, range(_ANNOTATED))
    with Bench(plain) as bench:
        yield from scenes.scrubbing(bench)
    yield scenes.annotation_ratio(bare, full, _DISTINCT)
    _say("propagating at 1080p")
    with Bench(write_clip(folder / "propagated", _HD, _DISTINCT, _DISTINCT)) as bench:
        yield from scenes.propagating(bench)
    _say("healing at 1080p")
    with Bench(folder / "propagated") as bench:
        yield from scenes.healing(bench)
    _say(f"undoing {_UNDONE:,} frames")
    with Bench(write_clip(folder / "undone", _HD, _UNDONE + 1, _DISTINCT), copies=True) as bench:
        yield scenes.undoing(bench, _UNDONE)
    _say("painting at 4K")
    with Bench(write_clip(folder / "painted", _UHD, 2, 1)) as bench:
        yield from scenes.painting(bench)
    if arguments.long:
        _say(f"propagating through {LONG_FRAMES:,} frames")
        with Bench(write_clip(folder / "long", _SMALL, LONG_FRAMES, 400)) as bench:
            yield from scenes.enduring(bench, LONG_FRAMES)


def _window_up() -> Measure:
    """Start the program anew and time it until its window has been painted."""
    times = []
    for _ in range(3):
        begun = time.time()
        child = [sys.executable, "-c", _SHOW_ONCE]
        done = subprocess.run(child, check=True, capture_output=True, text=True)
        times.append(float(done.stdout.splitlines()[-1]) - begun)
    # The first run reads the program from the disk.
    return Measure("window up, from the program's start", min(times[1:]), "s", 1.5)


def _say(what: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"{what} ...\n")
