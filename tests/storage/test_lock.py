"""The lock on a file; that it dies with its process is tested with projects."""

from pathlib import Path
from typing import BinaryIO

import pytest

from app.storage.files import lock
from app.storage.files.lock import FileLock, LockedError


def test_a_released_lock_can_be_taken_again_and_leaves_no_file(tmp_path: Path) -> None:
    path = tmp_path / "a"
    first = FileLock(path)
    with pytest.raises(LockedError, match="process"):
        FileLock(path)
    first.release()
    first.release()
    assert list(tmp_path.iterdir()) == []
    FileLock(path).release()


def test_a_lock_taken_just_as_its_holder_lets_go_still_locks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a"
    take, held = lock._lock, [FileLock(path)]

    def let_go_first(file: BinaryIO) -> None:
        if held:
            held.pop().release()  # removes the file that was opened a moment ago
        take(file)

    monkeypatch.setattr(lock, "_lock", let_go_first)
    mine = FileLock(path)
    with pytest.raises(LockedError):
        FileLock(path)
    mine.release()
