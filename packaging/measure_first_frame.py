"""Measure how soon the first propagated frame comes in the window, which nobody sees.

    python packaging/measure_first_frame.py VIDEO
    python packaging/measure_first_frame.py VIDEO --cold

The welcome page is there for some seconds, the video is opened, a disc is drawn, and some seconds
later it is propagated. Printed are the seconds from there to the first frame, and those that a
frame takes afterwards. With `--cold` nothing is loaded while the welcome page is there.
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from app.cli.bench.clips import disc_mask
from app.cli.bench.window.offscreen import Bench
from app.core.plan import Direction
from app.engine.ahead import load_ahead
from app.session.state.preferences import choice_of


def seconds_of_frames(bench: Bench, frames: int) -> list[float]:
    """Propagate the disc, and return after how many seconds each frame came."""
    begun = time.perf_counter()
    came: list[float] = []
    bench.session.masks.entries_changed.connect(lambda _: came.append(time.perf_counter() - begun))
    bench.session.jobs.propagate(Direction.FORWARD, first=0, last=frames)
    bench.spin_until(lambda: bench.is_idle and bool(came), seconds=600)
    return came


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("video", type=Path)
    parser.add_argument("--welcome", type=float, default=6, help="seconds on the welcome page")
    parser.add_argument("--wait", type=float, default=3, help="seconds until it is propagated")
    parser.add_argument("--frames", type=int, default=12)
    parser.add_argument("--cold", action="store_true")
    arguments = parser.parse_args()
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    with tempfile.TemporaryDirectory() as folder:
        os.environ["MASKWRIGHT_HOME"] = folder
        with Bench(None, tracker="lite", segmenter="lite", projects=folder) as bench:
            session = bench.session
            if not arguments.cold:
                load_ahead(choice_of(session.preferences.settings))
            bench.spin(round(1000 * arguments.welcome))
            session.files.open(arguments.video)
            number = session.objects.add()
            if number is None:
                raise RuntimeError("The video was not opened.")
            session.edit.draw_mask(0, number, disc_mask(session.video.size, 0, 0), "Paint")
            bench.spin(round(1000 * arguments.wait))
            came = seconds_of_frames(bench, arguments.frames)
    each = float(np.mean(np.diff(came)))
    sys.stdout.write(f"first after {came[0]:.2f} s, then every {each:.2f} s\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
