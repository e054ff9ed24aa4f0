"""The project made of an import or copied, and where its video or its frames' names are."""

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from app.core.attributes import EXHAUSTIVE, Attributes
from app.core.document import Document, Key, ObjectInfo
from app.core.runs import Run, RunInfo
from app.errors import ProjectError, UnusableProjectError, VideoMissingError
from app.storage.formats.importing import Imported
from app.storage.formats.visor.importing import ATTACHMENT
from app.storage.formats.visor.naming import FrameList
from app.storage.project.exchange import (
    copy_project,
    create_project,
    place_of_video,
    project_frames,
)
from app.storage.project.project import Project
from app.storage.video.opening import open_video
from tests.storage.clips import write_clip
from tests.storage.projects import SIZE, created, drawn, in_other_process, reopened, square

CUP = ObjectInfo(3, "cup", (1, 2, 3), class_id=13)
NAMES = FrameList(Path("/elsewhere/P01_01"), ("a", "b", "c"), SIZE)


def imported(attributes: Attributes | None = None) -> Imported:
    entries = {Key(1, 3): drawn(5)}
    document = Document((CUP,), entries, next_id=7, attributes=attributes)
    return Imported(document, NAMES, b"the file", ())


def entries(document: Document) -> dict[Key, object]:
    return dict(document.items())


def test_a_project_of_an_import_holds_all_of_it(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "a.maskwright"
    said = Attributes().saying(Key(1, 3), EXHAUSTIVE, "n").ordered(1, [3])
    run = Run(RunInfo("a run"), {3: "cup"}, (1,), {Key(1, 3): square(5)})
    create_project(path, imported(said), {4: run})
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    project = Project.open(path)
    assert project.get_attachment(ATTACHMENT) == b"the file"
    assert project.runs.load(4) == run
    there = project.load()
    project.close()
    assert (there.objects, there.next_id) == ((CUP,), 7)
    assert entries(there) == entries(imported().document)
    assert there.attributes == said


def test_the_names_stand_for_the_frames_until_there_is_a_video(tmp_path: Path) -> None:
    path = tmp_path / "a.maskwright"
    create_project(path, imported())
    project = Project.open(path)
    with project_frames(project) as frames:
        assert frames == NAMES
    clip = write_clip(tmp_path / "clip.mp4", 3)
    with project_frames(project, clip) as frames:
        assert frames.source == clip
    with (
        pytest.raises(ProjectError),
        project_frames(project, write_clip(tmp_path / "other.mp4", 4)),
    ):
        raise AssertionError("another video was taken")
    project.close()


def test_without_names_or_video_the_video_is_asked_for(tmp_path: Path) -> None:
    project = created(tmp_path / "a.maskwright", 3)
    with pytest.raises(VideoMissingError, match=r"its video is not at .*clip.mp4"):
        project_frames(project).__enter__()
    clip = write_clip(tmp_path / "clip.mp4", 3)
    with project_frames(project) as frames:
        assert frames.source == clip
    project.close()


def test_names_that_are_not_of_the_project_s_frames_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.maskwright"
    create_project(path, imported())
    project = Project.open(path)
    project.set_attachment("frames", replace(NAMES, stems=("a", "b")).dumps())
    with pytest.raises(ProjectError):
        project_frames(project).__enter__()
    project.close()


def test_a_copy_has_what_a_killed_program_left_beside_the_file(tmp_path: Path) -> None:
    source, target = tmp_path / "a.maskwright", tmp_path / "far" / "b.maskwright"
    target.parent.mkdir()
    killed = """
    import os
    project = created(Path(sys.argv[1]))
    project.append({Key(2, 1): drawn(3)})
    os._exit(9)
    """
    with in_other_process(killed, source):
        pass
    log = source.with_name(f"{source.name}-wal")
    assert log.stat().st_size > 0, "nothing is left to be taken along"
    before = (source.read_bytes(), log.read_bytes())
    assert copy_project(source, target) == tmp_path / "clip.mp4"
    assert (source.read_bytes(), log.read_bytes()) == before
    assert Key(2, 1) in entries(reopened(target))
    created(tmp_path / "c.maskwright").close()  # which left nothing
    copy_project(tmp_path / "c.maskwright", tmp_path / "d.maskwright")
    assert not entries(reopened(tmp_path / "d.maskwright"))


def test_the_copy_of_a_project_that_is_open_is_refused_and_of_one_that_was_is_made(
    tmp_path: Path,
) -> None:
    project = created(tmp_path / "a.maskwright")
    with pytest.raises(ProjectError, match="is open in another Maskwright"):
        copy_project(project.path, tmp_path / "b.maskwright")
    project.close()
    copy_project(project.path, tmp_path / "b.maskwright")
    reopened(project.path)  # nothing holds it


def test_what_cannot_be_copied_is_not_held(tmp_path: Path) -> None:
    created(tmp_path / "a.maskwright").close()
    with pytest.raises(OSError, match="b"):
        copy_project(tmp_path / "a.maskwright", tmp_path / "none" / "b.maskwright")
    assert not list(tmp_path.glob("*.lock"))
    reopened(tmp_path / "a.maskwright")


@pytest.mark.parametrize("moved", [False, True])
def test_the_place_of_a_video_is_read_without_a_change(
    tmp_path: Path,
    moved: bool,
) -> None:
    path = tmp_path / "one" / "a.maskwright"
    path.parent.mkdir()
    created(path).close()
    assert place_of_video(path) == path.parent / "clip.mp4"  # where it was
    if moved:
        path = path.parent.rename(tmp_path / "two") / "a.maskwright"
        (path.parent / "clip.mp4").touch()
    before = path.read_bytes()
    assert place_of_video(path) == (path.parent if moved else tmp_path / "one") / "clip.mp4"
    assert path.read_bytes() == before
    assert len(list(path.parent.iterdir())) == 1 + moved


def _no_row(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("DELETE FROM video")
    database.close()


def _no_relative_place(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("UPDATE video SET relative = NULL, absolute = '/far/clip.mp4'")
    database.close()


@pytest.mark.parametrize(
    ("change", "place"),
    [(_no_row, "a.maskwright"), (_no_relative_place, "/far/clip.mp4")],
)
def test_a_file_that_tells_no_place_stands_for_itself(
    tmp_path: Path, change: Callable[[Path], None], place: str
) -> None:
    path = tmp_path / "a.maskwright"
    created(path).close()
    change(path)
    assert place_of_video(path) == tmp_path / place


def test_what_is_no_project_stands_for_itself(tmp_path: Path) -> None:
    path = tmp_path / "a.maskwright"
    path.write_bytes(b"text")
    assert place_of_video(path) == path
    assert place_of_video(tmp_path / "none") == tmp_path / "none"


def test_a_project_joins_its_own_video_and_one_that_has_moved(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", 3)
    project = created(tmp_path / "a.maskwright", 3)
    project.join(open_video(clip))
    assert project.source == clip
    copied = tmp_path / "copy.mp4"
    copied.write_bytes(clip.read_bytes())
    with pytest.raises(UnusableProjectError, match=r"is the project of .*clip.mp4, not of"):
        project.join(open_video(copied))
    with pytest.raises(UnusableProjectError):
        project.join(open_video(write_clip(tmp_path / "longer.mp4", 4)))
    clip.unlink()
    project.join(open_video(copied))
    assert project.source == copied
    project.close()


def test_a_project_that_cannot_be_made_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.maskwright"
    with pytest.raises(OverflowError):
        Project.create(path, tmp_path / "clip.mp4", 1 << 70, SIZE)
    assert not list(tmp_path.iterdir())
    created(path).close()


def test_a_video_that_did_not_move_along_is_where_it_was(tmp_path: Path) -> None:
    path = tmp_path / "one" / "a.maskwright"
    path.parent.mkdir()
    created(path).close()
    (tmp_path / "two").mkdir()
    alone = path.rename(tmp_path / "two" / "a.maskwright")
    assert place_of_video(alone) == tmp_path / "one" / "clip.mp4"
