"""Print how soon the inspector answers: a data set scored and opened, curves moved.

    python packaging/measure_inspector.py [SET]

SET has the folders `gt` and `pred`, each with a folder for each sequence. Without one it is made:
100 sequences of 70 frames of 640x360, an object that moves and a prediction that lags. Printed are,
as JSON, the seconds to score 2,000 frames on two threads, those to open the whole set once it
is scored, in the window's own class, and the milliseconds of the processor that one step of the
curves takes, three of 20,000 frames.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import cv2
import numpy as np
from PySide6.QtWidgets import QApplication

from app.batch.inspection.dataset import find_cases, frame_count, score_cases
from app.gui.inspect.curves.plot import Plot, Series
from app.gui.inspect.dataset.window import DataSetWindow
from app.session.session import Session
from app.storage.formats.palette import write_palette_png

SEQUENCES, FRAMES, SCORED = 100, 70, 2000
SIZE = (360, 640)
LONG, STEPS = 20_000, 120
WIDTH = 1900  # pixels of the curves


def write_set(folder: Path) -> None:
    """Write the ground truth and the prediction."""
    rng = np.random.default_rng(0)
    for sequence in range(SEQUENCES):
        start, step = rng.uniform(80, 240, 2), rng.uniform(-1.5, 1.5, 2)
        for frame in range(FRAMES):
            for name, late in (("gt", 0), ("pred", 6 * (20 <= frame < 40))):
                y, x = start + step * (frame - late)
                labels = np.zeros(SIZE, np.uint8)
                cv2.ellipse(labels, (round(x), round(y)), (60, 40), 3.0 * frame, 0, 360, 1, -1)
                path = folder / name / f"sequence-{sequence:03d}" / f"{frame:05d}.png"
                write_palette_png(path, labels)


def scoring(folder: Path) -> float:
    """Score the set; return the seconds that as many frames take as are promised."""
    cases, _ = find_cases(folder / "gt", (folder / "pred",))
    began = time.monotonic()
    score_cases(cases, (folder / "pred",), 2)
    return (time.monotonic() - began) * SCORED / frame_count(cases)


def opening(folder: Path, application: QApplication) -> float:
    """Open the set, which has been scored, in the window; return the seconds."""
    session = Session()
    began = time.monotonic()
    session.inspection.data_set.open(folder / "gt", (folder / "pred",))
    while not session.inspection.data_set.results:
        application.processEvents()
    window = DataSetWindow(session.inspection.data_set, None)
    window.show()
    application.processEvents()
    taken = time.monotonic() - began
    window.close()
    session.inspection.data_set.stop()
    return taken


def panning(application: QApplication) -> list[float]:
    """Move the curves along; return the milliseconds of each step, of the processor."""
    rng = np.random.default_rng(0)
    plot = Plot()
    plot.resize(WIDTH, 250)
    plot.set_frames(LONG)
    frames = np.arange(LONG)
    walks = (0.7 + 0.02 * np.cumsum(rng.normal(size=LONG)) / 10 for _ in range(3))
    plot.show_series(
        [
            Series(str(number), (90 * number, 120, 200), frames, np.clip(walk, 0, 1))
            for number, walk in enumerate(walks)
        ],
        (0.0, 1.0),
    )
    plot.show()
    application.processEvents()
    taken = []
    for step in range(STEPS):
        began = time.process_time()
        plot.show_part(step * 4, step * 4 + LONG - 4 * STEPS)
        application.processEvents()
        taken.append(1000 * (time.process_time() - began))
    return taken


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("set", type=Path, nargs="?", metavar="SET")
    folder = parser.parse_args().set
    with tempfile.TemporaryDirectory() as name:
        os.environ["XDG_CACHE_HOME"] = name
        application = QApplication([])
        if folder is None:
            folder = Path(name) / "set"
            write_set(folder)
        steps = panning(application)
        figures = {
            "a step of the curves, ms": {
                "median": float(np.median(steps)),
                "95 %": float(np.quantile(steps, 0.95)),
            },
            f"score {SCORED} frames, s": scoring(folder),
            "open the set, scored before, s": opening(folder, application),
        }
    sys.stdout.write(json.dumps(figures, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
