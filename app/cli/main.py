"""The command line: finds the command, runs it, turns errors into one line and an exit status."""

import argparse
import importlib
import logging
import sys
from collections.abc import Sequence
from typing import Protocol, cast

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

# name -> (module, one line for --help). Modules are imported only when their command runs, so that
# --help answers before torch, Qt or OpenCV would be loaded.
_COMMANDS: dict[str, tuple[str, str]] = {
    "open": (
        "app.cli.window",
        "the window, on a video, folder, project or VISOR JSON (default)",
    ),
    "demo": (
        "app.cli.demo",
        "the bundled sample clip, in the window or all headless",
    ),
    "propagate": ("app.cli.propagate", "fill a video's frames from anchor masks"),
    "segment": ("app.cli.segment", "one object's mask on an image, from points or a box"),
    "refine": ("app.cli.refine", "refine the masks of selected frames"),
    "evaluate": ("app.cli.evaluate", "J, F and J&F of masks against ground truth"),
    "import": ("app.cli.exchange_in", "make a project from VISOR, DAVIS or COCO"),
    "export": (
        "app.cli.exchange_out",
        "a project as VISOR, DAVIS, COCO, submission or video",
    ),
    "convert": ("app.cli.convert", "between exchange formats, without a project"),
    "validate": ("app.cli.validate", "check a VISOR JSON, defect by defect"),
    "models": ("app.cli.models", "the weights: list, get, path, verify"),
    "train": ("app.cli.train", "train a model from a config file"),
    "bench": ("app.cli.bench", "measure speed and memory: propagate, gui, io"),
    "doctor": ("app.cli.doctor", "check this machine, line by line"),
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
        _say(error)
        return 2 if isinstance(error, _WRONG_USE) else 1
    except KeyboardInterrupt:
        _say("Stopped. What is finished is kept; the same command again does the rest.")
        return 1


def _say(what: object) -> None:
    text = str(what) or type(what).__name__
    sys.stderr.write(f"maskwright: {text}\n")


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
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:N or mps")
    parser.add_argument("--threads", type=int, default=0, metavar="N", help="CPU threads (0 = all)")
    parser.add_argument("--debug", action="store_true", help="show tracebacks and debug messages")
