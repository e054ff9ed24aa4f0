"""Runs in a project file."""

import sqlite3
from dataclasses import replace

import pytest

from app.core.document import Document, ObjectInfo, Objects
from app.core.runs import Run, RunInfo, RunKind, run_of
from tests.storage.projects import (
    SIZE,
    Entry,
    Key,
    Origin,
    Path,
    Project,
    ProjectError,
    created,
    np,
    square,
)

OBJECTS: Objects = (ObjectInfo(1, "cup", (1, 2, 3)), ObjectInfo(4, "lid", (4, 5, 6)))
INFO = RunInfo(
    "lite at 480",
    model="lite",
    weights="ab" * 32,
    parameters={"size": 480, "flip": False, "scale": 1.5, "note": "none", "seed": None},
    source="/masks/lite",
)


def made() -> Run:
    masks = {Key(frame, number): square(frame) for frame in (0, 1, 2, 7) for number in (1, 4)}
    del masks[Key(1, 4)]
    return Run(INFO, {1: "cup", 4: "lid"}, (0, 1, 2, 7), masks)


def test_a_run_comes_back_as_it_was(tmp_path: Path) -> None:
    project = created(tmp_path / "p.maskwright")
    number = project.runs.add(made())
    other = project.runs.add(replace(made(), info=replace(INFO, name="again")))
    project.close()
    project = Project.open(tmp_path / "p.maskwright")
    assert project.runs.load(number) == made()
    assert [info.name for info in project.runs.infos().values()] == ["lite at 480", "again"]
    assert list(project.runs.infos()) == [number, other]
    project.close()


def test_no_run_is_part_of_the_document(tmp_path: Path) -> None:
    project = created(tmp_path / "p.maskwright")
    project.runs.add(replace(made(), info=replace(INFO, kind=RunKind.GROUND_TRUTH)))
    assert not project.load().frames()
    project.close()


def test_a_run_can_become_the_ground_truth_and_be_dropped(tmp_path: Path) -> None:
    project = created(tmp_path / "p.maskwright")
    number, kept = project.runs.add(made()), project.runs.add(made())
    project.runs.describe(number, replace(INFO, kind=RunKind.GROUND_TRUTH, name="truth"))
    assert project.runs.load(number) == replace(
        made(), info=replace(INFO, kind=RunKind.GROUND_TRUTH, name="truth")
    )
    project.runs.drop(number)
    assert list(project.runs.infos()) == [kept]
    assert project.runs.load(kept) == made()
    with pytest.raises(ProjectError, match=f"no run {number}"):
        project.runs.load(number)
    project.close()
    database = sqlite3.connect(tmp_path / "p.maskwright")
    assert database.execute("SELECT DISTINCT run FROM run_mask").fetchall() == [(kept,)]
    database.close()


def test_a_mask_of_another_size_is_refused_and_nothing_is_kept(tmp_path: Path) -> None:
    project = created(tmp_path / "p.maskwright")
    wrong = replace(made(), masks={Key(0, 1): square(0, (20, 30))})
    with pytest.raises(ValueError, match="size"):
        project.runs.add(wrong)
    assert project.runs.infos() == {}
    project.close()


def test_a_damaged_run_is_named_and_the_rest_opens(tmp_path: Path) -> None:
    project = created(tmp_path / "p.maskwright")
    number = project.runs.add(made())
    project.close()
    database = sqlite3.connect(tmp_path / "p.maskwright")
    with database:
        database.execute("UPDATE run_mask SET bits = x'00' WHERE frame = 2")
    database.close()
    project = Project.open(tmp_path / "p.maskwright")
    with pytest.raises(ProjectError, match="lite at 480 is damaged"):
        project.runs.load(number)
    assert list(project.runs.infos()) == [number]
    project.close()


def test_a_project_of_before_runs_gets_them(tmp_path: Path) -> None:
    path = tmp_path / "p.maskwright"
    project = created(path)
    project.append({Key(3, 1): Entry(square(3), Origin.DRAWN)})
    project.close()
    database = sqlite3.connect(path)
    database.executescript("DROP TABLE run_mask; DROP TABLE run; PRAGMA user_version = 3;")
    database.close()
    project = Project.open(path)
    assert project.load().frames() == [3]
    assert project.runs.load(project.runs.add(made())) == made()
    project.close()


def test_what_a_run_does_not_speak_of_is_unknown_not_absent() -> None:
    run = made()
    assert run.labels(3, SIZE) is None
    present, gone = run.labels(0, SIZE), run.labels(1, SIZE)
    assert present is not None
    assert gone is not None
    assert set(np.unique(gone).tolist()) == {0, 1}
    assert (present[square(0).decode()] == 4).all()  # the higher id lies on top
    assert run.is_sparse(9)
    assert not run.is_sparse(4)


def test_taking_over_a_range_makes_anchors_of_it_alone() -> None:
    run = made()
    taken = run.take_over(range(1, 5), [1, 4])
    assert sorted(taken) == [(1, 1), (1, 4), (2, 1), (2, 4)]
    entries = [entry for entry in taken.values() if entry is not None]
    assert len(entries) == 4
    assert all(entry.is_anchor for entry in entries)
    absent = taken[Key(1, 4)]
    assert absent is not None
    assert absent.mask is None
    truth = replace(run, info=replace(INFO, kind=RunKind.GROUND_TRUTH))
    origins = {e.origin for e in truth.take_over([0], [1]).values() if e is not None}
    assert origins == {Origin.IMPORTED}


def test_own_propagations_are_kept_as_a_run() -> None:
    document = Document(
        OBJECTS,
        {
            Key(0, 1): Entry(square(0), Origin.DRAWN),
            Key(1, 1): Entry(square(1), Origin.PROPAGATED, score=0.5),
            Key(2, 1): Entry(None, Origin.PROPAGATED),
        },
    )
    run = run_of(document, INFO)
    assert run.frames == (0, 1, 2)
    assert run.masks == {Key(0, 1): square(0), Key(1, 1): square(1)}
    assert run.objects == {1: "cup", 4: "lid"}
    assert run_of(document, INFO, range(1, 30)).frames == tuple(range(1, 30))
    assert Key(0, 1) not in run_of(document, INFO, range(1, 30)).masks
