"""The parser of `maskwright batch`."""

import argparse
from pathlib import Path

from app.cli.command import whole


def configure_batch(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("plan", type=Path, metavar="PLAN.toml", help="videos, steps and results")
    parser.add_argument(
        "--workers",
        type=whole(1),
        metavar="N",
        help="processes on this machine (default: one for each GPU, or one for every 4 cores)",
    )
    parser.add_argument(
        "--memory",
        type=_gigabytes,
        metavar="GB",
        help="what one video takes of a GPU's memory (GiB): as many share one as have room "
        "(default: one each); without a GPU, of the machine's",
    )
    parser.add_argument(
        "--ray", metavar="auto|ADDRESS", help="work on a Ray cluster (auto: one of this machine)"
    )


def _gigabytes(text: str) -> float:
    try:
        size = float(text)
    except ValueError:
        size = 0.0
    if not 0 < size < 1e6:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of gigabytes above 0")
    return size
