"""The check that an output destroys no input: it neither is one, nor holds one, nor lies in one."""

import os
import stat
from collections.abc import Iterable
from pathlib import Path

from app.errors import UsageError

_Identity = tuple[int, int]  # device and number: what a path is, however it is written


def check_apart(output: Path, inputs: Iterable[Path | None]) -> None:
    """Raise UsageError where writing `output` could destroy what is read.

    Files are told apart by what they are: links, second names of one file and names that differ in
    case only, where the disk is blind to that, do not matter. `None` is no input.
    """
    above_output = _chain(output)
    for given in filter(None, inputs):
        if how := _relation(output, above_output, given):
            raise UsageError(
                f"{output} {how} {given}, which is read. Choose another place; nothing was written."
            )


def _relation(output: Path, above_output: set[_Identity | Path], given: Path) -> str | None:
    above = _chain(given)
    own, theirs = _what(_resolved(output)), _what(_resolved(given))
    if own == theirs:
        return "is"
    if own in above:
        return "holds"
    if theirs in above_output:
        return "lies in"
    if _is_second_name(output, given):
        return "is a second name of a file in"
    return None


def _chain(path: Path) -> set[_Identity | Path]:
    """Return what a path is and lies in, as it is written and where its links lead."""
    written = Path(os.path.abspath(path))  # noqa: PTH100 - keeps the links
    places = (written, *written.parents, *(resolved := _resolved(path)).parents, resolved)
    return {_what(place) for place in places}


def _what(path: Path) -> _Identity | Path:
    try:
        found = path.stat()
    except OSError:
        return path  # nothing is there that could be destroyed under another name
    return found.st_dev, found.st_ino


def _resolved(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError):  # a link in a circle
        return path.absolute()


def _is_second_name(output: Path, folder: Path) -> bool:
    """Whether a file has another name in a folder that is read."""
    try:
        found = output.stat()
        if found.st_nlink < 2 or not stat.S_ISREG(found.st_mode) or not folder.is_dir():
            return False
        return any(os.path.samestat(found, each.stat()) for each in folder.iterdir())
    except OSError:
        return False
