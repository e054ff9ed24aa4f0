"""What is said of masks: shown, changed as undo steps, saved, and exported alone."""

import copy
from collections.abc import Callable
from pathlib import Path

import pytest

from app.core.attributes import CONTACT, EXHAUSTIVE, WORN_ON
from app.core.document import Key
from app.session.session import Session
from app.session.state.status import Report
from tests.fakes import square
from tests.session.visor.files import exported, kitchen, number_of


def test_the_rows_of_a_frame_say_what_the_file_says(session: Session) -> None:
    rows = {row.info.name: row for row in session.files.exchange.visor.attributes.rows(0)}
    assert list(rows) == ["left glove", "right hand", "plate", "cup"]  # the topmost first
    assert rows["cup"].class_name == "cup"
    assert (rows["cup"].exhaustive, rows["plate"].exhaustive) == ("n", "y")
    assert rows["right hand"].contact == number_of(session, "plate")
    assert (rows["left glove"].contact, rows["left glove"].worn_on) == (None, None)
    assert rows["cup"].hidden == 1
    assert rows["cup"].hidden_by == (number_of(session, "plate"),)
    assert rows["plate"].hidden == 0


@pytest.mark.parametrize(
    ("name", "of", "value", "place", "written"),
    [
        (EXHAUSTIVE, "plate", "inconclusive", 1, "inconclusive"),
        (CONTACT, "right hand", "none-of-the-above", 2, "none-of-the-above"),
        (CONTACT, "right hand", "cup", 2, f"{1:032x}"),
        (CONTACT, "left glove", "glove-not-in-contact", 3, "glove-not-in-contact"),
        (WORN_ON, "left glove", ("left hand", "right hand"), 3, ["left hand", "right hand"]),
    ],
)
def test_an_edit_is_one_step_and_the_one_thing_that_is_exported(
    session: Session, name: str, of: str, value: object, place: int, written: object
) -> None:
    attributes, stack = session.files.exchange.visor.attributes, session.history.stack
    session.view.select(number_of(session, of))
    said = number_of(session, "cup") if value == "cup" else value
    attributes.say(name, said)  # type: ignore[arg-type]
    wanted = copy.deepcopy(kitchen())
    wanted["video_annotations"][0]["annotations"][place][name] = written
    assert exported(session) == wanted
    assert stack.count() == 1
    session.history.undo()
    assert exported(session) == kitchen()
    session.history.redo()
    assert exported(session) == wanted


def test_saying_what_is_so_already_is_no_step(session: Session) -> None:
    session.view.select(number_of(session, "plate"))
    session.files.exchange.visor.attributes.say(EXHAUSTIVE, "y")
    assert session.history.stack.count() == 0


def test_what_was_said_is_there_when_the_project_is_opened_again(
    session: Session, tmp_path: Path
) -> None:
    session.view.select(number_of(session, "right hand"))
    session.files.exchange.visor.attributes.take_touched()
    session.files.exchange.visor.attributes.cycle_exhaustive()
    session.view.select(number_of(session, "cup"))
    session.files.exchange.visor.attributes.lift()
    before, project = exported(session), session.files.project_path
    assert project is not None
    assert before != kitchen()
    session.files.close()
    session.files.open(project)
    assert exported(session) == before
    session.files.save_as(tmp_path / "copy.maskwright")
    assert exported(session) == before


def test_one_key_takes_what_borders_the_hand_and_then_the_next(session: Session) -> None:
    attributes = session.files.exchange.visor.attributes
    plate, cup = number_of(session, "plate"), number_of(session, "cup")
    hand = Key(0, number_of(session, "right hand"))
    session.view.select(hand.object)
    session.edit.draw_mask(0, cup, square(43, 12, 6), "Brush")
    attributes.touch_nothing()
    assert attributes.value(hand, CONTACT) == "hand-not-in-contact"
    taken = []
    for _ in range(3):
        attributes.take_touched()
        taken.append(attributes.value(hand, CONTACT))
    assert taken == [plate, cup, plate]
    attributes.take_touched(under=cup)
    assert attributes.value(hand, CONTACT) == cup


def test_only_hands_and_gloves_touch(session: Session, reports: list[Report]) -> None:
    session.view.select(number_of(session, "plate"))
    session.files.exchange.visor.attributes.take_touched()
    session.files.exchange.visor.attributes.say(CONTACT, number_of(session, "cup"))
    assert "Select a hand" in reports[-1].text
    assert exported(session) == kitchen()


def test_what_borders_the_selected_hand_is_lit(session: Session) -> None:
    lit: list[tuple[int, ...]] = []
    attributes = session.files.exchange.visor.attributes
    attributes.lit.connect(lit.append)
    session.view.select(number_of(session, "right hand"))
    assert list(lit[-1]) == []
    attributes.set_lighting(lighting=True)
    assert list(lit[-1]) == [number_of(session, "plate")]
    session.view.select(number_of(session, "plate"))
    assert list(lit[-1]) == []


def test_a_contact_whose_mask_goes_is_named_and_comes_back_with_it(
    session: Session, reports: list[Report]
) -> None:
    attributes = session.files.exchange.visor.attributes
    hand, plate = number_of(session, "right hand"), number_of(session, "plate")
    session.edit.clear([Key(0, plate)])
    assert "right hand touched plate on frame 0" in reports[-1].text
    assert attributes.value(Key(0, hand), CONTACT) == "none-of-the-above"
    written = exported(session)["video_annotations"][0]["annotations"]
    assert written[1]["in_contact_object"] == "none-of-the-above"
    session.history.undo()
    assert attributes.value(Key(0, hand), CONTACT) == plate
    assert exported(session) == kitchen()


def test_a_contact_that_a_person_gave_is_named_when_its_object_goes(
    session: Session, reports: list[Report]
) -> None:
    session.view.select(number_of(session, "right hand"))
    session.files.exchange.visor.attributes.say(CONTACT, number_of(session, "cup"))
    session.objects.delete(number_of(session, "cup"))
    assert any("right hand touched cup on frame 0" in report.text for report in reports)
    hand = exported(session)["video_annotations"][0]["annotations"][1]
    assert hand["in_contact_object"] == "none-of-the-above"


def test_a_new_hand_touches_a_new_mask(session: Session) -> None:
    hand, thing = session.objects.add("left hand", 300), session.objects.add("fork", 12)
    assert hand is not None
    assert thing is not None
    session.edit.draw_mask(1, hand, square(5, 30), "Brush")
    session.edit.draw_mask(1, thing, square(16, 30), "Brush")
    session.view.go_to(1)
    session.view.select(hand)
    session.files.exchange.visor.attributes.take_touched()
    session.view.select(thing)
    session.files.exchange.visor.attributes.say(EXHAUSTIVE, "n")
    found = {
        each["name"]: each for each in exported(session)["video_annotations"][1]["annotations"]
    }
    assert found["left hand"]["in_contact_object"] == found["fork"]["id"]
    assert found["fork"]["exhaustive"] == "n"


def test_the_order_of_a_frame_is_that_frames_alone(session: Session) -> None:
    cup = number_of(session, "cup")
    session.view.select(cup)
    session.files.exchange.visor.attributes.lift(1)
    wanted = copy.deepcopy(kitchen())
    here = wanted["video_annotations"][0]["annotations"]
    here[0], here[1] = here[1], here[0]
    assert exported(session) == wanted
    assert [info.name for info in session.video.ordered(0)][:2] == ["plate", "cup"]
    assert session.files.exchange.visor.attributes.rows(0)[2].hidden == 0
    session.files.exchange.visor.attributes.lift(-1)
    assert exported(session) == kitchen()


def test_a_locked_object_is_left_alone(session: Session, reports: list[Report]) -> None:
    from dataclasses import replace

    plate = next(info for info in session.masks.objects if info.name == "plate")
    session.objects.edit(replace(plate, locked=True))
    session.view.select(plate.id)
    session.files.exchange.visor.attributes.cycle_exhaustive()
    session.files.exchange.visor.attributes.lift()
    assert "locked" in reports[-1].text
    assert exported(session) == kitchen()


def test_one_key_says_the_three_flags_in_turn(session: Session) -> None:
    attributes = session.files.exchange.visor.attributes
    plate = Key(0, number_of(session, "plate"))
    attributes.cycle_exhaustive()  # of nothing
    assert session.history.stack.count() == 0
    session.view.select(plate.object)
    said = []
    for _ in range(4):
        attributes.cycle_exhaustive()
        said.append(attributes.value(plate, EXHAUSTIVE))
    assert said == ["n", "inconclusive", "y", "n"]
    assert session.history.stack.undoText() == "Exhaustive of plate: n, frame 0"


def test_several_masks_are_said_something_of_in_one_step(
    session: Session, reports: list[Report]
) -> None:
    attributes = session.files.exchange.visor.attributes
    cup, plate, tap = (number_of(session, name) for name in ("cup", "plate", "tap"))
    attributes.say(EXHAUSTIVE, "n", [cup, plate, tap])  # the cup is so already, the tap elsewhere
    assert session.history.stack.undoText() == "Exhaustive of plate: n, frame 0"
    attributes.say(EXHAUSTIVE, "inconclusive", [cup, plate])
    assert session.history.stack.undoText() == "Exhaustive of cup, plate: inconclusive, frame 0"
    assert session.history.stack.count() == 2
    assert attributes.value(Key(2, tap), EXHAUSTIVE) == "y"
    attributes.say(EXHAUSTIVE, "y", [])
    assert session.history.stack.count() == 2


def test_the_answers_of_a_hand_begin_with_what_borders_it(session: Session) -> None:
    attributes = session.files.exchange.visor.attributes
    rows = {row.info.name: row for row in attributes.rows(0)}
    plate, cup, glove, hand = (
        number_of(session, name) for name in ("plate", "cup", "left glove", "right hand")
    )
    answers = attributes.answers(rows["right hand"])
    assert answers[0] == plate
    assert set(answers[1:4]) == {"inconclusive", "none-of-the-above", "hand-not-in-contact"}
    assert set(answers[4:]) == {cup, glove}
    answers = attributes.answers(rows["left glove"])
    assert set(answers[:3]) == {"inconclusive", "none-of-the-above", "glove-not-in-contact"}
    assert answers[3] is None
    assert set(answers[4:]) == {plate, cup, hand}


def test_what_is_said_is_put_in_words(session: Session) -> None:
    attributes = session.files.exchange.visor.attributes
    assert attributes.text(number_of(session, "cup")) == "cup"
    assert attributes.text(99) == "99"
    assert attributes.text(("left hand", "right hand")) == "left hand and right hand"
    assert attributes.text(None) == "nothing"
    assert attributes.text("inconclusive") == "inconclusive"


def test_a_hand_that_borders_nothing_is_said_to(session: Session, reports: list[Report]) -> None:
    session.view.select(number_of(session, "left glove"))
    session.files.exchange.visor.attributes.take_touched()
    assert reports[-1].text == "Nothing borders left glove on this frame."
    session.view.select(None)
    session.files.exchange.visor.attributes.take_touched()
    assert reports[-1].text == "Select a hand or a glove first."
    assert session.history.stack.count() == 0


def test_a_hand_touches_no_object_of_another_frame_and_not_itself(session: Session) -> None:
    attributes = session.files.exchange.visor.attributes
    hand, cup, tap = (number_of(session, name) for name in ("right hand", "cup", "tap"))
    session.view.select(hand)
    attributes.take_touched(under=cup)
    for elsewhere in (tap, hand):
        attributes.take_touched(under=elsewhere)
        assert attributes.value(Key(0, hand), CONTACT) == number_of(session, "plate")
    session.view.select(number_of(session, "left glove"))
    attributes.touch_nothing()
    glove = Key(0, number_of(session, "left glove"))
    assert attributes.value(glove, CONTACT) == "glove-not-in-contact"


def test_an_object_is_drawn_higher_and_lower_among_those_of_its_frame(session: Session) -> None:
    attributes, stack = session.files.exchange.visor.attributes, session.history.stack

    def order() -> list[str]:
        return [row.info.name for row in reversed(attributes.rows(0))]

    assert order() == ["cup", "plate", "right hand", "left glove"]
    session.view.select(number_of(session, "cup"))
    attributes.lift()
    assert order() == ["plate", "right hand", "left glove", "cup"]
    assert stack.undoText() == "Raise cup, frame 0"
    attributes.lift()  # above all already
    attributes.lift(2)
    assert stack.count() == 1
    attributes.lift(-2)
    assert order() == ["plate", "cup", "right hand", "left glove"]
    assert stack.undoText() == "Lower cup, frame 0"
    attributes.lift(-9)
    assert order() == ["cup", "plate", "right hand", "left glove"]
    session.view.select(number_of(session, "tap"))  # is not on this frame
    attributes.lift()
    session.view.select(None)
    attributes.lift()
    assert stack.count() == 3


def test_contacts_that_are_lost_on_many_frames_are_counted(
    session: Session, reports: list[Report]
) -> None:
    attributes = session.files.exchange.visor.attributes
    hand, plate = number_of(session, "right hand"), number_of(session, "plate")
    for frame in (1, 2, 3):
        session.edit.draw_mask(frame, hand, square(33, 12), "Brush")
        session.edit.draw_mask(frame, plate, square(20, 10, 12), "Brush")
        session.view.go_to(frame)
        session.view.select(hand)
        attributes.say(CONTACT, plate)
    session.edit.clear([Key(1, plate), Key(2, plate)])
    assert reports[-1].text == (
        "right hand touched plate on frames 1, 2: its contact is none-of-the-above now."
    )
    session.history.undo()
    session.edit.clear([Key(frame, plate) for frame in range(4)])
    assert "on frames 0, 1, 2 and 1 more: " in reports[-1].text
    session.history.undo()
    session.edit.clear([Key(frame, plate) for frame in (1, 2, 3)])
    assert "on frames 1, 2, 3: " in reports[-1].text


def test_that_anything_may_be_said_otherwise_is_told(session: Session) -> None:
    attributes, told = session.files.exchange.visor.attributes, list[str]()
    attributes.changed.connect(lambda: told.append("changed"))
    acts: tuple[Callable[[], object], ...] = (
        lambda: session.view.select(number_of(session, "plate")),
        lambda: attributes.say(EXHAUSTIVE, "n"),
        lambda: session.view.go_to(1),
        lambda: session.edit.clear([Key(1, number_of(session, "plate"))]),
        lambda: session.objects.rename(number_of(session, "tap"), "faucet"),
        session.history.undo,
        session.files.close,
    )
    for act in acts:
        told.clear()
        act()
        assert told
    assert attributes.imported is None


def test_only_a_hand_or_a_glove_is_said_to_touch_nothing(
    session: Session, reports: list[Report]
) -> None:
    attributes, before = session.files.exchange.visor.attributes, session.masks.document.attributes
    for chosen in (None, number_of(session, "cup")):
        session.view.select(chosen)
        attributes.touch_nothing()
    assert session.masks.document.attributes == before
    assert not reports
    for name in ("right hand", "left glove"):
        session.view.select(number_of(session, name))
        attributes.touch_nothing()
        said = attributes.value(Key(0, number_of(session, name)), CONTACT)
        assert said == f"{name.split()[1]}-not-in-contact"
