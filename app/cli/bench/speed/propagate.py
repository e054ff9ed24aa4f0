"""`maskwright bench propagate`: how fast a model follows objects, and what it takes."""

import argparse
import json
import sys
from dataclasses import asdict

from app.cli.bench.parsers import NOTHING, REFERENCE
from app.cli.bench.speed.measure import OURS, Case, Figures, measure, on_accelerator
from app.cli.bench.speed.reference import reference_of
from app.errors import UsageError
from models.encoders.arithmetic import arithmetic
from models.registry import EMBEDDED
from models.runtime.device import pick_device

_HEAD = """\
| frames | objects | program | frames/s | ratio | s/frame early | late | host peak | device peak |
|---|---|---|---|---|---|---|---|---|
"""


def run(arguments: argparse.Namespace) -> int:
    """Measure each length and number of objects, and print a table."""
    groups = _cases(arguments)
    weights = "random weights (speed and memory do not depend on them)"
    if arguments.model == "classic":
        weights = "no weights"
    _out(
        f"{arguments.model} at {arguments.size} x {round(arguments.size * 16 / 9)}, a made clip, "
        f"{weights}.\n"
    )
    if arguments.model == EMBEDDED:
        _out(f"Computed in {arithmetic(pick_device(arguments.device))}.\n")
    _out(f"\n{_HEAD}")
    rows = []
    for cases in groups:
        figures = measure(cases)
        for case, own in zip(cases, figures, strict=True):
            _out(_row(case, own, figures[-1].frames_per_second))
            rows.append({**asdict(case), **asdict(own)})
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(rows, indent=1) + "\n")
    return 0


def _cases(arguments: argparse.Namespace) -> list[list[Case]]:
    """Return what to measure; each list side by side."""
    published = None if arguments.against == NOTHING else reference_of(arguments.model)
    if arguments.against == REFERENCE and published is None:
        raise UsageError(
            f"{REFERENCE} is not installed or has no {arguments.model}: pip install {REFERENCE} "
            f"and take cutie-small or cutie-base, or leave --against out."
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
            for side in (OURS, published)
            if side
        ]
        for length in arguments.lengths or ([100, 1000, 5000] if quick else [100])
        for objects in arguments.objects or ([1, 3, 10] if quick else [1, 3])
    ]


def _row(case: Case, figures: Figures, reference: float) -> str:
    device = f"{figures.device_peak / 1e6:.0f} MB" if figures.device_peak else "-"
    return (
        f"| {case.length} | {case.objects} | {case.side} | {figures.frames_per_second:.2f} "
        f"| {figures.frames_per_second / reference:.2f} "
        f"| {figures.early_s:.3f} | {figures.late_s:.3f} "
        f"| {figures.host_peak / 1e6:.0f} MB | {device} |\n"
    )


def _out(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
