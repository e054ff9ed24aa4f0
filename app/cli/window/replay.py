"""`maskwright replay`: a log of interactions played again, with no window."""

import argparse
import sys
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from app.cli.progress import Progress

if TYPE_CHECKING:
    from app.core.effort import Effort
    from app.storage.interactions import Log


def run(arguments: argparse.Namespace) -> int:
    """Play a log, and say whether the same masks come of it; 1 where they do not."""
    from app.storage.files.apart import check_apart  # noqa: PLC0415
    from app.storage.files.writing import check_file  # noqa: PLC0415
    from app.storage.interactions import read_log  # noqa: PLC0415

    log = read_log(arguments.log)
    if arguments.out is not None:
        check_file(arguments.out)
        check_apart(arguments.out, (arguments.log, arguments.video or log.head.video))
    sys.stdout.write(_summary(log))
    return 0 if arguments.count else _play(log, arguments)


def _summary(log: "Log") -> str:
    """Say what the interactions add up to."""
    from app.core.effort import Tally  # noqa: PLC0415

    tally = Tally(log.interactions)
    rows = [f"{log.head.video.name}: {_told(tally.whole)}"]
    rows += [f"object {number}: {_told(each)}" for number, each in sorted(tally.objects.items())]
    return "\n".join(rows) + "\n"


def _told(effort: "Effort") -> str:
    return (
        f"{effort.interactions} interactions, {effort.clicks} clicks on "
        f"{len(effort.frames)} frames, {effort.seconds:.0f} s"
    )


def _play(log: "Log", arguments: argparse.Namespace) -> int:
    from PySide6.QtCore import QCoreApplication  # noqa: PLC0415

    from app.session.replay import Replay  # noqa: PLC0415
    from app.storage.interactions import end_of  # noqa: PLC0415

    _application = QCoreApplication.instance() or QCoreApplication(["maskwright"])
    with TemporaryDirectory(prefix="maskwright-") as folder:
        replay = Replay(log, Path(folder), arguments.video)
        progress = Progress("replay", len(log.interactions), unit="interactions")
        with closing(replay):
            with progress:
                document = replay.play(progress.step)
            found = end_of(document)
            if arguments.out is not None:
                replay.session.files.save_as(arguments.out)
    if log.end is None:
        sys.stdout.write(f"Masks: {found.masks}. The log was cut off: nothing to compare with.\n")
        return 0
    same = found.digest == log.end.digest
    said = "equal, bit for bit" if same else f"other than those of the log ({log.end.masks})"
    sys.stdout.write(f"Masks: {found.masks}, {said}.\n")
    return 0 if same else 1
