"""What lies between annotated frames, filled as a job: as the command does it, and edited."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import shiboken6
from pytestqt.qtbot import QtBot

from app.batch.videos.densify import Densification, DensifyJob
from app.cli.main import run
from app.core.document import Entry, Key, Origin
from app.core.mask import Mask
from app.core.plan import Direction
from app.session.replay import Replay
from app.session.session import Session, load_models
from app.session.state.status import Report, SessionState, Topic
from app.session.visor.dense import DenseRun, DenseRuns
from app.storage.interactions import read_log
from app.storage.project.project import Project
from app.storage.settings import Settings
from app.storage.video.frames import FrameCache
from app.storage.video.opening import open_video
from models.api import LoadOptions
from tests.batch.test_densify import ANNOTATED, IDS, LENGTH, VIDEO, sparse
from tests.cli.frames import SIZE, write_video
from tests.fakes import FakeModels, FakeTracker, square

CUP, PLATE = IDS["cup"], IDS["plate"]
BETWEEN = [n for n in range(LENGTH) if n not in ANNOTATED]
Idle = Callable[[], None]


class Desk:
    """A session that is open on a sparse file, and its fake tracker."""

    def __init__(self, source: Path, settings: Settings) -> None:
        self.source = source
        self.reports: list[Report] = []
        self.session = Session(settings, loader=self._load)
        self.session.status.reported.connect(self.reports.append)
        self.session.files.open(source)
        opened = self.session.video.now
        assert opened is not None
        self.made = FakeModels(opened.video)
        self.gate = self.made.fake_tracker.gate

    def _load(self, frames: FrameCache, settings: Settings) -> FakeModels:
        return self.made

    @property
    def dense(self) -> DenseRuns:
        return self.session.files.exchange.visor.dense

    @property
    def masks(self) -> dict[Key, Entry]:
        """All masks of the document."""
        return dict(self.session.masks.document.items())

    def filled(self) -> set[Key]:
        """Return where there is an entry between annotated frames."""
        return {key for key in self.masks if key.frame in BETWEEN}

    def found(self, start: int, number: int) -> DenseRun:
        """Return the run of an object that begins at a frame."""
        return next(
            each for each in self.dense.all() if (each.run.start, each.object) == (start, number)
        )

    def mask(self, frame: int, x: int) -> None:
        """Draw the cup somewhere."""
        self.session.edit.draw_mask(frame, CUP, square(x, size=SIZE), "Brush")

    def close(self) -> None:
        self.gate.open()
        self.session.files.close()
        shiboken6.delete(self.session)


def source_in(folder: Path) -> Path:
    folder.mkdir()
    write_video(folder / VIDEO, LENGTH, VIDEO + "_frame_{:010}.png")
    path = folder / f"{VIDEO}.json"
    path.write_text(json.dumps(sparse()))
    return path


@pytest.fixture
def desk(tmp_path: Path, qtbot: QtBot) -> Iterator[Desk]:
    """A session on two runs of two squares, whose every mask the gate lets through."""
    desk = Desk(source_in(tmp_path / "work"), Settings(densify_gate=0.0))
    yield desk
    desk.close()


@pytest.fixture
def idle(desk: Desk, qtbot: QtBot) -> Idle:
    return lambda: qtbot.waitUntil(lambda: desk.session.status.state is SessionState.IDLE)


def begin(desk: Desk, steps: int) -> None:
    """Densify, and stand still after so many steps."""
    desk.gate.close()
    desk.dense.densify()
    desk.gate.let(steps)
    assert desk.gate.wait_until_passed(steps)


def gate_at(desk: Desk, gate: float) -> None:
    preferences = desk.session.preferences
    preferences.apply(replace(preferences.settings, densify_gate=gate))


def by_the_command(folder: Path, gate: float) -> tuple[dict[Key, Entry], bytes]:
    """Return the masks and the dense file that the command makes of the same file."""
    source = source_in(folder)
    job = DensifyJob(
        source, folder / "d.json", folder / "d.maskwright", gate, "fake", LoadOptions()
    )
    video = open_video(folder / VIDEO)
    with Densification(job, video, lambda _name, _options: FakeTracker(video)) as work:
        for _ in work.steps():
            pass
        work.finish()
    project = Project.open(job.project)
    try:
        return dict(project.load().items()), job.out.read_bytes()
    finally:
        project.close()


def exported(desk: Desk, qtbot: QtBot, path: Path) -> bytes:
    desk.session.files.exchange.export("visor-dense", path)
    qtbot.waitUntil(path.exists)
    return path.read_bytes()


@pytest.mark.parametrize("gate", [0.0, 0.85])
def test_it_makes_what_the_command_makes(
    desk: Desk, idle: Idle, qtbot: QtBot, tmp_path: Path, gate: float
) -> None:
    gate_at(desk, gate)
    desk.dense.densify()
    idle()
    masks, dense = by_the_command(tmp_path / "command", gate)
    assert desk.masks == masks
    assert len(desk.filled()) == 12
    if gate == 0.0:
        assert exported(desk, qtbot, tmp_path / "dense.json") == dense


def test_a_model_makes_what_it_makes_for_the_command(
    qtbot: QtBot, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = source_in(tmp_path / "command")
    out = tmp_path / "out" / "dense.json"
    assert run(["densify", str(source), str(out), "--model", "classic", "--gate", "0.5"]) == 0
    settings = Settings(densify_gate=0.5, tracker="classic", segmenter="classic")
    session = Session(settings, loader=load_models)
    try:
        session.files.open(source_in(tmp_path / "window"))
        session.files.exchange.visor.dense.densify()
        qtbot.waitUntil(lambda: len(session.masks.document) == 18)
        qtbot.waitUntil(lambda: session.status.state is SessionState.IDLE)
        path = tmp_path / "window.json"
        session.files.exchange.export("visor-dense", path)
        qtbot.waitUntil(path.exists)
        assert path.read_bytes() == out.read_bytes()
    finally:
        session.files.close()
        shiboken6.delete(session)


def test_the_whole_job_is_one_undo_step_and_what_was_annotated_stays(
    desk: Desk, idle: Idle
) -> None:
    before = desk.masks
    desk.dense.densify()
    idle()
    assert desk.session.history.stack.count() == 1
    assert {key: desk.masks[key] for key in before} == before
    desk.session.history.undo()
    assert desk.masks == before
    desk.session.history.redo()
    assert len(desk.filled()) == 12


def test_what_the_gate_stops_is_in_doubt_and_named(desk: Desk, idle: Idle) -> None:
    gate_at(desk, 0.85)
    desk.dense.densify()
    idle()
    assert all(entry.conflict for key, entry in desk.masks.items() if key.frame in BETWEEN)
    said = desk.reports[-1]
    assert said.text == (
        "Densify 2 objects, frames 0-8: 0 of 12 masks accepted. In doubt: cup 1-3; plate 1-3; "
        "cup 5-7 and 1 more"
    )
    assert said.topic is Topic.RUNS
    found = desk.dense.all()
    assert [each.doubted for each in found] == [(1, 2, 3)] * 2 + [(5, 6, 7)] * 2
    desk.dense.accept(found[0])
    desk.dense.reject(found[1])
    assert not any(desk.masks[Key(frame, CUP)].conflict for frame in (1, 2, 3))
    assert desk.filled() == {Key(f, CUP) for f in BETWEEN} | {Key(f, PLATE) for f in (5, 6, 7)}
    assert desk.session.history.stack.count() == 3


def test_a_gate_that_all_pass_leaves_nothing_in_doubt(desk: Desk, idle: Idle) -> None:
    desk.dense.densify()
    idle()
    assert desk.reports[-1].text == "Densify 2 objects, frames 0-8: 12 of 12 masks accepted"
    assert all(each.is_decided for each in desk.dense.all())


def test_stopped_it_keeps_whole_runs_and_goes_on_with_the_others(
    desk: Desk, idle: Idle, qtbot: QtBot
) -> None:
    begin(desk, 17)  # ten steps are the first run; of the second, the way back has begun
    qtbot.waitUntil(lambda: desk.session.masks.shown(7) != {})
    desk.session.jobs.stop_running()
    desk.gate.open()
    idle()
    assert desk.filled() == {Key(f, n) for f in (1, 2, 3) for n in (CUP, PLATE)}
    desk.dense.densify()
    idle()
    assert len(desk.filled()) == 12
    assert desk.made.fake_tracker.visited[-10:] == [4, 5, 6, 7, 8, 8, 7, 6, 5, 4]
    assert desk.made.fake_tracker.calls[-2:] == [(4, 5, 6, 7, 8), (8, 7, 6, 5, 4)]
    assert len(desk.made.fake_tracker.calls) == 6


def test_a_run_is_in_the_document_before_the_job_ends(desk: Desk, idle: Idle, qtbot: QtBot) -> None:
    begin(desk, 11)
    qtbot.waitUntil(lambda: len(desk.filled()) == 6)
    assert desk.session.status.state is SessionState.PROPAGATING
    assert desk.found(0, CUP).made == 3
    assert desk.found(4, CUP).made == 0
    desk.gate.open()
    idle()


def test_a_decision_on_a_run_that_is_done_does_not_disturb_the_job(
    desk: Desk, idle: Idle, qtbot: QtBot
) -> None:
    gate_at(desk, 0.85)
    begin(desk, 12)
    qtbot.waitUntil(lambda: len(desk.filled()) == 6)
    desk.dense.accept(desk.found(0, CUP))
    desk.dense.reject(desk.found(0, PLATE))
    desk.gate.open()
    idle()
    assert len(desk.made.fake_tracker.visited) == 20
    assert not desk.found(0, CUP).doubted
    changes = desk.session.changes
    qtbot.waitUntil(lambda: len(changes.open) > 0)
    assert {each.key for each in changes.open} == {
        Key(f, n) for f in (5, 6, 7) for n in (CUP, PLATE)
    }
    assert desk.filled() == {Key(f, CUP) for f in BETWEEN} | {Key(f, PLATE) for f in (5, 6, 7)}


def test_what_a_job_puts_in_the_place_of_masks_in_doubt_is_not_accepted(
    desk: Desk, idle: Idle, qtbot: QtBot
) -> None:
    session = desk.session
    doubted = Entry(Mask.encode(square(30, size=SIZE)), Origin.PROPAGATED, conflict=True)
    session.masks.change({Key(frame, CUP): doubted for frame in (1, 2, 3)}, "Test")
    session.edit.draw_mask(0, PLATE, square(34, size=SIZE), "Brush")
    desk.gate.close()
    session.jobs.propagate(Direction.FORWARD)
    desk.gate.let(3)
    qtbot.waitUntil(lambda: session.masks.entry(Key(2, CUP)) != doubted)
    desk.dense.accept(desk.found(0, CUP))
    assert desk.masks[Key(3, CUP)] == replace(doubted, conflict=False)
    assert desk.masks[Key(2, CUP)].mask == desk.masks[Key(0, CUP)].mask
    assert desk.masks[Key(2, PLATE)].mask == desk.masks[Key(0, PLATE)].mask
    desk.gate.open()
    idle()


def test_a_rejected_run_loses_what_a_job_has_found_of_it_by_then(desk: Desk, qtbot: QtBot) -> None:
    session = desk.session
    old = Entry(Mask.encode(square(30, size=SIZE)), Origin.PROPAGATED)
    session.masks.change({Key(3, CUP): old}, "Test")
    desk.gate.close()
    session.jobs.propagate(Direction.FORWARD)
    desk.gate.let(3)
    qtbot.waitUntil(lambda: CUP in session.masks.shown(2))
    desk.dense.reject(desk.found(0, CUP))
    assert [frame for frame in (1, 2, 3) if Key(frame, CUP) in desk.masks] == []


def test_a_mask_of_half_a_run_is_verified_and_what_it_had_taken_is_taken(
    desk: Desk, idle: Idle, qtbot: QtBot
) -> None:
    session, cup = desk.session, desk.masks[Key(0, CUP)].mask
    assert cup is not None
    beside = np.roll(cup.decode(), 4, axis=1)
    other = session.objects.add("other") or 0
    session.masks.change({Key(3, other): Entry(Mask.encode(beside), Origin.PROPAGATED)}, "Test")
    begin(desk, 7)
    qtbot.waitUntil(lambda: CUP in session.masks.shown(3))
    shown = session.masks.shown(3)
    session.edit.verify([Key(3, CUP)])
    assert desk.masks[Key(3, CUP)].verified
    assert desk.masks[Key(3, CUP)].mask == shown[CUP].mask
    assert desk.masks[Key(3, other)].mask == shown[other].mask != Mask.encode(beside)
    desk.gate.open()
    idle()


def test_an_end_that_is_edited_meanwhile_counts_for_both_runs_beside_it(
    desk: Desk, idle: Idle, qtbot: QtBot, tmp_path: Path
) -> None:
    begin(desk, 12)
    qtbot.waitUntil(lambda: len(desk.filled()) == 6)
    desk.mask(4, 30)
    drawn = desk.masks[Key(4, CUP)]
    desk.gate.open()
    idle()
    assert desk.masks[Key(4, CUP)] == drawn
    assert len(desk.filled()) == 12
    assert not any(entry.stale for entry in desk.masks.values())
    # The fake copies the end that is nearer.
    assert desk.masks[Key(3, CUP)].mask == drawn.mask
    assert desk.masks[Key(5, CUP)].mask == drawn.mask
    after = desk.masks
    desk.session.edit.unanchor([Key(0, PLATE)])  # stale: once more all of its run
    desk.session.history.undo()
    desk.dense.densify()
    assert "All runs are filled" in desk.reports[-1].text
    assert desk.masks == after


def test_an_end_of_a_run_that_is_done_counts_when_it_is_edited_meanwhile(
    desk: Desk, idle: Idle, qtbot: QtBot
) -> None:
    begin(desk, 12)
    qtbot.waitUntil(lambda: len(desk.filled()) == 6)
    desk.mask(0, 30)
    desk.gate.open()
    idle()
    assert len(desk.filled()) == 12
    assert not any(entry.stale for entry in desk.masks.values())
    assert desk.masks[Key(1, CUP)].mask == desk.masks[Key(0, CUP)].mask
    assert desk.reports[-1].text == "Densify 2 objects, frames 0-8: 9 of 9 masks accepted"


def test_what_is_drawn_in_a_run_meanwhile_stays_and_is_built_on(desk: Desk, idle: Idle) -> None:
    begin(desk, 2)
    desk.mask(2, 30)
    drawn = desk.masks[Key(2, CUP)]
    desk.gate.open()
    idle()
    assert desk.masks[Key(2, CUP)] == drawn
    assert len(desk.filled()) == 12
    # Both directions were given it, so that they agree beside it, and run with it into the ends.
    beside, ends = desk.masks[Key(3, CUP)], [desk.masks[Key(frame, CUP)].mask for frame in (0, 4)]
    assert drawn.mask is not None
    assert beside.mask == drawn.mask
    assert beside.score == min(drawn.mask.iou(end) for end in ends if end is not None)


def test_a_locked_object_and_verified_masks_are_never_overwritten(desk: Desk, idle: Idle) -> None:
    own = Entry(Mask.encode(square(30, size=SIZE)), Origin.PROPAGATED, verified=True)
    mine = {Key(2, CUP): own, Key(6, PLATE): replace(own, verified=False)}
    desk.session.masks.change(mine, "Test")
    plate = desk.session.masks.document.object(PLATE)
    desk.session.objects.edit(replace(plate, locked=True))
    desk.dense.densify()
    idle()
    assert {key: desk.masks[key] for key in mine} == mine
    assert desk.filled() == {Key(frame, CUP) for frame in BETWEEN} | {Key(6, PLATE)}


def test_an_object_that_is_locked_meanwhile_gets_nothing_more(
    desk: Desk, idle: Idle, qtbot: QtBot
) -> None:
    begin(desk, 12)
    qtbot.waitUntil(lambda: len(desk.filled()) == 6)
    plate = desk.session.masks.document.object(PLATE)
    desk.session.objects.edit(replace(plate, locked=True))
    desk.gate.open()
    idle()
    assert desk.filled() == {Key(f, CUP) for f in BETWEEN} | {Key(f, PLATE) for f in (1, 2, 3)}


def test_it_is_taken_back_while_it_runs(desk: Desk, idle: Idle, qtbot: QtBot) -> None:
    begin(desk, 12)
    qtbot.waitUntil(lambda: len(desk.filled()) == 6)
    desk.session.history.undo()
    desk.gate.open()
    idle()
    assert desk.filled() == set()
    desk.session.history.redo()
    assert len(desk.filled()) == 6


def test_what_can_be_redone_outlasts_the_end_of_a_run(desk: Desk, idle: Idle, qtbot: QtBot) -> None:
    gate_at(desk, 0.85)
    begin(desk, 5)
    found = desk.found(4, CUP)
    desk.session.objects.edit(replace(desk.session.masks.objects[0], color=(1, 2, 3)))
    desk.session.history.undo()
    desk.gate.let(10)
    assert desk.gate.wait_until_passed(15)
    qtbot.waitUntil(lambda: desk.session.masks.shown(1) != {})
    assert desk.session.history.can_redo
    desk.gate.open()
    idle()
    assert len(desk.filled()) == 12
    assert found.made == 0


def test_only_runs_between_the_in_and_out_points_are_filled(desk: Desk, idle: Idle) -> None:
    desk.session.view.set_range(5, 7)
    desk.dense.densify()
    idle()
    assert {key.frame for key in desk.filled()} == {5, 6, 7}


def test_a_failure_keeps_the_runs_that_are_done(desk: Desk, idle: Idle) -> None:
    desk.made.fake_tracker.fail_at = 6
    desk.dense.densify()
    idle()
    assert {key.frame for key in desk.filled()} == {1, 2, 3}
    assert "6 masks are kept" in desk.reports[-1].text


def test_what_was_made_by_hand_in_any_video_is_densified_too(tmp_path: Path, qtbot: QtBot) -> None:
    desk = Desk(write_video(tmp_path / "clip", LENGTH), Settings(densify_gate=0.0))
    try:
        desk.dense.densify()
        assert "No object is on two neighbouring" in desk.reports[-1].text
        session = desk.session
        session.objects.add()
        session.objects.add()
        for frame in (0, 4, 8):
            session.edit.draw_mask(frame, 1, square(5, 0, size=SIZE), "Brush")
            session.edit.draw_mask(frame, 2, square(5, 14, size=SIZE), "Brush")
        # A correction of one object divides nothing.
        session.edit.draw_mask(6, 2, square(9, 14, size=SIZE), "Brush")
        desk.dense.densify()
        qtbot.waitUntil(lambda: session.status.state is SessionState.IDLE)
        assert len(desk.filled()) == 12
        assert [(each.run.start, each.run.end) for each in desk.dense.all()] == [
            (0, 4), (0, 4), (4, 8), (4, 8),
        ]  # fmt: skip
    finally:
        desk.close()


def test_a_log_of_it_is_played_again(
    tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MASKWRIGHT_HOME", str(tmp_path / "home"))
    source = source_in(tmp_path / "work")
    raw = sparse()
    del raw["video_annotations"][1]["annotations"][1]  # what the masks alone do not tell of
    source.write_text(json.dumps(raw))
    desk = Desk(source, Settings(interaction_log=True))
    try:
        begin(desk, 11)
        qtbot.waitUntil(lambda: len(desk.filled()) == 3)
        desk.session.jobs.stop_running()
        desk.gate.open()
        desk.dense.accept(desk.found(0, CUP))
        desk.mask(4, 30)
        desk.dense.densify()
        qtbot.waitUntil(lambda: desk.session.status.state is SessionState.IDLE)
        path, masks = desk.session.files.log.path, desk.masks
        assert path is not None
        assert len(desk.filled()) == 6
    finally:
        desk.close()
    replay = Replay(read_log(path), tmp_path, None, lambda cache, _settings: FakeModels(cache))
    try:
        assert dict(replay.play().items()) == masks
    finally:
        replay.close()
