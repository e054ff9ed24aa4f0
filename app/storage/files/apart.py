"""The check that an output destroys no input: it neither is one, nor holds one, nor lies in one."""

import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
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
    if own in _linked_from(given):
        return "is or holds what a link leads to in"
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


def _linked_from(folder: Path) -> set[_Identity | Path]:
    """Return what the links in a folder that is read lead to, and what that lies in."""
    found: set[_Identity | Path] = set()
    with suppress(OSError):
        for each in _entries(folder):
            if each.is_symlink():
                target = _resolved(Path(each.path))
                found |= {_what(place) for place in (target, *target.parents)}
    return found


def _is_second_name(output: Path, folder: Path) -> bool:
    """Whether a file has another name in a folder that is read."""
    with suppress(OSError):
        found = output.stat()
        if found.st_nlink > 1 and stat.S_ISREG(found.st_mode):
            return any(os.path.samestat(found, each.stat()) for each in _entries(folder))
    return False


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    """Yield what a folder and those in it hold; no link to a folder is followed."""
    if not folder.is_dir():
        return
    with os.scandir(folder) as entries:
        for each in entries:
            yield each
            if each.is_dir(follow_symlinks=False):
                yield from _entries(Path(each.path))
