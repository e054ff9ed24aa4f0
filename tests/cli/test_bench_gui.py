"""The window's benchmark: its scenes on tiny clips, and its table."""

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.cli.bench.clips import annotate, write_clip
from app.cli.bench.table import Measure, as_json, percentile, table
from app.cli.bench.window import scenes
from app.cli.bench.window.offscreen import Bench

SIZE = (90, 160)


def test_the_table_says_which_targets_are_missed() -> None:
    measures = [
        Measure("quick", 3.21, "ms", 16),
        Measure("slow", 200, "ms", 16),
        Measure("n", 1, "x"),
    ]
    lines = table(measures).splitlines()
    assert lines[2] == "| quick | 3.21 ms | 16 ms | ok |"
    assert lines[3] == "| slow | 200 ms | 16 ms | missed |"
    assert [row["met"] for row in as_json(measures)] == [True, False, True]


def test_percentiles_count_the_worst() -> None:
    assert percentile([1, 2, 3, 4], 100) == 4


# The window in a benchmark stands on its own, where Qt's offscreen platform says what it cannot do.
@pytest.mark.qt_log_ignore("This plugin does not support")
def test_an_undone_propagation_is_timed(tmp_path: Path, qtbot: QtBot) -> None:
    with Bench(write_clip(tmp_path / "clip", SIZE, 13, 4), copies=True) as bench:
        measure = scenes.undoing(bench, 12)
    assert 0 < measure.value < 5000
    assert "12 frames" in measure.name


@pytest.mark.qt_log_ignore("This plugin does not support")
def test_visits_and_strokes_are_timed(tmp_path: Path, qtbot: QtBot) -> None:
    clip = write_clip(tmp_path / "clip", SIZE, 12, 12)
    annotate(clip, SIZE, range(12))
    with Bench(clip) as bench:
        assert len(bench.session.masks.document) == 36
        names = [measure.name for measure in scenes.scrubbing(bench)]
    assert len(names) == 2


@pytest.mark.qt_log_ignore("This plugin does not support")
def test_the_event_loop_is_watched_during_a_heal(tmp_path: Path, qtbot: QtBot) -> None:
    with Bench(write_clip(tmp_path / "clip", SIZE, 13, 13)) as bench:
        measures = list(scenes.healing(bench))
        entries = dict(bench.session.masks.document.items())
    assert [each.name.split(", ")[1] for each in measures] == ["p50", "p99", "most"]
    assert 0 < measures[1].value <= measures[2].value
    assert len(entries) == 39
    assert not any(entry.stale for entry in entries.values())
    halves, beside = (
        sum(e.mask.area for k, e in entries.items() if e.mask and k.frame == f) for f in (0, 7)
    )
    assert beside > 1.5 * halves
