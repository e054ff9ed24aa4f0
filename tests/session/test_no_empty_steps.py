"""Edits that have no effect: none leaves an undo step that changes nothing."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from app.core.attributes import EXHAUSTIVE
from app.core.block import Block
from app.core.document import Key
from app.core.plan import Direction
from app.session.session import Session
from app.storage.formats.palette import encode_palette_png
from models.api import Box, Finding
from tests.fakes import square
from tests.session.desk import FRAMES, Desk, draw

Idle = Callable[[], None]
Act = Callable[[Session], object]
HERE = Key(0, 1)
BLOCK = Block((1, 2), range(3))


def state(session: Session) -> tuple[object, ...]:
    """Return all that an undo step may change."""
    document = session.masks.document
    entries = dict(document.items())
    return document.objects, entries, document.attributes, session.changes.open


def check_steps(session: Session) -> None:
    """Undo all steps one by one: each changes something."""
    stack = session.history.stack
    while stack.canUndo():
        text, before = stack.undoText(), state(session)
        stack.undo()
        assert state(session) != before, f"{text} changes nothing"


def exhaustive(session: Session, number: int = 1) -> None:
    session.files.exchange.visor.attributes.say(EXHAUSTIVE, "y", [number])


def copied(session: Session) -> None:
    session.clipboard.copy()
    session.clipboard.paste()


def corrected(session: Session) -> None:
    session.view.go_to(1)
    session.edit.draw_mask(1, 1, square(10) | square(16), "Brush")
    session.ranges.copy_on(Block((1,), range(4)))
    session.view.go_to(0)


EDITS: dict[str, Act] = {
    "add": lambda s: s.objects.add("cup"),
    "rename": lambda s: s.objects.rename(1, "cup"),
    "classify": lambda s: s.objects.classify(1, "cup"),
    "edit": lambda s: s.objects.edit(replace(s.masks.objects[0], visible=True)),
    "move": lambda s: s.objects.move(1, 1),
    "delete": lambda s: s.objects.delete(2),
    "draw": lambda s: s.edit.draw_mask(0, 1, square(12), "Brush"),
    "draw nothing": lambda s: s.edit.draw_mask(2, 1, np.zeros_like(square(1)), "Brush"),
    "clear": lambda s: s.edit.clear([HERE, Key(7, 1)]),
    "absent": lambda s: s.edit.mark_absent([HERE]),
    "occluded": lambda s: s.edit.mark_occluded([HERE]),
    "show again": lambda s: s.edit.show_again([HERE]),
    "verify": lambda s: s.edit.verify([HERE, Key(4, 1)]),
    "unanchor": lambda s: s.edit.unanchor([HERE]),
    "exchange": lambda s: s.edit.exchange(1, 2),
    "paste": copied,
    "merge": lambda s: s.ranges.merge(BLOCK, 1),
    "take over": lambda s: s.ranges.take_over(1, 2),
    "split off": lambda s: s.ranges.split_off(Block((1,), range(3))),
    "copy on": corrected,
    "box": lambda s: s.clicks.set_box(Box(10, 10, 20, 20)),
    "candidate": lambda s: s.clicks.next_candidate(),
    "heal": lambda s: s.correction.verify_and_heal(),
    "propagate": lambda s: s.jobs.propagate(Direction.BOTH),
    "exhaustive": exhaustive,
    "raise": lambda s: s.files.exchange.visor.attributes.lift(),
    "accept": lambda s: s.changes.accept([each.key for each in s.changes.open]),
    "reject": lambda s: s.changes.reject([each.key for each in s.changes.open]),
    "take": lambda s: s.finding.take(),
    "objects": lambda s: s.masks.change_objects(s.masks.objects, "Objects"),
    "attributes": lambda s: s.files.exchange.visor.attributes.change(
        s.masks.document.attributes, "Attributes"
    ),
    "masks": lambda s: s.masks.change({HERE: s.masks.document.get(HERE)}, "Masks"),
}


@pytest.fixture
def session(desk: Desk, idle: Idle) -> Session:
    """A session with three objects, one of them in two pieces, and changes that a heal has made."""
    session = desk.session
    desk.made.fake_tracker.drift = {frame: frame % 3 for frame in range(FRAMES)}
    draw(desk, 0, 1, x=10)
    draw(desk, 0, 2, x=30)
    session.jobs.propagate(Direction.FORWARD)
    idle()
    session.edit.draw_mask(0, 1, square(8) | square(50, 40), "Brush")
    session.correction.verify_and_heal()
    idle()
    session.objects.add("cup")
    session.view.go_to(0)
    session.view.select(1)
    return session


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_that_is_made_again_is_no_step_where_it_changes_nothing(
    session: Session, idle: Idle, name: str
) -> None:
    for _ in range(3):
        EDITS[name](session)
        idle()
    check_steps(session)


def test_what_is_found_and_finds_no_room_is_no_step(desk: Desk, qtbot: QtBot) -> None:
    session = desk.session
    desk.made.fake_detector.things = {0: [Finding(Box(5, 20, 15, 30), "cup", 0.9)]}
    session.finding.look(["cup"])
    qtbot.waitUntil(lambda: session.finding.progress is None)
    for _ in range(254):
        session.objects.add()
    steps = session.history.stack.count()
    session.finding.take()
    assert desk.said("There is room for 254 objects")
    assert session.history.stack.count() == steps


def test_a_file_that_is_imported_again_is_no_step(desk: Desk, tmp_path: Path) -> None:
    session = desk.session
    folder = tmp_path / "masks"
    folder.mkdir()
    labels = square(10).astype(np.uint8)
    (folder / "00000.png").write_bytes(encode_palette_png(labels))
    session.files.exchange.import_masks(folder)
    steps = session.history.stack.count()
    session.files.exchange.import_masks(folder)
    assert session.history.stack.count() == steps == 1
    check_steps(session)


def test_a_step_of_several_changes_begins_with_the_first_and_leaves_what_can_be_redone(
    desk: Desk,
) -> None:
    session, stack = desk.session, desk.session.history.stack
    draw(desk, 0)
    draw(desk, 1)
    session.history.undo()
    with session.masks.one_step("Outer"), session.masks.one_step("Inner"):
        session.masks.change({HERE: session.masks.document.get(HERE)}, "Nothing")
    assert (stack.undoText(), stack.redoText()) == ("Brush", "Brush")
    with session.masks.one_step("Outer"):
        with session.masks.one_step("Inner"):
            session.masks.change({HERE: None}, "Clear")
        session.masks.change_objects((), "Delete")
        with session.masks.one_step("Empty"):
            pass
    assert (stack.undoText(), stack.canRedo()) == ("Outer", False)
    session.history.undo()
    assert session.masks.entry(HERE) is not None
    assert len(session.masks.objects) == 1
    check_steps(session)
