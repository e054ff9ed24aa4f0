"""The writing of files: what was there before is only replaced by something whole."""

import os
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from app.errors import FormatError, UsageError

_LONGEST_NAME = 240  # most file systems take 255 bytes, of which a suffix has some


def check_file(path: Path) -> None:
    """Raise UsageError where `path` cannot be a file for what stands there."""
    if path.exists() and not path.is_file():
        what = "a folder" if path.is_dir() else "a device"  # which a file would take the place of
        raise UsageError(f"{path} is {what}. Give the name of a file to write.")
    check_folder(path.parent)


def check_folder(path: Path) -> None:
    """Raise UsageError where `path` cannot be a folder for a file that stands there."""
    wrong = next((each for each in (path, *path.parents) if each.is_file()), None)
    if wrong is not None:
        raise UsageError(f"{wrong} is a file where a folder is needed. Give another path.")


def atomic_write(path: Path, content: bytes) -> None:
    """Write `content` to `path`, durable; on any failure `path` is as it was before.

    Raises OSError. Folders above `path` are made.
    """
    with atomic_file(path) as beside:
        beside.write_bytes(content)


@contextmanager
def atomic_file(path: Path) -> Generator[Path, None, None]:
    """Yield a path beside `path` to write to; it takes the place of `path` if no error is raised.

    The yielded path has the same suffix, does not exist yet, and is removed on failure.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{path.stem}.", dir=path.parent) as folder:
        beside = Path(folder) / path.name
        yield beside
        _flush(beside)
        beside.replace(path)
    flush_folder(path.parent)


@contextmanager
def atomic_folder(path: Path) -> Generator[Path, None, None]:
    """Yield an empty folder to fill; it takes the place of `path` if no error is raised.

    What was at `path`, a folder or nothing, is moved aside first and removed last, so a crash in
    between leaves either the old folder, the new one, or the old one beside under a dotted name.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as scratch:
        fresh, old = Path(scratch) / "new", Path(f"{scratch}-old")
        fresh.mkdir()
        yield fresh
        if path.exists():
            path.replace(old)
        try:
            fresh.replace(path)
        except OSError:
            if old.exists():
                old.replace(path)
            raise
        shutil.rmtree(old, ignore_errors=True)
    flush_folder(path.parent)


def check_file_name(name: str, what: str) -> None:
    """Raise FormatError where `name`, out of somebody's file, is not one plain part of a path.

    It would lead out of the folder that is written to, or could not be read back. `what` says
    what bears the name.
    """
    is_whole = 0 < len(name.encode(errors="surrogatepass")) <= _LONGEST_NAME
    if not is_whole or name.startswith(".") or any(map(_is_unfit, name)):
        raise FormatError(
            f"{what} is called {name[:80]!r}, which cannot be the name of a file here. Rename it: "
            f"without slashes, no dot first, at most {_LONGEST_NAME} bytes. Nothing was written."
        )


def _is_unfit(character: str) -> bool:
    # Half of a surrogate pair has no bytes of its own.
    return character in "/\\" or character < " " or "\ud800" <= character <= "\udfff"


def _flush(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def flush_folder(path: Path) -> None:
    """Make a rename in the folder durable; Windows cannot open a folder and does not need it."""
    if os.name == "posix":
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
