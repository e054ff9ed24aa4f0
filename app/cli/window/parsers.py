"""The parser of `maskwright open`."""

import argparse
from pathlib import Path


def configure_open(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `open`."""
    parser.add_argument(
        "source",
        nargs="?",
        type=Path,
        metavar="SOURCE",
        help="a video, a folder of images, a project (*.maskwright) or a VISOR JSON",
    )
