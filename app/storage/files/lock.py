"""A lock that one process at a time holds on a file, and that dies with the process."""

import os
import socket
import sys
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_FAR = 1 << 30  # Windows forbids reading locked bytes: lock one far behind the holder's name


class LockedError(Exception):
    """Another process, or this one, holds the lock; the message is the holder's name."""


class FileLock:
    """Held from construction to `release`; the system lets go of it when the process ends.

    The lock is the system's on `<path>.lock`, never the mere presence of that file, so one that a
    killed process left behind locks nothing.
    """

    def __init__(self, path: Path) -> None:
        """Take the lock. Raises LockedError, or OSError where the folder cannot be written to."""
        self._path = path.with_name(f"{path.name}.lock")
        self._file = self._take()

    def release(self) -> None:
        """Let go. A second call does nothing."""
        if self._file.closed:
            return
        # What cannot be removed, the drive being gone, stays there and locks nothing.
        if sys.platform != "win32":  # where a file cannot be removed while it is open
            with suppress(OSError):
                self._path.unlink(missing_ok=True)
        self._file.close()
        if sys.platform == "win32":
            with suppress(OSError):
                self._path.unlink(missing_ok=True)

    def _take(self) -> BinaryIO:
        while True:
            file = self._path.open("a+b")
            try:
                _lock(file)
            except OSError:
                file.seek(0)
                holder = file.read().decode(errors="replace")
                file.close()
                raise LockedError(holder or "another process") from None
            if self._is_current(file):
                break
            file.close()  # the holder before removed this file after we had opened it
        file.truncate(0)
        file.write(f"process {os.getpid()} on {socket.gethostname()}".encode())
        file.flush()
        return file

    def _is_current(self, file: BinaryIO) -> bool:
        try:
            return os.path.samestat(os.fstat(file.fileno()), self._path.stat())
        except FileNotFoundError:
            return False


def _lock(file: BinaryIO) -> None:
    if sys.platform == "win32":
        file.seek(_FAR)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
