"""The list of runs: described, kept, imported, and how far their measuring is."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.core.document import Document, Key
from app.core.runs import RunInfo, RunKind
from app.session.runs.runs import Runs
from app.session.session import Session
from tests.session.desk import FRAMES, Desk, draw
from tests.session.runs.masks import PREDICTION, TRUTH, predicted, true, write_run

Import = Callable[[Path, RunKind], int]


@pytest.fixture
def runs(desk: Desk) -> Runs:
    return desk.session.inspection.runs


def test_a_run_is_called_otherwise_and_that_is_kept(
    measured: Session, runs: Runs, qtbot: QtBot, clip: Path
) -> None:
    told = list[RunInfo | None]()
    runs.changed.connect(lambda: told.append(runs.infos.get(2)))
    renamed = replace(runs.infos[2], name="the second try")
    runs.describe(2, renamed)
    assert told == [renamed]
    assert (runs.shown, runs.truth, list(runs.results)) == (2, 1, [2])
    measured.files.close()
    measured.files.open(clip)
    qtbot.waitUntil(lambda: len(runs.infos) == 2)
    assert runs.infos[2] == renamed


def test_a_prediction_that_is_said_to_be_a_truth_is_measured_against(
    measured: Session, runs: Runs, import_run: Import, tmp_path: Path, qtbot: QtBot
) -> None:
    third = import_run(write_run(tmp_path / "third", predicted), PREDICTION)
    runs.describe(2, replace(runs.infos[2], kind=TRUTH))
    assert (runs.truth, runs.shown) == (2, third)
    qtbot.waitUntil(lambda: third in runs.results)
    assert runs.results[third].jf.tolist() == [1.0, 1.0]
    runs.describe(2, replace(runs.infos[2], kind=PREDICTION))
    assert (runs.truth, runs.shown) == (1, third)
    runs.describe(1, replace(runs.infos[1], kind=PREDICTION))
    assert (runs.truth, runs.objects) == (None, {1: "object 1", 2: "object 2"})
    assert not runs.results
    assert not runs.episodes


def test_a_run_needs_a_video_and_that_is_said(
    desk: Desk, runs: Runs, tmp_path: Path, qtbot: QtBot
) -> None:
    source = write_run(tmp_path / "truth", true)
    desk.session.files.close()
    runs.import_run(source, TRUTH)
    assert desk.reports[-1].text == "A run belongs to a video. Open one first."
    assert not runs.infos


@pytest.mark.parametrize(("name", "told"), [("", True), ("mine", False)])
def test_what_was_read_is_told_where_the_person_did_not_name_it(
    desk: Desk, runs: Runs, tmp_path: Path, qtbot: QtBot, name: str, told: bool
) -> None:
    runs.import_run(write_run(tmp_path / "truth", true), TRUTH, name)
    qtbot.waitUntil(lambda: bool(runs.infos))
    assert runs.infos[1].name == (name or "ground truth")
    assert desk.said(f"ground truth: {FRAMES} frames read as a ground truth.") is told


def test_masks_that_are_kept_are_numbered_by_their_model(
    desk: Desk, runs: Runs, qtbot: QtBot
) -> None:
    draw(desk, 3)
    for count, how in enumerate(("", "", "with few frames", "with few frames", ""), start=1):
        runs.keep(how=how)
        qtbot.waitUntil(lambda count=count: len(runs.infos) == count)
    names = [info.name for info in runs.infos.values()]
    assert names == ["lite", "lite 2", "lite with few frames", "lite with few frames 2", "lite 5"]
    parameters = [dict(info.parameters) for info in runs.infos.values()]
    assert [each.get("memory") for each in parameters] == [
        None, None, "with few frames", "with few frames", None,
    ]  # fmt: skip
    settings = desk.session.preferences.settings
    assert parameters[0] == {"size": settings.size, "device": settings.device}


def test_other_masks_than_the_present_ones_are_kept(desk: Desk, runs: Runs, qtbot: QtBot) -> None:
    draw(desk, 3)
    other = desk.session.masks.snapshot()
    draw(desk, 5)
    runs.keep(other)
    qtbot.waitUntil(lambda: bool(runs.infos))
    kept = runs.run(1)
    assert kept is not None
    assert set(kept.masks) == {Key(3, 1)}
    runs.keep(Document())
    assert desk.said("There are no masks to keep yet.")


def test_the_measuring_tells_how_far_it_is_and_that_it_has_ended(
    desk: Desk, runs: Runs, import_run: Import, tmp_path: Path, qtbot: QtBot
) -> None:
    told = list[float | None]()
    import_run(write_run(tmp_path / "truth", true), TRUTH)
    runs.progressed.connect(told.append)
    import_run(write_run(tmp_path / "prediction", predicted), PREDICTION)
    qtbot.waitUntil(lambda: told[-1:] == [None])
    assert told == [pytest.approx(10 / 28), pytest.approx(20 / 28), None]
    assert 2 in runs.results


def test_each_pair_is_measured_once(
    measured: Session, runs: Runs, qtbot: QtBot, import_run: Import, tmp_path: Path
) -> None:
    first = runs.results[2]
    import_run(write_run(tmp_path / "third", predicted), PREDICTION)
    qtbot.waitUntil(lambda: len(runs.results) == 2)
    assert runs.results[2] is first
    assert runs.shown == 3
    runs.show(2)
    assert runs.shown == 2
    runs.drop(3)
    assert list(runs.results) == [2]
    assert runs.shown == 2


def test_what_is_taken_over_is_told_and_again_the_same_object(
    measured: Session, runs: Runs, desk: Desk
) -> None:
    runs.take_over(2, 3, 5)
    assert desk.reports[-1].text.startswith("Masks of prediction on 3 frames are anchors now.")
    runs.take_over(2, 7, 7)
    assert desk.reports[-1].text.startswith("Masks of prediction on one frame are anchors now.")
    assert [info.id for info in measured.masks.objects] == [1, 2]
    assert measured.history.stack.undoText() == "Take over prediction, frames 7 to 7"
    measured.objects.delete(1)
    runs.take_over(2, 3, 3)  # what was deleted stays gone
    assert [info.id for info in measured.masks.objects] == [2, 3]
