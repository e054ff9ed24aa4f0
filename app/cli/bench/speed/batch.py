"""`maskwright bench batch`: what the scheduling of a batch costs, with a stub of known speed.

The stub takes the time of a video and does nothing, so that what is left over is the scheduling:
handing videos out, collecting outcomes, writing them down.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from app.batch.videos.carry_out import Outcome
from app.batch.videos.journal.journal import Journal
from app.batch.videos.plan import BatchPlan, VideoTask, read_plan
from app.batch.videos.workers.cluster import RayWorkers
from app.batch.videos.workers.local import LocalWorkers
from app.cli.bench.table import Measure, as_json, table
from app.cli.masks.batch.run import drive
from app.gui.window.process.memory import resident_bytes
from app.storage.files.writing import atomic_write
from models.api import LoadOptions

_FEW, _LOOP = 100, 100  # videos of the small batch, and of the plain loop
_STARTING = 10  # the part of the videos, a tenth, while which the processes start
_FRAMES = 100  # of a video, as the stub says
_MOST_OVERHEAD, _MOST_GROWTH = 5.0, 5.0  # percent
_PLAN = """
out = "results-{count}"

[videos]
frames = "videos-{count}/*"
anchors = "anchors/{{name}}"

[[step]]
do = "propagate"
"""


def run(arguments: argparse.Namespace) -> int:
    """Measure, print the table, and return 1 where a target is missed."""
    work = partial(stub, arguments.seconds)
    with tempfile.TemporaryDirectory(prefix="maskwright-bench-") as name:
        few, many = (_plan(Path(name), count) for count in (_FEW, arguments.videos))
        alone = _loop(many, work)
        before = _batch(few, work, arguments).most_memory
        whole = _batch(many, work, arguments)
    most, seconds = whole.most_memory, whole.last - whole.steady
    counted = arguments.videos - arguments.videos // _STARTING
    ideal = alone * counted / arguments.workers
    what = f"The last {counted:,} of {arguments.videos:,} videos, {arguments.workers} workers"
    measures = [
        Measure("A video in a plain loop", alone, "s"),
        Measure("Until the first video is done", whole.first, "s"),
        Measure(what, seconds, "s"),
        Measure("Overhead, once all processes run", (seconds / ideal - 1) * 100, "%"),
        Measure(
            "Overhead over all of them",
            (whole.last * arguments.workers / (alone * arguments.videos) - 1) * 100,
            "%",
            _MOST_OVERHEAD,
        ),
        Measure(f"Memory of the driver at {_FEW} videos, most", before / 2**20, "MiB"),
        Measure(f"Memory of the driver at {arguments.videos:,} videos", most / 2**20, "MiB"),
        Measure("Growth of it", (most / before - 1) * 100 if before else 0, "%", _MOST_GROWTH),
    ]
    sys.stdout.write(table(measures))
    if arguments.json is not None:
        atomic_write(arguments.json, (json.dumps(as_json(measures), indent=1) + "\n").encode())
    return 0 if all(measure.is_met for measure in measures) else 1


def stub(seconds: float, task: VideoTask) -> Outcome:
    """Take as long as a video does."""
    time.sleep(seconds)
    return Outcome(task.name, _FRAMES, seconds)


def _plan(folder: Path, count: int) -> BatchPlan:
    """Return a plan of `count` videos; the stub opens none, so that empty files do."""
    videos = folder / f"videos-{count}"
    videos.mkdir()
    for number in range(count):
        (videos / f"{number:06}.mp4").touch()
    file = folder / f"plan-{count}.toml"
    file.write_text(_PLAN.format(count=count), encoding="utf-8")
    return read_plan(file, LoadOptions())


def _loop(plan: BatchPlan, work: Callable[[VideoTask], Outcome]) -> float:
    count = min(_LOOP, len(plan.tasks))
    began = time.perf_counter()
    for task in plan.tasks[:count]:
        work(task)
    return (time.perf_counter() - began) / count


class _Watched(Journal):
    """A journal that looks at the clock and at the driver's memory, too."""

    def __init__(self, plan: BatchPlan) -> None:
        super().__init__(plan)
        self.most_memory = 0
        self._began = time.perf_counter()
        self._starting = len(plan.tasks) // _STARTING
        self.first = self.steady = self.last = 0.0  # seconds until an outcome came

    def add(self, outcome: Outcome) -> None:
        super().add(outcome)
        self.last = time.perf_counter() - self._began
        self.first = self.first or self.last
        if self.standing.count <= self._starting:
            self.steady = self.last
        self.most_memory = max(self.most_memory, resident_bytes() or 0)


def _batch(
    plan: BatchPlan, work: Callable[[VideoTask], Outcome], arguments: argparse.Namespace
) -> _Watched:
    with _workers(work, arguments) as workers, _Watched(plan) as journal:
        drive(plan, workers, journal)
        return journal


@contextmanager
def _workers(
    work: Callable[[VideoTask], Outcome], arguments: argparse.Namespace
) -> Generator[LocalWorkers | RayWorkers, None, None]:
    if arguments.ray is None:
        workers: LocalWorkers | RayWorkers = LocalWorkers(work, arguments.workers)
    else:
        workers = RayWorkers(work, arguments.ray, may_use_gpu=False, memory=dict)
    try:
        yield workers
    finally:
        if isinstance(workers, RayWorkers):
            workers.close()
