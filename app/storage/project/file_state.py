"""The state of an open project file: by which it is noticed that others have written to it."""

import os
import zlib
from contextlib import suppress
from pathlib import Path

_HEAD = 1 << 16  # bytes; holds the tables, the video's place and the first masks


class FileState:
    """What a file is like after the last change that this process made.

    It is held open until `close`, to be called after the database is closed: to close any handle
    of a file before lets go of the locks that SQLite has on it.
    """

    def __init__(self, path: Path) -> None:
        """Raises OSError."""
        self._path = path
        self._file = path.open("rb", buffering=0)
        self._noted = self._state()

    def note(self) -> None:
        """Take the file as it is now for this process's own."""
        with suppress(OSError):  # what cannot be read now is told by the next write
            self._noted = self._state()

    def is_here(self) -> bool:
        """Whether the file is in its place still. Raises OSError where there is none."""
        return os.path.samestat(self._path.stat(), os.fstat(self._file.fileno()))

    def is_as_noted(self) -> bool:
        """Whether nobody else has written to it. Raises OSError."""
        return self._state() == self._noted

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def _state(self) -> tuple[int, int]:
        """Return the file's size and a checksum of its head."""
        self._file.seek(0)
        return os.fstat(self._file.fileno()).st_size, zlib.crc32(self._file.read(_HEAD))
