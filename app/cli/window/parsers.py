"""The parsers of `maskwright open` and `replay`."""

import argparse
from pathlib import Path

from app.cli.command import output_file


def configure_open(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `open`."""
    parser.add_argument(
        "source",
        nargs="?",
        type=Path,
        metavar="SOURCE",
        help="a video, a folder of images, a project (*.maskwright) or a VISOR JSON",
    )


def configure_replay(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `replay`."""
    add = parser.add_argument
    add("log", type=Path, metavar="LOG", help="a log of interactions (*.jsonl)")
    add("--video", type=Path, metavar="SOURCE",
        help="the video, where it is not where the log says")  # fmt: skip
    add("--out", type=output_file, metavar="PROJECT", help="keep the masks in this project file")
    add("--count", action="store_true",
        help="only say what the interactions add up to; no model is asked")  # fmt: skip
