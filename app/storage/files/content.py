"""The content of an open file: by which it is noticed that another one lies in its place."""

from pathlib import Path

_HEAD = 1 << 16  # bytes; in every container they tell of what follows


class FileContent:
    """What a file began with when it was opened: growing or touched it is the same, and cut off."""

    def __init__(self, path: Path) -> None:
        """Raises OSError."""
        self._path = path
        self._state, self._head = self._now(), self._read_head()

    def is_another(self) -> bool:
        """Whether another file is in its place; one that is gone is not replaced."""
        try:
            now = self._now()
            if now != self._state:
                head = self._read_head()
                if not (head.startswith(self._head) or self._head.startswith(head)):
                    return True
                self._state = now
        except OSError:
            return False  # who has it open may read on
        return False

    def _now(self) -> tuple[int, int, int]:
        found = self._path.stat()
        return found.st_ino, found.st_size, found.st_mtime_ns

    def _read_head(self) -> bytes:
        with self._path.open("rb") as file:
            return file.read(_HEAD)
