"""The edits of masks: strokes, states, exchanges."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from pytestqt.qtbot import QtBot

from app.core.document import Entry, Key, ObjectInfo, Origin, State
from app.core.mask import Mask
from app.core.plan import Direction
from models.api import BoolMask, Click
from tests.fakes import square
from tests.session.desk import FRAMES, Desk, draw, mask_at


@pytest.fixture
def pair(desk: Desk, idle: Callable[[], None]) -> Desk:
    """Two objects, at x 10 and 40, propagated through the clip."""
    draw(desk, 0)
    draw(desk, 0, number=2, x=40)
    desk.session.jobs.propagate(Direction.FORWARD)
    idle()
    return desk


def masks(desk: Desk, number: int) -> list[int]:
    """Return the object's place on each frame: 10 or 40."""
    found = (desk.session.masks.document.get(Key(frame, number)) for frame in range(FRAMES))
    return [10 if entry and entry.mask == mask_at(10) else 40 for entry in found]


def test_a_drawn_mask_is_an_anchor_and_an_empty_one_means_absent(desk: Desk) -> None:
    draw(desk, 3)
    assert desk.session.masks.state(Key(3, 1)) is State.ANCHOR
    desk.session.edit.draw_mask(4, 1, square(10) & False, "Erase")
    assert desk.session.masks.state(Key(4, 1)) is State.ABSENT


def test_locked_objects_are_never_touched(desk: Desk, idle: Callable[[], None]) -> None:
    session = desk.session
    draw(desk, 3)
    session.objects.edit(ObjectInfo(1, "knife", (1, 2, 3), locked=True))
    before = dict(session.masks.document.items())
    session.edit.draw_mask(3, 1, square(30), "Brush")
    session.edit.clear([Key(3, 1)])
    session.edit.mark_absent([Key(4, 1)])
    session.clicks.click(Click(20, 20))
    session.objects.delete(1)
    session.jobs.propagate(Direction.BOTH)
    idle()
    assert dict(session.masks.document.items()) == before
    assert desk.said("locked")


def test_absent_occluded_approved_and_unanchored_are_undoable_states(
    desk: Desk, idle: Callable[[], None]
) -> None:
    session = desk.session
    draw(desk, 0)
    session.jobs.propagate(Direction.FORWARD)
    idle()
    session.edit.mark_absent([Key(5, 1)])
    session.edit.mark_occluded([Key(6, 1)])
    session.edit.verify([Key(7, 1)])
    session.edit.unanchor([Key(0, 1)])
    states = [session.masks.state(Key(frame, 1)) for frame in (5, 6, 7, 0)]
    assert states == [State.ABSENT, State.OCCLUDED, State.VERIFIED, State.STALE]
    for _ in range(4):
        session.history.stack.undo()
    assert session.masks.state(Key(6, 1)) is State.PREDICTED
    assert session.masks.state(Key(0, 1)) is State.ANCHOR


def test_showing_an_object_again_brings_back_what_stood_there(
    desk: Desk, idle: Callable[[], None]
) -> None:
    session = desk.session
    draw(desk, 0)
    session.jobs.propagate(Direction.FORWARD)
    idle()
    for frame in (0, 5):  # drawn, propagated
        key = Key(frame, 1)
        before = session.masks.document.get(key)
        assert before is not None
        session.edit.mark_absent([key])
        session.edit.mark_occluded([key])
        session.edit.show_again([key])
        after = session.masks.document.get(key)
        assert after is not None
        assert (after.mask, after.origin) == (before.mask, before.origin)


def test_showing_an_object_again_where_nothing_stood_leaves_nothing(desk: Desk) -> None:
    desk.session.objects.add()
    desk.session.edit.mark_absent([Key(3, 1)])
    desk.session.edit.show_again([Key(3, 1)])
    assert desk.session.masks.document.get(Key(3, 1)) is None


def test_approving_a_mask_as_it_is_makes_nothing_stale(
    desk: Desk, idle: Callable[[], None]
) -> None:
    session = desk.session
    draw(desk, 0)
    session.jobs.propagate(Direction.FORWARD)
    idle()
    session.edit.verify([Key(10, 1)])
    assert session.masks.state(Key(10, 1)) is State.VERIFIED
    assert not any(entry.stale for _, entry in session.masks.document.items())


def test_an_edit_marks_what_depends_on_it_as_stale_in_the_same_step(
    desk: Desk, idle: Callable[[], None]
) -> None:
    session = desk.session
    draw(desk, 0)
    session.jobs.propagate(Direction.FORWARD)
    idle()
    draw(desk, 10, x=30)
    assert session.masks.state(Key(5, 1)) is State.STALE
    assert session.masks.state(Key(20, 1)) is State.STALE
    session.history.stack.undo()
    assert session.masks.state(Key(20, 1)) is State.PREDICTED


def test_two_objects_exchange_their_masks_from_here_on_in_one_step(pair: Desk) -> None:
    session = pair.session
    before = dict(session.masks.document.items())
    session.view.go_to(12)
    session.edit.exchange(1, 2)
    assert masks(pair, 1) == [10] * 12 + [40] * (FRAMES - 12)
    assert masks(pair, 2) == [40] * 12 + [10] * (FRAMES - 12)
    assert not any(entry.stale for _, entry in session.masks.document.items())
    session.history.undo()
    assert dict(session.masks.document.items()) == before


def test_an_exchange_ends_before_the_next_anchor_of_either(pair: Desk) -> None:
    session = pair.session
    session.edit.verify([Key(20, 2)])
    session.view.go_to(12)
    session.edit.exchange(1, 2)
    assert masks(pair, 1) == [10] * 12 + [40] * 8 + [10] * (FRAMES - 20)


def test_what_was_exchanged_stays_when_the_frames_before_it_are_propagated_again(
    pair: Desk, idle: Callable[[], None]
) -> None:
    session = pair.session
    session.view.go_to(12)
    session.edit.exchange(1, 2)
    session.view.go_to(0)
    session.jobs.propagate(Direction.FORWARD)
    idle()
    assert masks(pair, 1)[12:] == [40] * (FRAMES - 12)


@pytest.mark.parametrize(
    ("anchor", "frames", "verified"),
    [
        (None, None, [12]),
        (20, None, [12]),
        (None, range(12, 18), [12, 17]),
        (18, range(12, 18), [12]),
        (None, range(12, FRAMES), [12]),
    ],
)
def test_an_exchange_verifies_no_frame_behind_which_nothing_wrong_can_come(
    pair: Desk, anchor: int | None, frames: range | None, verified: list[int]
) -> None:
    session = pair.session
    if anchor is not None:
        session.edit.verify([Key(anchor, 2)])
    session.view.go_to(12)
    session.edit.exchange(1, 2, frames)
    found = session.masks.document.of_object(1)
    assert [frame for frame, entry in found.items() if entry.verified and frame != 0] == verified


def test_an_object_that_is_seen_alone_gives_its_mask_and_gets_none(desk: Desk) -> None:
    session = desk.session
    draw(desk, 3)
    session.objects.add()
    session.edit.exchange(1, 2, range(FRAMES))
    assert session.masks.document.get(Key(3, 1)) is None
    entry = session.masks.document.get(Key(3, 2))
    assert entry is not None
    assert entry.mask == mask_at(10)


def test_a_locked_object_exchanges_nothing(pair: Desk) -> None:
    session = pair.session
    before = dict(session.masks.document.items())
    session.objects.edit(replace(session.masks.objects[1], locked=True))
    session.edit.exchange(1, 2)
    assert dict(session.masks.document.items()) == before
    assert pair.said("is locked")


def test_an_exchange_during_a_propagation_keeps_what_is_finished(
    desk: Desk, qtbot: QtBot, idle: Callable[[], None]
) -> None:
    session, gate = desk.session, desk.made.fake_tracker.gate
    draw(desk, 0)
    draw(desk, 0, number=2, x=40)
    gate.close()
    session.jobs.propagate(Direction.FORWARD)
    gate.let(6)
    qtbot.waitUntil(lambda: len(session.masks.shown(5)) == 2)
    session.edit.exchange(1, 2, range(3, 6))
    gate.open()
    idle()
    assert masks(desk, 1)[:6] == [10, 10, 10, 40, 40, 40]
    assert len(session.masks.document.of_object(1)) == FRAMES


@pytest.mark.parametrize("hide", ["mark_absent", "mark_occluded"])
def test_hiding_an_object_and_showing_it_again_leaves_nothing_stale(
    desk: Desk, idle: Callable[[], None], hide: str
) -> None:
    session = desk.session
    draw(desk, 0)
    session.jobs.propagate(Direction.FORWARD)
    idle()
    before = dict(session.masks.document.items())
    steps = session.history.stack.count()
    key = Key(9, 1)
    getattr(session.edit, hide)([key])
    assert session.masks.state(Key(10, 1)) is State.STALE
    session.edit.show_again([key])
    assert dict(session.masks.document.items()) == before
    assert session.history.stack.count() == steps + 2
    session.history.undo()
    assert session.masks.state(key) in {State.ABSENT, State.OCCLUDED}
    assert session.masks.state(Key(10, 1)) is State.STALE
    session.history.undo()
    assert dict(session.masks.document.items()) == before


def test_showing_again_leaves_what_was_done_in_between(
    desk: Desk, idle: Callable[[], None]
) -> None:
    session = desk.session
    draw(desk, 0)
    session.jobs.propagate(Direction.FORWARD)
    idle()
    session.edit.mark_absent([Key(9, 1)])
    draw(desk, 12, x=30)
    session.edit.show_again([Key(9, 1)])
    drawn = session.masks.document.get(Key(12, 1))
    assert drawn is not None
    assert drawn.mask == mask_at(30)


def test_one_frame_of_many_hidden_ones_is_shown_again_alone(
    desk: Desk, idle: Callable[[], None]
) -> None:
    session = desk.session
    draw(desk, 0)
    session.jobs.propagate(Direction.FORWARD)
    idle()
    session.edit.mark_absent([Key(frame, 1) for frame in range(5, 10)])
    session.edit.mark_occluded([Key(6, 1)])
    session.edit.show_again([Key(6, 1)])
    states = [session.masks.state(Key(frame, 1)) for frame in range(5, 8)]
    assert states == [State.ABSENT, State.PREDICTED, State.ABSENT]


# Masks of one frame exclude each other


@pytest.mark.parametrize("origin", [Origin.DRAWN, Origin.PROPAGATED])
def test_a_stroke_takes_from_anchors_too(desk: Desk, origin: Origin) -> None:
    session = desk.session
    session.objects.add()
    session.objects.add()
    session.edit.make({Key(0, 1): Entry(mask_at(10), origin)}, "Put")
    before = dict(session.masks.document.items())
    session.edit.draw_mask(0, 2, square(15), "Brush")
    entry = session.masks.document.get(Key(0, 1))
    assert entry is not None
    assert entry.mask == Mask.encode(square(10) & ~square(15))
    session.history.undo()
    assert dict(session.masks.document.items()) == before


def test_a_stroke_leaves_a_locked_mask_as_it_is(desk: Desk) -> None:
    session = desk.session
    draw(desk, 0)
    session.objects.edit(replace(session.masks.objects[0], locked=True))
    draw(desk, 0, number=2, x=15)
    entry = session.masks.document.get(Key(0, 2))
    assert entry is not None
    assert entry.mask == Mask.encode(square(15) & ~square(10))
    assert session.masks.state(Key(0, 1)) is State.ANCHOR


@pytest.mark.parametrize("pixels", [square(10), square(10) | square(30), square(12)])
def test_what_a_locked_object_may_not_get_is_taken_from_no_other(
    desk: Desk, pixels: BoolMask
) -> None:
    session = desk.session
    draw(desk, 0)
    draw(desk, 0, number=2, x=40)
    session.objects.edit(replace(session.masks.objects[1], locked=True))
    before = dict(session.masks.document.items())
    session.edit.draw_mask(0, 2, pixels, "Brush")
    assert dict(session.masks.document.items()) == before
    assert desk.said("object 2 is locked")


@pytest.mark.parametrize("x", [5, 10, 14])
def test_what_others_got_since_an_object_was_hidden_they_give_where_it_is_shown_again(
    desk: Desk, x: int
) -> None:
    session = desk.session
    draw(desk, 0)
    session.edit.mark_occluded([Key(0, 1)])
    draw(desk, 0, number=2, x=x)
    before = dict(session.masks.document.items())
    session.edit.show_again([Key(0, 1)])
    shown = session.masks.document.on_frame(0)
    assert shown[1].mask == mask_at(10)
    left = shown[2].mask if 2 in shown else None
    assert left == Mask.encode(square(x) & ~square(10))
    session.history.undo()
    assert dict(session.masks.document.items()) == before


def test_two_objects_shown_again_each_take_from_who_stands_there(desk: Desk) -> None:
    session = desk.session
    draw(desk, 0)
    draw(desk, 0, number=2, x=30)
    keys = [Key(0, 1), Key(0, 2)]
    session.edit.mark_absent(keys)
    session.objects.add()
    session.edit.draw_mask(0, 3, square(15, side=20), "Brush")
    session.edit.show_again(keys)
    left = square(15, side=20) & ~square(10) & ~square(30)
    found = {number: entry.mask for number, entry in session.masks.document.on_frame(0).items()}
    assert found == {1: mask_at(10), 2: mask_at(30), 3: Mask.encode(left)}


def test_masks_that_overlapped_before_one_was_hidden_still_do(desk: Desk) -> None:
    session = desk.session
    for number, x in ((1, 10), (2, 15)):
        session.objects.add()
        session.edit.make({Key(0, number): Entry(mask_at(x), Origin.IMPORTED)}, "Import")
    before = dict(session.masks.document.items())
    session.edit.mark_occluded([Key(0, 1)])
    session.edit.show_again([Key(0, 1)])
    assert dict(session.masks.document.items()) == before


@pytest.mark.parametrize("locked", [0, 1])
def test_what_is_shown_again_enters_no_locked_mask_and_a_locked_object_is_not_shown(
    desk: Desk, locked: int
) -> None:
    session = desk.session
    draw(desk, 0)
    session.edit.mark_occluded([Key(0, 1)])
    draw(desk, 0, number=2, x=14)
    session.objects.edit(replace(session.masks.objects[locked], locked=True))
    session.edit.show_again([Key(0, 1)])
    shown = session.masks.document.on_frame(0)
    assert shown[2].mask == mask_at(14)
    assert shown[1].mask == (Mask.encode(square(10) & ~square(14)) if locked else None)


def test_masks_overlap_where_the_person_lets_them(desk: Desk) -> None:
    session = desk.session
    session.preferences.apply(replace(session.preferences.settings, overlap=True))
    draw(desk, 0)
    draw(desk, 0, number=2, x=15)
    found = {number: entry.mask for number, entry in session.masks.shown(0).items()}
    assert found == {1: mask_at(10), 2: mask_at(15)}
