"""Masks that come ready from a file or a run: they overlap nothing, and are a step of their own."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from app.core.block import Block
from app.core.runs import RunKind
from app.storage.formats.palette import write_palette_png
from models.api import BoolMask
from tests.fakes import square
from tests.session.desk import FRAMES, Desk, begin_propagation, draw

LEFT, BESIDE = square(10), square(15)  # which overlap


def put_in(desk: Desk, qtbot: QtBot, folder: Path, how: str) -> None:
    """Put `BESIDE` in as object 2 on frames 0 to 3, as a file or as a run of one."""
    folder.mkdir()
    for frame in range(4):
        write_palette_png(folder / f"{frame:05d}.png", 2 * BESIDE.astype(np.uint8))
    if how == "import":
        desk.session.files.exchange.import_masks(folder)
        return
    runs = desk.session.inspection.runs
    runs.import_run(folder, RunKind.GROUND_TRUTH)
    qtbot.waitUntil(lambda: bool(runs.infos))
    runs.take_over(1, 0, 3)


def pixels(desk: Desk, frame: int, number: int) -> BoolMask:
    return desk.session.masks.pixels(frame, number)


@pytest.fixture(params=["import", "run"])
def put(
    request: pytest.FixtureRequest, desk: Desk, qtbot: QtBot, tmp_path: Path
) -> Callable[[], None]:
    return lambda: put_in(desk, qtbot, tmp_path / "masks", request.param)


def test_what_stands_there_gives_what_they_cover(desk: Desk, put: Callable[[], None]) -> None:
    for frame in (0, 1):
        draw(desk, frame)
    put()
    assert np.array_equal(pixels(desk, 0, 2), BESIDE)
    assert np.array_equal(pixels(desk, 0, 1), LEFT & ~BESIDE)
    assert "object 1 gave what they cover there" in desk.reports[-1].text
    desk.session.history.undo()
    assert np.array_equal(pixels(desk, 0, 1), LEFT)
    assert not pixels(desk, 0, 2).any()


def test_what_is_locked_gives_nothing(desk: Desk, put: Callable[[], None]) -> None:
    draw(desk, 0)
    session = desk.session
    session.objects.edit(replace(session.masks.objects[0], locked=True))
    put()
    assert np.array_equal(pixels(desk, 0, 1), LEFT)
    assert np.array_equal(pixels(desk, 0, 2), BESIDE & ~LEFT)
    assert np.array_equal(pixels(desk, 1, 2), BESIDE)
    assert "got nothing of what locked or hidden objects have" in desk.reports[-1].text


def test_where_masks_may_overlap_they_do(desk: Desk, put: Callable[[], None]) -> None:
    draw(desk, 0)
    session = desk.session
    session.preferences.apply(replace(session.preferences.settings, overlap=True))
    put()
    assert np.array_equal(pixels(desk, 0, 1), LEFT)
    assert np.array_equal(pixels(desk, 0, 2), BESIDE)


def test_a_job_that_makes_way_for_them_is_a_step_of_its_own(
    desk: Desk, qtbot: QtBot, put: Callable[[], None]
) -> None:
    draw(desk, 0)
    begin_propagation(desk, qtbot)
    put()
    desk.session.jobs.cancel()
    assert np.array_equal(pixels(desk, 3, 1), LEFT & ~BESIDE)
    while "Propagate" not in desk.session.history.undo_text:
        desk.session.history.undo()
    assert np.array_equal(pixels(desk, 3, 1), LEFT)
    assert not pixels(desk, 3, 2).any()
    desk.made.fake_tracker.gate.open()


def test_what_a_job_finds_while_it_makes_way_is_split_with_the_rest(
    desk: Desk, qtbot: QtBot
) -> None:
    session, gate = desk.session, desk.made.fake_tracker.gate
    session.objects.add()
    both = square(0) | square(40)
    session.edit.draw_mask(0, 1, both, "Brush")
    begin_propagation(desk, qtbot)
    passed = gate.passed
    gate.let(2)
    gate.wait_until_passed(passed + 2)
    assert session.masks.shown(5) == {}  # found, but waits in the event queue
    session.ranges.split_off(Block((1,), range(FRAMES)))
    session.jobs.cancel()
    for frame in range(7):
        assert len(session.masks.document.on_frame(frame)) == 2, frame
    while "Propagate" not in session.history.undo_text:
        session.history.undo()
    assert [info.id for info in session.masks.objects] == [1]
    assert np.array_equal(pixels(desk, 3, 1), both)
    gate.open()


def test_an_object_of_a_run_is_none_that_was_deleted(
    desk: Desk, qtbot: QtBot, tmp_path: Path
) -> None:
    for number in (1, 2):
        draw(desk, 0, number=number, x=30 * number)
    desk.session.objects.delete(2)
    put_in(desk, qtbot, tmp_path / "masks", "run")
    assert [info.id for info in desk.session.masks.objects] == [1, 3]
    desk.session.inspection.runs.take_over(1, 2, 3)
    assert [info.id for info in desk.session.masks.objects] == [1, 3]
