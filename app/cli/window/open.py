"""`maskwright [SOURCE]`: the window."""

import argparse
import os
import sys
from pathlib import Path

from app.errors import UsageError


def run(arguments: argparse.Namespace) -> int:
    """Show the window until it is closed."""
    if arguments.source is not None and not arguments.source.exists():
        raise UsageError(f"{arguments.source} does not exist. Check the path.")
    return show_window(arguments.source, device=arguments.device, threads=arguments.threads)


def show_window(source: Path | None, *, device: str = "auto", threads: int = 0) -> int:
    """Open `source` in a window and return the exit status once it is closed.

    `device` and `threads` go before the settings for this run, and are not kept. Raises UsageError
    where there is no display.
    """
    _check_display()
    # Qt's own libraries may be missing where there is no display.
    from app.cli.window.application import show  # noqa: PLC0415

    return show(source, device=device, threads=threads)


def _check_display() -> None:
    # Qt would abort the whole process. Elsewhere than on Linux there always is a display.
    names = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    if sys.platform == "linux" and not any(os.environ.get(name) for name in names):
        raise UsageError(
            "There is no display for the window: DISPLAY and WAYLAND_DISPLAY are not set. Start "
            "from a desktop (or use ssh -X), set QT_QPA_PLATFORM, or take a command without a "
            "window, see maskwright --help."
        )
