"""What cannot be saved: nothing of it is thrown away before a person says so."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.core.document import Key
from app.errors import ProjectError, StorageError, UnsavedError
from app.session.session import Session
from app.session.state.status import Report
from app.storage.project.project import Project
from tests.fakes import write_frames
from tests.session.files.strokes import draw


class Disk:
    """A disk that is full, or not."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.is_full = False
        self._check = Project.check_place
        disk = self

        def check_place(project: Project) -> None:
            if disk.is_full:
                raise ProjectError("The disk is full.")
            disk._check(project)

        monkeypatch.setattr(Project, "check_place", check_place)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


def draw_eleven(session: Session, clip: Path, disk: Disk) -> None:
    """Draw eleven masks, of which only the first can be saved."""
    session.files.open(clip)
    draw(session, 0)
    session.files.save()
    disk.is_full = True
    for frame in range(1, 11):
        draw(session, frame)


def frames_in(project: Path) -> list[int]:
    opened = Project.open(project)
    try:
        return opened.load().frames()
    finally:
        opened.close()


@pytest.mark.parametrize("leave", ["close", "open another", "locate"])
def test_what_cannot_be_saved_stays_open(
    session: Session, clip: Path, tmp_path: Path, disk: Disk, leave: str
) -> None:
    other = write_frames(tmp_path / "other", 5)
    draw_eleven(session, clip, disk)
    acts: dict[str, Callable[[], None]] = {
        "close": session.files.close,
        "open another": lambda: session.files.open(other),
        "locate": lambda: session.files.relocate_video(other),
    }
    for _ in range(2):
        with pytest.raises(UnsavedError, match="full"):
            acts[leave]()
        assert (session.video.title, len(session.masks.document)) == ("clip", 11)
        assert session.files.autosave.unsaved == 10
    session.history.undo()  # and can be worked on
    assert len(session.masks.document) == 10
    disk.is_full = False
    session.files.close()
    assert frames_in(clip.with_name("clip.maskwright")) == list(range(10))
    session.files.open(other)  # it was let go of when it could not be shown


def test_what_cannot_be_saved_goes_elsewhere_whole(
    session: Session, clip: Path, tmp_path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw_eleven(session, clip, disk)
    first = session.files.project_path
    check = Project.check_place

    def full_beside_the_clip(project: Project) -> None:
        disk.is_full = project.path == first
        check(project)

    monkeypatch.setattr(Project, "check_place", full_beside_the_clip)
    elsewhere = tmp_path / "elsewhere" / "rescued.maskwright"
    session.files.save_as(elsewhere)
    assert (session.files.project_path, session.files.autosave.unsaved) == (elsewhere, 0)
    session.files.close()
    assert frames_in(elsewhere) == list(range(11))


def test_what_is_thrown_away_is_only_what_could_not_be_saved(
    session: Session, clip: Path, disk: Disk
) -> None:
    draw_eleven(session, clip, disk)
    session.files.close(discard=True)
    assert not session.video.is_open
    disk.is_full = False
    assert frames_in(clip.with_name("clip.maskwright")) == [0]


def _delete(path: Path) -> None:
    path.unlink()


def _move(path: Path) -> None:
    path.rename(path.with_name("moved.maskwright"))


def _replace(path: Path) -> None:
    other = path.with_name("other.maskwright")
    Project.create(other, path.parent / "clip", 12, (48, 64)).close()
    other.replace(path)


def _overwrite(path: Path) -> None:
    """Copy another project over it: it is the same file still, of other content."""
    other = path.with_name("other.maskwright")
    Project.create(other, path.parent / "clip", 12, (48, 64)).close()
    path.write_bytes(other.read_bytes())


def _empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.skipif(os.name == "nt", reason="there an open file can be neither moved nor replaced")
@pytest.mark.parametrize("lose", [_delete, _move, _replace, _overwrite, _empty])
def test_a_project_file_that_is_lost_is_said_and_saved_nowhere_until_a_person_decides(
    session: Session,
    clip: Path,
    tmp_path: Path,
    qtbot: QtBot,
    reports: list[Report],
    monkeypatch: pytest.MonkeyPatch,
    lose: Callable[[Path], None],
) -> None:
    monkeypatch.setattr("app.session.files.autosave._RETRY_MS", 20)
    session.files.open(clip)
    draw(session, 3)
    project = clip.with_name("clip.maskwright")
    session.files.save()
    with qtbot.waitSignal(session.files.autosave.failing_changed):
        lose(project)
    assert [report.text for report in reports if str(project) in report.text]
    draw(session, 4)
    with pytest.raises(UnsavedError, match=r"not there any more|replaced|changed"):
        session.files.close()
    rescued = tmp_path / "rescued.maskwright"
    session.files.save_as(rescued)
    session.files.close()
    assert frames_in(rescued) == [3, 4]


@pytest.mark.skipif(os.name == "nt", reason="there an open file can be neither moved nor replaced")
@pytest.mark.parametrize("lose", [_delete, _replace, _overwrite, _empty])
def test_what_is_lost_can_be_saved_in_its_old_place(
    session: Session, clip: Path, lose: Callable[[Path], None]
) -> None:
    session.files.open(clip)
    draw(session, 3)
    project = clip.with_name("clip.maskwright")
    session.files.save()
    lose(project)
    draw(session, 4)
    with pytest.raises(StorageError):
        session.files.save()
    session.files.save_as(project)
    draw(session, 5)
    session.files.close()
    assert frames_in(project) == [3, 4, 5]


@pytest.mark.skipif(os.name == "nt", reason="there an open file can be neither moved nor replaced")
@pytest.mark.parametrize("lose", [_delete, _replace, _overwrite])
def test_the_runs_of_a_lost_project_are_saved_elsewhere_too(
    session: Session, clip: Path, tmp_path: Path, qtbot: QtBot, lose: Callable[[Path], None]
) -> None:
    session.files.open(clip)
    draw(session, 3)
    runs = session.inspection.runs
    for _ in range(3):
        count = len(runs.infos)
        runs.keep()
        qtbot.waitUntil(lambda count=count: len(runs.infos) > count)
    runs.drop(1)
    session.files.save()
    before = {number: runs.run(number) for number in runs.infos}
    lose(clip.with_name("clip.maskwright"))
    session.files.save_as(tmp_path / "rescued.maskwright")
    session.files.close()
    opened = Project.open(tmp_path / "rescued.maskwright")
    found = {number: opened.runs.load(number) for number in opened.runs.infos()}
    opened.close()
    assert found == before
    assert len(found) == 2


def test_a_file_that_is_put_back_is_saved_to_again(
    session: Session, clip: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.session.files.autosave._RETRY_MS", 20)
    session.files.open(clip)
    draw(session, 3)
    session.files.save()
    project = clip.with_name("clip.maskwright")
    with qtbot.waitSignal(session.files.autosave.failing_changed):
        project.rename(project.with_name("away"))
    draw(session, 4)
    with qtbot.waitSignal(session.files.autosave.saved):
        project.with_name("away").rename(project)
    session.files.close()
    assert frames_in(project) == [3, 4]


def test_a_deletion_is_in_the_file_whole_or_not_at_all(
    session: Session, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.files.open(clip)
    for frame in range(5):
        draw(session, frame)
    session.files.save()
    append = Project.append

    def killed(project: Project, changes: object) -> None:
        append(project, {Key(0, 1): None})
        raise ProjectError("killed half way")

    monkeypatch.setattr(Project, "append", killed)
    session.objects.delete(1)
    with pytest.raises(ProjectError):
        session.files.save()
    session.files.close(discard=True)
    monkeypatch.undo()
    opened = Project.open(clip.with_name("clip.maskwright"))
    document = opened.load()
    opened.close()
    assert ([info.id for info in document.objects], document.frames()) == ([1], [0, 1, 2, 3, 4])
