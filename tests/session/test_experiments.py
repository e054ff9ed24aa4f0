"""Experiments with the memory: runs beside the masks, which stay as they are."""

from collections.abc import Collection, Generator, Sequence

from pytestqt.qtbot import QtBot

from app.core.document import Key
from app.core.plan import Direction
from app.core.runs import Run
from app.session.state.status import SessionState
from models.api import Anchors, Tracked
from tests.session.desk import FRAMES, Desk, draw


def _can_leave_out(desk: Desk) -> list[tuple[frozenset[int], tuple[int, ...]]]:
    """Let the fake tracker leave frames out; return what it is asked for."""
    asked: list[tuple[frozenset[int], tuple[int, ...]]] = []
    tracker = desk.made.fake_tracker

    def track_without(
        left_out: Collection[int], anchors: Anchors, frames: Sequence[int]
    ) -> Generator[Tracked, None, None]:
        asked.append((frozenset(left_out), tuple(anchors)))
        return tracker.track(anchors, frames)

    tracker.track_without = track_without  # type: ignore[attr-defined]
    return asked


def _run(desk: Desk, qtbot: QtBot) -> Run:
    """Wait for the next run and return it."""
    before = set(desk.session.inspection.runs.infos)
    qtbot.waitUntil(lambda: len(desk.session.inspection.runs.infos) > len(before))
    (number,) = set(desk.session.inspection.runs.infos) - before
    run = desk.session.inspection.runs.run(number)
    assert run is not None
    return run


def _settle(desk: Desk, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: desk.session.status.state is SessionState.IDLE)


def _two_anchors(desk: Desk) -> None:
    draw(desk, 0)
    draw(desk, 20, x=40)


def test_a_run_without_an_anchor_is_the_propagation_without_it(desk: Desk, qtbot: QtBot) -> None:
    _can_leave_out(desk)
    _two_anchors(desk)
    before = desk.session.masks.snapshot()
    desk.session.inspection.experiments.without(20)
    run = _run(desk, qtbot)
    assert dict(desk.session.masks.document.items()) == dict(before.items())
    assert run.info.name.endswith("without frame 20")
    assert run.frames == tuple(range(FRAMES))
    desk.session.view.go_to(20)
    desk.session.edit.clear([Key(20, 1)])
    desk.session.view.go_to(0)
    desk.session.jobs.propagate(Direction.BOTH, to_nearest_anchor=False)
    _settle(desk, qtbot)
    alone = desk.session.masks.document
    assert all(
        run.masks.get(Key(frame, 1)) == alone.on_frame(frame)[1].mask for frame in range(FRAMES)
    )


def test_a_frame_that_is_no_anchor_is_left_out_of_the_memory(desk: Desk, qtbot: QtBot) -> None:
    asked = _can_leave_out(desk)
    draw(desk, 0)
    desk.session.inspection.experiments.without(5)
    _run(desk, qtbot)
    assert asked == [(frozenset({5}), (0,))]


def test_a_run_with_a_frame_takes_its_masks_as_given(desk: Desk, qtbot: QtBot) -> None:
    draw(desk, 0)
    desk.made.fake_tracker.drift = {10: 12}
    desk.session.jobs.propagate(Direction.FORWARD)
    _settle(desk, qtbot)
    moved = desk.session.masks.document.on_frame(10)[1].mask
    before = desk.session.masks.snapshot()
    desk.made.fake_tracker.drift = {}
    desk.session.inspection.experiments.given(10)
    run = _run(desk, qtbot)
    assert dict(desk.session.masks.document.items()) == dict(before.items())
    assert run.masks[Key(12, 1)] == run.masks[Key(10, 1)] == moved
    assert run.masks[Key(2, 1)] == before.on_frame(2)[1].mask


def test_what_cannot_be_tried_is_said(desk: Desk, qtbot: QtBot) -> None:
    _can_leave_out(desk)
    draw(desk, 0)
    desk.session.inspection.experiments.without(0)
    assert desk.said("nothing to start from")
    desk.session.inspection.experiments.given(0)
    assert desk.said("given already")
    desk.session.inspection.experiments.given(7)
    assert desk.said("no masks on this frame")
    assert not desk.session.inspection.runs.infos


def test_a_model_that_cannot_leave_frames_out_says_so(desk: Desk, qtbot: QtBot) -> None:
    _two_anchors(desk)
    desk.session.inspection.experiments.without(20)
    qtbot.waitUntil(lambda: desk.said("cannot leave a frame out"))
    assert not desk.session.inspection.runs.infos


def test_a_stopped_experiment_leaves_no_half_run(desk: Desk, qtbot: QtBot) -> None:
    _can_leave_out(desk)
    _two_anchors(desk)
    desk.made.fake_tracker.gate.close()
    desk.session.inspection.experiments.without(20)
    desk.made.fake_tracker.gate.let(3)
    assert desk.made.fake_tracker.gate.wait_until_passed(3)
    desk.session.jobs.cancel()
    desk.made.fake_tracker.gate.open()
    _settle(desk, qtbot)
    assert not desk.session.inspection.runs.infos
    assert len(desk.session.masks.document) == 2
