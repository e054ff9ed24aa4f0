"""The masks of the open video: what is shown, what is told, and in which order."""

from dataclasses import replace

from pytestqt.qtbot import QtBot

from app.core.document import Entry, Key, Origin, State
from tests.fakes import square
from tests.session.desk import Desk, begin_propagation, draw, mask_at


def test_what_is_pending_is_shown_over_the_document(desk: Desk, qtbot: QtBot) -> None:
    masks = desk.session.masks
    draw(desk, 0)
    begin_propagation(desk, qtbot)
    assert desk.session.video.now
    assert desk.session.video.now.pending
    assert masks.document.frames() == [0]
    assert masks.entry(Key(4, 1)) == masks.shown(4)[1]
    assert masks.state(Key(4, 1)) is not State.NONE
    assert masks.snapshot().get(Key(4, 1)) == masks.shown(4)[1]
    desk.session.jobs.cancel()
    assert not desk.session.video.now.pending


def test_a_change_of_the_document_is_told_before_a_change_of_what_is_shown(desk: Desk) -> None:
    masks = desk.session.masks
    draw(desk, 0)
    told: list[tuple[str, frozenset[Key]]] = []
    masks.entries_changed.connect(lambda keys: told.append(("shown", keys)))
    masks.document_changed.connect(lambda keys: told.append(("document", keys)))
    draw(desk, 1)
    keys = frozenset({Key(1, 1)})
    assert told == [("document", keys), ("shown", keys)]


def test_changes_within_one_step_are_undone_together(desk: Desk) -> None:
    masks, history = desk.session.masks, desk.session.history
    draw(desk, 0)
    with masks.one_step("Both"):
        draw(desk, 1)
        draw(desk, 2)
    assert history.undo_text == "Both"
    history.undo()
    assert masks.document.frames() == [0]


def test_the_pixels_of_an_object_are_empty_where_it_has_no_mask(desk: Desk) -> None:
    draw(desk, 0, x=20)
    masks = desk.session.masks
    assert (masks.pixels(0, 1) == square(20)).all()
    assert masks.pixels(1, 1).shape == desk.session.video.size
    assert not masks.pixels(1, 1).any()
    assert masks.document.on_frame(0)[1].mask == mask_at(20)
    masks.change({Key(2, 1): Entry(None, Origin.DRAWN)}, "Absent")
    assert not masks.pixels(2, 1).any()


def test_how_likely_a_mask_is_right_is_not_known_of_none(desk: Desk) -> None:
    draw(desk, 0)
    masks = desk.session.masks
    absent = Entry(None, Origin.PROPAGATED, score=0.9)
    made = Entry(mask_at(20), Origin.PROPAGATED, score=0.9)
    assert masks.confidence(None) is None
    assert masks.confidence(absent) is None
    likely, unlikely = masks.confidence(made), masks.confidence(replace(made, score=0.3))
    assert likely is not None
    assert unlikely is not None
    assert 1 >= likely > unlikely >= 0
    assert masks.is_locked(9)
    assert not masks.is_locked(1)


def test_a_mask_of_one_of_several_objects_is_less_likely_right(desk: Desk) -> None:
    draw(desk, 0)
    masks = desk.session.masks
    made = Entry(mask_at(20), Origin.PROPAGATED, score=0.9)
    alone = masks.confidence(made)
    desk.session.objects.add()
    among, others = masks.confidence(made), len(masks.objects)
    assert others == 2
    assert among is not None
    assert alone is not None
    assert among < alone


def test_what_is_pending_of_an_object_is_its_own_and_lies_over_what_is_in_the_document(
    desk: Desk, qtbot: QtBot
) -> None:
    session = desk.session
    draw(desk, 0, number=1, x=10)
    draw(desk, 0, number=2, x=40)
    draw(desk, 20, number=2, x=40)
    begin_propagation(desk, qtbot)
    for number, x in ((1, 10), (2, 40)):
        found = session.masks.of_object(number)
        assert list(found) == sorted(found)
        assert {0, 3} <= found.keys()
        assert {entry.mask for entry in found.values()} == {mask_at(x)}
    assert max(session.masks.of_object(1)) < 20
    assert max(session.masks.of_object(2)) == 20
