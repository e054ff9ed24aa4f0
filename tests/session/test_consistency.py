"""Masks made consistent over a range: the vote as one undo step."""

from collections.abc import Callable

import pytest

from app.core.document import Entry, Key, Origin
from app.core.mask import Mask
from app.session.state.status import Topic
from tests.fakes import square
from tests.session.desk import Desk, draw, mask_at

Idle = Callable[[], None]


def let_stand(desk: Desk, frames: range, x: int, number: int = 1) -> None:
    """Let propagated masks stand on these frames."""
    masks = {Key(frame, number): Entry(mask_at(x), Origin.PROPAGATED) for frame in frames}
    desk.session.masks.change(masks, "Test")


def standing(desk: Desk, frame: int, number: int = 1) -> Mask | None:
    entry = desk.session.masks.shown(frame).get(number)
    return entry.mask if entry else None


def prepare(desk: Desk) -> None:
    """Object 1: anchor on frame 0 at x=10; right up to 19, off on 6 and 7, none on 8."""
    draw(desk, 0, x=10)
    let_stand(desk, range(1, 20), 11)
    let_stand(desk, range(6, 8), 40)
    desk.session.masks.change({Key(8, 1): None}, "Test")


def test_masks_that_most_disagree_with_become_the_trackers(desk: Desk, idle: Idle) -> None:
    prepare(desk)
    before = {frame: standing(desk, frame) for frame in range(20)}
    desk.session.jobs.make_consistent([1], range(1, 16))
    idle()
    assert all(standing(desk, frame) == mask_at(10) for frame in range(1, 16))
    assert all(standing(desk, frame) == before[frame] for frame in range(16, 20))
    assert desk.said("15 masks changed")
    assert desk.reports[-1].topic is Topic.CHANGES
    assert desk.session.compare.has_before
    desk.session.history.undo()
    assert {frame: standing(desk, frame) for frame in range(20)} == before


def test_masks_stay_where_most_are_nothing_that_was_tracked(desk: Desk, idle: Idle) -> None:
    draw(desk, 0, x=10)
    let_stand(desk, range(1, 16), 40)
    desk.session.jobs.make_consistent([1], range(1, 16))
    idle()
    assert all(standing(desk, frame) == mask_at(40) for frame in range(1, 16))
    assert desk.said("nothing changed")


def test_anchors_and_other_objects_are_not_touched(desk: Desk, idle: Idle) -> None:
    prepare(desk)
    draw(desk, 5, number=2, x=50)
    let_stand(desk, range(6, 9), 30, number=2)
    draw(desk, 15, x=40)
    desk.session.edit.verify([Key(14, 1)])
    desk.session.jobs.make_consistent([1], range(1, 16))
    idle()
    assert (standing(desk, 14), standing(desk, 15)) == (mask_at(11), mask_at(40))
    assert standing(desk, 2) == standing(desk, 6) == mask_at(10)
    assert standing(desk, 5, 2) == mask_at(50)
    assert standing(desk, 6, 2) == mask_at(30)


def test_a_locked_object_does_not_vote(desk: Desk, idle: Idle) -> None:
    prepare(desk)
    info = desk.session.masks.objects[0]
    desk.session.objects.edit(type(info)(info.id, info.name, info.color, locked=True))
    desk.session.jobs.make_consistent([1], range(1, 16))
    idle()
    assert standing(desk, 6) == mask_at(40)
    assert desk.said("unlocked object")


def test_an_object_without_anchors_votes_with_its_surest_mask(desk: Desk, idle: Idle) -> None:
    desk.session.objects.add()
    let_stand(desk, range(1, 10), 11)
    sure = Entry(mask_at(10), Origin.PROPAGATED, score=0.9)
    desk.session.masks.change({Key(4, 1): sure}, "Test")
    let_stand(desk, range(8, 10), 40)
    desk.session.jobs.make_consistent([1], range(1, 10))
    idle()
    assert all(standing(desk, frame) == mask_at(10) for frame in range(1, 10))


def test_two_objects_that_are_chosen_vote_on_each_others_parts(desk: Desk, idle: Idle) -> None:
    """The report's rule: a mask is the union of the masklets that most of its window holds."""
    draw(desk, 0, x=10)
    draw(desk, 0, number=2, x=30)
    whole = Mask.encode(square(10) | square(30))
    masks = {Key(frame, 1): Entry(whole, Origin.PROPAGATED) for frame in range(1, 16)}
    masks[Key(4, 1)] = Entry(mask_at(10), Origin.PROPAGATED)
    desk.session.masks.change(masks, "Test")
    desk.session.preferences.apply(type(desk.session.preferences.settings)(overlap=True))
    desk.session.jobs.make_consistent([1, 2], range(1, 16))
    idle()
    assert standing(desk, 4) == whole
    assert standing(desk, 1) == whole
    assert standing(desk, 4, 2) is None


def test_a_vote_that_is_stopped_changes_nothing(desk: Desk, idle: Idle) -> None:
    prepare(desk)
    gate = desk.made.fake_tracker.gate
    gate.close()
    desk.session.jobs.make_consistent([1], range(1, 16))
    gate.let(3)
    assert gate.wait_until_passed(3)
    desk.session.jobs.stop_running()
    gate.open()
    idle()
    assert standing(desk, 6) == mask_at(40)
    assert not desk.session.compare.has_before


def test_one_frame_has_nothing_to_vote_with(desk: Desk, idle: Idle) -> None:
    prepare(desk)
    desk.session.jobs.make_consistent([1], range(3, 4))
    idle()
    assert desk.said("two at least")


def test_an_edit_among_what_votes_is_an_anchor_of_the_vote_that_begins_anew(
    desk: Desk, idle: Idle
) -> None:
    prepare(desk)
    draw(desk, 0, number=2, x=50)
    gate = desk.made.fake_tracker.gate
    gate.close()
    desk.session.jobs.make_consistent([1], range(1, 16))
    gate.wait_for_arrival()
    draw(desk, 5, number=2, x=52)  # of an object that does not vote
    draw(desk, 17, x=12)  # on a frame that does not
    assert len(desk.made.fake_tracker.calls) == 1
    draw(desk, 5, x=13)
    desk.session.edit.clear([Key(7, 1)])
    gate.open()
    idle()
    assert (standing(desk, 5), standing(desk, 7)) == (mask_at(13), None)
    assert len(desk.made.fake_tracker.calls) > 1


@pytest.mark.parametrize(
    ("objects", "title"),
    [
        ([1], "Make object 1 consistent, frames 2-9"),
        ([1, 2], "Make 2 objects consistent, frames 2-9"),
    ],
)
def test_the_job_says_whose_masks_it_makes_consistent(
    desk: Desk, idle: Idle, objects: list[int], title: str
) -> None:
    prepare(desk)
    draw(desk, 0, number=2, x=50)
    let_stand(desk, range(1, 12), 50, number=2)
    desk.session.jobs.make_consistent(objects, range(2, 10))
    first = desk.progress[0]
    assert first is not None
    assert (first.text, first.objects) == (title, tuple(objects))
    idle()
    assert desk.session.history.stack.undoText() == title


def test_the_surest_of_masks_some_of_which_nobody_scored_is_the_scored_one(
    desk: Desk, idle: Idle
) -> None:
    desk.session.objects.add()
    let_stand(desk, range(1, 10), 40)
    sure = Entry(mask_at(10), Origin.PROPAGATED, score=0.4)
    desk.session.masks.change({Key(4, 1): sure}, "Test")
    let_stand(desk, range(6, 10), 10)
    desk.session.jobs.make_consistent([1], range(1, 10))
    idle()
    assert standing(desk, 1) == mask_at(10)
