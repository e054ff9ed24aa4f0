"""The way through the suspects: forward and back, on to the next, and what is put aside."""

from dataclasses import replace

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from app.core.document import Entry, Key, Origin
from app.core.events import Event
from app.core.mask import Mask
from app.core.suspects import Order, Suspect
from app.session.review import Review, concerns
from models.api import BoolMask
from tests.fakes import SIZE, square
from tests.session.desk import FRAMES, Desk, draw, mask_at

JUMPS = {1: 6, 2: 14, 3: 22}  # object -> the frame on which its mask jumps aside


@pytest.fixture
def review(desk: Desk, qtbot: QtBot) -> Review:
    """Three objects, one below the other; the mask of each jumps aside on one frame."""
    session = desk.session
    for number in JUMPS:
        session.objects.add()
        session.edit.draw_mask(0, number, place(number), "Brush")
    entries = {
        Key(frame, number): Entry(
            Mask.encode(place(number, 40 if frame == jump else 10)), Origin.PROPAGATED
        )
        for frame in range(1, FRAMES)
        for number, jump in JUMPS.items()
    }
    session.masks.change(entries, "Put")
    review = session.review
    qtbot.waitUntil(lambda: review.is_up_to_date and bool(review.suspects))
    review.arrange(Order.TIME, of_selected=False)
    assert [each.object for each in review.suspects] == [1, 2, 3]
    session.view.select(None)
    return review


def place(number: int, x: int = 10) -> BoolMask:
    return square(x, 15 * number - 12)


def places(desk: Desk) -> tuple[int, int | None]:
    return desk.session.view.frame, desk.session.view.selected


def test_the_suspects_are_gone_through_forward_and_back_and_round(
    desk: Desk, review: Review
) -> None:
    frames = [each.frame for each in review.suspects]
    shown = []
    for step in (1, 1, 1, 1, -1, -1):
        review.next(step)
        shown.append(places(desk)[0])
    assert shown == [frames[0], frames[1], frames[2], frames[0], frames[2], frames[1]]
    assert places(desk)[1] == 2


def test_the_way_back_begins_at_the_last(desk: Desk, review: Review) -> None:
    review.next(-1)
    assert places(desk)[0] == review.suspects[-1].frame


def test_without_suspects_that_is_said(desk: Desk) -> None:
    desk.session.review.next()
    assert (desk.reports[-1].level, desk.reports[-1].text) == ("info", "Nothing looks suspicious.")
    assert not desk.session.review.leave()


def test_one_is_at_a_suspect_while_its_object_and_one_of_its_frames_are_shown(
    desk: Desk, review: Review
) -> None:
    session, suspect = desk.session, review.suspects[1]
    assert not review.is_at_suspect
    review.show(suspect)
    assert review.is_at_suspect
    for frame, there in (
        (suspect.first - 1, False), (suspect.first, True), (suspect.last, True),
        (suspect.last + 1, False),
    ):  # fmt: skip
        session.view.go_to(frame)
        assert review.is_at_suspect is there, frame
    session.view.go_to(suspect.frame)
    session.view.select(None)
    assert not review.is_at_suspect


def test_at_first_the_suspects_of_all_objects_are_listed_the_worst_first(
    desk: Desk, qtbot: QtBot
) -> None:
    review, session = desk.session.review, desk.session
    assert (review.order, review.is_of_selected) == (Order.VALUE, False)
    jumps = {1: 12, 2: 40}  # object -> how far its mask jumps aside, object 1 the first to do so
    for number in jumps:
        session.objects.add()
        session.edit.draw_mask(0, number, place(number, 5), "Brush")
    entries = {
        Key(frame, number): Entry(
            Mask.encode(place(number, 5 + (aside if frame == 6 * number else 0))), Origin.PROPAGATED
        )
        for frame in range(1, FRAMES)
        for number, aside in jumps.items()
    }
    session.masks.change(entries, "Put")
    session.view.select(1)
    qtbot.waitUntil(lambda: review.is_up_to_date and len(review.found) > 1)
    assert set(review.suspects) == set(review.found)
    assert {each.object for each in review.suspects} == {1, 2}
    values = [each.value for each in review.suspects]
    assert values == sorted(values, reverse=True)
    review.arrange(Order.TIME, of_selected=True)
    assert {each.object for each in review.suspects} == {1}


def vouch(desk: Desk, suspect: Suspect) -> None:
    """Make the mask at a suspect a person's own."""
    pixels = place(suspect.object, 41)
    desk.session.edit.draw_mask(suspect.frame, suspect.object, pixels, "Brush")


def test_leaving_a_suspect_leads_to_the_next_that_nobody_vouched_for(
    desk: Desk, review: Review
) -> None:
    first, second, third = review.suspects
    review.show(first)
    assert review.leave()
    assert places(desk)[0] == second.frame
    vouch(desk, third)
    review.show(second)
    assert review.leave()
    assert places(desk)[0] == first.frame
    vouch(desk, second)
    assert not review.leave()
    assert places(desk)[0] == first.frame


def test_a_suspect_that_was_fine_is_listed_no_more_and_the_next_takes_its_place(
    desk: Desk, review: Review
) -> None:
    told = list[int]()
    review.suspects_changed.connect(lambda: told.append(len(review.suspects)))
    first, second, third = review.suspects
    review.show(second)
    review.dismiss(second)
    assert list(review.suspects) == [first, third]
    assert told == [2]
    review.dismiss(second)
    assert told == [2]
    review.next()
    assert places(desk)[0] == third.frame
    review.dismiss(first)
    assert list(review.suspects) == [third]
    desk.session.files.close()
    assert not review.suspects
    assert not review.found
    assert told[-1] == 0


def test_what_was_fine_is_fine_after_other_edits_and_forgotten_with_the_video(
    desk: Desk, review: Review, qtbot: QtBot
) -> None:
    review.dismiss(review.suspects[1])
    desk.session.edit.clear([Key(FRAMES - 1, 1)])
    assert not review.is_up_to_date
    qtbot.waitUntil(lambda: review.is_up_to_date)
    assert [each.object for each in review.suspects] == [1, 3]
    project = desk.session.files.project_path
    assert project is not None
    desk.session.files.close()
    desk.session.files.open(project)
    qtbot.waitUntil(lambda: review.is_up_to_date and bool(review.suspects))
    assert {each.object for each in review.suspects} == {1, 2, 3}


def test_what_was_fine_is_listed_again_once_its_masks_are_others(
    desk: Desk, review: Review, qtbot: QtBot
) -> None:
    first = review.suspects[0]
    review.dismiss(first)
    other = Entry(Mask.encode(place(1, 30)), Origin.PROPAGATED)
    desk.session.masks.change({Key(first.frame, 1): other}, "Put")
    qtbot.waitUntil(lambda: review.is_up_to_date)
    assert [each.object for each in review.suspects] == [1, 2, 3]


def test_an_anchor_on_a_suspect_that_was_fine_leaves_nothing_of_it(
    desk: Desk, review: Review, qtbot: QtBot
) -> None:
    session = desk.session
    jumps = dict.fromkeys(range(6, 12), 40)
    aside = {
        Key(frame, 1): Entry(Mask.encode(place(1, x)), Origin.PROPAGATED, score=0.1)
        for frame, x in jumps.items()
    }
    session.masks.change(aside, "Put")
    qtbot.waitUntil(lambda: review.is_up_to_date)
    suspect = review.suspects[0]
    assert suspect.last > suspect.first + 1
    review.show(suspect)
    session.edit.verify([Key(suspect.frame, 1)])
    qtbot.waitUntil(lambda: review.is_up_to_date)
    assert any(each.object == 1 for each in review.suspects)
    review.pass_current()
    # That it jumps back behind those is another matter now.
    back = suspect.last + 1
    assert [(s.first, s.last, s.frame) for s in review.suspects if s.object == 1] == [(back,) * 3]
    session.history.undo()
    qtbot.waitUntil(lambda: review.is_up_to_date)
    assert suspect in review.suspects


def test_another_mask_of_a_suspect_that_is_right_says_nothing_of_its_worst(
    desk: Desk, review: Review
) -> None:
    first = review.suspects[0]
    review.show(replace(first, last=first.last + 1))
    desk.session.view.go_to(first.last + 1)
    review.pass_current()
    assert first in review.suspects


def test_the_list_of_the_selected_object_follows_the_selection(desk: Desk, review: Review) -> None:
    told = list[list[int]]()
    review.suspects_changed.connect(lambda: told.append([s.object for s in review.suspects]))
    assert (review.order, review.is_of_selected) == (Order.TIME, False)
    desk.session.view.select(1)
    assert told == []
    review.arrange(Order.TIME, of_selected=True)
    assert (review.order, review.is_of_selected) == (Order.TIME, True)
    desk.session.view.select(2)
    desk.session.view.select(None)  # then all are
    assert told == [[1], [2], [1, 2, 3]]
    review.arrange(Order.VALUE, of_selected=True)
    values = [each.value for each in review.suspects]
    assert values == sorted(values, reverse=True)


def test_an_object_that_is_gone_has_no_suspects(desk: Desk, review: Review, qtbot: QtBot) -> None:
    desk.session.objects.delete(2)
    qtbot.waitUntil(lambda: [each.object for each in review.found] == [1, 3])
    desk.session.history.undo()
    qtbot.waitUntil(lambda: len(review.found) == 3)


def swap(desk: Desk, frames: range) -> None:
    """Let two propagated objects have each other's masks on these frames."""
    draw(desk, 0, number=1, x=5)
    draw(desk, 0, number=2, x=25)
    entries = {
        Key(frame, number): Entry(
            mask_at(25 if (number == 2) != (frame in frames) else 5), Origin.PROPAGATED
        )
        for frame in range(1, FRAMES)
        for number in (1, 2)
    }
    desk.session.masks.change(entries, "Put")


def test_a_swap_is_found_from_both_of_its_objects_and_with_where_it_ends(
    desk: Desk, qtbot: QtBot
) -> None:
    review = desk.session.review
    swap(desk, range(10, 18))
    qtbot.waitUntil(lambda: any(each.event is Event.SWAP for each in review.found))
    (suspect, *_) = [each for each in review.found if each.event is Event.SWAP]
    assert suspect.first == 10
    for number in (1, 2):
        assert concerns(suspect, number)
        assert review.swap_at(10, number) == suspect
        assert review.swap_at(9, number) is None
    assert not concerns(suspect, 3)
    assert not concerns(suspect, None)
    assert review.swap_at(10, None) is None
    assert review.swapped(suspect) == range(10, 18)


@pytest.mark.parametrize("hidden", [1, 2])
def test_a_swap_ends_where_one_of_the_two_comes_back_half_hidden(
    desk: Desk, qtbot: QtBot, hidden: int
) -> None:
    review = desk.session.review
    swap(desk, range(10, 18))
    sliver = Mask.encode(square(5 if hidden == 1 else 25) & (np.indices(SIZE)[0] < 21))
    entry = Entry(sliver, Origin.PROPAGATED)
    desk.session.masks.change({Key(18, hidden): entry}, "Hide")
    qtbot.waitUntil(lambda: any(each.event is Event.SWAP for each in review.found))
    suspect = next(each for each in review.found if each.event is Event.SWAP)
    for number in (1, 2):
        seen = replace(suspect, object=number, other=3 - number)
        assert review.swapped(seen) == range(10, 18)


@pytest.mark.parametrize("last", [FRAMES - 1, FRAMES - 2])
def test_a_swap_ends_as_late_as_on_the_last_frame(desk: Desk, qtbot: QtBot, last: int) -> None:
    review = desk.session.review
    swap(desk, range(10, last))
    qtbot.waitUntil(lambda: any(each.event is Event.SWAP for each in review.found))
    suspect = next(each for each in review.found if each.event is Event.SWAP)
    assert review.swapped(suspect) == range(10, last)


def test_a_swap_does_not_end_beyond_the_next_anchor_of_either(desk: Desk, qtbot: QtBot) -> None:
    review = desk.session.review
    swap(desk, range(10, 20))
    qtbot.waitUntil(lambda: any(each.event is Event.SWAP for each in review.found))
    suspect = next(each for each in review.found if each.event is Event.SWAP)
    assert review.swapped(suspect) == range(10, 20)
    draw(desk, 25, number=2, x=25)
    assert review.swapped(suspect) == range(10, 20)
    draw(desk, 15, number=1, x=25)
    assert review.swapped(suspect) is None


def test_a_swap_that_goes_on_ends_nowhere_before_the_next_anchor(desk: Desk, qtbot: QtBot) -> None:
    review = desk.session.review
    swap(desk, range(10, FRAMES))
    qtbot.waitUntil(lambda: any(each.event is Event.SWAP for each in review.found))
    (suspect, *_) = [each for each in review.found if each.event is Event.SWAP]
    assert review.swapped(suspect) is None
    for number, x in ((1, 5), (2, 25)):
        draw(desk, 20, number=number, x=x)
    assert review.swapped(suspect) is None  # they change back at an anchor


def test_only_a_swap_concerns_the_other_object() -> None:
    drift = Suspect(1, 3, 5, 4, (), 0.5, 1.0, Event.DRIFT, other=2)
    assert concerns(drift, 1)
    assert not concerns(drift, 2)
