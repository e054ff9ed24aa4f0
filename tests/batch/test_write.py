"""The writing of masks into a project: what a person made stays, and a failure leaves nothing."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from app.batch.write import add_to_project, project_for
from app.core.document import Document, Entry, Key, ObjectInfo, Origin
from app.core.mask import Mask
from app.errors import ProjectError
from app.storage.project.project import Project
from app.storage.video.opening import Video, open_video
from tests.fakes import square, write_frames


@pytest.fixture
def video(tmp_path: Path) -> Iterator[Video]:
    with closing(open_video(write_frames(tmp_path / "clip", 5))) as video:
        yield video


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.maskwright"


def made(x: int, origin: Origin = Origin.PROPAGATED) -> Entry:
    return Entry(Mask.encode(square(x)), origin)


def loaded(path: Path) -> Document:
    with closing(Project.open(path)) as project:
        return project.load()


def test_without_a_path_there_is_no_project(video: Video) -> None:
    with project_for(None, video) as project:
        assert project is None


def test_a_project_is_made_or_opened_and_closed_after_the_work(video: Video, path: Path) -> None:
    for frame in (0, 1):
        with project_for(path, video) as project:
            assert project is not None
            add_to_project(project, [1], {Key(frame, 1): made(10)})
    assert loaded(path).frames() == [0, 1]


def work_that_fails(path: Path, video: Video) -> None:
    with project_for(path, video):
        assert path.exists()
        raise RuntimeError


def test_a_project_that_was_made_for_work_that_fails_goes(video: Video, path: Path) -> None:
    with pytest.raises(RuntimeError):
        work_that_fails(path, video)
    assert not path.exists()


def test_a_project_that_was_there_stays_where_the_work_fails(video: Video, path: Path) -> None:
    with project_for(path, video) as project:
        assert project is not None
        add_to_project(project, [1], {Key(0, 1): made(10)})
    with pytest.raises(RuntimeError):
        work_that_fails(path, video)
    assert loaded(path).frames() == [0]


def test_a_project_of_another_video_is_refused_before_the_work(
    video: Video, path: Path, tmp_path: Path
) -> None:
    with project_for(path, video):
        pass
    with (
        closing(open_video(write_frames(tmp_path / "other", 6))) as other,
        pytest.raises(ProjectError),
        project_for(path, other),
    ):
        pytest.fail("began to work")
    assert len(loaded(path)) == 0


def test_new_objects_get_their_names_and_those_that_there_are_keep_theirs(
    video: Video, path: Path
) -> None:
    with project_for(path, video) as project:
        assert project is not None
        project.save_objects((ObjectInfo(1, "knife", (1, 2, 3)),))
        masks = {Key(0, number): made(10 * number) for number in (1, 2, 5)}
        add_to_project(project, [1, 2, 5], masks, {1: "fork", 5: "cup"})
    document = loaded(path)
    assert {info.id: info.name for info in document.objects} == {
        1: "knife", 2: "object 2", 5: "cup",
    }  # fmt: skip
    assert len({info.color for info in document.objects}) == 3
    assert dict(document.items()) == masks


def test_what_a_person_made_stays(video: Video, path: Path) -> None:
    own = {Key(0, 1): made(10, Origin.DRAWN), Key(1, 1): made(11)}
    with project_for(path, video) as project:
        assert project is not None
        project.save_objects((ObjectInfo(1, "knife", (1, 2, 3)),))
        project.append(own)
        add_to_project(project, [1], {Key(frame, 1): made(40) for frame in range(3)})
    found = dict(loaded(path).items())
    assert found == {**own, Key(1, 1): made(40), Key(2, 1): made(40)}


def test_an_object_that_was_deleted_does_not_come_back_under_its_number(
    video: Video, path: Path
) -> None:
    with project_for(path, video) as project:
        assert project is not None
        project.save_objects((), next_id=4)
    with project_for(path, video) as project:
        assert project is not None
        add_to_project(project, [2], {Key(0, 2): made(10)}, {2: "cup"})
    document = loaded(path)
    assert [(info.id, info.name) for info in document.objects] == [(4, "cup")]
    assert document.get(Key(0, 4)) == made(10)
    assert document.next_id == 5
