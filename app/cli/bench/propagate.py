"""`maskwright bench propagate`: how fast a model follows objects, and what it takes."""

import argparse
import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

from app.cli.arguments import output_file, whole
from app.errors import UsageError

if TYPE_CHECKING:
    from app.cli.bench.peer import Case, Figures

_MODELS = ("lite", "cutie-small", "cutie-base", "hiera-depth", "css", "classic")
_RIVAL, _NOTHING = "rf-cutie", "nothing"
_HEAD = """\
| frames | objects | program | frames/s | ratio | s/frame early | late | host peak | device peak |
|---|---|---|---|---|---|---|---|---|
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `bench propagate`."""
    parser.add_argument("--model", choices=_MODELS, default="cutie-base", metavar="NAME")
    parser.add_argument(
        "--lengths",
        type=_numbers,
        metavar="N,...",
        help="frames, on an accelerator by default 100,1000,5000, on a CPU 100",
    )
    parser.add_argument(
        "--objects", type=_numbers, metavar="N,...", help="by default 1,3,10, on a CPU 1,3"
    )
    parser.add_argument(
        "--size", type=whole(1), default=480, metavar="N", help="short side in pixels"
    )
    parser.add_argument(
        "--against",
        choices=[_RIVAL, _NOTHING],
        help=f"what to measure beside it, in turns: by default {_RIVAL} where it is installed",
    )
    parser.add_argument(
        "--json", type=output_file, metavar="FILE", help="write the figures there, too"
    )


def run(arguments: argparse.Namespace) -> int:
    """Measure each length and number of objects, and print a table."""
    from app.cli.bench.peer import measure  # noqa: PLC0415

    groups = _cases(arguments)
    weights = "random weights (speed and memory do not depend on them)"
    if arguments.model == "classic":
        weights = "no weights"
    _out(
        f"{arguments.model} at {arguments.size} x {round(arguments.size * 16 / 9)}, a made clip, "
        f"{weights}.\n\n{_HEAD}"
    )
    rows = []
    for cases in groups:
        figures = measure(cases)
        for case, own in zip(cases, figures, strict=True):
            _out(_row(case, own, figures[-1].frames_per_second))
            rows.append({**asdict(case), **asdict(own)})
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(rows, indent=1) + "\n")
    return 0


def _cases(arguments: argparse.Namespace) -> list[list["Case"]]:
    """Return what to measure; each list side by side."""
    from app.cli.bench.peer import OURS, Case, on_accelerator, rival_of  # noqa: PLC0415

    rival = None if arguments.against == _NOTHING else rival_of(arguments.model)
    if arguments.against == _RIVAL and rival is None:
        raise UsageError(
            f"{_RIVAL} is not installed or has no {arguments.model}: pip install {_RIVAL} and take "
            f"cutie-small or cutie-base, or leave --against out."
        )
    quick = on_accelerator(arguments.device)
    return [
        [
            Case(
                side,
                arguments.model,
                length,
                objects,
                arguments.size,
                device=arguments.device,
                threads=arguments.threads,
            )
            for side in (OURS, rival)
            if side
        ]
        for length in arguments.lengths or ([100, 1000, 5000] if quick else [100])
        for objects in arguments.objects or ([1, 3, 10] if quick else [1, 3])
    ]


def _row(case: "Case", figures: "Figures", reference: float) -> str:
    device = f"{figures.device_peak / 1e6:.0f} MB" if figures.device_peak else "-"
    return (
        f"| {case.length} | {case.objects} | {case.side} | {figures.frames_per_second:.2f} "
        f"| {figures.frames_per_second / reference:.2f} "
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
