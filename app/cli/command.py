"""A command of the program: its parser, the types of its options, and the module that runs it."""

import argparse
import importlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Protocol, cast

from app.errors import UsageError
from app.storage.files.writing import check_file

_DEVICE = re.compile(r"auto|cpu|mps|cuda(:\d+)?")


class Runner(Protocol):
    """What a module that runs a command offers."""

    def run(self, arguments: argparse.Namespace, /) -> int:
        """Do the work and return the exit status."""


class Command(NamedTuple):
    """One command: its line of --help, what adds its arguments, and the module that runs it.

    Parsers are light. The runner is imported only when its command runs, so that --help answers
    before torch, Qt or OpenCV would be loaded.
    """

    summary: str
    configure: Callable[[argparse.ArgumentParser], None]
    runner: str

    def parser(self, name: str) -> argparse.ArgumentParser:
        """Return the parser of `maskwright NAME`."""
        parser = argparse.ArgumentParser(prog=f"maskwright {name}", description=self.summary)
        _add_common(parser)
        self.configure(parser)
        return parser

    def run(self, arguments: argparse.Namespace) -> int:
        """Import the runner, do the work and return the exit status."""
        runner = cast("Runner", importlib.import_module(self.runner))
        return runner.run(arguments)


def listing(commands: dict[str, Command]) -> str:
    """Return a line for each command, for an epilog."""
    return "\n".join(f"  {name:10} {command.summary}" for name, command in commands.items())


def whole(least: int) -> Callable[[str], int]:
    """Return what reads a whole number that is at least `least`."""

    def number(text: str) -> int:
        if not re.fullmatch(r"-?\d{1,18}", text):
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number")
        if int(text) < least:
            raise argparse.ArgumentTypeError(f"{text} is too small: give {least} or more")
        return int(text)

    return number


def output_file(text: str) -> Path:
    """Read where a file is to be written; raises ArgumentTypeError where none can be."""
    try:
        check_file(Path(text))
    except UsageError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return Path(text)


def _device(text: str) -> str:
    """Read the name of a device; whether it is there is for the model to say."""
    if not _DEVICE.fullmatch(text):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a device: use auto, cpu, cuda, cuda:N or mps"
        )
    return text


def _add_common(parser: argparse.ArgumentParser) -> None:
    """Add what every command understands."""
    parser.add_argument(
        "--device", type=_device, default="auto", help="auto, cpu, cuda, cuda:N or mps"
    )
    parser.add_argument(
        "--threads", type=whole(0), default=0, metavar="N", help="CPU threads (0 = all)"
    )
    parser.add_argument("--debug", action="store_true", help="show tracebacks and debug messages")
