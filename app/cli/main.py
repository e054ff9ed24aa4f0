"""The command line: finds the command, runs it, turns errors into one line and an exit status."""

import argparse
import importlib
import logging
import sys
from collections.abc import Sequence
from typing import Protocol, cast

from app.cli.arguments import device, whole
from app.errors import MaskwrightError, UsageError
from models.api import (
    ModelError,
    OptionError,
    PromptError,
    UnknownModelError,
    WeightsInvalidError,
    WeightsMissingError,
)

log = logging.getLogger(__name__)

_WRONG_USE = (
    UsageError,
    OptionError,
    PromptError,
    UnknownModelError,
    WeightsInvalidError,
    WeightsMissingError,
)

# What to do where the system refuses something.
_ADVICE: dict[type[OSError], str] = {
    PermissionError: "Give yourself permission, or choose another place.",
    FileNotFoundError: "Check the path.",
    FileExistsError: "Move it, or choose another place.",
    IsADirectoryError: "Give the name of a file.",
    NotADirectoryError: "A part of the path is a file: choose another place.",
}
_MEND = "Check the drive and the room on it, and try again."

# name -> (module, one line for --help). Modules are imported only when their command runs, so that
# --help answers before torch, Qt or OpenCV would be loaded.
_COMMANDS: dict[str, tuple[str, str]] = {
    "open": (
        "app.cli.window",
        "the window, on a video, folder, project or VISOR JSON (default)",
    ),
    "demo": (
        "app.cli.demo.command",
        "the bundled sample clip, in the window or all headless",
    ),
    "propagate": ("app.cli.masks.propagate", "fill a video's frames from anchor masks"),
    "segment": ("app.cli.masks.segment", "one object's mask on an image, from points or a box"),
    "refine": ("app.cli.masks.refine", "refine the masks of selected frames"),
    "evaluate": ("app.cli.masks.evaluate", "J, F and J&F of masks against ground truth"),
    "import": ("app.cli.exchange.import_", "make a project from VISOR, DAVIS or COCO"),
    "export": (
        "app.cli.exchange.export",
        "a project as VISOR, DAVIS, COCO, submission or video",
    ),
    "convert": ("app.cli.exchange.convert", "between exchange formats, without a project"),
    "validate": ("app.cli.exchange.validate", "check a VISOR JSON, defect by defect"),
    "models": ("app.cli.machine.models", "the weights: list, get, path, verify"),
    "train": ("app.cli.training.command", "train a model from a config file"),
    "bench": ("app.cli.bench.command", "measure speed and memory: propagate, gui, io"),
    "doctor": ("app.cli.machine.doctor", "check this machine, line by line"),
}


class CommandModule(Protocol):
    """What each module of a command offers."""

    def configure(self, parser: argparse.ArgumentParser, /) -> None:
        """Add the command's arguments."""

    def run(self, arguments: argparse.Namespace, /) -> int:
        """Do the work and return the exit status."""


def run(arguments: Sequence[str]) -> int:
    """Run `maskwright` with these arguments and return its exit status."""
    words = list(arguments)
    if not words or (words[0] not in _COMMANDS and words[0] not in {"-h", "--help", "--version"}):
        words.insert(0, "open")
    parser = _top_parser()
    if words[0] not in _COMMANDS:
        parser.parse_args(words)
        return 0
    module = cast("CommandModule", importlib.import_module(_COMMANDS[words[0]][0]))
    command = argparse.ArgumentParser(
        prog=f"maskwright {words[0]}", description=_COMMANDS[words[0]][1]
    )
    add_common(command)
    module.configure(command)
    parsed = command.parse_args(words[1:])
    if parsed.debug:
        logging.basicConfig(level=logging.DEBUG)
    else:
        logging.basicConfig(level=logging.WARNING, format="maskwright: %(message)s")
    return _guarded(module, parsed)


def _guarded(module: CommandModule, parsed: argparse.Namespace) -> int:
    try:
        return module.run(parsed)
    except (MaskwrightError, ModelError, OSError, MemoryError) as error:
        if parsed.debug:
            raise
        sys.stderr.write(f"maskwright: {_text(error)}\n")
        return 2 if isinstance(error, _WRONG_USE) else 1


def _text(error: BaseException) -> str:
    if isinstance(error, MemoryError):
        return "There is not enough memory. Close other programs, and try again."
    if not isinstance(error, OSError) or error.strerror is None:
        return str(error) or type(error).__name__
    place = error.filename2 or error.filename  # of two it is the one that was to be
    advice = next((text for kind, text in _ADVICE.items() if isinstance(error, kind)), _MEND)
    return f"{f'{place}: ' if place else ''}{error.strerror}. {advice}"


def _top_parser() -> argparse.ArgumentParser:
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415

    try:
        number = version("maskwright")
    except PackageNotFoundError:
        number = "(not installed)"
    listing = "\n".join(f"  {name:10} {summary}" for name, (_, summary) in _COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog="maskwright",
        usage="maskwright [SOURCE] | maskwright COMMAND ...",
        description="Correct video object masks: propagate, find the drift, heal, export.",
        epilog=f"commands:\n{listing}\n\n`maskwright COMMAND --help` says more.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"maskwright {number}")
    return parser


def add_common(parser: argparse.ArgumentParser) -> None:
    """Add what every command understands."""
    parser.add_argument(
        "--device", type=device, default="auto", help="auto, cpu, cuda, cuda:N or mps"
    )
    parser.add_argument(
        "--threads", type=whole(0), default=0, metavar="N", help="CPU threads (0 = all)"
    )
    parser.add_argument("--debug", action="store_true", help="show tracebacks and debug messages")
