"""The files of a session: opening, saving elsewhere, closing."""

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from app.core.document import Key
from app.core.mask import Mask
from app.errors import MaskwrightError, ProjectError, VideoMissingError
from app.session.files.opening import project_path
from app.session.session import Session
from app.session.state.status import Report
from app.storage.formats.importing import MaskSource
from app.storage.project.project import Project
from app.storage.video.folder import FolderVideo
from tests.fakes import square, write_frames
from tests.session.files.strokes import FRAMES, draw
from tests.session.visor import files as visor_files


def test_a_project_is_made_beside_the_video_and_found_again(session: Session, clip: Path) -> None:
    session.files.open(clip)
    assert session.files.project_path == clip.with_name("clip.maskwright")
    draw(session, 3)
    session.files.close()
    assert not session.video.is_open
    session.files.open(clip)
    assert [info.name for info in session.masks.objects] == ["knife"]
    entry = session.masks.document.get(Key(3, 1))
    assert entry is not None
    assert entry.mask == Mask.encode(square(10))


def test_a_project_file_opens_with_its_video(session: Session, clip: Path) -> None:
    session.files.open(clip)
    draw(session, 3)
    session.files.close()
    session.files.open(clip.with_name("clip.maskwright"))
    assert session.video.title == "clip"
    assert len(session.masks.document) == 1


def test_where_the_folder_cannot_be_written_the_project_lies_with_the_person(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MASKWRIGHT_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(os, "access", lambda *_: False)
    path = project_path(clip)
    assert path.is_relative_to(tmp_path / "home" / "projects")
    assert path != project_path(clip.parent / "other" / "clip")


def test_a_video_on_a_full_disk_has_its_project_in_the_persons_folder(
    session: Session, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MASKWRIGHT_HOME", str(tmp_path / "home"))
    create = Project.create

    def on_a_full_disk(path: Path, *facts: object) -> Project:
        if path.parent == clip.parent:
            raise ProjectError("no space") from OSError(28, "No space left on device")
        return create(path, *facts)  # type: ignore[arg-type]

    monkeypatch.setattr(Project, "create", on_a_full_disk)
    session.files.open(clip)
    draw(session, 3)
    session.files.save()
    assert session.files.project_path is not None
    assert session.files.project_path.is_relative_to(tmp_path / "home")
    session.files.close()
    session.files.open(clip)
    assert session.masks.document.frames() == [3]


def in_folder(session: Session, folder: Path | str) -> None:
    session.preferences.apply(replace(session.preferences.settings, autosave_folder=str(folder)))


def test_a_project_beside_its_video_is_found_once_a_folder_is_chosen(
    session: Session, clip: Path, tmp_path: Path, reports: list[Report]
) -> None:
    session.files.open(clip)
    draw(session, 3)
    session.files.close()
    in_folder(session, tmp_path / "projects")
    session.files.open(clip)
    assert session.files.project_path == clip.with_name("clip.maskwright")
    assert session.masks.document.frames() == [3]
    assert reports == []


def test_a_new_project_lies_in_the_chosen_folder(
    session: Session, clip: Path, tmp_path: Path
) -> None:
    in_folder(session, tmp_path / "projects")
    for _ in range(2):
        session.files.open(clip)
        assert session.files.project_path is not None
        assert session.files.project_path.is_relative_to(tmp_path / "projects")
        draw(session, 3)
        session.files.close()
    assert not clip.with_name("clip.maskwright").exists()


def test_of_two_projects_of_a_video_the_newer_is_opened_and_the_other_named(
    session: Session, clip: Path, tmp_path: Path, reports: list[Report]
) -> None:
    beside = clip.with_name("clip.maskwright")
    in_folder(session, tmp_path / "projects")
    session.files.open(clip)
    draw(session, 3)
    elsewhere = session.files.project_path
    assert elsewhere is not None
    session.files.save_as(beside)
    draw(session, 4)
    session.files.close()
    os.utime(elsewhere, (1, 1))
    session.files.open(clip)
    assert (session.files.project_path, session.masks.document.frames()) == (beside, [3, 4])
    assert [report.text for report in reports if str(elsewhere) in report.text]
    session.files.close()
    os.utime(beside, (0.5, 0.5))
    session.files.open(clip)
    assert (session.files.project_path, session.masks.document.frames()) == (elsewhere, [3])


def test_what_a_killed_process_wrote_last_makes_its_project_the_newer_one(
    clip: Path, tmp_path: Path
) -> None:
    folder = str(tmp_path / "projects")
    elsewhere, beside = project_path(clip, folder), clip.with_name("clip.maskwright")
    elsewhere.parent.mkdir(parents=True)
    for age, file in enumerate((beside, elsewhere, beside.with_name(f"{beside.name}-wal"))):
        file.touch()
        os.utime(file, (age + 1, age + 1))
    assert project_path(clip, folder) == beside


def test_a_folder_for_projects_that_cannot_be_used_is_named(
    session: Session, clip: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    in_folder(session, tmp_path / "file" / "projects")
    with pytest.raises(ProjectError, match=r"folder for projects.*settings") as told:
        session.files.open(clip)
    assert str(tmp_path / "file" / "projects") in str(told.value)
    assert not session.video.is_open


@pytest.mark.parametrize("folder", ["projects", "~/projects", " projects "])
def test_a_folder_for_projects_that_is_not_whole_begins_at_home(
    folder: str, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    assert project_path(clip, folder).is_relative_to(tmp_path / "home" / "projects")


def test_a_source_that_cannot_be_opened_leaves_what_is_open(
    session: Session, clip: Path, tmp_path: Path
) -> None:
    session.files.open(clip)
    draw(session, 3)
    (tmp_path / "broken.mp4").write_bytes(b"no video")
    (tmp_path / "broken.maskwright").write_bytes(b"no project")
    (tmp_path / "broken.json").write_bytes(b"{")
    (tmp_path / "empty").mkdir()
    for name in ("broken.mp4", "broken.maskwright", "broken.json", "empty", "missing"):
        with pytest.raises(MaskwrightError):
            session.files.open(tmp_path / name)
    assert session.video.title == "clip"
    draw(session, 4)
    assert len(session.masks.document) == 2


def test_a_project_of_another_video_is_refused(
    session: Session, clip: Path, tmp_path: Path
) -> None:
    session.files.open(clip)
    session.files.close()
    clip.rename(tmp_path / "gone")
    write_frames(clip, FRAMES + 1)
    with pytest.raises(ProjectError, match="13 frames"):
        session.files.open(clip)
    assert not session.video.is_open


def test_a_moved_video_is_asked_for_and_found_again(
    session: Session, clip: Path, tmp_path: Path
) -> None:
    session.files.open(clip)
    draw(session, 3)
    session.files.close()
    project = clip.with_name("clip.maskwright")
    moved = clip.rename(tmp_path / "moved")
    with pytest.raises(VideoMissingError, match="clip"):
        session.files.open(project)
    session.files.relocate_video(moved)
    assert session.video.title == "moved"
    assert len(session.masks.document) == 1
    session.files.close()
    session.files.open(project)
    assert session.video.title == "moved"


def test_opening_what_is_open_changes_nothing(session: Session, clip: Path) -> None:
    session.files.open(clip)
    draw(session, 3)
    session.files.open(clip)
    assert session.history.stack.count() == 2
    assert len(session.masks.document) == 1


def test_opening_another_video_saves_the_one_before(
    session: Session, clip: Path, tmp_path: Path
) -> None:
    other = write_frames(tmp_path / "other", 5)
    session.files.open(clip)
    draw(session, 3)
    session.files.open(other)
    assert (session.video.title, len(session.masks.document), session.video.frame_count) == (
        "other",
        0,
        5,
    )
    session.files.open(clip)
    assert len(session.masks.document) == 1


def test_saving_as_goes_on_in_the_copy(session: Session, clip: Path, tmp_path: Path) -> None:
    session.files.open(clip)
    draw(session, 3)
    copy = tmp_path / "copies" / "copy.maskwright"
    session.files.save_as(copy)
    draw(session, 4)
    session.files.close()
    assert session.files.project_path is None
    session.files.open(copy)
    assert session.masks.document.frames() == [3, 4]
    session.files.open(clip)
    assert session.masks.document.frames() == [3]


@pytest.mark.parametrize("name", ["00003.png", "notes.txt", "link.png"])
def test_saving_as_takes_the_place_of_a_project_only(
    session: Session, clip: Path, name: str
) -> None:
    (clip / "notes.txt").write_text("not a project")
    (clip / "link.png").symlink_to(clip / "00003.png")
    session.files.open(clip)
    draw(session, 3)
    before = (clip / name).read_bytes()
    with pytest.raises(ProjectError, match="not a project"):
        session.files.save_as(clip / name)
    assert (clip / name).read_bytes() == before
    assert session.files.project_path == clip.with_name("clip.maskwright")


def test_the_open_project_is_known_by_any_name(session: Session, clip: Path) -> None:
    session.files.open(clip)
    draw(session, 3)
    for name in (clip.with_name("clip.maskwright"), clip / ".." / "clip.maskwright"):
        session.files.save_as(name)
        session.files.open(name)
        assert session.files.project_path == clip.with_name("clip.maskwright")
    draw(session, 4)
    session.files.close()
    session.files.open(clip)
    assert session.masks.document.frames() == [3, 4]
    assert session.history.stack.count() == 0


def test_a_wrong_video_for_the_open_project_leaves_it_open(
    session: Session, clip: Path, tmp_path: Path
) -> None:
    session.files.open(clip)
    draw(session, 3)
    with pytest.raises(ProjectError):
        session.files.relocate_video(write_frames(tmp_path / "other", FRAMES + 1))
    assert session.video.title == "clip"
    assert len(session.masks.document) == 1


def test_the_open_project_goes_on_with_a_copy_of_its_video(
    session: Session, clip: Path, tmp_path: Path
) -> None:
    session.files.open(clip)
    draw(session, 3)
    shutil.copytree(clip, tmp_path / "elsewhere")
    session.files.relocate_video(tmp_path / "elsewhere")
    assert (session.video.title, session.masks.document.frames()) == ("elsewhere", [3])
    assert session.files.project_path == clip.with_name("clip.maskwright")
    session.files.close()
    session.files.relocate_video(clip)  # of nothing
    assert not session.video.is_open


def test_what_cannot_be_opened_whole_is_held_by_nobody(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, closed = visor_files.write(tmp_path, visor_files.kitchen()), list[Path]()
    close = FolderVideo.close

    def noted(video: FolderVideo) -> None:
        closed.append(video.source)
        close(video)

    def refuse(*_: object) -> None:
        raise ProjectError("The disk is full.")

    monkeypatch.setattr(FolderVideo, "close", noted)
    for where, name in (
        (Project, "append"),
        (MaskSource, "document"),
        (Project, "check"),
        (Project, "open"),
    ):
        closed.clear()
        with monkeypatch.context() as full:
            full.setattr(where, name, refuse)
            with pytest.raises(ProjectError, match="full"):
                session.files.open(source)
        assert closed == [tmp_path / visor_files.VIDEO], name
        assert not list(tmp_path.glob("*.lock")), name
    session.files.open(source)
    assert len(session.masks.document) > 0
