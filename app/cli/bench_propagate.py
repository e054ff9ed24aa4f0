"""`maskwright bench propagate`: how fast a memory model follows objects, and what it takes."""

import argparse
import json
import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from app.errors import UsageError

if TYPE_CHECKING:
    from models.cutie.bench import Case, Figures

_MODELS = ("lite", "cutie-small", "cutie-base", "hiera-depth", "css")
_RIVAL = "rf-cutie"
_HEAD = """\
| frames | objects | program | frames a second | s a frame, early | late | host peak | device peak |
|---|---|---|---|---|---|---|---|
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `bench propagate`."""
    parser.add_argument("--model", choices=_MODELS, default="cutie-base", metavar="NAME")
    parser.add_argument("--lengths", type=_numbers, default=[100], metavar="N,...", help="frames")
    parser.add_argument("--objects", type=_numbers, default=[1, 3], metavar="N,...")
    parser.add_argument("--size", type=int, default=480, metavar="N", help="short side in pixels")
    parser.add_argument(
        "--against", choices=[_RIVAL], help="also measure this, in the same run, where installed"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")


def run(arguments: argparse.Namespace) -> int:
    """Measure each case in a process of its own and print a table."""
    cases = _cases(arguments)
    _out(
        f"{arguments.model} at {arguments.size} x {round(arguments.size * 16 / 9)}, a made clip, "
        f"random weights (speed and memory do not depend on them).\n\n{_HEAD}"
    )
    figures = []
    for case in cases:
        measured = _measured(case)
        _out(_row(case, measured))
        figures.append({**asdict(case), **asdict(measured)})
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(figures, indent=1) + "\n")
    return 0


def _cases(arguments: argparse.Namespace) -> list["Case"]:
    from models.cutie.bench import OURS, RIVAL, Case, rival_is_installed  # noqa: PLC0415

    if arguments.against and not rival_is_installed():
        raise UsageError(f"{_RIVAL} is not installed: pip install {_RIVAL}, or leave it out.")
    sides = (OURS, RIVAL) if arguments.against else (OURS,)
    return [
        Case(
            side,
            arguments.model,
            length,
            objects,
            arguments.size,
            device=arguments.device,
            threads=arguments.threads,
        )
        for length in arguments.lengths
        for objects in arguments.objects
        for side in sides
    ]


def _measured(case: "Case") -> "Figures":
    """Measure in a fresh process, so that peak memory is the case's own."""
    from models.cutie.bench import measure  # noqa: PLC0415

    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(measure, case).result()


def _row(case: "Case", figures: "Figures") -> str:
    device = f"{figures.device_peak / 1e6:.0f} MB" if figures.device_peak else "-"
    return (
        f"| {case.length} | {case.objects} | {case.side} | {figures.frames_per_second:.2f} "
        f"| {figures.early_s:.3f} | {figures.late_s:.3f} "
        f"| {figures.host_peak / 1e6:.0f} MB | {device} |\n"
    )


def _numbers(text: str) -> list[int]:
    numbers = [int(part) for part in text.split(",")]
    if min(numbers) < 1:
        raise argparse.ArgumentTypeError("numbers start at 1")
    return numbers


def _out(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
