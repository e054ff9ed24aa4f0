"""`maskwright batch`: carry a plan out over many videos, and say how it goes."""

import argparse
import os
import sys
from collections.abc import Generator
from contextlib import closing, contextmanager

from app.batch.videos.journal.journal import Journal
from app.batch.videos.journal.page import LOGS
from app.batch.videos.plan import BatchPlan, read_plan
from app.batch.videos.workers.cluster import RayWorkers
from app.batch.videos.workers.local import LocalWorkers
from app.batch.videos.workers.placement import devices, places
from app.cli.masks.batch.weights import memory_of, weights_of, with_models
from app.cli.masks.batch.work import work
from app.cli.progress import Progress
from app.errors import MaskwrightError
from app.storage.files.apart import check_apart
from app.storage.files.writing import check_folder
from models.api import LoadOptions
from models.runtime.device import accelerator_memory

_CORES_A_WORKER = 4  # more than that a model of this size does not make use of


def run(arguments: argparse.Namespace) -> int:
    """Carry the plan out; 1 where a video could not be done."""
    options = LoadOptions(device=arguments.device, threads=arguments.threads)
    plan = with_models(read_plan(arguments.plan, options))
    check_folder(plan.out)
    for task in plan.tasks:
        check_apart(task.out, (*task.inputs, arguments.plan))
    with Journal(plan) as journal:
        try:
            with _workers(arguments, plan) as found:
                drive(plan, found, journal)
        except KeyboardInterrupt as stop:
            raise MaskwrightError(
                f"Stopped. {journal.standing.count} of {len(plan.tasks)} videos are done in "
                f"{plan.out}; the same command again goes on with the others."
            ) from stop
    return _conclude(plan, journal)


def drive(plan: BatchPlan, workers: LocalWorkers | RayWorkers, journal: Journal) -> None:
    """Have the workers do all videos, and write down what becomes of each."""
    standing = journal.standing
    with (
        Progress("Batch", len(plan.tasks), unit="videos") as progress,
        closing(workers.outcomes(plan.tasks)) as outcomes,
    ):
        for outcome in outcomes:
            journal.add(outcome)
            progress.step(", ".join(filter(None, (f"{standing.fps:.1f} fps", standing.cost))))
            if outcome.error:
                sys.stdout.write(f"{outcome.name}: {outcome.error}\n")


@contextmanager
def _workers(
    arguments: argparse.Namespace, plan: BatchPlan
) -> Generator[LocalWorkers | RayWorkers, None, None]:
    need = None if arguments.memory is None else int(arguments.memory * 2**30)
    if arguments.ray is not None:
        with closing(
            RayWorkers(
                work,
                arguments.ray,
                may_use_gpu=arguments.device != "cpu",
                need=need,
                memory=accelerator_memory,
                weights=weights_of(plan),
            )
        ) as cluster:
            yield cluster
        return
    gpus = devices(accelerator_memory(arguments.device), need)
    if gpus:
        count = arguments.workers or len(gpus)
        yield LocalWorkers(work, count, [gpus[n % len(gpus)] for n in range(count)])
        return
    most = max(1, (os.cpu_count() or 1) // _CORES_A_WORKER)
    yield LocalWorkers(work, arguments.workers or min(most, places(need or memory_of(plan))))


def _conclude(plan: BatchPlan, journal: Journal) -> int:
    standing = journal.standing
    mean = "" if standing.mean_jf is None else f", mean J&F {standing.mean_jf:.3f}"
    cost = f", {standing.cost}" if standing.cost else ""
    sys.stdout.write(
        f"{standing.count - standing.failures} of {len(plan.tasks)} videos are in {plan.out} "
        f"({standing.done_before} were done before), {standing.fps:.1f} frames a "
        f"second{cost}{mean}.\n"
    )
    if standing.failures:
        raise MaskwrightError(
            f"{standing.failures} videos could not be done; {plan.out / LOGS} says why. "
            "The same command again tries them once more."
        )
    return 0
