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
        "--ray", metavar="auto|ADDRESS", help="work on a Ray cluster (auto: one of this machine)"
    )
