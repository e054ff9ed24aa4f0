"""An output never is, holds or lies in what is read."""

import os
from pathlib import Path

import pytest

from app.errors import UsageError
from app.storage.files.apart import check_apart


@pytest.fixture
def frames(tmp_path: Path) -> Path:
    folder = tmp_path / "clip" / "frames"
    folder.mkdir(parents=True)
    (folder / "1.png").write_bytes(b"a picture")
    return folder


def refused(output: Path, *inputs: Path | None, how: str) -> bool:
    with pytest.raises(UsageError, match=how):
        check_apart(output, inputs)
    return True


def test_an_output_apart_is_taken(frames: Path) -> None:
    for output in ("out", "clip/out", "clip/frames2", "clip/frames.json", "elsewhere/clip/frames"):
        check_apart(frames.parents[1] / output, [frames, None, frames / "1.png"])


def test_an_output_that_is_holds_or_lies_in_an_input_is_refused(frames: Path) -> None:
    assert refused(frames, frames, how=" is ")
    assert refused(frames / ".." / "frames", frames, how=" is ")
    assert refused(frames.parent, frames, how=" holds ")
    assert refused(frames.parents[1], frames / "1.png", how=" holds ")
    assert refused(frames / "masks" / "new", frames, how=" lies in ")
    assert refused(frames / "1.png", frames, how=" lies in ")


def test_a_relative_path_is_the_whole_one(frames: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(frames)
    assert refused(Path(), frames, how=" is ")
    assert refused(Path("new"), frames, how=" lies in ")
    assert refused(Path("../frames/x"), Path(), how=" lies in ")


def test_links_do_not_hide_what_a_path_is(frames: Path) -> None:
    link = frames.parents[1] / "link"
    link.symlink_to(frames, target_is_directory=True)
    assert refused(link, frames, how=" is ")
    assert refused(frames, link, how=" is ")
    assert refused(link / "new", frames, how=" lies in ")
    assert refused(frames.parent, link, how=" holds ")
    file = frames.parents[1] / "picture.png"
    file.symlink_to(frames / "1.png")
    assert refused(file, frames, how=" lies in ")
    assert refused(frames.parents[1], file, how=" holds ")


def test_a_folder_with_a_link_that_is_read_holds_an_input(frames: Path) -> None:
    shelf = frames.parents[1] / "shelf"
    shelf.mkdir()
    (shelf / "clip").symlink_to(frames, target_is_directory=True)
    assert refused(shelf, shelf / "clip", how=" holds ")


def test_second_names_of_a_file_are_the_file(frames: Path) -> None:
    other = frames.parents[1] / "other.png"
    os.link(frames / "1.png", other)
    assert refused(other, frames / "1.png", how=" is ")
    assert refused(other, frames, how="second name")


def test_a_disk_that_is_blind_to_case_hides_nothing(
    frames: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = Path.stat

    def blind(self: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        lower = Path(str(self).replace("FRAMES", "frames"))
        return sound(lower, follow_symlinks=follow_symlinks)

    monkeypatch.setattr(Path, "stat", blind)
    assert refused(frames.with_name("FRAMES"), frames, how=" is ")
    assert refused(frames.with_name("FRAMES") / "new", frames, how=" lies in ")


def test_a_link_in_a_circle_is_no_reason_to_fail(frames: Path) -> None:
    circle = frames.parent / "circle"
    circle.symlink_to(circle)
    check_apart(circle, [frames])
    assert refused(circle, circle, how=" is ")


def test_what_links_in_an_input_lead_to_is_read(tmp_path: Path) -> None:
    """A folder of links to frames, which a person has put together of several recordings."""
    store, chosen = tmp_path / "store" / "a", tmp_path / "chosen" / "deep"
    store.mkdir(parents=True)
    chosen.mkdir(parents=True)
    (store / "0.png").write_bytes(b"frame")
    (chosen / "0.png").symlink_to(store / "0.png")
    (chosen / "gone.png").symlink_to(tmp_path / "nowhere")
    for output in (store, store.parent, store / "0.png", tmp_path / "nowhere"):
        for given in (chosen, chosen.parent):
            with pytest.raises(UsageError, match="which is read"):
                check_apart(output, [given])
    check_apart(store / "masks", [chosen])
    check_apart(tmp_path / "masks", [chosen])


def test_a_second_name_is_found_however_deep_it_lies(tmp_path: Path) -> None:
    deep = tmp_path / "masks" / "Annotations" / "480p" / "a"
    deep.mkdir(parents=True)
    (deep / "0.png").write_bytes(b"mask")
    output = tmp_path / "other.png"
    output.hardlink_to(deep / "0.png")
    with pytest.raises(UsageError, match="second name"):
        check_apart(output, [tmp_path / "masks"])
