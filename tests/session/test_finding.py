"""The finding by words in a session: proposals wait, and what is there is never replaced."""

from collections.abc import Sequence

import pytest
from pytestqt.qtbot import QtBot

from app.core.document import Key
from app.errors import FrameReadError
from app.session.edits.finding import phrases_of
from models.api import Box, Click, Finding, PromptError
from tests.fakes import square
from tests.session.desk import Desk, draw


def thing(x: int, phrase: str = "cup", score: float = 0.9) -> Finding:
    return Finding(Box(x, 20, x + 10, 30), phrase, score)


def settled(desk: Desk, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: desk.session.finding.progress is None)


def test_what_is_found_waits_until_it_is_taken(desk: Desk, qtbot: QtBot) -> None:
    finding, masks = desk.session.finding, desk.session.masks
    desk.made.fake_detector.things = {0: [thing(5), thing(40, score=0.7)]}
    finding.look(["cup"])
    settled(desk, qtbot)
    assert [each.name for each in finding.proposals] == ["cup", "cup 2"]
    assert not masks.objects
    assert not masks.shown(0)
    finding.take()
    assert [info.name for info in masks.objects] == ["cup", "cup 2"]
    assert (masks.pixels(0, 1) == square(5)).all()
    assert (masks.pixels(0, 2) == square(40)).all()
    entry = masks.entry(Key(0, 1))
    assert entry is not None
    assert entry.is_anchor
    assert finding.proposals == ()
    desk.session.history.undo()  # all of it is one step
    assert not masks.objects
    assert not masks.shown(0)


def test_one_proposal_can_be_taken_and_another_left(desk: Desk, qtbot: QtBot) -> None:
    finding, masks = desk.session.finding, desk.session.masks
    desk.made.fake_detector.things = {0: [thing(5), thing(40)]}
    finding.look(["cup"])
    settled(desk, qtbot)
    one, other = finding.proposals
    finding.leave_out(one.key)
    finding.take()
    assert [info.name for info in masks.objects] == [other.name]
    assert finding.proposals == ()


def test_over_a_range_a_thing_is_one_object(desk: Desk, qtbot: QtBot) -> None:
    finding, masks = desk.session.finding, desk.session.masks
    desk.made.fake_detector.things = {frame: [thing(5 + frame)] for frame in range(0, 30, 2)}
    finding.look(["cup"], range(0, 30, 2))
    settled(desk, qtbot)
    assert len({each.key.object for each in finding.proposals}) == 1
    finding.take(0)
    assert [info.name for info in masks.objects] == ["cup"]
    # The others are of the object that was added now.
    assert {each.key.object for each in finding.proposals} == {masks.objects[0].id}
    finding.take(2)
    assert [info.name for info in masks.objects] == ["cup"]
    assert sorted(masks.of_object(1)) == [0, 2]


def test_an_object_that_is_there_is_recognised_and_never_replaced(desk: Desk, qtbot: QtBot) -> None:
    finding, masks = desk.session.finding, desk.session.masks
    draw(desk, 0, x=6)
    desk.made.fake_detector.things = {0: [thing(5, "object 1")], 1: [thing(7, "object 1")]}
    finding.look(["object 1"], [0, 1])
    settled(desk, qtbot)
    assert [each.key for each in finding.proposals] == [Key(1, 1)]
    finding.take()
    assert (masks.pixels(0, 1) == square(6)).all()
    assert (masks.pixels(1, 1) == square(7)).all()
    assert len(masks.objects) == 1


def test_what_gets_a_mask_meanwhile_is_proposed_no_more(desk: Desk, qtbot: QtBot) -> None:
    finding = desk.session.finding
    draw(desk, 0, x=6)
    desk.made.fake_detector.things = {3: [thing(7, "object 1")]}
    finding.look(["object 1"], [3])
    settled(desk, qtbot)
    assert [each.key for each in finding.proposals] == [Key(3, 1)]
    draw(desk, 3, x=30)
    assert finding.proposals == ()


def test_with_its_object_goes_what_is_proposed_of_it(desk: Desk, qtbot: QtBot) -> None:
    finding = desk.session.finding
    draw(desk, 0, x=6)
    desk.made.fake_detector.things = {3: [thing(7, "object 1")]}
    finding.look(["object 1"], [3])
    settled(desk, qtbot)
    desk.session.objects.delete(1)
    assert finding.proposals == ()


def test_a_mask_that_was_drawn_over_a_proposal_gives_nothing(desk: Desk, qtbot: QtBot) -> None:
    finding, masks = desk.session.finding, desk.session.masks
    desk.made.fake_detector.things = {0: [thing(5)]}
    finding.look(["cup"])
    settled(desk, qtbot)
    draw(desk, 0, x=10)
    finding.take()
    assert (masks.pixels(0, 1) == square(10)).all()
    assert (masks.pixels(0, 2) == (square(5) & ~square(10))).all()


def test_a_search_that_is_stopped_keeps_what_it_has_found(desk: Desk, qtbot: QtBot) -> None:
    finding, detector = desk.session.finding, desk.made.fake_detector
    detector.things = {frame: [thing(5)] for frame in range(30)}
    detector.gate.close()
    finding.look(["cup"], range(30))
    detector.gate.let(2)
    qtbot.waitUntil(lambda: len(finding.proposals) == 2)
    assert finding.progress == (2, 30)
    finding.stop()
    detector.gate.open()
    qtbot.wait(20)
    assert finding.progress is None
    assert len(finding.proposals) == 2
    finding.discard()
    assert finding.proposals == ()


def test_a_click_is_answered_between_two_frames_of_a_search(desk: Desk, qtbot: QtBot) -> None:
    finding, detector, masks = desk.session.finding, desk.made.fake_detector, desk.session.masks
    detector.gate.close()
    finding.look(["cup"], range(30))
    assert detector.gate.wait_for_arrival()
    desk.session.objects.add()
    desk.session.clicks.click(Click(30, 30))
    detector.gate.let(1)
    qtbot.waitUntil(lambda: masks.entry(Key(0, 1)) is not None)
    assert finding.progress is not None
    finding.stop()
    detector.gate.open()


def test_both_hands_are_taken_at_once(desk: Desk, qtbot: QtBot) -> None:
    finding, masks = desk.session.finding, desk.session.masks
    desk.made.fake_detector.things = {0: [thing(5, "left hand"), thing(40, "right hand")]}
    finding.take_hands()
    settled(desk, qtbot)
    assert [(info.name, info.class_id) for info in masks.objects] == [
        ("left hand", 300),
        ("right hand", 301),
    ]
    assert desk.made.fake_detector.names == ["hands"]
    desk.session.history.undo()
    assert not masks.objects


def test_hands_that_are_found_while_a_person_works_leave_their_object_selected(
    desk: Desk, qtbot: QtBot
) -> None:
    session, gate = desk.session, desk.made.fake_detector.gate
    desk.made.fake_detector.things = {0: [thing(5, "left hand"), thing(40, "right hand")]}
    gate.close()
    session.finding.take_hands()
    draw(desk, 3, x=25)
    gate.open()
    settled(desk, qtbot)
    assert len(session.masks.objects) == 3
    assert session.view.selected == 1


def test_a_hand_that_is_taken_at_once_is_no_object_without_a_name(desk: Desk, qtbot: QtBot) -> None:
    finding, masks = desk.session.finding, desk.session.masks
    draw(desk, 0, x=5)  # of the same colours, and in the same place
    desk.session.view.go_to(7)
    desk.made.fake_detector.things = {7: [thing(5, "left hand"), thing(40, "right hand")]}
    finding.take_hands()
    settled(desk, qtbot)
    assert [info.name for info in masks.objects] == ["object 1", "left hand", "right hand"]
    assert sorted(masks.of_object(1)) == [0]
    # Found again, they are those objects.
    desk.session.view.go_to(9)
    desk.made.fake_detector.things = {9: [thing(5, "left hand"), thing(40, "right hand")]}
    finding.take_hands()
    settled(desk, qtbot)
    assert {number: sorted(masks.of_object(number)) for number in (1, 2, 3)} == {
        1: [0],
        2: [7, 9],
        3: [7, 9],
    }


def test_nothing_found_is_said(desk: Desk, qtbot: QtBot) -> None:
    desk.session.finding.look(["spoon"])
    settled(desk, qtbot)
    assert desk.said("Nothing new of spoon was found on frame 0")


def test_what_cannot_be_loaded_is_said(desk: Desk, qtbot: QtBot) -> None:
    desk.made.load_error = PromptError("There is no such model.")
    desk.session.finding.look(["spoon"], range(5))
    settled(desk, qtbot)
    assert desk.said("There is no such model.")


@pytest.mark.parametrize("reopens", [True, False])
def test_proposals_end_with_their_video(desk: Desk, qtbot: QtBot, reopens: bool) -> None:
    finding, source = desk.session.finding, desk.session.video.now
    assert source is not None
    desk.made.fake_detector.things = {0: [thing(5)]}
    finding.look(["cup"])
    settled(desk, qtbot)
    assert finding.proposals
    path = desk.session.files.project_path
    desk.session.files.close()
    if reopens:
        assert path is not None
        desk.session.files.open(path)
    assert finding.proposals == ()


def found(desk: Desk, qtbot: QtBot, things: dict[int, list[Finding]], *phrases: str) -> None:
    """Look for things on the frames that they are on."""
    desk.made.fake_detector.things = things
    desk.session.finding.look(phrases or ["cup"], sorted(things))
    settled(desk, qtbot)


def test_what_is_found_here_is_taken_here_alone(desk: Desk, qtbot: QtBot) -> None:
    finding, masks = desk.session.finding, desk.session.masks
    found(desk, qtbot, {0: [thing(5)], 3: [thing(6)]})
    desk.session.view.go_to(1)
    assert not finding.take_here()
    assert not masks.objects
    desk.session.view.go_to(3)
    assert finding.take_here()
    assert sorted(masks.of_object(1)) == [3]
    assert [each.key for each in finding.proposals] == [Key(0, 1)]
    assert not finding.take_here()


def test_what_was_left_out_can_be_taken_in_again(desk: Desk, qtbot: QtBot) -> None:
    finding, told = desk.session.finding, list[bool]()
    found(desk, qtbot, {0: [thing(5), thing(40)]})
    first = finding.proposals[0].key
    finding.changed.connect(lambda: told.append(finding.is_left_out(first)))
    finding.leave_out(first)
    finding.leave_out(first, leave=False)
    finding.leave_out(first, leave=False)
    assert told == [True, False, False]
    finding.take()
    assert len(desk.session.masks.objects) == 2


def test_what_is_left_out_stays_so_under_the_number_of_the_object_that_was_added(
    desk: Desk, qtbot: QtBot
) -> None:
    finding = desk.session.finding
    found(desk, qtbot, {0: [thing(5)], 2: [thing(6)], 4: [thing(7)]})
    _, second, third = (each.key for each in finding.proposals)
    finding.leave_out(second)
    finding.take(0)
    assert [finding.is_left_out(Key(frame, 1)) for frame in (2, 4)] == [True, False]
    assert not finding.is_left_out(third)
    finding.take()
    assert sorted(desk.session.masks.of_object(1)) == [0, 4]


@pytest.mark.parametrize(
    ("things", "text"),
    [
        ({3: [thing(5)]}, "Find cup, frame 3"),
        ({3: [thing(5)], 4: [thing(6)]}, "Find cup, 2 frames"),
        ({3: [thing(5), thing(40)]}, "Find 2 objects, frame 3"),
    ],
)
def test_the_step_says_what_was_taken_and_where(
    desk: Desk, qtbot: QtBot, things: dict[int, list[Finding]], text: str
) -> None:
    found(desk, qtbot, things)
    desk.session.finding.take()
    assert desk.session.history.stack.undoText() == text


def test_what_is_there_gets_its_masks_where_there_is_no_room_for_more(
    desk: Desk, qtbot: QtBot
) -> None:
    session = desk.session
    session.objects.add("plate")
    draw(desk, 0, x=6)
    while len(session.masks.objects) < 253:
        session.objects.add()
    things = {1: [thing(20), thing(33), thing(46)], 2: [thing(6, "plate")]}
    found(desk, qtbot, things, "plate", "cup")
    session.finding.take()
    assert sorted(session.masks.of_object(1)) == [0, 2]
    assert len(session.masks.objects) == 254
    assert sum(report.text.startswith("There is room") for report in desk.reports) == 1


@pytest.mark.parametrize(
    ("frames", "where"), [([0], "frame 0"), ([2], "frame 2"), ([2, 3], "2 frames")]
)
def test_it_is_said_where_nothing_was_found(
    desk: Desk, qtbot: QtBot, frames: list[int], where: str
) -> None:
    desk.session.finding.look(["spoon", "fork"], frames)
    settled(desk, qtbot)
    assert desk.reports[-1].text == f"Nothing new of spoon, fork was found on {where}."


@pytest.mark.parametrize("frames", [[], range(0)])
def test_without_words_or_frames_nothing_is_looked_for(
    desk: Desk, qtbot: QtBot, frames: list[int]
) -> None:
    found(desk, qtbot, {0: [thing(5)]})
    waiting, told = desk.session.finding.proposals, list[None]()
    desk.session.finding.changed.connect(lambda: told.append(None))
    desk.session.finding.look([], [0])
    desk.session.finding.look(["cup"], frames)
    desk.session.finding.stop()
    assert desk.session.finding.proposals == waiting
    assert not told
    desk.session.files.close()
    desk.session.finding.look(["cup"], [0])
    desk.session.finding.take_hands()
    assert desk.session.finding.progress is None


def test_phrases_are_parted_by_commas_and_come_once() -> None:
    assert phrases_of("cup, a red plate,,cup , ") == ("cup", "red plate")
    assert phrases_of(" ") == ()


def test_a_frame_that_cannot_be_read_is_named_and_passed_over(desk: Desk, qtbot: QtBot) -> None:
    detector = desk.made.fake_detector
    find = detector.find

    def unreadable(frame: int, phrases: Sequence[str]) -> tuple[Finding, ...]:
        if frame == 1:
            raise FrameReadError("Frame 1 cannot be read.")
        return find(frame, phrases)

    detector.find = unreadable  # type: ignore[method-assign]
    found(desk, qtbot, {0: [thing(5)], 1: [thing(6)], 2: [thing(7)]})
    assert [each.key.frame for each in desk.session.finding.proposals] == [0, 2]
    assert desk.said("Frame 1 cannot be read.")


def test_a_model_that_fails_ends_the_search(desk: Desk, qtbot: QtBot) -> None:
    detector = desk.made.fake_detector

    def failing(frame: int, phrases: Sequence[str]) -> tuple[Finding, ...]:
        if frame == 1:
            raise PromptError("It failed.")
        return tuple(thing(5, phrase) for phrase in phrases)

    detector.find = failing  # type: ignore[method-assign]
    found(desk, qtbot, {frame: [thing(5)] for frame in range(4)})
    assert [each.key.frame for each in desk.session.finding.proposals] == [0]
    assert [report.text for report in desk.reports] == ["It failed."]
