"""The correction of a mask: verify and heal, refine."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from pytestqt.qtbot import QtBot

from app.core.document import Entry, Key, ObjectInfo, Origin, State
from app.core.mask import Mask
from app.core.places import all_exchanged
from app.core.plan import Direction
from app.session.state.status import SessionState
from models.api import Click, WeightsMissingError
from tests.fakes import square
from tests.session.desk import FRAMES, Desk, begin_propagation, draw, mask_at


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


def test_a_mask_given_to_the_other_of_two_puts_both_right_on_either_side(
    desk: Desk, idle: Callable[[], None]
) -> None:
    session = desk.session
    draw(desk, 0, x=10)
    draw(desk, 0, number=2, x=60)
    session.jobs.propagate(Direction.FORWARD)
    idle()
    swapped = {
        Key(frame, number): session.masks.document.get(Key(frame, 3 - number))
        for frame in range(10, FRAMES)
        for number in (1, 2)
    }
    session.masks.change(swapped, "Swap")
    session.view.go_to(20)
    session.view.select(1)
    draw(desk, 20, x=10)  # all of what object 2 has here
    assert session.masks.document.get(Key(20, 2)).mask == mask_at(60)  # type: ignore[union-attr]
    assert desk.said("change places here")
    session.correction.verify_and_heal()
    idle()
    for frame in range(FRAMES):  # both are healed where the exchange does not reach
        assert session.masks.document.get(Key(frame, 1)).mask == mask_at(10)  # type: ignore[union-attr]
        assert session.masks.document.get(Key(frame, 2)).mask == mask_at(60)  # type: ignore[union-attr]
    assert session.masks.state(Key(20, 2)) is State.VERIFIED


def test_two_exchanges_between_which_none_ends_are_carried_on_one_after_the_other(
    desk: Desk, idle: Callable[[], None]
) -> None:
    session = desk.session
    for number, x in ((1, 5), (2, 25), (3, 45)):
        draw(desk, 0, number=number, x=x)
    session.jobs.propagate(Direction.FORWARD)
    idle()
    for frame, number, x in ((10, 1, 25), (20, 1, 45)):
        session.view.go_to(frame)
        session.view.select(number)
        draw(desk, frame, number=number, x=x)
    exchanges = session.edit.unhealed.take_exchanges()
    changes = all_exchanged(session.masks.document, exchanges)
    session.masks.change(changes, "Exchange")
    found = {
        frame: {n: e.mask for n, e in session.masks.document.on_frame(frame).items()}
        for frame in (15, 25)
    }
    assert found[15] == {1: mask_at(25), 2: mask_at(5), 3: mask_at(45)}
    assert found[25] == {1: mask_at(45), 2: mask_at(25), 3: mask_at(5)}


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


def test_a_ghost_is_shown_while_a_propagation_goes_on(
    desk: Desk, qtbot: QtBot, idle: Callable[[], None]
) -> None:
    session = desk.session
    draw(desk, 0)
    begin_propagation(desk, qtbot)
    session.correction.refine()
    desk.made.fake_tracker.gate.let(1)
    qtbot.waitUntil(lambda: session.correction.has_refinement)
    assert session.status.state is SessionState.PROPAGATING
    desk.made.fake_tracker.gate.open()
    idle()
    assert len(session.masks.document.of_object(1)) == FRAMES


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


def test_a_ghost_goes_with_its_object(desk: Desk, qtbot: QtBot) -> None:
    session = desk.session
    draw(desk, 0)
    draw(desk, 0, number=2, x=40)
    before = dict(session.masks.document.items())
    session.view.select(1)
    session.correction.refine()
    qtbot.waitUntil(lambda: session.correction.has_refinement)
    session.view.select(2)
    assert not session.correction.has_refinement
    assert desk.ghosts[-1] is None
    session.correction.accept_refinement()
    assert dict(session.masks.document.items()) == before


def test_a_ghost_that_comes_after_its_object_was_left_is_not_shown(
    desk: Desk, qtbot: QtBot, idle: Callable[[], None]
) -> None:
    session, gate = desk.session, desk.made.fake_segmenter.gate
    draw(desk, 0)
    draw(desk, 0, number=2, x=40)
    session.view.select(1)
    gate.close()
    session.correction.refine()
    gate.wait_for_arrival()
    session.view.select(2)
    gate.open()
    session.clicks.click(Click(44, 25))  # answered after the refinement
    idle()
    assert not session.correction.has_refinement
    assert [ghost for ghost in desk.ghosts if ghost is not None] == []


@pytest.mark.parametrize("comes", ["before", "after"])
@pytest.mark.parametrize("edit", ["draw", "clear", "undo", "give"])
def test_a_ghost_goes_with_the_mask_that_it_is_of(
    desk: Desk, qtbot: QtBot, idle: Callable[[], None], edit: str, comes: str
) -> None:
    session, gate = desk.session, desk.made.fake_segmenter.gate
    for x in (10, 12):
        draw(desk, 0, x=x)
    draw(desk, 0, number=2, x=40)
    if edit == "undo":
        draw(desk, 0, x=14)
    session.view.select(1)
    if comes == "after":
        gate.close()
    session.correction.refine()
    if comes == "before":
        qtbot.waitUntil(lambda: session.correction.has_refinement)
    acts: dict[str, Callable[[], None]] = {
        "draw": lambda: draw(desk, 0, x=20),
        "clear": lambda: session.edit.clear([Key(0, 1)]),
        "undo": session.history.undo,
        "give": lambda: draw(desk, 0, number=2, x=15),
    }
    acts[edit]()
    left = session.masks.entry(Key(0, 1))
    gate.open()
    idle()
    qtbot.wait(50)
    assert not session.correction.has_refinement
    session.correction.accept_refinement()
    assert session.masks.entry(Key(0, 1)) == left


def test_refining_without_an_object_or_a_mask_is_said_to_be_no_use(desk: Desk) -> None:
    session = desk.session
    session.correction.refine()
    assert desk.reports[-1].text == "Select an object to refine."
    draw(desk, 0)
    session.view.select(1)
    session.view.go_to(3)
    session.correction.refine()
    assert desk.reports[-1].text == "There is no mask to refine on this frame."
    assert {each.level for each in desk.reports[-2:]} == {"warning"}
    assert desk.made.fake_segmenter.prompts == []


def test_a_ghost_that_does_not_fit_is_said_to_be_none(desk: Desk, qtbot: QtBot) -> None:
    session = desk.session
    session.preferences.apply(replace(session.preferences.settings, iou_gate=0.9))
    session.objects.add()
    session.edit.draw_mask(0, 1, square(10, side=20), "Brush")
    session.correction.refine()
    qtbot.waitUntil(lambda: desk.said("The sharper mask does not fit this one, which is kept."))
    assert not session.correction.has_refinement


def test_a_refinement_that_fails_is_told(desk: Desk, qtbot: QtBot) -> None:
    session = desk.session
    draw(desk, 0)
    desk.made.fake_segmenter.error = WeightsMissingError("hq-sam is missing")
    session.correction.refine()
    qtbot.waitUntil(lambda: desk.said("hq-sam is missing"))
    assert desk.reports[-1].level == "error"
    assert not session.correction.has_refinement


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


@pytest.mark.parametrize(("objects", "refined"), [(None, {1, 2}), ([2], {2})])
def test_the_chosen_range_is_refined_both_ends_included(
    desk: Desk, idle: Callable[[], None], objects: list[int] | None, refined: set[int]
) -> None:
    session = desk.session
    for number in (1, 2):
        draw(desk, 0, number, x=30 * number - 20)
    session.jobs.propagate(Direction.FORWARD)
    idle()
    session.view.set_range(3, 6)
    session.correction.refine_range(objects)
    idle()
    changed = {key for key, e in session.masks.document.items() if e.origin is Origin.REFINED}
    assert changed == {Key(frame, number) for frame in range(3, 7) for number in refined}


def test_several_objects_are_refined_in_one_step_but_no_locked_one(
    desk: Desk, idle: Callable[[], None]
) -> None:
    session = desk.session
    for number in (1, 2, 3):
        draw(desk, 0, number, x=15 * number)
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


# Enter and the click before it


def test_a_verification_waits_for_the_click_and_is_done_with_its_answer(
    desk: Desk, idle: Callable[[], None]
) -> None:
    session, gate = desk.session, desk.made.fake_segmenter.gate
    session.objects.add()
    gate.close()
    session.view.go_to(10)
    session.clicks.click(Click(20, 25))
    session.correction.verify_and_heal()
    assert session.correction.waits_at(Key(10, 1))
    assert not len(session.masks.document)
    session.view.go_to(3)
    gate.open()
    idle()
    assert not session.correction.waits_at(Key(10, 1))
    assert session.masks.document.frames() == list(range(FRAMES))
    assert session.masks.state(Key(10, 1)) is State.ANCHOR


def test_a_verification_is_dropped_with_the_click_that_it_waits_for(
    desk: Desk, qtbot: QtBot, idle: Callable[[], None]
) -> None:
    session, gate = desk.session, desk.made.fake_segmenter.gate
    draw(desk, 0)
    session.view.select(1)
    before = dict(session.masks.document.items())
    gate.close()
    session.clicks.click(Click(24, 25))
    session.correction.verify_and_heal()
    session.history.undo()
    assert not session.correction.waits_at(Key(0, 1))
    gate.open()
    qtbot.wait(100)
    assert dict(session.masks.document.items()) == before


def test_a_verification_is_dropped_where_the_click_finds_nothing(
    desk: Desk, idle: Callable[[], None]
) -> None:
    session, segmenter = desk.session, desk.made.fake_segmenter
    draw(desk, 0)
    session.view.select(1)
    segmenter.gate.close()
    segmenter.error = WeightsMissingError("lite is missing")
    session.clicks.click(Click(24, 25))
    session.correction.verify_and_heal()
    segmenter.gate.open()
    idle()
    assert session.masks.document.frames() == [0]
    assert not session.correction.waits_at(Key(0, 1))


def test_the_masks_that_gave_are_verified_and_healed_with_the_one_that_took(
    desk: Desk, idle: Callable[[], None]
) -> None:
    session = desk.session
    draw(desk, 0)
    draw(desk, 0, number=2, x=20)
    session.jobs.propagate(Direction.FORWARD)
    idle()
    session.view.go_to(15)
    session.view.select(1)
    calls = len(desk.made.fake_tracker.calls)
    session.clicks.click(Click(22, 25))
    idle()
    assert session.masks.state(Key(15, 2)) is State.PREDICTED
    steps = session.history.stack.count()
    session.correction.verify_and_heal()
    idle()
    assert session.masks.state(Key(15, 2)) is State.VERIFIED
    assert session.masks.document.get(Key(15, 2)).score is None  # type: ignore[union-attr]
    assert session.history.stack.count() == steps + 2  # the verification, the heal
    assert desk.said("object 1")
    assert desk.said("object 2")
    given, left = (session.masks.document.get(Key(15, number)) for number in (1, 2))
    for number, entry in ((1, given), (2, left)):
        later = session.masks.document.get(Key(20, number))
        assert entry is not None
        assert later is not None
        assert later.mask == entry.mask
    together = [call for call in desk.made.fake_tracker.calls[calls:] if 16 in call]
    assert len(together) == 1


def test_a_mask_that_has_its_pixels_back_is_not_verified(
    desk: Desk, idle: Callable[[], None]
) -> None:
    session = desk.session
    draw(desk, 0)
    draw(desk, 0, number=2, x=20)
    session.jobs.propagate(Direction.FORWARD)
    idle()
    session.view.go_to(15)
    session.view.select(1)
    session.clicks.click(Click(22, 25))
    idle()
    session.history.undo()
    session.correction.verify_and_heal()
    idle()
    assert session.masks.state(Key(15, 2)) is State.PREDICTED


@pytest.mark.parametrize("drawn", [False, True])
def test_a_sharpened_mask_makes_nothing_stale(
    desk: Desk, qtbot: QtBot, idle: Callable[[], None], drawn: bool
) -> None:
    session = desk.session
    session.objects.add()
    session.edit.draw_mask(0, 1, square(12, side=8), "Brush")
    session.jobs.propagate(Direction.FORWARD)
    idle()
    session.view.go_to(0 if drawn else 9)
    before = session.masks.document.get(Key(session.view.frame, 1))
    session.correction.refine()
    qtbot.waitUntil(lambda: session.correction.has_refinement)
    session.correction.accept_refinement()
    after = session.masks.document.get(Key(session.view.frame, 1))
    assert before is not None
    assert after is not None
    assert before.mask != after.mask
    assert not any(entry.stale for _, entry in session.masks.document.items())


def test_a_mask_that_holds_takes_nothing_of_what_the_same_heal_has_found(
    desk: Desk, idle: Callable[[], None]
) -> None:
    session = desk.session
    draw(desk, 0, x=0)
    session.jobs.propagate(Direction.FORWARD)
    idle()
    both = square(0) | square(42)
    two = Entry(Mask.encode(both), Origin.PROPAGATED, score=0.9)
    desk.made.fake_tracker.score = 0.86
    session.masks.change({Key(frame, 1): two for frame in range(5, 16)}, "On two things")
    draw(desk, 3, number=2, x=40)
    draw(desk, 25, x=1)
    session.view.go_to(25)
    session.view.select(1)
    session.correction.verify_and_heal()
    idle()
    for frame in (5, 10, 15):
        assert session.masks.pixels(frame, 2).tolist() == square(40).tolist()
        assert session.masks.pixels(frame, 1).tolist() == (both & ~square(40)).tolist()


def test_an_exchange_goes_on_where_another_correction_took_a_part_of_one_of_the_two(
    desk: Desk, idle: Callable[[], None]
) -> None:
    session = desk.session
    for number, x in ((1, 0), (2, 20), (3, 45)):
        draw(desk, 0, number=number, x=x)
    session.jobs.propagate(Direction.FORWARD)
    idle()
    swapped = {
        Key(frame, number): session.masks.document.get(Key(frame, 4 - number))
        for frame in range(5, FRAMES)
        for number in (1, 3)
    }
    session.masks.change(swapped, "Swap")
    for frame, number, x in ((10, 1, 0), (15, 2, 7)):
        session.view.go_to(frame)
        session.view.select(number)
        draw(desk, frame, number=number, x=x)
    session.correction.verify_and_heal()
    idle()
    assert session.masks.state(Key(15, 1)) is State.VERIFIED
    assert session.masks.state(Key(15, 3)) is State.PREDICTED
    assert session.masks.pixels(15, 1).tolist() == (square(0) & ~square(7)).tolist()
    for frame in (12, 15, 20, 29):
        assert session.masks.pixels(frame, 3).tolist() == square(45).tolist()
