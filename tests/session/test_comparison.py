"""The comparison with the masks before the last job, or with a ground truth."""

from collections.abc import Callable
from pathlib import Path

import pytest

from app.core.document import Entry, Key, Origin
from app.core.plan import Direction
from app.core.runs import Run, RunInfo, RunKind
from app.errors import UsageError
from app.session.comparison import Reference
from app.storage.formats.palette import write_palette_png
from tests.fakes import square
from tests.session.desk import FRAMES, Desk, draw, mask_at

Idle = Callable[[], None]


def test_the_nearest_change_is_one_of_a_mask_and_not_of_a_mark_alone(
    desk: Desk, idle: Callable[[], None]
) -> None:
    session = desk.session
    draw(desk, 0)
    session.jobs.propagate(Direction.FORWARD)
    idle()
    session.view.go_to(15)
    session.view.select(1)
    draw(desk, 15, x=30)
    session.correction.verify_and_heal()
    idle()
    assert session.compare.nearest_change(2) == 8  # those before were stale for a time, no more


@pytest.fixture
def truth(tmp_path: Path) -> Path:
    """A ground truth of frames 3 and 4: the object at x 20 and none."""
    folder = tmp_path / "truth"
    folder.mkdir()
    write_palette_png(folder / "00003.png", square(20).astype("uint8"))
    write_palette_png(folder / "00004.png", square(20).astype("uint8") * 0)
    return folder


@pytest.fixture
def told(desk: Desk) -> list[Reference | None]:
    """What is compared with, each time that it is told."""
    found: list[Reference | None] = []
    desk.session.compare.changed.connect(lambda: found.append(desk.session.compare.reference))
    return found


def test_there_is_nothing_to_compare_with_until_a_job_or_a_truth_gives_it(
    desk: Desk, idle: Idle, truth: Path
) -> None:
    compare = desk.session.compare
    assert (compare.has_before, compare.has_truth, compare.can_compare) == (False,) * 3
    assert compare.masks(3) == {}
    compare.read_truth(truth)
    assert (compare.has_before, compare.has_truth, compare.can_compare) == (False, True, True)
    desk.session.files.close()
    assert (compare.has_truth, compare.can_compare) == (False, False)


def test_what_a_job_replaced_is_shown_of_the_objects_that_there_are(
    desk: Desk, idle: Idle, told: list[Reference | None]
) -> None:
    session, compare = desk.session, desk.session.compare
    for number, x in ((1, 10), (2, 45)):
        draw(desk, 0, number=number, x=x)
    session.masks.change({Key(3, 1): Entry(mask_at(30), Origin.PROPAGATED)}, "Put")
    session.jobs.propagate(Direction.FORWARD)
    idle()
    assert (compare.has_before, compare.has_truth, compare.can_compare) == (True, False, True)
    assert told == [None]  # that there is something to compare with
    assert compare.masks(3) == {}  # nothing was chosen
    compare.show(Reference.BEFORE)
    assert compare.masks(3) == {1: mask_at(30), 2: None}
    assert compare.masks(4) == {1: None, 2: None}
    assert compare.masks(0) == {}  # which the job did not change
    session.objects.delete(2)
    assert compare.masks(3) == {1: mask_at(30)}
    compare.show(None)
    assert compare.masks(3) == {}
    assert told[1:] == [Reference.BEFORE, None]


def test_a_truth_speaks_of_the_frames_that_it_has(
    desk: Desk, truth: Path, told: list[Reference | None]
) -> None:
    compare = desk.session.compare
    compare.read_truth(truth)
    assert told == [Reference.TRUTH]
    assert compare.masks(3) == {1: mask_at(20)}
    assert compare.masks(4) == {1: None}  # annotated: not there
    assert compare.masks(5) == {}
    desk.session.files.close()
    with pytest.raises(UsageError, match="Open one first"):
        compare.read_truth(truth)


def test_a_truth_that_is_dropped_is_compared_with_no_longer(
    desk: Desk, truth: Path, told: list[Reference | None]
) -> None:
    compare = desk.session.compare
    compare.read_truth(truth)
    compare.show(Reference.TRUTH, swapped=True)
    told.clear()
    compare.use_truth(None)
    assert (compare.reference, compare.shows_reference, compare.has_truth) == (None, False, False)
    compare.use_truth(None)
    assert told == [None]
    compare.show(Reference.BEFORE)
    run = Run(RunInfo("truth", RunKind.GROUND_TRUTH), {1: "cup"}, (3,), {})
    compare.use_truth(run)
    compare.use_truth(None)
    assert compare.reference is Reference.BEFORE


def test_what_is_edited_is_shown_in_place_of_what_it_is_compared_with(
    desk: Desk, truth: Path
) -> None:
    session, compare = desk.session, desk.session.compare
    compare.read_truth(truth)
    compare.show(Reference.TRUTH, swapped=True)
    assert compare.shows_reference
    draw(desk, 9)  # out of sight
    assert compare.shows_reference
    draw(desk, session.view.frame)
    assert not compare.shows_reference
    assert compare.reference is Reference.TRUTH


def test_the_frames_that_a_job_changed_are_stepped_through_by_how_much(
    desk: Desk, idle: Idle
) -> None:
    session, compare = desk.session, desk.session.compare
    draw(desk, 0)
    places = dict.fromkeys(range(1, FRAMES), 10) | {4: 12, 8: 40, 12: 15}
    session.masks.change(
        {Key(f, 1): Entry(mask_at(x), Origin.PROPAGATED) for f, x in places.items()}, "Put"
    )
    assert compare.next_change(0) is None
    assert compare.nearest_change(0) is None
    session.jobs.propagate(Direction.FORWARD)
    idle()
    assert compare.next_change(0) == 8
    assert [compare.next_change(frame) for frame in (8, 12, 4)] == [12, 4, 8]
    assert [compare.nearest_change(frame) for frame in (0, 5, 7, 10, 11, 29)] == [
        4,
        4,
        8,
        8,
        12,
        12,
    ]
