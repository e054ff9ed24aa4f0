"""Writing files: all or nothing."""

from pathlib import Path

import pytest

from app.storage.files.writing import atomic_file, atomic_folder, atomic_write


class Interruption(Exception):
    """Something went wrong in the middle."""


def _begin_file(path: Path) -> None:
    with atomic_file(path) as beside:
        assert beside.suffix == path.suffix
        beside.write_bytes(b"half")
        raise Interruption


def _begin_folder(path: Path) -> None:
    with atomic_folder(path) as beside:
        (beside / "new.png").touch()
        raise Interruption


def test_a_file_is_replaced_by_a_whole_one(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.json"
    atomic_write(path, b"one")
    atomic_write(path, b"two")
    assert path.read_bytes() == b"two"
    assert list(path.parent.iterdir()) == [path]


def test_a_failure_leaves_the_file_that_was_there(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(b"old")
    with pytest.raises(Interruption):
        _begin_file(path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_is_replaced_by_a_whole_one(tmp_path: Path) -> None:
    path = tmp_path / "masks"
    path.mkdir()
    (path / "old.png").touch()
    with atomic_folder(path) as beside:
        (beside / "new.png").touch()
        assert (path / "old.png").exists()
    assert [each.name for each in path.iterdir()] == ["new.png"]
    assert list(tmp_path.iterdir()) == [path]


def test_a_failure_leaves_the_folder_that_was_there(tmp_path: Path) -> None:
    path = tmp_path / "masks"
    path.mkdir()
    (path / "old.png").touch()
    with pytest.raises(Interruption):
        _begin_folder(path)
    assert [each.name for each in path.iterdir()] == ["old.png"]
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_in_the_place_of_the_folder_is_not_lost_on_failure(tmp_path: Path) -> None:
    path = tmp_path / "masks"
    path.write_bytes(b"a file")
    with pytest.raises(Interruption):
        _begin_folder(path)
    assert path.read_bytes() == b"a file"
