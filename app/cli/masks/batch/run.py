"""`maskwright batch`: carry a plan out over many videos, and say how it goes."""

import argparse
import os
import sys
import time
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager

from app.batch.videos.carry_out import Outcome, done_before
from app.batch.videos.cluster import RayWorkers
from app.batch.videos.page import Standing, page
from app.batch.videos.plan import BatchPlan, VideoTask, read_plan
from app.batch.videos.workers import LocalWorkers
from app.cli.masks.batch.work import work
from app.cli.progress import Progress
from app.errors import MaskwrightError
from app.storage.files.apart import check_apart
from app.storage.files.writing import atomic_write, check_folder
from models.api import LoadOptions
from models.runtime.device import count_accelerators

_CORES_A_WORKER = 4  # more than that a model of this size does not make use of
_PAGE_EVERY_S = 2.0


def run(arguments: argparse.Namespace) -> int:
    """Carry the plan out; 1 where a video could not be done."""
    options = LoadOptions(device=arguments.device, threads=arguments.threads)
    plan = read_plan(arguments.plan, options)
    check_folder(plan.out)
    for task in plan.tasks:
        check_apart(task.out, (*task.inputs, arguments.plan))
    outcomes: list[Outcome] = []
    began = told = time.monotonic()
    try:
        with (
            _workers(arguments) as found,
            Progress("Batch", len(plan.tasks), unit="videos") as progress,
        ):
            for outcome in _all(plan, found):
                outcomes.append(outcome)
                progress.step()
                if outcome.error:
                    sys.stdout.write(f"{outcome.name}: {outcome.error}\n")
                if time.monotonic() - told > _PAGE_EVERY_S:
                    told = time.monotonic()
                    _write_page(plan, outcomes, told - began)
    except KeyboardInterrupt as stop:
        raise MaskwrightError(
            f"Stopped. {len(outcomes)} of {len(plan.tasks)} videos are done in {plan.out}; the "
            "same command again goes on with the others."
        ) from stop
    finally:
        _write_page(plan, outcomes, time.monotonic() - began)
    return _conclude(plan, outcomes, time.monotonic() - began)


def _all(plan: BatchPlan, workers: LocalWorkers | RayWorkers) -> Iterator[Outcome]:
    """Yield what was done before, then what is done now."""
    left: list[VideoTask] = []
    for task in plan.tasks:
        before = done_before(task)
        if before is None:
            left.append(task)
        else:
            yield before
    with closing(workers.outcomes(left)) as fresh:
        yield from fresh


@contextmanager
def _workers(
    arguments: argparse.Namespace,
) -> Generator[LocalWorkers | RayWorkers, None, None]:
    gpus = count_accelerators(arguments.device)
    if arguments.ray is None:
        cores = os.cpu_count() or 1
        yield LocalWorkers(work, arguments.workers or gpus or max(1, cores // _CORES_A_WORKER))
        return
    cluster = RayWorkers(work, arguments.ray, needs_gpu=gpus > 0)
    try:
        yield cluster
    finally:
        cluster.close()


def _conclude(plan: BatchPlan, outcomes: list[Outcome], seconds: float) -> int:
    standing = Standing(outcomes, len(plan.tasks), seconds)
    scored = [each.jf for each in outcomes if each.jf is not None]
    mean = f", mean J&F {sum(scored) / len(scored):.3f}" if scored else ""
    before = sum(each.was_done for each in outcomes)
    sys.stdout.write(
        f"{len(outcomes) - len(standing.failed)} of {len(plan.tasks)} videos are in {plan.out} "
        f"({before} were done before), {standing.fps:.1f} frames a second{mean}.\n"
    )
    if standing.failed:
        raise MaskwrightError(
            f"{len(standing.failed)} videos could not be done; {plan.out / 'failed'} says why. "
            "The same command again tries them once more."
        )
    return 0


def _write_page(plan: BatchPlan, outcomes: list[Outcome], seconds: float) -> None:
    standing = Standing(outcomes, len(plan.tasks), seconds)
    atomic_write(plan.out / "index.html", page(standing).encode())
