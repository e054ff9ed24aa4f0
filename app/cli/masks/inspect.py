"""`maskwright inspect`: where, how and why predictions fail against ground truth."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from app.batch.inspection.dataset import find_cases, frame_count, score_cases
from app.batch.inspection.report import Cases, check_report, write_report
from app.batch.inspection.tables import Run, difference
from app.batch.inspection.video import write_videos
from app.cli.progress import Progress
from app.core.evaluate import Protocol
from app.core.inspection.failures import Failure
from app.core.inspection.results import overall
from app.errors import MaskwrightError
from app.storage.files.apart import check_apart
from app.storage.files.writing import check_folder


def run(arguments: argparse.Namespace) -> int:
    """Score, print the tables, and write the report where one is asked for."""
    inputs = (arguments.gt, arguments.frames, *arguments.pred)
    if arguments.report:
        check_report(arguments.report, inputs)
    if arguments.video:
        check_apart(arguments.video, inputs)
        check_folder(arguments.video)
    predictions = arguments.pred
    protocol = Protocol(arguments.protocol) if arguments.protocol else None
    cases, notes = find_cases(arguments.gt, predictions, arguments.frames, protocol)
    sys.stderr.writelines(f"{note}\n" for note in notes)
    try:
        runs = _runs(cases, predictions, arguments.threads or os.cpu_count() or 1)
        _print(runs, arguments.worst)
        if arguments.report:
            figures = sum(min(arguments.worst, len(each.episodes())) for each in runs)
            with Progress("Drawing", figures, "figures") as progress:
                write_report(
                    arguments.report, runs, cases, arguments.gt,
                    worst=arguments.worst, progress=progress.step,
                )  # fmt: skip
            sys.stdout.write(f"\n{arguments.report / 'index.html'} is written.\n")
        if arguments.video:
            frames = sum(len(result.frames) for result in runs[0].results)
            with Progress("Filming", frames) as progress:
                write_videos(arguments.video, runs, cases, progress.step)
            sys.stdout.write(f"\nThe videos are in {arguments.video}.\n")
    except KeyboardInterrupt as stop:
        raise MaskwrightError(
            "Stopped. The sequences that were scored are kept: the same command goes on there."
        ) from stop
    return 0


def _runs(cases: Cases, predictions: Sequence[Path], threads: int) -> list[Run]:
    with Progress("Inspecting", frame_count(cases)) as progress:
        return score_cases(cases, predictions, threads, progress.step)


def _print(runs: Sequence[Run], worst: int) -> None:
    for each in runs:
        means = overall(each.results)
        width = max(len(part.sequence) for part in each.results) + 4
        lines = [f"{each.name}\n{'':{width}}     J     F   J&F  worst failure"]
        for part in sorted(each.results, key=lambda part: part.jf.mean()):
            mean = overall([part])
            top = part.episodes[0].failure.value if part.episodes else Failure.GOOD.value
            name = f"{part.sequence:{width}}"
            lines.append(f"{name} {mean.j:.3f} {mean.f:.3f} {mean.jf:.3f}  {top}")
        lines.append(f"{'overall':{width}} {means.j:.3f} {means.f:.3f} {means.jf:.3f}")
        counted = {failure: count for failure, count in each.totals().items() if count}
        lines.append(
            "\nframes of objects: " + ", ".join(f"{f.value} {n}" for f, n in counted.items())
        )
        lines += _worst(each, worst)
        sys.stdout.write("\n".join(lines) + "\n\n")
    if between := difference(runs):
        bounds = (
            f"95 % between {between.low:+.3f} and {between.high:+.3f}, paired bootstrap over "
            f"{between.sequences} sequences{', which are few' if between.is_weak else ''}"
            if between.low is not None
            else "no interval: one sequence says nothing of others"
        )
        sys.stdout.write(f"B minus A: J&F {between.mean:+.3f} ({bounds})\n")


def _worst(each: Run, count: int) -> list[str]:
    lines = []
    for part, episode in each.episodes()[:count]:
        reasons = ", ".join(cause.value for cause in part.causes(episode))
        other = f" with {part.objects[episode.partner]}" if episode.partner is not None else ""
        lines.append(
            f"{part.sequence} object {part.objects[episode.object]}, frames "
            f"{part.frames[episode.first]} to {part.frames[episode.last]}: "
            f"{episode.failure.value}{other}, {episode.lost:.1f} lost ({reasons})"
        )
    return lines
