"""A JSON that is opened into a project whose objects were deleted: its objects are new ones."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytestqt.qtbot import QtBot

from app.session.session import Session
from app.storage.formats.exporting import Format, export_document
from tests.session.visor.files import exported, kitchen, opened, write


def ids(session: Session) -> set[int]:
    return {info.id for info in session.masks.objects}


def delete_all(session: Session) -> None:
    for number in ids(session):
        session.objects.delete(number)


def as_coco(source: Path) -> Path:
    """Write the masks of a VISOR file as COCO beside it, and leave no project."""
    target = source.with_name("coco.json")
    with opened(source) as session:
        now = session.video.now
        assert now is not None
        export_document(session.masks.snapshot(), now.video, Format.COCO, target)
        project = now.project_path
    project.unlink()
    return target


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    form=st.sampled_from([Format.VISOR, Format.COCO]),
    steps=st.lists(st.sampled_from(["add", "delete", "undo", "reopen"]), min_size=1, max_size=6),
)
def test_no_id_is_given_twice_in_a_project(
    qtbot: QtBot, tmp_path: Path, form: Format, steps: Sequence[str]
) -> None:
    shutil.rmtree(tmp_path / "work", ignore_errors=True)
    source = write(tmp_path / "work", kitchen())
    source = as_coco(source) if form is Format.COCO else source
    ever: set[int] = set()
    for step in (*steps, "delete", "reopen"):
        with opened(source) as session:
            before = ids(session)
            ever |= before
            if step == "add":
                added = session.objects.add()
                assert added not in ever
            elif step == "delete":
                delete_all(session)
            elif step == "undo":
                session.objects.add()
                ever |= ids(session)
                session.history.undo()
            ever |= ids(session)
            emptied = not ids(session)
        if emptied:
            with opened(source) as session:
                assert len(ids(session)) == 5
                assert not ids(session) & ever


@pytest.mark.parametrize("times", [1, 2])
def test_it_is_exported_as_it_came(qtbot: QtBot, tmp_path: Path, times: int) -> None:
    source = write(tmp_path, kitchen())
    for _ in range(times):
        with opened(source) as session:
            delete_all(session)
    with opened(source) as session:
        assert exported(session) == json.loads(source.read_bytes())
    with opened(source) as session:  # and so the project says, too
        assert len(ids(session)) == 5
        assert exported(session) == json.loads(source.read_bytes())
