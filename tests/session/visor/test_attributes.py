"""What is said of masks: shown, changed as undo steps, saved, and exported alone."""

import copy
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
