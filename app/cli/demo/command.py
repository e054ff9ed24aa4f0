"""`maskwright demo`: the bundled sample clip, in the window or the whole loop with no display."""

import argparse
import sys
from pathlib import Path

from app.errors import UsageError


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `demo`."""
    add = parser.add_argument
    add("--headless", action="store_true", help="run the whole loop and write what comes of it")
    add("--out", type=Path, metavar="DIR", default=Path("maskwright-demo"),
        help="where --headless writes (default: maskwright-demo)")  # fmt: skip
    add(
        "--model",
        metavar="NAME",
        help="the model of --headless (default: classic, done in two minutes on a CPU)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Show the window, or run the loop and say how it went."""
    from app.storage.sample import own_sample, sample_frames  # noqa: PLC0415 - keeps --help quick

    if not sample_frames().is_dir():
        raise UsageError("The sample clip is not part of this installation. Install it again.")
    if not arguments.headless:
        from app.cli.window import show_window  # noqa: PLC0415 - loads Qt

        return show_window(own_sample(), device=arguments.device, threads=arguments.threads)
    from app.cli.demo.loop import run_loop  # noqa: PLC0415
    from app.storage.files.writing import check_folder  # noqa: PLC0415
    from models.api import LoadOptions  # noqa: PLC0415

    check_folder(arguments.out)
    options = LoadOptions(device=arguments.device, threads=arguments.threads)
    sys.stdout.write(run_loop(arguments.out, arguments.model, options))
    return 0
