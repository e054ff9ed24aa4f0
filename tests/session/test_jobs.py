"""The runner of long jobs: propagation in a real thread, and edits while it runs."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.core.document import Entry, Key, Origin, State
from app.core.mask import Mask
from app.core.plan import Direction
from app.session.session import Session
from app.session.state.status import SessionState
from models.api import Click, DeviceMemoryError
from tests.fakes import square
from tests.session.desk import FRAMES, Desk, begin_propagation, draw, mask_at

Begin = Callable[..., None]
Idle = Callable[[], None]


@pytest.fixture
def begin(desk: Desk, qtbot: QtBot) -> Begin:
    """Propagate forward and stand still once so many frames are shown, by default five."""
    return partial(begin_propagation, desk, qtbot)


@pytest.fixture
def finish(desk: Desk, idle: Idle) -> Idle:
    """Let the job go on to its end."""

    def call() -> None:
        desk.made.fake_tracker.gate.open()
        idle()

    return call


@pytest.fixture
def session(desk: Desk) -> Session:
    """The session, with object 1 drawn on frame 0."""
    draw(desk, 0)
    return desk.session


@pytest.fixture
def second(desk: Desk, session: Session) -> None:
    """Object 2 is drawn apart on frame 0."""
    draw(desk, 0, number=2, x=40)


@pytest.fixture
def giver(desk: Desk, session: Session) -> None:
    """Object 2 has a mask on frame 2, from which object 1 will take."""
    session.objects.add()
    put(desk, 2, 2, 15)


def masks_of(session: Session, number: int = 1) -> dict[int, Mask | None]:
    """Return the masks of an object, by frames."""
    return {frame: e.mask for frame, e in session.masks.document.of_object(number).items()}


def bring_back(desk: Desk, x: int, begin: Begin, finish: Idle) -> Mapping[int, Entry]:
    """Bring a mask of object 2 back on frame 3 while object 1 is followed; return what is there."""
    draw(desk, 3, number=2, x=x)
    desk.session.history.undo()
    begin(objects=[1])
    desk.session.history.redo()
    finish()
    return desk.session.masks.document.on_frame(3)


def put(desk: Desk, frame: int, number: int, x: int, origin: Origin = Origin.PROPAGATED) -> None:
    """Put a mask where a model may have made it."""
    desk.session.edit.make({Key(frame, number): Entry(mask_at(x), origin)}, "Put")


def test_a_propagation_is_one_undo_step(session: Session, idle: Idle) -> None:
    before, steps = dict(session.masks.document.items()), session.history.stack.count()
    session.jobs.propagate(Direction.FORWARD)
    idle()
    assert len(session.masks.document) == FRAMES
    assert session.history.stack.count() == steps + 1
    session.history.stack.undo()
    assert dict(session.masks.document.items()) == before


def test_results_are_shown_while_they_are_pending(session: Session, begin: Begin) -> None:
    begin()
    assert session.status.state is SessionState.PROPAGATING
    assert session.masks.document.get(Key(4, 1)) is None
    assert session.masks.state(Key(4, 1)) is State.PREDICTED


def test_an_export_has_what_is_shown_by_then_and_says_that_more_is_to_come(
    desk: Desk, session: Session, qtbot: QtBot, begin: Begin, tmp_path: Path
) -> None:
    gate = desk.made.fake_tracker.gate
    begin()
    session.files.exchange.export("davis", tmp_path / "davis")
    assert desk.said("masks are still being made")
    assert len(session.masks.document) == 1
    gate.open()
    qtbot.waitUntil(lambda: desk.said("Exported to"))
    assert len(list((tmp_path / "davis").rglob("*.png"))) == 5


def test_cancelling_keeps_everything_that_is_finished_at_once(
    desk: Desk, session: Session, begin: Begin
) -> None:
    gate = desk.made.fake_tracker.gate
    begin()
    session.jobs.cancel()
    assert session.status.state is SessionState.IDLE
    assert session.masks.document.frames() == [0, 1, 2, 3, 4]
    assert desk.progress[-1] is None
    gate.open()


def test_cancelling_keeps_results_that_still_wait_in_the_event_queue(
    desk: Desk, session: Session
) -> None:
    gate = desk.made.fake_tracker.gate
    gate.close()
    session.jobs.propagate(Direction.FORWARD)
    gate.let(5)
    gate.wait_until_passed(5)
    assert session.masks.shown(4) == {}
    session.jobs.cancel()
    assert session.masks.document.frames() == [0, 1, 2, 3, 4]
    gate.open()


def test_a_failure_keeps_what_is_finished_and_is_reported(
    desk: Desk, session: Session, idle: Idle
) -> None:
    tracker = desk.made.fake_tracker
    tracker.fail_at, tracker.error = 6, DeviceMemoryError("The GPU is full.")
    session.jobs.propagate(Direction.FORWARD)
    idle()
    assert session.masks.document.frames() == [0, 1, 2, 3, 4, 5]
    assert desk.said("The GPU is full. 5 masks are kept.")


@pytest.mark.usefixtures("second")
def test_results_of_a_propagation_that_was_replaced_are_dropped(
    desk: Desk, session: Session, begin: Begin, finish: Idle
) -> None:
    gate = desk.made.fake_tracker.gate
    begin(objects=[1])
    assert session.masks.shown(4).keys() == {1}
    gate.wait_for_arrival()  # the step that the model is in comes after the replacement
    session.jobs.cancel()
    session.jobs.propagate(Direction.FORWARD, objects=[2], last=2)
    finish()
    assert sorted(session.masks.document.of_object(1)) == [0, 1, 2, 3, 4]
    assert sorted(session.masks.document.of_object(2)) == [0, 1, 2]


def test_an_edit_outside_leaves_the_propagation_running(
    desk: Desk, session: Session, begin: Begin, finish: Idle
) -> None:
    begin(last=20)
    draw(desk, 25)
    draw(desk, 3, number=2, x=40)
    finish()
    assert len(desk.made.fake_tracker.calls) == 1
    assert sorted(session.masks.document.of_object(1)) == [*range(21), 25]


def test_an_edit_ahead_becomes_an_anchor_that_the_propagation_goes_on_over(
    desk: Desk, session: Session, begin: Begin, finish: Idle
) -> None:
    begin()
    draw(desk, 20, x=40)
    assert session.masks.document.get(Key(4, 1)) is not None
    finish()
    masks = masks_of(session)
    assert sorted(masks) == list(range(FRAMES))
    assert masks[20] == mask_at(40)
    assert masks[29] == mask_at(40)
    assert session.masks.document.get(Key(20, 1)).origin is Origin.DRAWN  # type: ignore[union-attr]


def test_an_edit_behind_makes_the_propagation_go_on_from_there(
    desk: Desk, session: Session, begin: Begin, finish: Idle
) -> None:
    begin(15)
    draw(desk, 6, x=40)
    finish()
    masks = masks_of(session)
    assert masks[2] == mask_at(10)
    assert masks[14] == mask_at(40)
    assert sorted(masks) == list(range(FRAMES))
    assert session.masks.state(Key(14, 1)) is State.PREDICTED


def test_a_click_during_a_propagation_is_answered_before_it_ends(
    desk: Desk, session: Session, qtbot: QtBot, finish: Idle
) -> None:
    gate = desk.made.fake_tracker.gate
    second = session.objects.add()
    gate.close()
    session.jobs.propagate(Direction.FORWARD, objects=[1])
    gate.wait_for_arrival()
    session.clicks.click(Click(40, 25))
    gate.let(1)
    assert second is not None
    qtbot.waitUntil(lambda: session.masks.document.get(Key(0, second)) is not None)
    assert session.status.state is SessionState.PROPAGATING
    finish()
    assert len(session.masks.document.of_object(1)) == FRAMES
    assert len(desk.made.fake_tracker.calls) == 1


@pytest.mark.usefixtures("second")
def test_locking_an_object_keeps_what_a_propagation_found_of_it_and_goes_on_with_the_others(
    session: Session, begin: Begin, finish: Idle
) -> None:
    begin()
    session.objects.edit(replace(session.masks.objects[0], locked=True))
    finish()
    assert list(session.masks.document.of_object(1)) == [0, 1, 2, 3, 4]
    assert len(session.masks.document.of_object(2)) == FRAMES


def test_beyond_the_out_point_there_is_nothing_to_propagate_forward(
    desk: Desk, session: Session
) -> None:
    session.view.set_range(2, 6)
    session.view.go_to(12)
    session.jobs.propagate(Direction.FORWARD)
    assert session.masks.document.frames() == [0]
    assert desk.said("no frame in this direction")


def test_nothing_to_propagate_from_is_said(desk: Desk) -> None:
    desk.session.jobs.propagate(Direction.FORWARD)
    assert desk.said("Click or draw an object first")


def test_progress_tells_frames_and_objects(desk: Desk, session: Session, idle: Idle) -> None:
    session.jobs.propagate(Direction.FORWARD)
    idle()
    first = desk.progress[0]
    assert first is not None
    assert (first.first, first.last, first.total, first.objects) == (0, FRAMES - 1, FRAMES, (1,))


def test_a_propagation_takes_from_what_was_propagated_but_not_from_anchors(
    desk: Desk, session: Session, idle: Idle
) -> None:
    draw(desk, 0, number=2, x=30)
    put(desk, 5, 2, 15)
    put(desk, 6, 2, 15, Origin.DRAWN)
    session.jobs.propagate(Direction.FORWARD, objects=[1])
    idle()
    masks = session.masks
    assert masks.pixels(5, 1).tolist() == square(10).tolist()
    assert masks.pixels(5, 2).tolist() == (square(15) & ~square(10)).tolist()
    assert masks.pixels(6, 1).tolist() == (square(10) & ~square(15)).tolist()
    assert masks.pixels(6, 2).tolist() == square(15).tolist()
    session.history.undo()
    assert masks.pixels(5, 2).tolist() == square(15).tolist()


def test_where_masks_may_overlap_a_propagation_takes_nothing(
    desk: Desk, session: Session, idle: Idle
) -> None:
    session.preferences.apply(replace(session.preferences.settings, overlap=True))
    draw(desk, 5, number=2, x=15)
    session.jobs.propagate(Direction.FORWARD, objects=[1])
    idle()
    assert session.masks.pixels(5, 1).tolist() == square(10).tolist()


@pytest.mark.usefixtures("giver")
def test_an_edit_of_a_mask_that_a_running_job_took_from_makes_it_give_way(
    session: Session, begin: Begin, finish: Idle
) -> None:
    begin(4, objects=[1])
    session.edit.clear([Key(2, 2)])
    assert 2 not in session.masks.shown(2)
    finish()
    assert 2 not in session.masks.shown(2)


def test_an_edit_that_follows_from_the_start_of_a_job_does_not_hang_it(
    desk: Desk, session: Session, qtbot: QtBot
) -> None:
    edits = [5]

    def edit(progress: object) -> None:
        if progress is not None and edits:
            draw(desk, edits.pop(), x=30)

    session.jobs.progress_changed.connect(edit)
    session.jobs.propagate(Direction.FORWARD)
    qtbot.waitUntil(lambda: session.status.state is SessionState.IDLE)
    assert not edits
    assert (session.masks.pixels(20, 1) == square(30)).all()


@pytest.mark.parametrize("x", [14, 6, 10])
@pytest.mark.usefixtures("second")
def test_what_a_job_has_found_does_not_overlap_what_is_brought_back_meanwhile(
    desk: Desk, begin: Begin, finish: Idle, x: int
) -> None:
    here = bring_back(desk, x, begin, finish)
    assert here[2].mask == mask_at(x)
    left = here[1].mask if 1 in here else None
    assert left == Mask.encode(square(10) & ~square(x))


@pytest.mark.usefixtures("giver")
def test_what_a_job_has_found_does_not_overlap_what_gave_to_it_and_is_locked_meanwhile(
    session: Session, begin: Begin, finish: Idle
) -> None:
    begin(4, objects=[1])
    session.objects.edit(replace(session.masks.objects[1], locked=True))
    finish()
    here = session.masks.document.on_frame(2)
    assert here[2].mask == mask_at(15)
    assert here[1].mask == Mask.encode(square(10) & ~square(15))


@pytest.mark.usefixtures("giver")
def test_nothing_stays_cut_by_an_object_that_an_undo_locks_meanwhile(
    session: Session, begin: Begin, finish: Idle
) -> None:
    session.objects.edit(replace(session.masks.objects[0], locked=True))
    locked = session.history.stack.index()
    session.objects.edit(replace(session.masks.objects[0], locked=False))
    begin(4, objects=[1])
    assert session.masks.shown(2)[2].mask != mask_at(15)
    session.history.go_to(locked)
    finish()
    assert session.masks.document.get(Key(2, 1)) is None
    assert session.masks.shown(2)[2].mask == mask_at(15)


@pytest.mark.usefixtures("second")
@pytest.mark.parametrize("overlap", [False, True])
def test_what_is_brought_back_meanwhile_takes_from_what_a_job_has_found_unless_masks_may_overlap(
    desk: Desk, session: Session, begin: Begin, finish: Idle, overlap: bool
) -> None:
    session.preferences.apply(replace(session.preferences.settings, overlap=overlap))
    here = bring_back(desk, 14, begin, finish)
    assert here[2].mask == mask_at(14)
    assert here[1].mask == (mask_at(10) if overlap else Mask.encode(square(10) & ~square(14)))
    assert session.masks.pixels(4, 1).tolist() == square(10).tolist()
