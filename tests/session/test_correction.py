"""The correction of a mask: verify and heal, refine."""

from collections.abc import Callable
from dataclasses import replace

from pytestqt.qtbot import QtBot

from app.core.document import Key, ObjectInfo, Origin, State
from app.core.plan import Direction
from models.api import Click
from tests.session.desk import FRAMES, Desk, draw


def test_accepting_heals_both_ways_and_says_where_the_drift_was(
    desk: Desk, idle: Callable[[], None]
) -> None:
    session = desk.session
    draw(desk, 0)
    session.objects.edit(ObjectInfo(1, "knife", (1, 2, 3)))
    session.jobs.propagate(Direction.FORWARD)
    idle()
    session.view.go_to(15)
    session.view.select(1)
    draw(desk, 15, x=30)
    steps = session.history.stack.count()
    session.correction.verify_and_heal()
    idle()
    assert session.history.stack.count() == steps + 1  # what is drawn is an anchor already
    assert not any(entry.stale for _, entry in session.masks.document.items())
    assert desk.said("knife: 21 frames changed, drift began 8, stopped 29")


def test_accepting_the_first_mask_fills_the_video(desk: Desk, idle: Callable[[], None]) -> None:
    session = desk.session
    session.view.go_to(10)
    session.clicks.click(Click(20, 25))
    idle()
    session.correction.verify_and_heal()
    idle()
    assert session.masks.document.frames() == list(range(FRAMES))


def test_accepting_during_a_propagation_of_another_object_finishes_both(
    desk: Desk, qtbot: QtBot, idle: Callable[[], None]
) -> None:
    session, gate = desk.session, desk.made.fake_tracker.gate
    draw(desk, 0)
    draw(desk, 12, number=2, x=40)
    gate.close()
    session.jobs.propagate(Direction.FORWARD, objects=[1])
    gate.let(5)
    qtbot.waitUntil(lambda: session.masks.shown(4) != {})
    session.view.go_to(12)
    session.view.select(2)
    session.correction.verify_and_heal()
    gate.open()
    idle()
    assert sorted(session.masks.document.of_object(1)) == list(range(FRAMES))
    assert sorted(session.masks.document.of_object(2)) == list(range(FRAMES))


def test_a_refinement_is_a_ghost_until_it_is_accepted(desk: Desk, qtbot: QtBot) -> None:
    session = desk.session
    draw(desk, 0, x=12)
    before = session.masks.document.get(Key(0, 1))
    session.correction.refine()
    qtbot.waitUntil(lambda: session.correction.has_refinement)
    assert session.masks.document.get(Key(0, 1)) == before
    session.correction.accept_refinement()
    entry = session.masks.document.get(Key(0, 1))
    assert entry is not None
    assert entry.origin is Origin.REFINED
    assert entry.is_anchor
    assert entry.score == 0.8
    assert not session.correction.has_refinement


def test_a_ghost_goes_with_its_frame(desk: Desk, qtbot: QtBot, idle: Callable[[], None]) -> None:
    session = desk.session
    draw(desk, 0)
    session.jobs.propagate(Direction.FORWARD)
    idle()
    session.view.select(1)
    session.view.go_to(2)
    session.correction.refine()
    qtbot.waitUntil(lambda: session.correction.has_refinement)
    session.view.go_to(5)
    assert not session.correction.has_refinement
    assert desk.ghosts[-1] is None
    session.correction.verify_and_heal()
    idle()
    assert session.masks.state(Key(2, 1)) is State.PREDICTED
    assert session.masks.state(Key(5, 1)) is State.VERIFIED


def test_refining_frames_is_one_step_that_leaves_anchors_alone(
    desk: Desk, idle: Callable[[], None]
) -> None:
    session = desk.session
    draw(desk, 0)
    session.jobs.propagate(Direction.FORWARD)
    idle()
    steps = session.history.stack.count()
    session.correction.refine(range(5))
    idle()
    assert session.history.stack.count() == steps + 1
    origins = [session.masks.document.get(Key(frame, 1)).origin for frame in range(5)]  # type: ignore[union-attr]
    assert origins == [Origin.DRAWN, *[Origin.REFINED] * 4]


def test_several_objects_are_refined_in_one_step_but_no_locked_one(
    desk: Desk, idle: Callable[[], None]
) -> None:
    session = desk.session
    for number in (1, 2, 3):
        draw(desk, 0, number)
    session.jobs.propagate(Direction.FORWARD)
    idle()
    session.objects.edit(replace(session.masks.objects[2], locked=True))
    steps = session.history.stack.count()
    session.correction.refine(range(5), [1, 2, 3])
    idle()
    assert session.history.stack.count() == steps + 1
    origins = {
        number: session.masks.document.get(Key(4, number)).origin  # type: ignore[union-attr]
        for number in (1, 2, 3)
    }
    assert origins == {1: Origin.REFINED, 2: Origin.REFINED, 3: Origin.PROPAGATED}
    assert desk.said("2 objects, 4 frames: 8 sharpened, 0 kept")
