"""The frames between annotated ones: which are followed, from where, and what is believed."""

from dataclasses import replace

import numpy as np

from app.core.block import stretches
from app.core.densify import (
    agreement,
    annotated_frames,
    merged,
    passes,
    runs,
    tally,
    unfilled,
)
from app.core.document import Document, Entry, Key, ObjectInfo, Origin
from app.core.mask import Mask
from models.api import Prediction
from tests.fakes import square

MASK = Mask.encode(square(10))


def document_of(drawn: dict[int, set[int]]) -> Document:
    """Return a document with these masks: frame -> objects."""
    infos = tuple(ObjectInfo(number, f"object {number}", (0, 0, 0)) for number in (1, 2))
    keys = [Key(frame, number) for frame, numbers in drawn.items() for number in numbers]
    return Document(infos, {key: Entry(MASK, Origin.DRAWN) for key in keys})


def test_every_frame_between_two_annotated_ones_is_in_their_run() -> None:
    document = document_of({2: {1, 2}, 6: {1}, 7: {1}, 9: {2}, 11: {1}})
    [run] = runs(document, [11, 9, 7, 6, 2])
    assert (run.start, run.end, run.objects, run.one_sided) == (2, 6, (1,), (2,))
    assert list(run.frames) == [3, 4, 5]
    assert [run.share(frame) for frame in (2, 3, 5, 6)] == [0, 0.25, 0.75, 1]


def test_a_gap_of_one_frame_is_a_run() -> None:
    [run] = runs(document_of({0: {1}, 2: {1}}), [0, 2])
    assert list(run.frames) == [1]


def test_each_pass_starts_with_all_masks_of_its_end_and_runs_into_the_other() -> None:
    document = document_of({2: {1, 2}, 5: {1}})
    [run] = runs(document, [2, 5])
    both = passes(document, run)
    _, forward, backward = both
    assert both.steps == 8
    assert {frame: set(masks) for frame, masks in forward.anchors.items()} == {2: {1, 2}}
    assert {frame: set(masks) for frame, masks in backward.anchors.items()} == {5: {1}}
    assert list(forward.frames) == [2, 3, 4, 5]
    assert list(backward.frames) == [5, 4, 3, 2]
    for each in (forward, backward):
        assert [frame for frame in range(8) if each.may_fill(Key(frame, 1))] == [3, 4]


def test_the_nearer_end_decides_where_the_two_directions_differ() -> None:
    left, right = square(0), square(40)
    forward, backward = Prediction(left, 1.0), Prediction(right, 1.0)
    assert np.array_equal(merged(forward, backward, 0.25), left)
    assert np.array_equal(merged(forward, backward, 0.75), right)
    assert not merged(forward, backward, 0.5).any()
    assert np.array_equal(merged(forward, forward, 0.5), left)


def test_agreement_is_the_iou() -> None:
    first, second, empty = np.zeros((3, 4, 8), np.bool_)
    first[:, :4] = True
    second[:, 2:6] = True
    assert agreement(first, second) == 8 / 24
    assert agreement(first, empty) == 0
    assert agreement(empty, empty) == 1


def test_what_is_gated_out_is_counted_but_not_accepted() -> None:
    document = document_of({0: {1, 2}, 4: {1}})
    [run] = runs(document, [0, 4])
    scores = {1: (0.9, False), 2: (0.5, True), 3: (0.8, False)}
    for frame, (score, gated) in scores.items():
        entry = Entry(MASK, Origin.PROPAGATED, score=score, conflict=gated)
        document.replace({Key(frame, 1): entry})
    kept, alone = tally(document, [run])
    assert (kept.object, kept.agreements, kept.gated, kept.accepted) == (
        1,
        (0.9, 0.5, 0.8),
        (2,),
        2,
    )
    assert (alone.object, alone.agreements, alone.accepted) == (2, (), 0)


def test_an_object_is_filled_that_has_a_mask_on_each_frame_none_of_them_stale() -> None:
    document = document_of({0: {1, 2}, 3: {1, 2}})
    [run] = runs(document, [0, 3])
    made = Entry(MASK, Origin.PROPAGATED)
    document.replace({Key(1, 1): made, Key(2, 1): made, Key(1, 2): made})
    left = unfilled(document, run)
    assert left is not None
    assert left.objects == (2,)
    document.replace({Key(2, 2): Entry(None, Origin.PROPAGATED)})
    assert unfilled(document, run) is None
    document.replace({Key(1, 1): replace(made, stale=True)})
    left = unfilled(document, run)
    assert left is not None
    assert left.objects == (1,)
    document.replace_objects(tuple(replace(info, locked=True) for info in document.objects))
    assert unfilled(document, run) is None


def test_what_was_made_in_between_is_given_to_both_passes_and_not_filled() -> None:
    document = document_of({0: {1, 2}, 4: {1, 2}})
    document.replace({
        Key(1, 1): Entry(MASK, Origin.PROPAGATED),
        Key(2, 1): Entry(MASK, Origin.PROPAGATED, verified=True),
        Key(3, 2): Entry(None, Origin.DRAWN),
    })  # fmt: skip
    _, forward, backward = passes(document, *runs(document, [0, 4]))
    assert {frame: dict(each) for frame, each in forward.anchors.items()} == {
        0: {1: MASK, 2: MASK}, 2: {1: MASK}, 3: {2: None},
    }  # fmt: skip
    assert set(backward.anchors) == {4, 2, 3}
    for each in (forward, backward):
        assert [each.may_fill(Key(frame, 1)) for frame in range(5)] == [
            False,
            True,
            False,
            True,
            False,
        ]


def test_a_frame_is_annotated_where_every_object_that_goes_on_there_was_said_something_of() -> None:
    document = document_of({0: {1, 2}, 4: {1}, 8: {1, 2}, 9: {1}})
    document.replace({Key(6, 1): Entry(MASK, Origin.PROPAGATED)})
    assert annotated_frames(document) == (0, 8, 9)  # on 4 nothing is said of 2; on 9 it is over
    document.replace({Key(4, 2): Entry(None, Origin.DRAWN)})
    assert annotated_frames(document) == (0, 4, 8, 9)


def test_an_object_counts_from_its_first_anchor_not_from_its_latest() -> None:
    document = document_of({0: {1}, 5: {1, 2}, 6: {1}, 7: {1, 2}, 8: {1, 2}, 9: {1}})
    assert annotated_frames(document) == (0, 5, 7, 8, 9)


def test_what_has_no_score_agrees_with_nothing() -> None:
    document = document_of({0: {1}, 2: {1}})
    document.replace({Key(1, 1): Entry(MASK, Origin.PROPAGATED)})
    [kept] = tally(document, runs(document, [0, 2]))
    assert kept.agreements == (0.0,)


def test_stretches_have_no_gaps() -> None:
    assert list(stretches([])) == []
    assert list(stretches(iter([0]))) == [(0, 0)]
    assert list(stretches([0, 2])) == [(0, 0), (2, 2)]
    assert list(stretches([0, 1, 2, 5, 8, 9])) == [(0, 2), (5, 5), (8, 9)]
