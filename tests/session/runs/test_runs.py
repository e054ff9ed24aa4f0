"""Runs: imported, kept, measured, taken over; they become anchors by no other way."""

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from app.core.document import Key, State
from app.core.evaluate import Protocol, score_sequence
from app.core.inspection.failures import Failure
from app.core.runs import RunKind
from app.session.comparison import Reference
from app.session.session import Session
from tests.session.desk import FRAMES, Desk, draw
from tests.session.runs.masks import (
    LOST,
    PREDICTION,
    TRUTH,
    labels_at,
    predicted,
    true,
    write_run,
    wrote,
)


def test_a_run_is_no_anchor_and_no_edit(measured: Session) -> None:
    assert not len(measured.masks.document)
    assert not measured.history.undo_text
    assert {info.kind for info in measured.inspection.runs.infos.values()} == {TRUTH, PREDICTION}
    assert measured.inspection.runs.infos[2].source.endswith("prediction")


def test_j_and_f_are_those_of_evaluate(measured: Session) -> None:
    score = score_sequence(
        "clip", [str(i) for i in range(FRAMES)], true, predicted, Protocol.DAVIS2017
    )
    result = measured.inspection.runs.results[2]
    assert result.frames == score.frames
    for place, known in enumerate(score.objects):
        np.testing.assert_allclose(result.measures.j[:, place], known.j.values, atol=1e-9)
        np.testing.assert_allclose(result.measures.f[:, place], known.f.values, atol=1e-9)


def test_the_worst_failure_comes_first(measured: Session) -> None:
    episode = measured.inspection.runs.episodes[0]
    positions = measured.inspection.runs.results[2].positions
    assert (episode.object, episode.failure) == (0, Failure.MISS)
    assert [positions[place] for place in (episode.first, episode.last)] == [LOST[0], LOST[-1]]


def test_a_frame_without_any_mask_counts_as_missed(
    desk: Desk, qtbot: QtBot, import_run: Callable[[Path, RunKind], int], tmp_path: Path
) -> None:
    import_run(write_run(tmp_path / "truth", lambda _: labels_at(10)), TRUTH)
    empty = write_run(tmp_path / "empty", lambda frame: labels_at(10) * np.uint8(frame < 5))
    number = import_run(empty, PREDICTION)
    qtbot.waitUntil(lambda: number in desk.session.inspection.runs.results)
    result = desk.session.inspection.runs.results[number]
    assert result.positions == tuple(range(1, FRAMES - 1))
    assert result.measures.j[:, 0].tolist() == [1.0] * 4 + [0.0] * (FRAMES - 6)


def test_a_sparse_ground_truth_is_measured_where_it_speaks(
    desk: Desk,
    qtbot: QtBot,
    import_run: Callable[[Path, RunKind], int],
    prediction: Path,
    tmp_path: Path,
) -> None:
    import_run(write_run(tmp_path / "sparse", true, range(0, FRAMES, 7)), TRUTH)
    number = import_run(prediction, PREDICTION)
    qtbot.waitUntil(lambda: number in desk.session.inspection.runs.results)
    result = desk.session.inspection.runs.results[number]
    assert result.positions == tuple(range(7, FRAMES, 7))
    assert result.is_sparse


def test_taking_over_makes_anchors_of_a_range_in_one_step(measured: Session) -> None:
    measured.inspection.runs.take_over(2, 3, 5)
    assert measured.masks.document.frames() == [3, 4, 5]
    assert measured.masks.state(Key(4, 1)) is State.VERIFIED
    assert [info.id for info in measured.masks.objects] == [1, 2]
    entry = measured.masks.entry(Key(4, 2))
    assert entry is not None
    assert entry.is_anchor
    measured.history.undo()
    assert not len(measured.masks.document)
    assert not measured.masks.objects


def test_the_runs_are_there_again_when_the_project_is_opened(
    measured: Session, qtbot: QtBot, clip: Path
) -> None:
    before = measured.inspection.runs.infos
    measured.files.close()
    assert not measured.inspection.runs.infos
    measured.files.open(clip)
    qtbot.waitUntil(lambda: len(measured.inspection.runs.results) == 1)
    assert measured.inspection.runs.infos == before


def test_what_is_measured_for_a_closed_video_is_dropped(
    desk: Desk, import_run: Callable[[Path, RunKind], int], truth: Path, qtbot: QtBot, clip: Path
) -> None:
    import_run(truth, TRUTH)
    desk.session.inspection.runs.import_run(truth, PREDICTION)
    desk.session.files.close()
    qtbot.wait(50)
    assert not desk.session.inspection.runs.infos
    assert not desk.session.inspection.runs.results


def test_the_ground_truth_is_changed_and_dropped(
    measured: Session, import_run: Callable[[Path, RunKind], int], tmp_path: Path, qtbot: QtBot
) -> None:
    other = import_run(write_run(tmp_path / "other", predicted), TRUTH)
    qtbot.waitUntil(lambda: 2 in measured.inspection.runs.results)
    assert measured.inspection.runs.truth == other
    assert measured.inspection.runs.results[2].jf.tolist() == [1.0, 1.0]
    measured.inspection.runs.drop(other)
    assert measured.inspection.runs.truth == 1
    assert measured.inspection.runs.results[2].jf[0] < 1
    measured.inspection.runs.drop(1)
    assert measured.inspection.runs.truth is None
    assert not measured.inspection.runs.results


def test_the_ground_truth_is_what_masks_are_compared_with(measured: Session) -> None:
    measured.compare.show(Reference.TRUTH)
    mask = measured.compare.masks(4)[1]
    assert mask is not None
    assert (mask.decode() == (true(4) == 1)).all()
    measured.inspection.runs.drop(1)
    assert measured.compare.reference is None


def test_a_truth_that_was_read_for_comparison_stays_when_a_run_is_kept(
    desk: Desk, truth: Path, qtbot: QtBot
) -> None:
    desk.session.compare.read_truth(truth)
    draw(desk, 3)
    desk.session.inspection.runs.keep()
    qtbot.waitUntil(lambda: bool(desk.session.inspection.runs.infos))
    assert desk.session.compare.has_truth


def test_the_present_masks_are_kept_with_their_model(desk: Desk, qtbot: QtBot) -> None:
    draw(desk, 3)
    desk.session.inspection.runs.keep()
    qtbot.waitUntil(lambda: bool(desk.session.inspection.runs.infos))
    info = desk.session.inspection.runs.infos[1]
    assert info.model == "lite"
    assert len(info.weights) == 64
    kept = desk.session.inspection.runs.run(1)
    assert kept is not None
    assert set(kept.masks) == {Key(3, 1)}


def test_nothing_is_kept_where_there_are_no_masks(desk: Desk) -> None:
    desk.session.inspection.runs.keep()
    assert desk.said("no masks to keep")


def test_what_cannot_be_read_is_said(desk: Desk, qtbot: QtBot, tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    desk.session.inspection.runs.import_run(tmp_path / "nothing", PREDICTION)
    qtbot.waitUntil(lambda: any(report.level == "error" for report in desk.reports))
    assert not desk.session.inspection.runs.infos


def test_a_figure_names_run_frames_and_program(
    measured: Session, desk: Desk, tmp_path: Path, qtbot: QtBot
) -> None:
    path = tmp_path / "worst.svg"
    measured.inspection.reports.save_episode(measured.inspection.runs.episodes[0], path)
    qtbot.waitUntil(lambda: wrote(desk))
    assert desk.said("Saved"), desk.reports
    text = path.read_text()
    assert "<text" in text
    for words in ("prediction", f"frame {LOST[0]}", "Maskwright", "miss"):
        assert words in text


def test_curves_are_pictures_too(
    measured: Session, desk: Desk, tmp_path: Path, qtbot: QtBot
) -> None:
    path = tmp_path / "curve.png"
    measured.inspection.reports.save_curve(1, path)
    qtbot.waitUntil(lambda: wrote(desk))
    assert desk.said("Saved"), desk.reports
    assert path.read_bytes().startswith(b"\x89PNG")


def test_the_table_holds_what_the_window_shows(
    measured: Session, desk: Desk, tmp_path: Path, qtbot: QtBot
) -> None:
    path = tmp_path / "failures.csv"
    measured.inspection.reports.save_episodes(path)
    qtbot.waitUntil(lambda: wrote(desk))
    assert desk.said("Saved"), desk.reports
    first = next(csv.DictReader(path.read_text().splitlines()))
    assert (first["failure"], first["onset"], first["last"]) == ("miss", "10", "15")
    assert float(first["lost"]) == pytest.approx(
        measured.inspection.runs.episodes[0].lost, abs=1e-4
    )


@pytest.mark.parametrize("name", ["clip/00003.png", "clip.maskwright", "truth/00003.png"])
def test_a_figure_never_takes_the_place_of_what_is_open(
    measured: Session, clip: Path, qtbot: QtBot, name: str
) -> None:
    before = (clip.parent / name).read_bytes()
    with qtbot.waitSignal(measured.status.reported) as told:
        measured.inspection.reports.save_curve(1, clip.parent / name)
    assert "was not written" in told.args[0].text
    assert (clip.parent / name).read_bytes() == before


def test_a_figure_that_cannot_be_written_is_said(
    measured: Session, desk: Desk, tmp_path: Path, qtbot: QtBot
) -> None:
    (tmp_path / "file").write_bytes(b"")
    measured.inspection.reports.save_curve(1, tmp_path / "file" / "curve.svg")
    qtbot.waitUntil(lambda: desk.said("was not written"))


def test_the_object_that_is_looked_at_is_one_of_the_truth_s(measured: Session) -> None:
    runs, told = measured.inspection.runs, list[int | None]()
    assert runs.objects == {1: "object 1", 2: "object 2"}
    assert runs.object == 1
    third = [measured.objects.add() for _ in range(3)][-1]
    runs.select(1)
    runs.changed.connect(lambda: told.append(runs.object))
    assert measured.view.selected == 1
    measured.view.select(2)
    assert told == [2]
    measured.view.select(third)  # of which the runs know nothing
    measured.view.select(None)
    measured.view.select(2)
    assert (told, runs.object) == ([2], 2)
    runs.select(2)
    runs.select(99)
    assert (told, runs.object) == ([2], 2)
    runs.select(1)
    assert (told, measured.view.selected) == ([2, 1], 1)
