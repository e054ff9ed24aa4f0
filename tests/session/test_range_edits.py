"""The edits over many frames: merge, split off, copy on."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from app.core.block import Block
from app.core.document import Entry, Key, Origin
from app.core.mask import Mask
from app.core.plan import Direction
from models.api import BoolMask
from tests.fakes import square
from tests.session.desk import FRAMES, Desk, draw, mask_at

BOTH = Mask.encode(square(10) | square(40))


def masks_of(desk: Desk, number: int) -> dict[int, Mask | None]:
    entries = desk.session.masks.document.of_object(number)
    return {frame: entry.mask for frame, entry in entries.items()}


def test_objects_are_merged_into_one_as_one_step(desk: Desk, idle: Callable[[], None]) -> None:
    session = desk.session
    draw(desk, 0)
    draw(desk, 0, number=2, x=40)
    session.jobs.propagate(Direction.FORWARD)
    idle()
    steps = session.history.stack.count()
    session.ranges.merge(Block((1, 2), range(4, 7)), 2)
    assert [masks_of(desk, 2)[frame] for frame in (3, 4, 6, 7)] == [
        mask_at(40), BOTH, BOTH, mask_at(40),
    ]  # fmt: skip
    assert sorted(masks_of(desk, 1)) == [*range(4), *range(7, FRAMES)]
    assert session.history.stack.count() == steps + 1
    session.history.undo()
    assert len(masks_of(desk, 1)) == FRAMES


def test_one_takes_the_masks_of_another_over_up_to_the_next_anchor(
    desk: Desk, idle: Callable[[], None]
) -> None:
    session = desk.session
    draw(desk, 0)
    draw(desk, 0, number=2, x=40)
    session.jobs.propagate(Direction.FORWARD)
    idle()
    draw(desk, 20, number=2, x=40)
    steps = session.history.stack.count()
    session.view.go_to(8)
    session.ranges.take_over(1, 2)
    assert [masks_of(desk, 1)[frame] for frame in (7, 8, 19, 20)] == [
        mask_at(10), mask_at(40), mask_at(40), mask_at(10),
    ]  # fmt: skip
    assert sorted(masks_of(desk, 2)) == [*range(8), *range(20, FRAMES)]
    anchors = {f for f, each in session.masks.of_object(1).items() if each.is_anchor}
    assert anchors == {0, 8, 19}
    assert session.history.stack.count() == steps + 1


def test_what_has_no_masks_is_not_taken_over(desk: Desk) -> None:
    draw(desk, 0)
    desk.session.objects.add("empty")
    desk.session.ranges.take_over(1, 2)
    assert desk.said("empty has no masks from here on")


def test_merging_needs_two_objects_that_are_not_locked(desk: Desk) -> None:
    session = desk.session
    draw(desk, 0)
    draw(desk, 0, number=2, x=40)
    session.ranges.merge(Block((1,), range(3)), 1)
    assert desk.said("Choose two objects or more")
    session.objects.edit(replace(session.masks.objects[0], locked=True))
    session.ranges.merge(Block((1, 2), range(3)), 2)
    assert desk.said("object 1 is locked")
    assert masks_of(desk, 2) == {0: mask_at(40)}


def test_a_part_becomes_an_object_of_its_own(desk: Desk) -> None:
    session = desk.session
    session.objects.add("plate")
    for frame in (2, 3):
        session.edit.draw_mask(frame, 1, square(10) | square(40, side=6), "Brush")
    steps = session.history.stack.count()
    session.ranges.split_off(Block((1,), range(FRAMES)))
    assert masks_of(desk, 1) == {2: mask_at(10), 3: mask_at(10)}
    part = Mask.encode(square(40, side=6))
    assert masks_of(desk, 2) == {2: part, 3: part}
    assert session.masks.name_of(2) == "part of plate"
    assert session.history.stack.count() == steps + 1


def test_one_piece_cannot_be_split(desk: Desk) -> None:
    draw(desk, 0)
    desk.session.ranges.split_off(Block((1,), range(3)))
    assert desk.said("is in one piece on these frames")
    assert len(desk.session.masks.objects) == 1


def test_a_correction_is_copied_on_over_what_was_propagated(
    desk: Desk, idle: Callable[[], None]
) -> None:
    session = desk.session
    draw(desk, 0)
    session.jobs.propagate(Direction.FORWARD)
    idle()
    session.edit.verify([Key(8, 1)])
    session.view.go_to(5)
    session.edit.draw_mask(5, 1, square(10) | square(40), "Brush")
    session.ranges.copy_on(Block((1,), range(4, 10)))
    masks = masks_of(desk, 1)
    assert [masks[frame] for frame in (3, 4, 6, 7, 8, 9, 10)] == [
        mask_at(10), BOTH, BOTH, BOTH, mask_at(10), BOTH, mask_at(10),
    ]  # fmt: skip
    entry = session.masks.document.get(Key(6, 1))
    assert entry is not None
    assert (entry.origin, entry.is_anchor) == (Origin.PROPAGATED, False)


def test_what_a_copied_correction_adds_the_others_give_but_none_of_their_anchors(
    desk: Desk,
) -> None:
    session = desk.session
    draw(desk, 0)
    session.objects.add()
    for frame in range(6):
        here = {
            Key(frame, number): Entry(mask_at(x), Origin.PROPAGATED, verified=verified)
            for number, x, verified in ((1, 10, False), (2, 40, frame == 5))
        }
        session.edit.make(here, "Put")
    session.view.go_to(3)
    session.edit.draw_mask(3, 1, square(10) | square(35), "Brush")
    session.ranges.copy_on(Block((1,), range(6)))
    assert session.masks.entry(Key(4, 1)) != Entry(mask_at(10), Origin.PROPAGATED)
    for frame in range(6):
        shown = session.masks.shown(frame).values()
        masks = [entry.mask.decode() for entry in shown if entry.mask is not None]
        assert np.sum(masks, axis=0).max() == 1, frame
    assert session.masks.document.on_frame(5)[2].mask == mask_at(40)


@pytest.mark.parametrize("left", [square(13), square(10, side=3)])
def test_where_a_correction_would_change_nothing_or_leave_nothing_the_mask_stays(
    desk: Desk, left: BoolMask
) -> None:
    """What is cut off lies beside the small mask, or all of the small mask lies in it."""
    session = desk.session
    draw(desk, 0)
    small = Entry(Mask.encode(square(40, side=4)), Origin.PROPAGATED, stale=True)
    propagated = Entry(mask_at(10), Origin.PROPAGATED, stale=True)
    entries = {Key(2, 1): propagated, Key(4, 1): small, Key(5, 1): propagated}
    session.edit.make(entries, "Put", marks=False)
    session.view.go_to(2)
    cut = Mask.encode(square(10) & left)
    session.edit.put(Key(2, 1), Entry(cut, Origin.DRAWN), "Cut", marks=False)
    session.ranges.copy_on(Block((1,), range(4, 6)))
    assert session.masks.entry(Key(5, 1)) == replace(propagated, mask=cut, stale=False)
    assert session.masks.entry(Key(4, 1)) == small


def test_without_a_correction_there_is_nothing_to_copy(desk: Desk) -> None:
    draw(desk, 0)
    desk.session.view.go_to(3)
    desk.session.ranges.copy_on(Block((1,), range(FRAMES)))
    assert desk.said("There is no correction to copy on")


def test_several_objects_are_locked_as_one_step(desk: Desk) -> None:
    session = desk.session
    draw(desk, 0)
    draw(desk, 0, number=2, x=40)
    steps = session.history.stack.count()
    session.objects.edit(*(replace(info, locked=True) for info in session.masks.objects))
    assert [info.locked for info in session.masks.objects] == [True, True]
    assert session.history.stack.count() == steps + 1


def test_a_block_ends_with_its_objects(desk: Desk) -> None:
    session = desk.session
    draw(desk, 0)
    draw(desk, 0, number=2, x=30)
    told: list[Block | None] = []
    session.view.block_changed.connect(lambda: told.append(session.view.block))
    block = Block((1, 2), range(3))
    session.view.choose_block(block)
    session.objects.delete(2)
    assert told == [block, None]
    assert np.array_equal(session.masks.pixels(0, 1), square(10))


@pytest.mark.parametrize("how", ["exchange", "take over", "merge"])
def test_what_a_job_finds_while_it_makes_way_is_changed_with_the_rest(
    desk: Desk, qtbot: QtBot, idle: Callable[[], None], how: str
) -> None:
    session, gate = desk.session, desk.made.fake_tracker.gate
    draw(desk, 0)
    draw(desk, 0, number=2, x=40)
    gate.close()
    session.jobs.propagate(Direction.FORWARD)
    gate.let(5)
    qtbot.waitUntil(lambda: session.masks.shown(4) != {})
    session.view.go_to(2)
    passed = gate.passed
    gate.let(2)
    gate.wait_until_passed(passed + 2)
    assert session.masks.shown(5) == {}  # found, but waits in the event queue
    if how == "exchange":
        session.edit.exchange(1, 2)
        wanted = {1: mask_at(40), 2: mask_at(10)}
    elif how == "take over":
        session.ranges.take_over(1, 2)
        wanted = {1: mask_at(40)}
    else:
        session.ranges.merge(Block((1, 2), range(2, FRAMES)), 1)
        wanted = {1: Mask.encode(square(10) | square(40))}
    session.jobs.cancel()
    for frame in range(2, 7):
        here = session.masks.document.on_frame(frame)
        assert {n: entry.mask for n, entry in here.items()} == wanted, frame
    gate.open()


def test_what_cannot_be_merged_or_split_is_said(desk: Desk) -> None:
    session = desk.session
    draw(desk, 0)
    draw(desk, 0, number=2, x=40)
    steps = session.history.stack.count()
    session.ranges.merge(Block((1, 2), range(5, 9)), 1)
    assert desk.reports[-1].text == "There is nothing to merge on these frames."
    session.ranges.split_off(Block((1, 2), range(3)))
    assert desk.reports[-1].text == "Choose one object to split a part off."
    assert session.history.stack.count() == steps


def test_the_steps_of_ranges_say_what_they_did_and_where(
    desk: Desk, idle: Callable[[], None]
) -> None:
    session, stack = desk.session, desk.session.history.stack
    for number, x in ((1, 10), (2, 40)):
        draw(desk, 0, number=number, x=x)
    session.jobs.propagate(Direction.FORWARD)
    idle()
    session.ranges.merge(Block((1, 2), range(3, 5)), 1)
    assert stack.undoText() == "Merge object 2 into object 1, frames 3-4"
    session.history.undo()
    session.ranges.merge(Block((1, 2), range(3, 4)), 2)
    assert stack.undoText() == "Merge object 1 into object 2, frame 3"
    session.history.undo()
    session.view.go_to(20)
    session.ranges.take_over(1, 2)
    assert stack.undoText() == f"Take over object 2 by object 1, frames 20-{FRAMES - 1}"


def test_what_is_taken_over_or_split_off_makes_nothing_stale(desk: Desk) -> None:
    session = desk.session
    for number in (1, 2):
        session.objects.add()
        mask = BOTH if number == 1 else mask_at(50)
        put = {Key(f, number): Entry(mask, Origin.PROPAGATED) for f in range(4 * number, 12)}
        session.masks.change(put, "Put")
    before = dict(session.masks.document.items())
    session.ranges.split_off(Block((1,), range(5, 7)))
    assert len(session.masks.objects) == 3
    assert not any(entry.stale for _, entry in session.masks.document.items())
    assert [masks_of(desk, 3)[frame] is not None for frame in (5, 6)] == [True, True]
    session.history.undo()
    assert dict(session.masks.document.items()) == before
    session.view.go_to(9)
    session.ranges.take_over(1, 2)
    assert not any(entry.stale for _, entry in session.masks.document.items())
    assert masks_of(desk, 2) == {8: mask_at(50)}
    anchors = {key for key, entry in session.masks.document.items() if entry.is_anchor}
    assert {Key(9, 1), Key(11, 1)} <= anchors
    assert Key(10, 1) not in anchors


def test_what_is_taken_over_is_as_it_was_but_for_both_ends(desk: Desk) -> None:
    session = desk.session
    for _ in range(2):
        session.objects.add()
    entry = Entry(mask_at(50), Origin.PROPAGATED, stale=True, conflict=True)
    session.masks.change({Key(f, 2): entry for f in (3, 4, 6)}, "Put")
    session.ranges.take_over(1, 2)
    found = session.masks.document.of_object(1)
    held = replace(entry, verified=True, stale=False, conflict=False)
    assert found == {3: held, 4: entry, 6: held}
    assert session.masks.document.of_object(2) == {}
    assert session.history.stack.undoText() == "Take over object 2 by object 1, frames 3-6"


def test_two_objects_without_a_mask_cannot_be_exchanged(desk: Desk) -> None:
    session = desk.session
    for number in (1, 2):
        draw(desk, 9, number, 20 * number)
    session.objects.add()
    steps = session.history.stack.count()
    session.edit.exchange(1, 2, range(3))
    assert desk.reports[-1].text == "Neither has a mask on these frames."
    assert session.history.stack.count() == steps
