"""The clipboard: masks copied to another frame or object."""

from dataclasses import replace
from pathlib import Path

import pytest

from app.core.document import Key, State
from tests.session.desk import Desk, draw, mask_at


def test_a_copied_mask_is_an_anchor_where_it_is_pasted(desk: Desk) -> None:
    session = desk.session
    draw(desk, 0)
    session.clipboard.copy()
    session.view.go_to(5)
    session.clipboard.paste()
    entry = session.masks.document.get(Key(5, 1))
    assert entry is not None
    assert entry.mask == mask_at(10)
    assert session.masks.state(Key(5, 1)) is State.ANCHOR
    session.history.undo()
    assert session.masks.document.get(Key(5, 1)) is None


def test_a_paste_with_nothing_selected_makes_an_object(desk: Desk) -> None:
    session = desk.session
    draw(desk, 0)
    session.clipboard.copy()
    session.view.select(None)
    session.clipboard.paste()
    entry = session.masks.document.get(Key(0, 2))
    assert entry is not None
    assert entry.mask == mask_at(10)


def test_nothing_to_copy_or_to_paste_is_said(desk: Desk) -> None:
    desk.session.clipboard.copy()
    assert desk.said("no mask to copy")
    desk.session.clipboard.paste()
    assert desk.said("Copy a mask first")
    assert desk.session.masks.objects == ()


@pytest.mark.parametrize("change", [{"locked": True}, {"visible": False}])
def test_a_locked_or_hidden_object_gets_nothing_pasted(desk: Desk, change: dict[str, bool]) -> None:
    session = desk.session
    draw(desk, 0)
    session.clipboard.copy()
    draw(desk, 0, number=2, x=40)
    (one, two) = session.masks.objects
    session.objects.edit(one, replace(two, **change))  # type: ignore[arg-type]
    session.view.select(2)
    before = dict(session.masks.document.items())
    session.clipboard.paste()
    assert dict(session.masks.document.items()) == before
    assert desk.said("object 2 is")


def test_what_can_be_pasted_is_told_and_goes_with_the_video(desk: Desk, clip: Path) -> None:
    session, told = desk.session, list[bool]()
    session.clipboard.changed.connect(lambda: told.append(session.clipboard.has_mask))
    draw(desk, 0)
    assert not session.clipboard.has_mask
    session.view.go_to(3)
    session.clipboard.copy()  # there is no mask here
    assert told == []
    session.edit.mark_absent([Key(3, 1)])
    session.clipboard.copy()
    assert told == []
    assert desk.said("There is no mask to copy on this frame.")
    session.view.go_to(0)
    session.clipboard.copy()
    assert told == [True]
    assert desk.said("Copied.")
    session.view.go_to(5)
    session.clipboard.paste()
    assert session.history.stack.undoText() == "Paste object 1, frame 5"
    assert session.clipboard.has_mask  # for another frame
    session.files.close()
    assert told == [True, False]
    session.files.open(clip)
    session.clipboard.paste()
    assert desk.reports[-1].text == "Copy a mask first."
