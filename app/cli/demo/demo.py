"""`maskwright demo`: the bundled sample clip, in the window or the whole loop with no display."""

import argparse
import sys

from app.cli.window.open import show_window
from app.errors import UsageError
from app.storage.files.apart import check_apart
from app.storage.files.writing import check_folder
from app.storage.sample import own_sample, sample_frames
from models.api import LoadOptions


def run(arguments: argparse.Namespace) -> int:
    """Show the window, or run the loop and say how it went."""
    if not sample_frames().is_dir():
        raise UsageError("The sample clip is not part of this installation. Install it again.")
    if not arguments.headless:
        return show_window(own_sample(), device=arguments.device, threads=arguments.threads)
    # Here, so that the window need not wait for what draws and writes the results.
    from app.cli.demo.loop import run_loop  # noqa: PLC0415

    check_folder(arguments.out)
    check_apart(arguments.out, (sample_frames(),))
    options = LoadOptions(device=arguments.device, threads=arguments.threads)
    sys.stdout.write(run_loop(arguments.out, arguments.model, options))
    return 0
