"""Runs and the effort of a person: what they say of frames, objects and interactions."""

import numpy as np
import pytest

from app.core.document import Document, Entry, Key, ObjectInfo, Origin, ids_for
from app.core.effort import LONGEST_S, Interaction, Tally
from app.core.inspection.agreement import disagreement
from app.core.mask import Mask
from app.core.runs import RunInfo, RunKind, run_of
from tests.fakes import SIZE, square

INFO = RunInfo("first", RunKind.GROUND_TRUTH)
OBJECTS = (ObjectInfo(1, "cup", (1, 2, 3)), ObjectInfo(4, "knife", (3, 2, 1)))


def mask_at(x: int) -> Mask:
    mask = Mask.encode(square(x))
    assert mask is not None
    return mask


def document(*places: tuple[int, int, int | None]) -> Document:
    """Return a document with a square at x, or an absence, per (frame, object, x)."""
    entries = {
        Key(frame, number): Entry(None if x is None else mask_at(x), Origin.PROPAGATED)
        for frame, number, x in places
    }
    return Document(OBJECTS, entries)


def test_a_run_speaks_of_the_frames_on_which_anything_is_said() -> None:
    given = document((7, 1, 10), (2, 1, None), (5, 4, 20))
    run = run_of(given, INFO)
    assert (run.frames, run.objects) == ((2, 5, 7), {1: "cup", 4: "knife"})
    assert dict(run.masks) == {Key(7, 1): mask_at(10), Key(5, 4): mask_at(20)}
    assert [run.is_sparse(count) for count in (3, 4)] == [False, True]
    chosen = run_of(given, INFO, [7, 3])
    assert (chosen.frames, dict(chosen.masks)) == ((3, 7), {Key(7, 1): mask_at(10)})


def test_the_labels_of_a_run_have_higher_ids_on_top_and_none_on_unknown_frames() -> None:
    run = run_of(document((0, 4, 15), (0, 1, 10), (2, 1, None)), INFO)
    labels = run.labels(0, SIZE)
    assert labels is not None
    np.testing.assert_array_equal(labels, np.where(square(15), 4, square(10)))
    absent = run.labels(2, SIZE)
    assert absent is not None
    assert not absent.any()
    assert run.labels(1, SIZE) is None


@pytest.mark.parametrize(
    ("kind", "origin"),
    [(RunKind.GROUND_TRUTH, Origin.IMPORTED), (RunKind.PREDICTION, Origin.PROPAGATED)],
)
def test_what_is_taken_over_of_a_run_is_verified_and_only_where_it_speaks(
    kind: RunKind, origin: Origin
) -> None:
    run = run_of(document((0, 1, 10), (2, 4, 20)), RunInfo("run", kind))
    assert run.take_over(range(3), (1, 4)) == {
        Key(0, 1): Entry(mask_at(10), origin, verified=True),
        Key(0, 4): Entry(None, origin, verified=True),
        Key(2, 1): Entry(None, origin, verified=True),
        Key(2, 4): Entry(mask_at(20), origin, verified=True),
    }


def test_two_runs_disagree_where_both_speak_by_what_they_do_not_share() -> None:
    one = run_of(document((0, 1, 10), (1, 1, 10), (2, 1, 10), (3, 1, None), (5, 1, 10)), INFO)
    other = run_of(document((0, 1, 10), (1, 1, 15), (2, 1, None), (3, 1, None), (6, 1, 10)), INFO)
    frames, apart = disagreement(one, other, 1)
    assert frames.tolist() == [0, 1, 2, 3]
    assert apart.tolist() == pytest.approx([0, 1 - 50 / 150, 1, 0])
    assert disagreement(one, other, 4)[1].tolist() == [0, 0, 0, 0]


def test_an_object_from_outside_keeps_its_id_unless_that_was_anothers() -> None:
    given = document((0, 1, 10))
    given.replace_objects((*OBJECTS, ObjectInfo(5, "fork", (4, 4, 4))))
    given.replace_objects(OBJECTS)
    assert given.next_id == 6
    assert ids_for(given, [9, 1, 4, 6]) == {1: 1, 4: 4, 6: 6, 9: 9}
    assert ids_for(given, [3, 5, 4, 5]) == {3: 6, 4: 4, 5: 7}  # those of objects that are gone
    assert ids_for(given, [8, 5]) == {5: 9, 8: 8}


def test_the_effort_is_what_was_done_not_what_was_looked_at_or_slept_through() -> None:
    tally = Tally([
        Interaction("clicks.click", 3, 1, 2.0, clicks=1),
        Interaction("view.go_to", 4, 1, 1.5),
        Interaction("edit.draw", 5, 4, LONGEST_S + 100, clicks=2),
        Interaction("jobs.propagate", 6, None, 1.0),
    ])  # fmt: skip
    whole = tally.whole
    assert (whole.interactions, whole.clicks, whole.frames) == (3, 3, {3, 5})
    assert whole.seconds == pytest.approx(4.5 + LONGEST_S)
    assert tally.objects.keys() == {1, 4}
    one = tally.objects[1]
    assert (one.interactions, one.clicks, one.frames, one.seconds) == (1, 1, {3}, 3.5)
