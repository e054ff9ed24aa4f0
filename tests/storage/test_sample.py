"""The bundled clip: a person works on a copy, which stays theirs."""

from pathlib import Path

import pytest

from app import paths
from app.storage.sample import own_sample, sample_frames


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Have two frames shipped, and no copy of them."""
    folder = tmp_path / "shipped" / "frames"
    folder.mkdir(parents=True)
    for number in (0, 1):
        (folder / f"{number}.jpg").write_bytes(bytes([number]))
    monkeypatch.setattr(paths, "sample_folder", lambda: tmp_path / "shipped")
    monkeypatch.setattr(paths, "data_folder", lambda: tmp_path / "own" / "data")
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_copy_is_made_once_with_all_frames_beside_which_a_project_may_lie(
    shipped: Path, tmp_path: Path
) -> None:
    assert sample_frames() == shipped
    own = own_sample()
    assert own == tmp_path / "own" / "data" / "sample" / "frames"
    assert contents(own) == contents(shipped)
    (own / "0.jpg").write_bytes(b"painted over")
    assert own_sample() == own
    assert contents(own)["0.jpg"] == b"painted over"


def test_a_copy_is_made_beside_what_is_kept_of_the_last_one(shipped: Path) -> None:
    own = own_sample()
    (own.parent / "frames.maskwright").write_bytes(b"a project")
    for path in own.iterdir():
        path.unlink()
    own.rmdir()
    assert contents(own_sample()) == contents(shipped)
    assert (own.parent / "frames.maskwright").read_bytes() == b"a project"


def test_a_copy_that_cannot_be_made_whole_is_none(
    shipped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (shipped / "2.jpg").symlink_to(shipped / "gone.jpg")
    with pytest.raises(FileNotFoundError):
        own_sample()
    (shipped / "2.jpg").unlink()
    assert contents(own_sample()) == contents(shipped)
