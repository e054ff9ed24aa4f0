"""The frames between annotated ones: which are followed, from where, and what is believed."""

import numpy as np

from app.core.densify import agreement, merged, passes, runs, tally
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


def test_each_pass_starts_with_all_masks_of_its_end_and_stops_before_the_other() -> None:
    document = document_of({2: {1, 2}, 5: {1}})
    [run] = runs(document, [2, 5])
    forward, backward = passes(document, run)
    assert {frame: set(masks) for frame, masks in forward.anchors.items()} == {2: {1, 2}}
    assert {frame: set(masks) for frame, masks in backward.anchors.items()} == {5: {1}}
    assert list(forward.frames) == [2, 3, 4]
    assert list(backward.frames) == [5, 4, 3]


def test_the_nearer_end_decides_where_the_two_directions_differ() -> None:
    left, right = square(0), square(40)
    forward, backward = Prediction(left, 1.0), Prediction(right, 1.0)
    assert np.array_equal(merged(forward, backward, 0.25), left)
    assert np.array_equal(merged(forward, backward, 0.75), right)


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
