"""The results of one video: whole in their folder or not there, made by one process at a time.

What a process that was killed has left behind is cleared away by the next one that makes them.
"""

import shutil
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from app.storage.files.lock import FileLock, LockedError
from app.storage.files.writing import flush_folder

_LOOK_AGAIN_S = 0.2


@contextmanager
def held(out: Path) -> Generator[None, None, None]:
    """Hold the results at `out`; where another process makes them, wait until it has ended."""
    out.parent.mkdir(parents=True, exist_ok=True)
    lock = wait_for_lock(_beside(out, ""))
    try:
        _clear(out)
        yield
    finally:
        lock.release()


@contextmanager
def fresh_results(out: Path) -> Generator[Path, None, None]:
    """Yield an empty folder, which takes the place of `out` if no error is raised.

    It lies as deep as `out`, so that paths that are relative to it hold in its place, too. For
    whoever has `out` held.
    """
    made, old = _beside(out, ".unfinished"), _beside(out, ".old")
    made.mkdir()
    try:
        yield made
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise
    if out.exists():
        out.replace(old)
    made.replace(out)
    flush_folder(out.parent)
    shutil.rmtree(old, ignore_errors=True)


def wait_for_lock(path: Path) -> FileLock:
    """Return the lock on `path`, once no other process has it."""
    while True:
        try:
            return FileLock(path)
        except LockedError:
            time.sleep(_LOOK_AGAIN_S)


def _clear(out: Path) -> None:
    """Remove what a killed process left beside `out`, and put what it had moved aside back."""
    old = _beside(out, ".old")
    if old.exists() and not out.exists():
        old.replace(out)
    for left in (old, _beside(out, ".unfinished")):
        shutil.rmtree(left, ignore_errors=True)


def _beside(out: Path, suffix: str) -> Path:
    return out.with_name(f".{out.name}{suffix}")
