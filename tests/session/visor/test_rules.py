"""The check by rules in a session: when it is made, what it tells, and what it mends."""

import copy
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import shiboken6
from pytestqt.qtbot import QtBot

from app.core.attributes import CONTACT, WORN_ON
from app.core.document import Key
from app.errors import FormatError
from app.session.session import Session
from app.session.state.status import Report
from app.session.visor import validation
from app.session.visor.validation import Finding, Validation
from app.storage.formats.visor.validation.defect import Defect
from tests.fakes import FakeModels, square, write_frames
from tests.session.mirrors import Mirror, check, follow
from tests.session.visor.files import (
    Json,
    annotation,
    box,
    document,
    exported,
    kitchen,
    number_of,
    record,
    write,
)

Open = Callable[[Json], Session]


@pytest.fixture
def opened(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Open a session on a file; the check after the opening comes at once."""
    monkeypatch.setattr(validation, "_SOON_MS", 10)
    sessions, mirrors = list[Session](), list[dict[str, Mirror]]()

    def open_file(raw: Json) -> Session:
        sessions.append(Session(loader=lambda frames, settings: FakeModels(frames)))
        mirrors.append(follow(sessions[-1]))
        sessions[-1].files.open(write(tmp_path / str(len(sessions)), raw))
        return sessions[-1]

    yield open_file
    for each, followed in zip(sessions, mirrors, strict=True):
        check(followed)
        each.files.close()
        shiboken6.delete(each)


def rules_of(session: Session) -> Validation:
    return session.files.exchange.visor.validation


def checked(session: Session, qtbot: QtBot) -> tuple[Finding, ...]:
    rules = rules_of(session)
    qtbot.waitUntil(lambda: rules.was_checked and not rules.is_checking)
    return rules.findings


def said_by(session: Session) -> list[Report]:
    said = list[Report]()
    session.status.reported.connect(said.append)
    return said


def broken() -> Json:
    """Return the kitchen with a hand that does not say what it holds, on its first frame."""
    raw = kitchen()
    del raw["video_annotations"][0]["annotations"][2]["in_contact_object"]
    return raw


def only(findings: tuple[Finding, ...], rule: str) -> Finding:
    (found,) = [each for each in findings if each.defect.rule == rule]
    return found


def test_a_visor_file_is_checked_once_it_is_open_and_what_it_finds_is_told(
    opened: Open, qtbot: QtBot
) -> None:
    session = opened(broken())
    said, told, first = said_by(session), list[bool](), list[bool]()
    rules_of(session).changed.connect(lambda: told.append(rules_of(session).is_checking))
    rules_of(session).opened_with_defects.connect(lambda: first.append(True))
    assert not rules_of(session).was_checked
    found = only(checked(session, qtbot), "contact")
    assert (found.frame, found.object) == (0, number_of(session, "right hand"))
    assert found.key == Key(0, number_of(session, "right hand"))
    assert told == [True, False]
    assert first == [True]
    assert rules_of(session).is_current
    (report,) = [each for each in said if "VISOR's rules" in each.text]
    assert report.level == "warning"
    wrong = [each for each in rules_of(session).findings if not each.defect.harmless]
    assert report.text.startswith(f"{len(wrong)} defects by VISOR's rules, the first: frame 0, ")


@pytest.mark.parametrize("frames", [(None, None), (None, 1), (1, None), (1, 3)])
def test_the_first_defect_that_lies_on_a_frame_is_told(
    opened: Open, qtbot: QtBot, frames: tuple[int | None, ...]
) -> None:
    session = opened(kitchen())
    checked(session, qtbot)
    said, rules = said_by(session), rules_of(session)
    texts = [f"{n} ({name})" for n, name in enumerate(("cup", "tap"))]
    rules._take(
        tuple(
            Finding(Defect("a.jpg", text, "contact", "wrong"), frame, 1)
            for text, frame in zip(texts, frames, strict=True)
        )
    )
    first = next((n for n, frame in enumerate(frames) if frame is not None), 0)
    where = "file" if frames[first] is None else f"frame {frames[first]}"
    what = f"{where}, {('cup', 'tap')[first]}, contact"
    assert said[-1].text.startswith(f"2 defects by VISOR's rules, the first: {what}. ")


def test_a_check_that_is_done_at_once_is_still_that_after_the_opening(
    opened: Open, qtbot: QtBot, done_at_once: None
) -> None:
    session = opened(broken())
    first = list[bool]()
    rules_of(session).opened_with_defects.connect(lambda: first.append(True))
    checked(session, qtbot)
    assert first == [True]
    rules_of(session).check()
    assert first == [True]


def test_a_sound_file_is_told_to_be_sound(opened: Open, qtbot: QtBot) -> None:
    session = opened(document([record(101, [annotation(1, "plate", 2, [box(20, 10)])])]))
    said, first = said_by(session), list[bool]()
    rules_of(session).opened_with_defects.connect(lambda: first.append(True))
    notes = [each for each in checked(session, qtbot) if each.defect.harmless]
    assert len(notes) == len(rules_of(session).findings)
    assert said[-1].text == (
        f"By VISOR's rules the masks are sound. Notes worth knowing: {len(notes)}."
    )
    assert said[-1].level == "info"
    assert first == []


def test_notes_are_counted_and_no_alarm(opened: Open, qtbot: QtBot) -> None:
    outside = [[60.0, 10.0], [70.0, 10.0], [70.0, 20.0], [60.0, 20.0]]
    session = opened(document([record(101, [annotation(1, "plate", 2, [outside])])]))
    said, first = said_by(session), list[bool]()
    rules_of(session).opened_with_defects.connect(lambda: first.append(True))
    notes = checked(session, qtbot)
    assert notes
    assert all(each.defect.harmless for each in notes)
    assert said[-1].text.endswith(f"Notes worth knowing: {len(notes)}.")
    assert first == []


def test_what_is_no_visor_file_is_checked_only_when_it_is_asked_for(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(validation, "_SOON_MS", 10)
    session = Session(loader=lambda frames, settings: FakeModels(frames))
    rules = rules_of(session)
    rules.check()
    assert not rules.was_checked  # there is nothing to check
    session.files.open(write_frames(tmp_path / "clip", 3))
    qtbot.wait(60)
    assert not rules.was_checked
    session.objects.add("cup")
    session.edit.draw_mask(0, 1, square(10), "Brush")
    first = list[bool]()
    rules.opened_with_defects.connect(lambda: first.append(True))
    rules.check()
    checked(session, qtbot)
    assert rules.is_current
    assert first == []  # it is the person who asked
    session.files.close()
    assert not rules.was_checked
    shiboken6.delete(session)


@pytest.mark.parametrize("edit", ["mask", "object", "attribute"])
def test_findings_are_no_longer_current_once_anything_is_changed(
    opened: Open, qtbot: QtBot, edit: str
) -> None:
    session = opened(kitchen())
    checked(session, qtbot)
    rules, told = rules_of(session), list[bool]()
    rules.changed.connect(lambda: told.append(rules.is_current))
    plate = number_of(session, "plate")
    for _ in range(2):
        if edit == "mask":
            session.edit.clear([Key(1, plate)])
            session.history.undo()
        elif edit == "object":
            session.objects.rename(plate, "dish")
            session.history.undo()
        else:
            session.view.select(plate)
            session.files.exchange.visor.attributes.cycle_exhaustive()
    assert told == [False]
    rules.check()
    checked(session, qtbot)
    assert rules.is_current


def test_what_is_found_of_an_older_state_is_dropped(
    opened: Open, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = opened(kitchen())
    checked(session, qtbot)
    gate, find = threading.Event(), validation.findings_of
    calls = list[int]()

    def waiting(*given: object) -> tuple[Finding, ...]:
        calls.append(len(calls))
        if calls == [0]:
            gate.wait(30)
            raise FormatError("too late to be told")
        return find(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(validation, "findings_of", waiting)
    said, rules = said_by(session), rules_of(session)
    rules.check()
    qtbot.waitUntil(lambda: calls == [0])
    rules.check()
    gate.set()
    checked(session, qtbot)
    assert calls == [0, 1]
    assert not any("too late" in each.text for each in said)
    assert len([each for each in said if "VISOR's rules" in each.text]) == 1


def test_a_check_that_fails_is_told_with_its_reason(
    opened: Open, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = opened(broken())
    checked(session, qtbot)

    def fail(*_: object) -> tuple[Finding, ...]:
        raise FormatError("The file that was imported is damaged.")

    monkeypatch.setattr(validation, "findings_of", fail)
    said = said_by(session)
    rules = rules_of(session)
    rules.check()
    qtbot.waitUntil(lambda: not rules.is_checking)
    assert (rules.findings, rules.is_current, rules.was_checked) == ((), False, False)
    assert len(said) == 1  # not that the masks are sound
    assert (said[0].level, said[0].text) == (
        "error", "The rules could not be applied: The file that was imported is damaged.",
    )  # fmt: skip


def test_a_check_under_way_ends_with_the_video(
    opened: Open, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = opened(broken())
    checked(session, qtbot)
    said, rules = said_by(session), rules_of(session)
    rules.check()
    session.files.close()
    qtbot.wait(50)
    assert (rules.findings, rules.is_checking, rules.was_checked) == ((), False, False)
    assert not any("VISOR's rules" in each.text for each in said)


def test_a_finding_is_gone_to(opened: Open, qtbot: QtBot) -> None:
    session = opened(broken())
    found = only(checked(session, qtbot), "contact")
    session.view.go_to(3)
    rules_of(session).go_to(found)
    assert (session.view.frame, session.view.selected) == (0, number_of(session, "right hand"))
    session.view.go_to(3)
    rules_of(session).go_to(Finding(found.defect, None, None))
    assert (session.view.frame, session.view.selected) == (3, number_of(session, "right hand"))
    assert Finding(found.defect, 0, None).key is None
    assert Finding(found.defect, None, 1).key is None


# The mends


def mended(session: Session, qtbot: QtBot, rule: str) -> int:
    """Mend the one defect of a rule; it is found no more then."""
    found = only(checked(session, qtbot), rule)
    assert rules_of(session).can_mend(found)
    count = rules_of(session).mend([found])
    assert not [each for each in checked(session, qtbot) if each.defect.rule == rule]
    return count


def test_a_hand_that_does_not_say_what_it_holds_is_said_to_be_inconclusive(
    opened: Open, qtbot: QtBot
) -> None:
    session = opened(broken())
    steps = session.history.stack.count()
    assert mended(session, qtbot, "contact") == 1
    assert session.history.stack.count() == steps + 1
    assert session.history.stack.undoText() == "Mend contact"
    hand = Key(0, number_of(session, "right hand"))
    assert session.files.exchange.visor.attributes.value(hand, CONTACT) == "inconclusive"
    session.history.undo()
    assert exported(session) == broken()


def test_a_flag_that_is_none_is_said_to_be_inconclusive(opened: Open, qtbot: QtBot) -> None:
    raw = kitchen()
    raw["video_annotations"][1]["annotations"][0]["exhaustive"] = "maybe"
    session = opened(raw)
    mended(session, qtbot, "exhaustive")
    assert exported(session)["video_annotations"][1]["annotations"][0]["exhaustive"] == (
        "inconclusive"
    )


@pytest.mark.parametrize(
    ("written", "mend"),
    [
        (["rigth hand"], ["right hand"]),
        (["rigth hand", "right hand", "left hnad"], ["right hand", "left hand"]),
        (["foot"], "inconclusive"),
        ("rigth hand", "inconclusive"),
        ([], "inconclusive"),
    ],
)
def test_what_a_glove_is_worn_on_is_put_right_where_it_is_a_slip_of_the_pen(
    opened: Open, qtbot: QtBot, written: Json, mend: Json
) -> None:
    raw = kitchen()
    raw["video_annotations"][0]["annotations"][3][WORN_ON] = written
    session = opened(raw)
    mended(session, qtbot, "worn on")
    assert exported(session)["video_annotations"][0]["annotations"][3][WORN_ON] == mend


def test_a_class_is_that_of_the_name(opened: Open, qtbot: QtBot) -> None:
    raw = kitchen()
    for each in raw["video_annotations"][2:]:
        each["annotations"][0]["class_id"] = 5
    session = opened(raw)
    tap = number_of(session, "tap")
    found = [each for each in checked(session, qtbot) if each.defect.rule == "class"]
    assert {each.object for each in found} == {tap}
    assert rules_of(session).mend(found) == 1  # both are of one object
    assert not [each for each in checked(session, qtbot) if each.defect.rule == "class"]
    (info,) = [each for each in session.masks.objects if each.id == tap]
    assert info.class_id == 0


def test_a_mask_that_others_hide_is_raised_on_its_frame_alone(opened: Open, qtbot: QtBot) -> None:
    session = opened(kitchen())
    rules = rules_of(session)
    found = only(checked(session, qtbot), "covered")
    assert found.object == number_of(session, "cup")
    assert rules.mend([found]) == 1
    assert session.video.ordered(0)[-1].name == "cup"
    assert session.video.ordered(1)[-1].name != "cup"
    assert not [each for each in checked(session, qtbot) if each.defect.rule == "covered"]
    wanted = copy.deepcopy(kitchen())
    here = wanted["video_annotations"][0]["annotations"]
    here.append(here.pop(0))
    assert exported(session) == wanted
    assert rules.mend([found]) == 0  # it lies above all others already


def test_only_what_has_a_mend_is_mended_and_what_is_so_already_is_none(
    opened: Open, qtbot: QtBot
) -> None:
    session = opened(broken())
    rules = rules_of(session)
    found = only(checked(session, qtbot), "contact")
    steps = session.history.stack.count()
    other = Finding(found.defect, found.frame, None)
    assert not rules.can_mend(other)
    assert rules.mend([other]) == 0
    assert session.history.stack.count() == steps
    empty = Finding(found.defect, 1, found.object)  # there is no mask of it
    assert not rules.can_mend(empty)
    assert rules.mend([found, other]) == 1
    checked(session, qtbot)
    assert rules.mend([found]) == 0
    assert session.history.stack.count() == steps + 1


def test_an_attribute_that_must_not_be_there_has_no_mend(opened: Open, qtbot: QtBot) -> None:
    raw = kitchen()
    raw["video_annotations"][1]["annotations"][0]["in_contact_object"] = "inconclusive"
    session = opened(raw)
    found = [each for each in checked(session, qtbot) if each.defect.rule == "contact"]
    assert found
    assert not any(map(rules_of(session).can_mend, found))


def test_several_mends_are_one_step_that_names_their_rules(opened: Open, qtbot: QtBot) -> None:
    raw = broken()
    raw["video_annotations"][1]["annotations"][0]["exhaustive"] = "maybe"
    session = opened(raw)
    steps = session.history.stack.count()
    wrong = [each for each in checked(session, qtbot) if rules_of(session).can_mend(each)]
    assert rules_of(session).mend(wrong) == len(wrong) > 2
    assert session.history.stack.count() == steps + 1
    named = set(session.history.stack.undoText().removeprefix("Mend ").split(", "))
    assert named == {each.defect.rule for each in wrong}
    session.history.undo()
    assert exported(session) == raw


def test_space_round_a_name_is_taken_away(opened: Open, qtbot: QtBot) -> None:
    session = opened(kitchen())
    tap = number_of(session, "tap")
    before = session.masks.objects
    (info,) = [each for each in before if each.id == tap]
    session.objects.edit(replace(info, name="  tap "))
    found = [each for each in checked(session, qtbot) if each.defect.rule == "name"]
    assert {each.object for each in found} == {tap}
    assert rules_of(session).mend(found) == 1  # both are of one object
    assert session.masks.objects == before
    assert session.history.stack.undoText() == "Mend name"
    assert not [each for each in checked(session, qtbot) if each.defect.rule == "name"]


@pytest.mark.parametrize(("rule", "name"), [("name", "tap"), ("name", "  "), ("class", "tap")])
def test_a_name_or_class_that_is_sound_or_past_mending_stays(
    opened: Open, qtbot: QtBot, rule: str, name: str
) -> None:
    session = opened(kitchen())
    tap = number_of(session, "tap")
    (info,) = [each for each in session.masks.objects if each.id == tap]
    session.objects.edit(replace(info, name=name))
    checked(session, qtbot)
    before = session.masks.objects
    found = Finding(Defect("a.jpg", f"5 ({name})", rule, "wrong"), 2, tap)
    assert rules_of(session).mend([found]) == 0
    assert session.masks.objects == before


def test_a_class_of_a_name_that_is_none_cannot_be_mended(opened: Open, qtbot: QtBot) -> None:
    session = opened(kitchen())
    checked(session, qtbot)
    tap = number_of(session, "tap")
    session.objects.rename(tap, "xyzzy")
    found = Finding(Defect("a.jpg", "5 (xyzzy)", "class", "wrong"), 2, tap)
    steps = session.history.stack.count()
    assert rules_of(session).mend([found]) == 0
    assert [each.class_id for each in session.masks.objects if each.id == tap] == [0]
    assert session.history.stack.count() == steps
