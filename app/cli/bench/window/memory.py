"""`maskwright bench memory`: whether closing a video gives back what it took."""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Generator
from pathlib import Path

from app.cli.bench.clips import disc_mask
from app.cli.bench.table import Measure, as_json, table
from app.cli.bench.window.offscreen import Bench
from app.cli.bench.window.scenes import resident_mib
from app.core.plan import Direction
from app.storage.files.writing import atomic_write
from models import registry

_MOST_GROWTH = 150  # MiB from the first video that is closed to the last
_SETTLING = 2500  # milliseconds in which a closed video is collected
_PATIENCE_S = 3600


def run(arguments: argparse.Namespace) -> int:
    """Measure, print the table, and return 1 where the memory grows."""
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    name = arguments.model or registry.default_tracker()
    with tempfile.TemporaryDirectory(prefix="maskwright-bench-") as folder:
        # Settings and projects of the person are left alone.
        os.environ["MASKWRIGHT_HOME"] = str(Path(folder) / "home")
        with Bench(None, tracker=name, projects=Path(folder)) as bench:
            measures = list(_measured(bench, arguments.clips, arguments.frames))
    sys.stdout.write(f"{name}\n\n{table(measures)}")
    if arguments.json is not None:
        atomic_write(arguments.json, (json.dumps(as_json(measures), indent=1) + "\n").encode())
    return 0 if all(measure.is_met for measure in measures) else 1


def _measured(bench: Bench, clips: list[Path], frames: int) -> Generator[Measure, None, None]:
    yield Measure("memory with nothing open", resident_mib(), "MiB")
    closed = []
    for number, clip in enumerate(clips, start=1):
        bench.session.files.open(clip)
        _propagate(bench, frames)
        yield Measure(f"memory with video {number} propagated", resident_mib(), "MiB")
        bench.session.files.close()
        bench.spin(_SETTLING)
        closed.append(resident_mib())
        yield Measure(f"memory with video {number} closed", closed[-1], "MiB")
    text = f"growth from the first closed video to the last of {len(closed)}"
    yield Measure(text, max(closed) - closed[0], "MiB", _MOST_GROWTH)


def _propagate(bench: Bench, frames: int) -> None:
    """Propagate a disc in the middle of the first frame, and look at what comes."""
    session = bench.session
    number = session.objects.add()
    assert number is not None, "a video is open"
    session.edit.draw_mask(0, number, disc_mask(session.video.size, 0, 0), "Paint")
    count = session.video.frame_count
    session.jobs.propagate(Direction.FORWARD, first=0, last=min(frames, count) - 1)
    bench.spin_until(lambda: bench.is_idle, seconds=_PATIENCE_S)
    for frame in range(0, count, 2):
        session.view.go_to(frame)
        bench.spin(5)
