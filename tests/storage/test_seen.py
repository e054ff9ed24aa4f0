"""What models saw of frames, kept with a project."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from app.core.document import Key
from app.storage.project.project import Project
from app.storage.project.seen import keep_seen, load_seen
from models.api import Seen
from tests.storage.projects import created, drawn

SEEN: Seen = {1: {0: (0, 0, 48, 160), 7: (4, 8, 24, 80)}, 3: {2: (24, 80, 24, 80)}}


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with closing(created(tmp_path / "a.maskwright")) as project:
        yield project


def test_what_was_seen_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "a.maskwright"
    with closing(created(path)) as project:
        assert load_seen(project) == {}
        keep_seen(project, SEEN)
    with closing(Project.open(path)) as again:
        assert load_seen(again) == SEEN


def test_nothing_is_written_where_nothing_else_was_seen(project: Project) -> None:
    statements = list[str]()
    keep_seen(project, SEEN)
    project._database.set_trace_callback(statements.append)
    keep_seen(project, load_seen(project))
    assert not [each for each in statements if not each.startswith("SELECT")]
    keep_seen(project, {})
    assert load_seen(project) == {}


@pytest.mark.parametrize(
    "content",
    [
        b"", b"[]", b"\xff", b'{"one": {}}', b'{"1": {"0": [0, 0, 9]}}',
        b'{"1": {"0": [0, 0, 9, "x"]}}', b'{"1": [0, 0, 9, 9]}',
    ],
)  # fmt: skip
def test_what_is_damaged_is_not_known(project: Project, content: bytes) -> None:
    project.append({Key(0, 1): drawn(1)})
    project.set_attachment("seen", content)
    assert load_seen(project) == {}


@pytest.mark.parametrize(
    "part",
    [(-1, 0, 9, 9), (0, -1, 9, 9), (0, 0, 0, 9), (0, 0, 9, 0), (40, 0, 9, 9), (0, 152, 9, 9)],
)
def test_a_part_that_is_none_of_the_frame_is_not_known(
    project: Project, part: tuple[int, int, int, int]
) -> None:
    sound = (39, 151, 9, 9)
    keep_seen(project, {1: {0: part, 1: sound, -1: sound, project.frame_count: sound}})
    assert load_seen(project) == {1: {1: sound}}
