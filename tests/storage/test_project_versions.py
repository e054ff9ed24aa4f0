"""Project files that are damaged, of another program, or of another version."""

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from app.core.document import Key
from app.errors import ProjectError
from app.storage.project import schema as project_schema
from app.storage.project.project import Project
from app.storage.video.opening import open_video
from tests.cli.frames import write_video
from tests.storage.projects import created, drawn, reopened, square


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.maskwright"


def _cut_off(content: bytes) -> bytes:
    return content[: len(content) // 2]


def _overwritten(content: bytes) -> bytes:
    half = len(content) // 2
    return content[:half] + bytes(4096) + content[half + 4096 :]


def _one_mask_changed(content: bytes) -> bytes:
    at = content.index(square(5).bits)
    return content[: at + 9] + b"\xaa\xbb\xcc" + content[at + 12 :]


@pytest.mark.parametrize(
    "damage",
    [_cut_off, _overwritten, _one_mask_changed, lambda _: b"", lambda _: b"not a project" * 99],
)
def test_a_damaged_file_is_refused_and_left_as_it_is(
    path: Path, damage: Callable[[bytes], bytes]
) -> None:
    project = created(path, 300)
    project.append({Key(n, 1): drawn(n) for n in range(300)})
    project.close()
    broken = damage(path.read_bytes())
    path.write_bytes(broken)
    with pytest.raises(ProjectError) as caught:
        reopened(path)
    assert str(path) in str(caught.value)
    assert "not changed" in str(caught.value)
    assert path.read_bytes() == broken
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_a_database_of_another_program_is_refused(path: Path) -> None:
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE recipe (cake TEXT)")
    other.close()
    with pytest.raises(ProjectError, match="another program"):
        Project.open(path)


def test_a_file_of_a_newer_version_is_refused_and_left_as_it_is(path: Path) -> None:
    created(path).close()
    with sqlite3.connect(path) as database:
        database.execute(f"PRAGMA user_version = {project_schema.VERSION + 1}")
    database.close()
    before = path.read_bytes()
    with pytest.raises(ProjectError, match=r"newer.*update"):
        Project.open(path)
    assert path.read_bytes() == before


def _of_first_version(path: Path) -> None:
    database = sqlite3.connect(path)
    database.executescript(project_schema.STEPS[0])
    database.execute(f"PRAGMA application_id = {project_schema.APPLICATION_ID}")
    database.execute("PRAGMA user_version = 1")
    database.execute("INSERT INTO video VALUES (NULL, '/videos/clip.mp4', 60, 48, 160)")
    row = project_schema.row_of(Key(3, 1), drawn(3))
    database.execute(project_schema.REPLACE_ENTRY, row)
    database.commit()
    database.close()


def test_a_file_of_the_first_version_is_brought_up_to_date(path: Path) -> None:
    _of_first_version(path)
    project = Project.open(path)
    project.set_attachment("visor", b"kept")
    project.close()
    assert dict(reopened(path).items()) == {Key(3, 1): drawn(3)}
    with sqlite3.connect(path) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (project_schema.VERSION,)
    database.close()


def test_an_older_file_is_as_it_was_until_something_is_changed(path: Path, tmp_path: Path) -> None:
    _of_first_version(path)
    before = path.read_bytes()
    project = Project.open(path)
    assert dict(project.load().items()) == {Key(3, 1): drawn(3)}
    assert project.runs.infos() == {}
    assert project.get_attachment("visor") is None
    project.copy_to(tmp_path / "copy.maskwright")
    project.close()
    assert path.read_bytes() == before
    assert dict(reopened(tmp_path / "copy.maskwright").items()) == {Key(3, 1): drawn(3)}
    project = Project.open(path)
    project.append({Key(4, 1): drawn(4)})
    project.close()
    assert path.read_bytes() != before
    assert dict(reopened(path).items()) == {Key(3, 1): drawn(3), Key(4, 1): drawn(4)}


def test_a_file_that_is_only_read_is_as_it_was(path: Path, tmp_path: Path) -> None:
    project = created(path)
    project.append({Key(3, 1): drawn(3)})
    project.copy_to(tmp_path / "copy.maskwright")
    project.close()
    for each in (path, tmp_path / "copy.maskwright"):
        before = each.read_bytes()
        assert dict(reopened(each).items()) == {Key(3, 1): drawn(3)}
        assert each.read_bytes() == before


def test_the_video_of_an_older_file_is_known_from_the_first_change_on(
    path: Path, tmp_path: Path
) -> None:
    own, other = (write_video(tmp_path / name, length) for name, length in (("a", 6), ("b", 6)))
    cv2.imwrite(str(sorted(other.iterdir())[0]), np.zeros((60, 80, 3), np.uint8))
    _of_first_version(path)
    with sqlite3.connect(path) as database:
        database.execute("DELETE FROM entry")
        database.execute("UPDATE video SET frame_count = 6, height = 60, width = 80")
    database.close()
    before = path.read_bytes()
    project = Project.open(path)
    with closing(open_video(own)) as video:
        project.check(video)
    project.close()
    assert path.read_bytes() == before
    project = Project.open(path)
    with closing(open_video(own)) as video, closing(open_video(other)) as wrong:
        project.check(video)
        with pytest.raises(ProjectError):
            project.check(wrong)
        project.set_attachment("visor", b"kept")
    project.close()
    project = Project.open(path)
    with closing(open_video(other)) as wrong, pytest.raises(ProjectError):
        project.check(wrong)
    project.close()


def test_a_migration_that_fails_changes_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _of_first_version(path)
    steps = (*project_schema.STEPS[:1], "CREATE TABLE half (a); CREATE TABLE half (a);")
    monkeypatch.setattr(project_schema, "STEPS", steps)
    with pytest.raises(ProjectError):
        Project.open(path)
    monkeypatch.undo()
    project = Project.open(path)
    tables = project._database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    assert ("half",) not in tables.fetchall()
    project.close()


@pytest.fixture
def databases(monkeypatch: pytest.MonkeyPatch) -> list[sqlite3.Connection]:
    """Return the databases that are opened from now on."""
    found: list[sqlite3.Connection] = []
    connect = sqlite3.connect

    def opened(*where: Any, **how: Any) -> sqlite3.Connection:  # noqa: ANN401 - passed on
        found.append(connect(*where, **how))
        return found[-1]

    monkeypatch.setattr(sqlite3, "connect", opened)
    return found


def are_closed(databases: Sequence[sqlite3.Connection]) -> bool:
    for each in databases:
        try:
            each.execute("SELECT 1")
        except sqlite3.ProgrammingError:
            continue
        return False
    return bool(databases)


def test_an_older_file_that_cannot_be_brought_up_to_date_leaves_no_database_open(
    path: Path, monkeypatch: pytest.MonkeyPatch, databases: list[sqlite3.Connection]
) -> None:
    _of_first_version(path)
    databases.clear()
    steps = (*project_schema.STEPS[:1], "CREATE TABLE half (a); CREATE TABLE half (a);")
    monkeypatch.setattr(project_schema, "STEPS", steps)
    with pytest.raises(ProjectError):
        Project.open(path)
    assert len(databases) == 2  # the file and its copy in memory
    assert are_closed(databases)


def test_a_project_that_was_copied_and_closed_leaves_no_database_open(
    path: Path, tmp_path: Path, databases: list[sqlite3.Connection]
) -> None:
    project_schema.columns_of_version.cache_clear()
    project = created(path)
    project.append({Key(3, 1): drawn(3)})
    project.copy_to(tmp_path / "copy.maskwright")
    own = len(databases)
    assert not are_closed(databases)
    project.close()
    reopened(path)
    assert len(databases) > own
    assert are_closed(databases)


def test_an_older_project_leaves_no_database_open(
    path: Path, databases: list[sqlite3.Connection]
) -> None:
    _of_first_version(path)
    Project.open(path).close()
    assert are_closed(databases)
    project = Project.open(path)
    project.append({Key(4, 1): drawn(4)})
    project.close()
    assert are_closed(databases)


def test_nothing_is_left_of_a_first_change_to_an_older_file_that_failed(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _of_first_version(path)
    project = Project.open(path)
    steps = (*project_schema.STEPS[:1], "CREATE TABLE half (a); CREATE TABLE half (a);")
    with monkeypatch.context() as patched:
        patched.setattr(project_schema, "STEPS", steps)
        with pytest.raises(ProjectError):
            project.append({Key(4, 1): drawn(4)})
    project.append({Key(5, 1): drawn(5)})
    project.close()
    assert dict(reopened(path).items()) == {Key(3, 1): drawn(3), Key(5, 1): drawn(5)}
    with closing(sqlite3.connect(path)) as database:
        tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        assert ("half",) not in tables.fetchall()


def test_the_columns_of_this_version_are_those_of_a_new_file(path: Path) -> None:
    project_schema.columns_of_version.cache_clear()
    created(path).close()
    with closing(sqlite3.connect(path)) as database:
        tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        found = {name: project_schema.columns(database, name) for (name,) in tables}
    assert project_schema.columns_of_version() == found
    assert {"video", "object", "entry", "attachment"} <= found.keys()
