"""The queue of jobs: what waits, what goes first, what goes on, and edits while any of it runs."""

import time
from collections.abc import Callable

import pytest
from pytestqt.qtbot import QtBot

from app.core.document import Key, Origin
from app.core.plan import Direction
from app.session.state.status import SessionState
from tests.session.desk import FRAMES, Desk, begin_propagation, draw, mask_at
from tests.waiting import PATIENCE

ALL = list(range(FRAMES))
KINDS = ("propagate", "heal", "refine")


def frames_of(desk: Desk, number: int) -> list[int]:
    return sorted(desk.session.masks.document.of_object(number))


def titles(desk: Desk) -> list[str]:
    return [job.title for job in desk.session.jobs.queue.waiting]


def begin(desk: Desk, kind: str, qtbot: QtBot, idle: Callable[[], None]) -> None:
    """Let a job of a kind run over both objects, and stand still once it has done a few steps."""
    session, gate = desk.session, desk.made.fake_tracker.gate
    draw(desk, 0)
    draw(desk, 0, number=2, x=40)
    if kind == "refine":
        session.jobs.propagate(Direction.FORWARD)
        idle()
        gate = desk.made.fake_segmenter.gate
    gate.close()
    if kind == "propagate":
        session.jobs.propagate(Direction.FORWARD)
    elif kind == "heal":
        session.jobs.heal([Key(0, 1), Key(0, 2)])
    else:
        session.jobs.refine(ALL, [1, 2])
    gate.let(10)
    gate.wait_until_passed(10)
    qtbot.waitUntil(lambda: bool(session.video.now and session.video.now.pending))


def open_gates(desk: Desk) -> None:
    desk.made.fake_tracker.gate.open()
    desk.made.fake_segmenter.gate.open()


def test_what_is_asked_while_a_job_runs_waits_for_its_turn(
    desk: Desk, qtbot: QtBot, idle: Callable[[], None]
) -> None:
    session = desk.session
    draw(desk, 0)
    draw(desk, 0, number=2, x=40)
    desk.made.fake_tracker.gate.close()
    session.jobs.propagate(Direction.FORWARD, objects=[1])
    session.jobs.propagate(Direction.FORWARD, objects=[2])
    session.jobs.propagate(Direction.FORWARD, objects=[2], last=5)
    assert session.jobs.running[0] == "Propagate object 1, frames 0-29"
    assert titles(desk) == ["Propagate object 2, frames 0-29", "Propagate object 2, frames 0-5"]
    assert desk.said("frames 0-29: waits for its turn")
    open_gates(desk)
    qtbot.waitUntil(lambda: titles(desk) == [])
    idle()
    assert (frames_of(desk, 1), frames_of(desk, 2)) == (ALL, ALL)


def test_waiting_jobs_are_moved_and_let_go(desk: Desk, qtbot: QtBot) -> None:
    session, queue = desk.session, desk.session.jobs.queue
    for number in (1, 2, 3):
        draw(desk, 0, number=number, x=12 * number)
    desk.made.fake_tracker.gate.close()
    for number in (1, 2, 3):
        session.jobs.propagate(Direction.FORWARD, objects=[number])
    second, third = queue.waiting
    queue.move(third.number, -1)
    assert queue.waiting == (third, second)
    queue.move(third.number, 1)
    queue.drop(second.number)
    assert titles(desk) == [third.title]
    queue.move(third.number, -1)  # before the one that runs
    assert session.jobs.running[0] == third.title
    assert titles(desk) == ["Propagate object 1, frames 0-29"]
    open_gates(desk)


def test_a_job_that_works_elsewhere_makes_way_for_what_is_in_view_and_goes_on(
    desk: Desk, qtbot: QtBot, idle: Callable[[], None]
) -> None:
    session, gate = desk.session, desk.made.fake_tracker.gate
    draw(desk, 0)
    draw(desk, 20, number=2, x=40)
    gate.close()
    session.jobs.propagate(Direction.FORWARD, objects=[1], last=10)
    gate.let(5)
    qtbot.waitUntil(lambda: session.masks.shown(4) != {})
    session.view.go_to(20)
    session.jobs.propagate(Direction.FORWARD, objects=[2])
    assert session.jobs.running[0] == "Propagate object 2, frames 20-29"
    assert titles(desk) == ["Propagate object 1, frames 4-10"]
    open_gates(desk)
    qtbot.waitUntil(lambda: titles(desk) == [])
    idle()
    assert frames_of(desk, 1) == list(range(11))
    assert frames_of(desk, 2) == list(range(20, 30))


def test_the_same_asked_twice_runs_once(desk: Desk, qtbot: QtBot) -> None:
    draw(desk, 0)
    begin_propagation(desk, qtbot)
    desk.session.jobs.propagate(Direction.FORWARD)
    assert titles(desk) == []
    assert desk.said("is under way already")
    open_gates(desk)


def test_the_same_asked_behind_an_anchor_of_one_object_is_done_for_that_object(
    desk: Desk, qtbot: QtBot, idle: Callable[[], None]
) -> None:
    session, gate = desk.session, desk.made.fake_tracker.gate
    draw(desk, 0)
    for frame in (0, 5):
        draw(desk, frame, number=2, x=40)
    session.view.go_to(0)
    gate.close()
    session.jobs.propagate(Direction.FORWARD)
    session.view.go_to(10)
    session.jobs.propagate(Direction.FORWARD)
    assert not desk.said("is under way already")
    open_gates(desk)
    idle()
    assert frames_of(desk, 2) == [*range(6), *range(10, FRAMES)]


def test_a_stopped_propagation_goes_on_where_it_ended(
    desk: Desk, qtbot: QtBot, idle: Callable[[], None]
) -> None:
    session, tracker = desk.session, desk.made.fake_tracker
    draw(desk, 0)
    begin_propagation(desk, qtbot)
    session.jobs.cancel()
    tracker.gate.open()
    session.jobs.propagate(Direction.FORWARD)
    idle()
    assert tracker.calls[-1] == tuple(range(4, FRAMES))
    assert desk.said("It goes on at frame 4")
    assert frames_of(desk, 1) == ALL


def test_after_an_edit_a_stopped_propagation_begins_anew(
    desk: Desk, qtbot: QtBot, idle: Callable[[], None]
) -> None:
    session, tracker = desk.session, desk.made.fake_tracker
    draw(desk, 0)
    begin_propagation(desk, qtbot)
    session.jobs.cancel()
    tracker.gate.open()
    draw(desk, 0, x=40)
    session.jobs.propagate(Direction.FORWARD)
    idle()
    assert tracker.calls[-1] == tuple(ALL)
    assert session.masks.document.on_frame(2)[1].mask == mask_at(40)


def test_stopping_everything_says_how_many_will_not_run(desk: Desk, qtbot: QtBot) -> None:
    session = desk.session
    draw(desk, 0)
    draw(desk, 0, number=2, x=40)
    desk.made.fake_tracker.gate.close()
    session.jobs.propagate(Direction.FORWARD, objects=[1])
    session.jobs.propagate(Direction.FORWARD, objects=[2])
    session.jobs.cancel()
    assert session.status.state is SessionState.IDLE
    assert desk.said("1 waiting job will not run")
    open_gates(desk)


def test_stopping_one_job_lets_the_next_run(desk: Desk, idle: Callable[[], None]) -> None:
    session = desk.session
    draw(desk, 0)
    draw(desk, 0, number=2, x=40)
    desk.made.fake_tracker.gate.close()
    session.jobs.propagate(Direction.FORWARD, objects=[1])
    session.jobs.propagate(Direction.FORWARD, objects=[2])
    session.jobs.stop_running()
    open_gates(desk)
    idle()
    assert (frames_of(desk, 1), frames_of(desk, 2)) == ([0], ALL)


def test_an_edit_inside_a_heal_keeps_the_propagation_that_waits_for_it(
    desk: Desk, qtbot: QtBot, idle: Callable[[], None]
) -> None:
    session, gate = desk.session, desk.made.fake_tracker.gate
    draw(desk, 0)
    draw(desk, 12, number=2, x=40)
    gate.close()
    session.jobs.propagate(Direction.FORWARD, objects=[1])
    session.jobs.heal([Key(12, 2)])
    assert titles(desk) == ["Propagate object 1, frames 0-29"]
    draw(desk, 20, number=2, x=30)
    assert titles(desk) == ["Propagate object 1, frames 0-29"]
    open_gates(desk)
    qtbot.waitUntil(lambda: titles(desk) == [])
    idle()
    assert (frames_of(desk, 1), frames_of(desk, 2)) == (ALL, ALL)


@pytest.mark.parametrize("kind", KINDS)
def test_deleting_an_object_lets_a_job_go_on_with_the_others(
    desk: Desk, qtbot: QtBot, idle: Callable[[], None], kind: str
) -> None:
    begin(desk, kind, qtbot, idle)
    desk.session.objects.delete(1)
    assert desk.session.status.state is not SessionState.IDLE
    open_gates(desk)
    idle()
    entries = desk.session.masks.document.of_object(2)
    assert sorted(entries) == ALL
    assert desk.session.masks.document.of_object(1) == {}
    if kind == "refine":
        assert {entries[frame].origin for frame in ALL[1:]} == {Origin.REFINED}


@pytest.mark.parametrize("cleared", [range(1, 4), range(20, 25)], ids=["behind", "ahead"])
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_cleared_while_a_job_runs_stays_clear(
    desk: Desk, qtbot: QtBot, idle: Callable[[], None], kind: str, cleared: range
) -> None:
    begin(desk, kind, qtbot, idle)
    desk.session.edit.clear([Key(frame, 1) for frame in cleared])
    open_gates(desk)
    idle()
    assert frames_of(desk, 1) == [frame for frame in ALL if frame not in cleared]
    assert frames_of(desk, 2) == ALL


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_job_goes_on_after_an_edit_inside_it(
    desk: Desk, qtbot: QtBot, idle: Callable[[], None], kind: str
) -> None:
    begin(desk, kind, qtbot, idle)
    draw(desk, 15, x=25)
    assert desk.session.status.state is not SessionState.IDLE
    open_gates(desk)
    idle()
    entries = desk.session.masks.document.of_object(1)
    assert sorted(entries) == ALL
    assert entries[15].mask == mask_at(25)
    if kind == "refine":
        origins = {entries[frame].origin for frame in ALL if frame not in {0, 15}}
        assert origins == {Origin.REFINED}


def test_a_refinement_goes_on_after_the_heal_that_it_made_way_for(
    desk: Desk, qtbot: QtBot, idle: Callable[[], None]
) -> None:
    begin(desk, "refine", qtbot, idle)
    draw(desk, 15, number=2, x=25)
    desk.session.jobs.heal([Key(15, 2)])
    assert len(titles(desk)) == 1
    open_gates(desk)
    qtbot.waitUntil(lambda: titles(desk) == [])
    idle()
    entries = desk.session.masks.document.of_object(1)
    assert {entries[frame].origin for frame in ALL[1:]} == {Origin.REFINED}


def test_what_is_cleared_while_a_job_waits_stays_clear(
    desk: Desk, qtbot: QtBot, idle: Callable[[], None]
) -> None:
    session = desk.session
    draw(desk, 0)
    draw(desk, 0, number=2, x=40)
    desk.made.fake_tracker.gate.close()
    session.jobs.propagate(Direction.FORWARD, objects=[1])
    session.jobs.propagate(Direction.FORWARD, objects=[2])
    session.edit.clear([Key(frame, 2) for frame in range(10, 20)])
    assert desk.said("10 frames are left out of what is under way")
    open_gates(desk)
    qtbot.waitUntil(lambda: titles(desk) == [])
    idle()
    assert frames_of(desk, 2) == [*range(10), *range(20, 30)]


@pytest.mark.parametrize("asked", ["stop", "heal"])
def test_a_job_that_has_ended_unseen_takes_no_other_with_it(
    desk: Desk, idle: Callable[[], None], asked: str
) -> None:
    session, tracker = desk.session, desk.made.fake_tracker
    for number in (1, 2, 3):
        draw(desk, 0, number=number, x=12 * number)
    tracker.gate.close()
    session.jobs.propagate(Direction.FORWARD, objects=[1])
    session.jobs.propagate(Direction.FORWARD, objects=[2])
    tracker.gate.open()
    wait_for(lambda: tracker.closed > 0)  # its answers wait in the event queue of this thread
    if asked == "stop":
        session.jobs.stop_running()
    else:
        session.jobs.heal([Key(0, 3)])
    idle()
    assert (frames_of(desk, 1), frames_of(desk, 2)) == (ALL, ALL)


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait without letting this thread handle any event, and until an end was told, too."""
    end = time.monotonic() + PATIENCE
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    assert condition()
    time.sleep(0.2)


def test_what_becomes_of_a_job_is_said(desk: Desk, idle: Callable[[], None]) -> None:
    session = desk.session
    draw(desk, 0)
    desk.made.fake_tracker.gate.close()
    session.jobs.propagate(Direction.FORWARD)
    title = session.jobs.running[0]
    session.jobs.propagate(Direction.FORWARD)
    assert desk.reports[-1].text == f"{title}: is under way already."
    session.jobs.stop_running()
    assert desk.reports[-1].text == f"{title}: stopped; what is finished is kept."
    session.jobs.stop_running()  # nothing runs any more
    assert len([each for each in desk.reports if "stopped" in each.text]) == 1
    open_gates(desk)
    idle()


def test_where_nothing_is_under_way_nothing_is_said_to_be_left_out(
    desk: Desk, idle: Callable[[], None]
) -> None:
    session = desk.session
    draw(desk, 0)
    session.edit.clear([Key(9, 1)])  # there is no mask
    assert not desk.said("left out")
    session.jobs.propagate(Direction.FORWARD)
    idle()
    session.edit.clear([Key(9, 1)])
    assert not desk.said("left out")
    assert frames_of(desk, 1) == [frame for frame in ALL if frame != 9]


def test_what_does_not_wait_cannot_be_moved_or_let_go(desk: Desk) -> None:
    queue, told = desk.session.jobs.queue, list[None]()
    draw(desk, 0)
    draw(desk, 0, number=2, x=40)
    desk.made.fake_tracker.gate.close()
    desk.session.jobs.propagate(Direction.FORWARD, objects=[1])
    queue.changed.connect(lambda: told.append(None))
    queue.drop(99)
    queue.move(99, 1)
    assert queue.clear() == 0
    assert not told
    desk.session.jobs.propagate(Direction.FORWARD, objects=[2])
    (waiting,) = queue.waiting
    queue.drop(waiting.number)
    assert (queue.waiting, len(told)) == ((), 2)
    open_gates(desk)


def test_what_has_nothing_to_do_is_said_to_while_another_job_runs(desk: Desk, qtbot: QtBot) -> None:
    session = desk.session
    draw(desk, 0)
    session.objects.add()
    begin_propagation(desk, qtbot, objects=[1])
    session.jobs.refine([20], [2])
    assert desk.reports[-1].text == "There is nothing to refine: anchors stay as they are."
    assert desk.reports[-1].level == "warning"
    assert session.jobs.running[0] == "Propagate object 1, frames 0-29"
    open_gates(desk)


@pytest.mark.parametrize("edit", ["delete", "clear"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_job_that_an_edit_leaves_nothing_to_do_is_said_to_have_ended(
    desk: Desk, kind: str, edit: str, qtbot: QtBot, idle: Callable[[], None]
) -> None:
    begin(desk, kind, qtbot, idle)
    session, title = desk.session, desk.session.jobs.running[0]
    for number in (1, 2):
        if edit == "delete":
            session.objects.delete(number)
        else:
            session.edit.clear([Key(frame, number) for frame in ALL])
    assert session.status.state is SessionState.IDLE
    words = "nothing of it is left to do."
    told = [each.text for each in desk.reports if each.text.endswith(words)]
    assert len(told) == 1
    assert told[0].split()[0] == title.split()[0]
    assert not desk.said("stale")
    open_gates(desk)


def test_a_propagation_goes_on_without_the_object_whose_range_was_cleared(
    desk: Desk, qtbot: QtBot, idle: Callable[[], None]
) -> None:
    begin(desk, "propagate", qtbot, idle)
    desk.session.edit.clear([Key(frame, 1) for frame in ALL[5:]])
    assert desk.session.jobs.running[0].startswith("Propagate object 2, ")
    open_gates(desk)
    idle()
    assert (frames_of(desk, 1), frames_of(desk, 2)) == (ALL[:5], ALL)
