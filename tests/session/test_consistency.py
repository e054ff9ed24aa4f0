"""Masks made consistent over a range: the vote as one undo step."""

from collections.abc import Callable, Sequence

import pytest

from app.core.document import Entry, Key, Origin
from app.core.mask import Mask
from app.session.state.status import Topic
from tests.fakes import square
from tests.session.desk import Desk, draw, mask_at

Idle = Callable[[], None]
Vote = Callable[..., None]


def let_stand(desk: Desk, frames: range, x: int, number: int = 1) -> None:
    """Let propagated masks stand on these frames."""
    masks = {Key(frame, number): Entry(mask_at(x), Origin.PROPAGATED) for frame in frames}
    desk.session.masks.change(masks, "Test")


def standing(desk: Desk, frame: int, number: int = 1) -> Mask | None:
    entry = desk.session.masks.shown(frame).get(number)
    return entry.mask if entry else None


def let_one_be_scored(desk: Desk, x: int, score: float) -> None:
    """Let object 1 stand at x on frames 1 to 9, and at 10 on frame 4, whose mask has a score."""
    desk.session.objects.add()
    let_stand(desk, range(1, 10), x)
    scored = Entry(mask_at(10), Origin.PROPAGATED, score=score)
    desk.session.masks.change({Key(4, 1): scored}, "Test")


@pytest.fixture
def drifted(desk: Desk) -> Desk:
    """Object 1: anchor on frame 0 at x=10; right up to 19, off on 6 and 7, none on 8."""
    draw(desk, 0, x=10)
    let_stand(desk, range(1, 20), 11)
    let_stand(desk, range(6, 8), 40)
    desk.session.masks.change({Key(8, 1): None}, "Test")
    return desk


@pytest.fixture
def vote(desk: Desk, idle: Idle) -> Vote:
    """Let masks vote to the end, by default those of object 1 on frames 1 to 15."""

    def call(frames: range = range(1, 16), objects: Sequence[int] = (1,)) -> None:
        desk.session.jobs.make_consistent(objects, frames)
        idle()

    return call


def test_masks_that_most_disagree_with_become_the_trackers(drifted: Desk, vote: Vote) -> None:
    before = {frame: standing(drifted, frame) for frame in range(20)}
    vote()
    assert all(standing(drifted, frame) == mask_at(10) for frame in range(1, 16))
    assert all(standing(drifted, frame) == before[frame] for frame in range(16, 20))
    assert drifted.said("15 masks changed")
    assert drifted.reports[-1].topic is Topic.CHANGES
    assert drifted.session.compare.has_before
    drifted.session.history.undo()
    assert {frame: standing(drifted, frame) for frame in range(20)} == before


def test_masks_stay_where_most_are_nothing_that_was_tracked(desk: Desk, vote: Vote) -> None:
    draw(desk, 0, x=10)
    let_stand(desk, range(1, 16), 40)
    vote()
    assert all(standing(desk, frame) == mask_at(40) for frame in range(1, 16))
    assert desk.said("nothing changed")


def test_anchors_and_other_objects_are_not_touched(drifted: Desk, vote: Vote) -> None:
    draw(drifted, 5, number=2, x=50)
    let_stand(drifted, range(6, 9), 30, number=2)
    draw(drifted, 15, x=40)
    drifted.session.edit.verify([Key(14, 1)])
    vote()
    assert (standing(drifted, 14), standing(drifted, 15)) == (mask_at(11), mask_at(40))
    assert standing(drifted, 2) == standing(drifted, 6) == mask_at(10)
    assert standing(drifted, 5, 2) == mask_at(50)
    assert standing(drifted, 6, 2) == mask_at(30)


def test_a_locked_object_does_not_vote(drifted: Desk, vote: Vote) -> None:
    info = drifted.session.masks.objects[0]
    drifted.session.objects.edit(type(info)(info.id, info.name, info.color, locked=True))
    vote()
    assert standing(drifted, 6) == mask_at(40)
    assert drifted.said("unlocked object")


def test_an_object_without_anchors_votes_with_its_surest_mask(desk: Desk, vote: Vote) -> None:
    let_one_be_scored(desk, 11, 0.9)
    let_stand(desk, range(8, 10), 40)
    vote(range(1, 10))
    assert all(standing(desk, frame) == mask_at(10) for frame in range(1, 10))


def test_two_objects_that_are_chosen_vote_on_each_others_parts(desk: Desk, vote: Vote) -> None:
    """The report's rule: a mask is the union of the masklets that most of its window holds."""
    draw(desk, 0, x=10)
    draw(desk, 0, number=2, x=30)
    whole = Mask.encode(square(10) | square(30))
    masks = {Key(frame, 1): Entry(whole, Origin.PROPAGATED) for frame in range(1, 16)}
    masks[Key(4, 1)] = Entry(mask_at(10), Origin.PROPAGATED)
    desk.session.masks.change(masks, "Test")
    desk.session.preferences.apply(type(desk.session.preferences.settings)(overlap=True))
    vote(objects=[1, 2])
    assert standing(desk, 4) == whole
    assert standing(desk, 1) == whole
    assert standing(desk, 4, 2) is None


def test_a_vote_that_is_stopped_changes_nothing(drifted: Desk, idle: Idle) -> None:
    gate = drifted.made.fake_tracker.gate
    gate.close()
    drifted.session.jobs.make_consistent([1], range(1, 16))
    gate.let(3)
    assert gate.wait_until_passed(3)
    drifted.session.jobs.stop_running()
    gate.open()
    idle()
    assert standing(drifted, 6) == mask_at(40)
    assert not drifted.session.compare.has_before


def test_one_frame_has_nothing_to_vote_with(drifted: Desk, vote: Vote) -> None:
    vote(range(3, 4))
    assert drifted.said("two at least")


def test_an_edit_among_what_votes_is_an_anchor_of_the_vote_that_begins_anew(
    drifted: Desk, idle: Idle
) -> None:
    draw(drifted, 0, number=2, x=50)
    gate = drifted.made.fake_tracker.gate
    gate.close()
    drifted.session.jobs.make_consistent([1], range(1, 16))
    gate.wait_for_arrival()
    draw(drifted, 5, number=2, x=52)  # of an object that does not vote
    draw(drifted, 17, x=12)  # on a frame that does not
    assert len(drifted.made.fake_tracker.calls) == 1
    draw(drifted, 5, x=13)
    drifted.session.edit.clear([Key(7, 1)])
    gate.open()
    idle()
    assert (standing(drifted, 5), standing(drifted, 7)) == (mask_at(13), None)
    assert len(drifted.made.fake_tracker.calls) > 1


@pytest.mark.parametrize(
    ("objects", "title"),
    [
        ([1], "Make object 1 consistent, frames 2-9"),
        ([1, 2], "Make 2 objects consistent, frames 2-9"),
    ],
)
def test_the_job_says_whose_masks_it_makes_consistent(
    drifted: Desk, idle: Idle, objects: list[int], title: str
) -> None:
    draw(drifted, 0, number=2, x=50)
    let_stand(drifted, range(1, 12), 50, number=2)
    drifted.session.jobs.make_consistent(objects, range(2, 10))
    first = drifted.progress[0]
    assert first is not None
    assert (first.text, first.objects) == (title, tuple(objects))
    idle()
    assert drifted.session.history.stack.undoText() == title


def test_the_surest_of_masks_some_of_which_nobody_scored_is_the_scored_one(
    desk: Desk, vote: Vote
) -> None:
    let_one_be_scored(desk, 40, 0.4)
    let_stand(desk, range(6, 10), 10)
    vote(range(1, 10))
    assert standing(desk, 1) == mask_at(10)
