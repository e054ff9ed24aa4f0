"""The clicks among neighbours: what a mask takes another gives, or keeps."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from app.core.document import Entry, Key, Origin, State
from app.core.mask import Mask
from app.engine.jobs import Job, Segment
from app.session.inference.engine import Engine
from models.api import Click
from tests.fakes import square
from tests.session.desk import Desk, draw, mask_at


def neighbours(desk: Desk, origin: Origin = Origin.PROPAGATED) -> None:
    """Give frame 0 two objects side by side; the first is selected."""
    draw(desk, 0)
    desk.session.objects.add()
    desk.session.edit.make({Key(0, 2): beside(origin)}, "Put")
    desk.session.view.select(1)


def beside(origin: Origin = Origin.PROPAGATED) -> Entry:
    return Entry(Mask.encode(square(20, side=15)), origin)


def test_what_a_click_takes_the_other_object_gives_in_one_step(
    desk: Desk, idle: Callable[[], None]
) -> None:
    session = desk.session
    neighbours(desk)
    before = dict(session.masks.document.items())
    steps = session.history.stack.count()
    session.clicks.click(Click(24, 25))
    idle()
    document = session.masks.document
    mine, theirs = document.get(Key(0, 1)), document.get(Key(0, 2))
    assert mine is not None
    assert theirs is not None
    assert mine.mask == Mask.encode(square(10) | square(19))
    assert theirs.mask == Mask.encode(square(20, side=15) & ~square(19))
    assert session.history.stack.count() == steps + 1
    session.history.undo()
    assert dict(document.items()) == before


@pytest.mark.parametrize("change", [{"locked": True}, {"visible": False}])
def test_a_locked_or_hidden_neighbour_gives_nothing_and_that_is_said(
    desk: Desk, idle: Callable[[], None], change: dict[str, bool]
) -> None:
    session = desk.session
    neighbours(desk)
    session.objects.edit(replace(session.masks.objects[1], **change))  # type: ignore[arg-type]
    before = dict(session.masks.document.items())
    session.clicks.click(Click(30, 28))
    assert desk.said("object 2, which is locked or hidden")
    assert dict(session.masks.document.items()) == before
    session.clicks.click(Click(18, 30))  # the model's mask reaches into the neighbour
    idle()
    assert session.masks.document.get(Key(0, 2)) == beside()
    mine = session.masks.document.get(Key(0, 1))
    assert mine is not None
    assert mine.mask == Mask.encode(square(10) | square(13, 25) & ~square(20, side=15))


def test_a_click_into_a_locked_mask_makes_no_object(desk: Desk) -> None:
    session = desk.session
    draw(desk, 0)
    session.objects.edit(replace(session.masks.objects[0], locked=True))
    session.view.select(None)
    session.clicks.click(Click(14, 25))
    assert len(session.masks.objects) == 1


def test_a_mask_that_belongs_to_others_altogether_changes_nothing_and_that_is_said(
    desk: Desk, idle: Callable[[], None]
) -> None:
    session = desk.session
    draw(desk, 0, x=20)
    draw(desk, 0, number=2, x=50)  # which has nothing to do with it
    session.objects.edit(*(replace(each, locked=True) for each in session.masks.objects))
    session.objects.add()
    before = dict(session.masks.document.items())
    session.edit.draw_mask(0, 3, square(22, 22, side=4), "Brush")
    assert desk.said("All of it belongs to object 1, which is locked or hidden")
    assert dict(session.masks.document.items()) == before


def test_the_next_candidate_begins_where_the_click_began(
    desk: Desk, idle: Callable[[], None]
) -> None:
    session = desk.session
    neighbours(desk, Origin.DRAWN)
    for frame in (1, 2):
        session.edit.make(
            {Key(frame, 2): Entry(Mask.encode(square(20, side=15)), Origin.PROPAGATED)}, "Put"
        )
    before = dict(session.masks.document.items())
    session.clicks.click(Click(24, 25))
    idle()
    first = dict(session.masks.document.items())
    assert session.masks.state(Key(1, 2)) is State.STALE
    assert session.clicks.candidates[1] > 2
    for _ in range(session.clicks.candidates[1]):
        session.clicks.next_candidate()
        here = [entry.mask.decode() for entry in session.masks.shown(0).values() if entry.mask]
        assert not (here[0] & here[1]).any()
    assert dict(session.masks.document.items()) == first
    session.history.undo()
    assert dict(session.masks.document.items()) == before


@pytest.mark.parametrize("x", [45, 30])
@pytest.mark.parametrize("later", ["nothing", "stale", "verify", "draw the other", "draw a third"])
def test_the_next_candidate_overlaps_nothing_whatever_came_after_the_click(
    desk: Desk, idle: Callable[[], None], x: int, later: str
) -> None:
    session = desk.session
    for number, place in ((1, 10), (2, 40)):
        session.objects.add()
        session.edit.make({Key(0, number): Entry(mask_at(place), Origin.PROPAGATED)}, "Put")
    session.view.select(1)
    session.clicks.click(Click(x, 25))
    idle()
    if later == "stale":
        two = session.masks.document.on_frame(0)[2]
        session.edit.make({Key(0, 2): replace(two, stale=True)}, "Mark")
    elif later == "verify":
        session.edit.verify([Key(0, 2)])
    elif later == "draw the other":
        draw(desk, 0, number=2, x=8)
    elif later == "draw a third":
        draw(desk, 0, number=3, x=12)
    for _ in range(session.clicks.candidates[1]):
        session.clicks.next_candidate()
        shown = session.masks.shown(0).values()
        masks = [entry.mask.decode() for entry in shown if entry.mask is not None]
        assert np.sum(masks, axis=0).max() == 1


def test_a_candidate_that_takes_nothing_makes_nothing_stale(
    desk: Desk, idle: Callable[[], None]
) -> None:
    session = desk.session
    neighbours(desk, Origin.DRAWN)
    session.edit.make({Key(1, 2): Entry(mask_at(20), Origin.PROPAGATED)}, "Put")
    session.clicks.click(Click(24, 25))
    idle()
    assert session.masks.state(Key(1, 2)) is State.STALE
    states = set()
    for _ in range(session.clicks.candidates[1]):
        session.clicks.next_candidate()
        untouched = session.masks.document.get(Key(0, 2)) == beside(Origin.DRAWN)
        states.add((untouched, session.masks.state(Key(1, 2))))
    assert states <= {(True, State.PREDICTED), (False, State.STALE)}


def test_a_mask_that_another_candidate_leaves_alone_is_not_verified(
    desk: Desk, idle: Callable[[], None]
) -> None:
    session = desk.session
    neighbours(desk)
    session.clicks.click(Click(20, 29))
    idle()
    assert session.masks.document.get(Key(0, 2)) != beside()
    for _ in range(session.clicks.candidates[1]):
        session.clicks.next_candidate()
        if session.masks.document.get(Key(0, 2)) == beside():
            break
    else:
        pytest.fail("every candidate takes from the neighbour")
    session.correction.verify_and_heal()
    idle()
    assert session.masks.state(Key(0, 2)) is State.PREDICTED


def test_where_masks_may_overlap_nobody_gives(desk: Desk, idle: Callable[[], None]) -> None:
    session = desk.session
    neighbours(desk)
    session.preferences.apply(replace(session.preferences.settings, overlap=True))
    session.clicks.click(Click(24, 25))
    idle()
    assert session.masks.document.get(Key(0, 2)) == beside()
    mine = session.masks.document.get(Key(0, 1))
    assert mine is not None
    assert mine.mask is not None
    assert (mine.mask.decode() & square(20, side=15)).any()


def test_the_second_click_on_a_new_mask_may_change_all_of_it(
    desk: Desk, idle: Callable[[], None]
) -> None:
    session = desk.session
    session.clicks.click(Click(20, 25))
    idle()
    session.clicks.click(Click(40, 25))
    idle()
    entry = session.masks.document.get(Key(0, 1))
    assert entry is not None
    assert entry.mask == Mask.encode(square(35) | square(20, 25, side=1))
    # One that somebody has drawn since then is mended.
    session.edit.draw_mask(0, 1, square(10), "Brush")
    session.clicks.click(Click(22, 25))
    idle()
    entry = session.masks.document.get(Key(0, 1))
    assert entry is not None
    assert entry.mask == Mask.encode(square(10) | square(17))


def test_a_preview_is_what_the_click_will_give(
    desk: Desk, qtbot: QtBot, idle: Callable[[], None]
) -> None:
    session = desk.session
    neighbours(desk)
    session.clicks.preview(Click(24, 25))
    qtbot.waitUntil(lambda: bool(desk.ghosts) and desk.ghosts[-1] is not None)
    ghost = desk.ghosts[-1]
    session.clicks.click(Click(24, 25))
    idle()
    entry = session.masks.document.get(Key(0, 1))
    assert ghost is not None
    assert entry is not None
    assert ghost[2] == entry.mask


def test_the_model_is_told_of_the_masks_beside_and_of_no_absence(
    desk: Desk, idle: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    session = desk.session
    for number, x in ((1, 5), (2, 30)):
        draw(desk, 0, number, x)
    for number, mask in ((3, mask_at(50)), (4, None)):
        session.objects.add()
        session.edit.make({Key(0, number): Entry(mask, Origin.PROPAGATED)}, "Put")
    session.objects.edit(replace(session.masks.objects[1], locked=True))
    asked, put = list[Segment](), Engine.put

    def noted(engine: Engine, request: Job) -> None:
        if isinstance(request, Segment):
            asked.append(request)
        put(engine, request)

    monkeypatch.setattr(Engine, "put", noted)
    session.view.select(1)
    session.clicks.click(Click(9, 25))
    idle()
    assert [(each.others, each.kept) for each in asked] == [((mask_at(50),), (mask_at(30),))]
    assert asked[0].mask == mask_at(5)


def test_it_is_said_whose_all_of_a_click_s_mask_is(desk: Desk, idle: Callable[[], None]) -> None:
    session = desk.session
    draw(desk, 0, 1, x=20)
    draw(desk, 0, 2, x=50)
    session.objects.edit(replace(session.masks.objects[1], locked=True))  # which lies elsewhere
    session.objects.add()
    session.clicks.click(Click(25, 31))  # below it
    idle()
    before = dict(session.masks.document.items())
    session.edit.put(
        Key(0, 3),
        Entry(Mask.encode(square(22, 22, side=4)), Origin.CLICKED),
        "Click",
        keeping={1, 2},
    )
    assert dict(session.masks.document.items()) == before
    assert desk.reports[-1].text == (
        "All of it belongs to object 1. Click inside that mask to take a part of it."
    )
