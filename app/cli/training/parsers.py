"""The parser of `maskwright train`."""

import argparse
from pathlib import Path


def configure_train(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("config", type=Path, metavar="CONFIG", help="a TOML file: see the guide")
    parser.add_argument("--resume", action="store_true", help="go on from the run's checkpoint")
