"""The command line: finds the command, runs it, turns errors into one line and an exit status."""

import argparse
import logging
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

from app.cli.bench import parsers as bench
from app.cli.command import Command, listing
from app.cli.demo import parsers as demo
from app.cli.exchange import parsers as exchange
from app.cli.machine import parsers as machine
from app.cli.masks import parsers as masks
from app.cli.masks.batch import parsers as batch
from app.cli.training import parsers as training
from app.cli.window import parsers as window
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
_SELF_TEST = "self-test"  # may be given as an option, too, as other programs have it
_MEND = "Check the drive and the room on it, and try again."

COMMANDS = {
    "open": Command(
        "the window, on a video, folder, project or VISOR JSON (default)",
        window.configure_open,
        "app.cli.window.open",
    ),
    "replay": Command(
        "a log of interactions again, and whether the same masks come of it",
        window.configure_replay,
        "app.cli.window.replay",
    ),
    "demo": Command(
        "the bundled sample clip, in the window or all headless",
        demo.configure_demo,
        "app.cli.demo.demo",
    ),
    "propagate": Command(
        "fill a video's frames from anchor masks",
        masks.configure_propagate,
        "app.cli.masks.propagate",
    ),
    "segment": Command(
        "one object's mask on an image, from points or a box",
        masks.configure_segment,
        "app.cli.masks.segment",
    ),
    "refine": Command(
        "refine the masks of selected frames",
        masks.configure_refine,
        "app.cli.masks.refine",
    ),
    "densify": Command(
        "sparse VISOR masks made dense between the annotated frames",
        masks.configure_densify,
        "app.cli.masks.densify",
    ),
    "vote": Command(
        "make coarse masks consistent by the masks of a tracker",
        masks.configure_vote,
        "app.cli.masks.vote",
    ),
    "evaluate": Command(
        "J, F and J&F of masks against ground truth",
        masks.configure_evaluate,
        "app.cli.masks.evaluate",
    ),
    "inspect": Command(
        "where, how and why masks fail against ground truth",
        masks.configure_inspect,
        "app.cli.masks.inspect",
    ),
    "import": Command(
        "make a project from VISOR, DAVIS or COCO",
        exchange.configure_import,
        "app.cli.exchange.import_project",
    ),
    "export": Command(
        "a project as VISOR, DAVIS, COCO, submission or video",
        exchange.configure_export,
        "app.cli.exchange.export_project",
    ),
    "convert": Command(
        "between exchange formats, without a project",
        exchange.configure_convert,
        "app.cli.exchange.convert",
    ),
    "validate": Command(
        "check a VISOR JSON, defect by defect",
        exchange.configure_validate,
        "app.cli.exchange.validate",
    ),
    "models": Command(
        "the weights: list, get, path, verify",
        machine.configure_models,
        "app.cli.machine.models",
    ),
    "batch": Command(
        "many videos by one plan, on this machine or on a Ray cluster",
        batch.configure_batch,
        "app.cli.masks.batch.run",
    ),
    "train": Command(
        "train a model from a config file", training.configure_train, "app.cli.training.train"
    ),
    "bench": Command(
        "measure speed and memory: propagate, batch, gui, io",
        bench.configure_bench,
        "app.cli.bench.bench",
    ),
    "doctor": Command(
        "check this machine, line by line", machine.configure_doctor, "app.cli.machine.doctor"
    ),
    "desktop": Command(
        "put the program in the menu of a Linux desktop, where projects open by a double click",
        machine.configure_desktop,
        "app.cli.machine.desktop",
    ),
    _SELF_TEST: Command(
        "the main job headless, then what is missing (--self-test is the same)",
        demo.configure_self_test,
        "app.cli.demo.self_test",
    ),
}


def run(arguments: Sequence[str]) -> int:
    """Run `maskwright` with these arguments and return its exit status."""
    words = [_SELF_TEST if word == f"--{_SELF_TEST}" else word for word in arguments[:1]]
    words += arguments[1:]
    if not words or (words[0] not in COMMANDS and words[0] not in {"-h", "--help", "--version"}):
        words.insert(0, "open")
    if words[0] not in COMMANDS:
        _top_parser().parse_args(words)
        return 0
    command = COMMANDS[words[0]]
    parsed = command.parser(words[0]).parse_args(words[1:])
    if parsed.debug:
        logging.basicConfig(level=logging.DEBUG)
    else:
        logging.basicConfig(level=logging.WARNING, format="maskwright: %(message)s")
    return _guarded(command, parsed)


def _guarded(command: Command, parsed: argparse.Namespace) -> int:
    try:
        return command.run(parsed)
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
    try:
        number = version("maskwright")
    except PackageNotFoundError:
        number = "(not installed)"
    parser = argparse.ArgumentParser(
        prog="maskwright",
        usage="maskwright [SOURCE] | maskwright COMMAND ...",
        description="Correct video object masks: propagate, find the drift, heal, export.",
        epilog=f"commands:\n{listing(COMMANDS)}\n\n`maskwright COMMAND --help` says more.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"maskwright {number}")
    return parser
