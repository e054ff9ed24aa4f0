"""What is taken out of the window: videos and tables of runs, and what is not there to take."""

import csv
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from app.batch.inspection.video import SideBySide, Track
from app.core.runs import RunKind
from app.session.runs import reports
from app.session.session import Session
from app.storage.files.writing import atomic_write
from tests.session.desk import FRAMES, Desk
from tests.session.runs.masks import PREDICTION, predicted, true, write_run, wrote


def video_facts(path: Path) -> tuple[int, Fraction | None]:
    """Return how many frames a video has, and how many it shows a second."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return sum(1 for _ in container.decode(stream)), stream.average_rate


@pytest.mark.parametrize("frames", [range(8, 12), range(3, 4)])
def test_a_video_has_the_frames_that_were_asked_for_at_the_pace_of_the_video(
    measured: Session, desk: Desk, tmp_path: Path, qtbot: QtBot, frames: range
) -> None:
    path = tmp_path / "failure.mp4"
    measured.inspection.reports.save_video(path, frames)
    assert desk.reports[-1].text == f"Writing {path}…"
    qtbot.waitUntil(lambda: wrote(desk))
    assert desk.said(f"Saved {path}."), desk.reports
    assert video_facts(path) == (len(frames), Fraction(measured.video.fps))


def test_a_video_of_unknown_pace_is_shown_at_that_of_films(
    measured: Session, desk: Desk, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(measured.video), "fps", 0.0)
    measured.inspection.reports.save_video(tmp_path / "a.mp4", range(2))
    qtbot.waitUntil(lambda: wrote(desk))
    assert video_facts(tmp_path / "a.mp4") == (2, Fraction(24))


def test_the_video_shows_the_truth_and_at_most_two_runs_the_shown_one_first(
    measured: Session,
    import_run: Callable[[Path, RunKind], int],
    desk: Desk,
    tmp_path: Path,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    runs = measured.inspection.runs
    for name in ("second", "third"):
        import_run(write_run(tmp_path / name, true), PREDICTION)
    qtbot.waitUntil(lambda: len(runs.results) == 3)
    runs.show(3)
    shown, made = list[str](), SideBySide

    def noted(
        title: Callable[[int], str],
        images: object,
        truth: Track,
        tracks: list[Track],
        *,
        count: int,
        size: tuple[int, int],
    ) -> SideBySide:
        shown.extend([title(1), truth.name, truth.score(1), *(each.name for each in tracks)])
        shown.extend(each.score(1) for each in tracks)
        return made(title, images, truth, tracks, count=count, size=size)  # type: ignore[arg-type]

    monkeypatch.setattr(reports, "SideBySide", noted)
    measured.inspection.reports.save_video(tmp_path / "a.mp4", range(10, 12))
    qtbot.waitUntil(lambda: wrote(desk))
    assert shown[:5] == ["clip, frame 11", "ground truth", "", "second", "prediction"]
    mean = runs.results[2].measures.jf[runs.results[2].positions.index(11)].mean()
    assert shown[5:] == ["J&F 1.00", f"J&F {mean:.2f}"]


def test_nothing_is_drawn_of_a_video_without_a_truth_or_a_prediction(
    measured: Session, desk: Desk, tmp_path: Path, qtbot: QtBot
) -> None:
    made, episode = measured.inspection.reports, measured.inspection.runs.episodes[0]
    path = tmp_path / "a"

    def save_all() -> None:
        made.save_video(path.with_suffix(".mp4"), range(2))
        made.save_episode(episode, path.with_suffix(".svg"))
        made.save_curve(1, path.with_suffix(".png"))
        made.stop()

    desk.reports.clear()
    measured.inspection.runs.drop(2)  # the prediction
    save_all()
    measured.inspection.runs.drop(1)
    save_all()
    measured.files.close()
    save_all()
    qtbot.wait(10)
    assert not desk.reports
    assert not list(tmp_path.glob("a.*"))


def test_a_line_is_written_for_each_run_frame_and_object(
    measured: Session, desk: Desk, tmp_path: Path, qtbot: QtBot
) -> None:
    path = tmp_path / "frames.csv"
    measured.inspection.reports.save_frames(path)
    qtbot.waitUntil(lambda: wrote(desk))
    lines = list(csv.DictReader(path.read_text().splitlines()))
    assert len(lines) == (FRAMES - 2) * 2
    assert {line["object"] for line in lines} == {"1", "2"}


def test_the_end_waits_for_the_figure_that_is_written(
    measured: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, gate = measured.inspection.reports, threading.Event()
    write = atomic_write

    def slowly(path: Path, content: bytes) -> None:
        gate.wait(30)
        write(path, content)

    monkeypatch.setattr(reports, "atomic_write", slowly)
    made.save_curve(1, tmp_path / "curve.svg")
    threading.Timer(0.1, gate.set).start()
    made.stop()
    assert (tmp_path / "curve.svg").is_file()


def test_the_end_gives_a_video_up(
    measured: Session, desk: Desk, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def endless(_path: Path, _pictures: object, _fps: float, check: Callable[[int], None]) -> None:
        for _ in range(3000):
            check(0)
            time.sleep(0.01)

    monkeypatch.setattr(reports, "write_video", endless)
    measured.inspection.reports.save_video(tmp_path / "long.mp4", range(FRAMES))
    measured.inspection.reports.stop()
    qtbot.wait(10)
    assert [report.text for report in desk.reports if "long" in report.text] == [
        f"Writing {tmp_path / 'long.mp4'}…"
    ]


@pytest.mark.parametrize(("place", "letter"), [(0, "A"), (25, "Z"), (26, "27")])
def test_runs_are_lettered_as_long_as_there_are_letters(
    measured: Session, desk: Desk, tmp_path: Path, qtbot: QtBot, place: int, letter: str
) -> None:
    runs = measured.inspection.runs
    info, result = replace(runs.infos[2], source=""), runs.results[2]
    for number in range(place + 1):
        runs._runs[100 + number] = replace(runs._runs[2], info=info)
        runs._results[1, 100 + number] = result
    del runs._results[1, 2]
    runs.changed.emit()
    runs.measured.emit()
    measured.inspection.reports.save_episodes(tmp_path / "a.csv")
    qtbot.waitUntil(lambda: wrote(desk))
    lines = list(csv.DictReader((tmp_path / "a.csv").read_text().splitlines()))
    assert lines[-1]["run"] == letter


def test_the_shots_of_an_episode_show_its_object_in_truth_and_prediction(
    measured: Session,
) -> None:
    runs, opened = measured.inspection.runs, measured.video.now
    assert opened is not None
    for episode in runs.episodes:
        number, result = episode.object + 1, runs.results[2]
        found = [runs.run(1), runs.run(2)]
        assert found[0] is not None
        assert found[1] is not None
        shots = reports.take_shots(found[0], found[1], result, episode, opened.cache)
        assert 1 < len(shots) <= 5
        for shot in shots:
            frame = result.positions[shot.place]
            np.testing.assert_array_equal(shot.truth, true(frame) == number)
            np.testing.assert_array_equal(shot.prediction, predicted(frame) == number)
