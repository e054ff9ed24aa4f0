"""The parser of `maskwright demo`."""

import argparse
from pathlib import Path


def configure_demo(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `demo`."""
    add = parser.add_argument
    add("--headless", action="store_true", help="run the whole loop and write what comes of it")
    add("--out", type=Path, metavar="DIR", default=Path("maskwright-demo"),
        help="where --headless writes (default: maskwright-demo)")  # fmt: skip
    add(
        "--model",
        metavar="NAME",
        help="the model of --headless (default: lite if done in two minutes, else classic)",
    )


def configure_self_test(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `--self-test`: there are none."""
