"""`maskwright bench WHAT`: speed and memory, each kind in a module of its own."""

import argparse
import importlib
from typing import cast

from app.cli.main import CommandModule, add_common

_KINDS = {
    "propagate": "models on a clip: frames per second, memory",
    "gui": "the window: clicks, strokes, scrubbing, playing",
    "hover": "previews under the pointer: how often they come, whether the window waits",
    "io": "videos and projects: opening, reading, writing",
    "clicks": "masks from clicks and boxes against true ones: IoU, and how soon they come",
    "heal": "corrections: what they are worth, what they spoil, and what they cost",
    "refine": "coarse masks made finer, against true ones: boundary F before and after",
}

# Where a kind is not in the module of its name.
_MODULES = {"gui": "app.cli.bench.window.gui"}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `bench`."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    listing = "\n".join(f"  {name:10} {summary}" for name, summary in _KINDS.items())
    parser.epilog = f"what:\n{listing}\n\n`maskwright bench WHAT --help` says more."
    parser.add_argument("what", choices=_KINDS, metavar="WHAT", help=" or ".join(_KINDS))
    parser.add_argument("rest", nargs=argparse.REMAINDER, metavar="...", help="its own options")


def run(arguments: argparse.Namespace) -> int:
    """Measure what was asked for and print a table."""
    module = cast(
        "CommandModule",
        importlib.import_module(_MODULES.get(arguments.what, f"app.cli.bench.{arguments.what}")),
    )
    parser = argparse.ArgumentParser(
        prog=f"maskwright bench {arguments.what}", description=_KINDS[arguments.what]
    )
    add_common(parser)
    parser.set_defaults(device=arguments.device, threads=arguments.threads, debug=arguments.debug)
    module.configure(parser)
    return module.run(parser.parse_args(arguments.rest))
