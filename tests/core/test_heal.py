"""Heals: what an edit makes stale, where the heal stops, how two passes merge."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from app.core.document import Document, Entry, Key, ObjectInfo, Origin
from app.core.heal import (
    Rules,
    Watch,
    agree,
    boundary_f,
    plan_heal,
    probes,
    stale_marks,
    summary,
)
from app.core.mask import Mask
from tests.fakes import square


def mask_at(x: int, side: int = 10) -> Mask:
    mask = Mask.encode(square(x, side=side))
    assert mask is not None
    return mask


def video(count: int = 30, anchors: tuple[int, ...] = (0,)) -> Document:
    """Return a document with one object, propagated everywhere but on its anchors."""
    entries = {
        Key(frame, 1): Entry(
            mask_at(10), Origin.DRAWN if frame in anchors else Origin.PROPAGATED, score=0.9
        )
        for frame in range(count)
    }
    return Document((ObjectInfo(1, "knife", (1, 2, 3)),), entries)


def test_an_edit_makes_everything_up_to_the_next_anchors_stale() -> None:
    document = video(anchors=(5, 20))
    marks = stale_marks(document, [Key(12, 1)])
    assert sorted(key.frame for key in marks) == [*range(6, 12), *range(13, 20)]
    assert all(entry.stale for entry in marks.values())


def test_what_is_stale_already_and_other_objects_are_not_marked_again() -> None:
    document = video()
    document.replace(stale_marks(document, [Key(12, 1)]))
    assert stale_marks(document, [Key(12, 1)]) == {}
    assert stale_marks(document, [Key(12, 2)]) == {}


def test_a_heal_goes_both_ways_from_the_accepted_anchor() -> None:
    document = video()
    document.replace({Key(12, 1): Entry(mask_at(30), Origin.DRAWN)})
    document.replace(stale_marks(document, [Key(12, 1)]))
    backward, forward = plan_heal(document, {Key(12, 1)}, first=0, last=29)
    assert (forward.frames[0], forward.frames[-1]) == (12, 29)
    assert (backward.frames[0], backward.frames[-1]) == (12, 1)


def absent_on(document: Document, *frames: int) -> set[Key]:
    """Say that the object is absent, as a person does."""
    keys = {Key(frame, 1) for frame in frames}
    document.replace(dict.fromkeys(keys, Entry(None, Origin.DRAWN)))
    document.replace(stale_marks(document, keys))
    return keys


def test_a_heal_goes_through_an_absence_from_where_the_object_was_seen() -> None:
    document = video()
    (pass_,) = plan_heal(document, absent_on(document, 12), first=0, last=29)
    assert pass_.frames == tuple(range(30))
    assert [frame for frame in pass_.frames if pass_.may_fill(Key(frame, 1))] == [
        *range(1, 12),
        *range(13, 30),
    ]


def test_a_heal_beside_an_absence_starts_at_the_end_that_shows_the_object() -> None:
    document = video(anchors=(0, 25))
    before, after = plan_heal(document, absent_on(document, 12), first=0, last=25)
    assert (before.frames[0], before.frames[-1]) == (0, 11)
    assert (after.frames[0], after.frames[-1]) == (25, 13)


def test_a_heal_leaps_over_a_long_absence() -> None:
    document = video()
    (pass_,) = plan_heal(document, absent_on(document, *range(8, 20)), first=0, last=29)
    assert pass_.frames == (*range(8), *range(19, 30))


def test_a_heal_goes_back_through_an_absence_where_nothing_is_seen_before() -> None:
    document = video(anchors=(20,))
    (pass_,) = plan_heal(document, absent_on(document, 12), first=0, last=20)
    assert pass_.frames == tuple(range(20, -1, -1))


@pytest.mark.parametrize(("earlier", "origin"), [((0, 5), 5), ((5,), 5), ((), 20)])
def test_between_two_absences_one_pass_comes_from_the_nearest_sight(
    earlier: tuple[int, ...], origin: int
) -> None:
    document = video(anchors=(*earlier, 20, 25))
    absent = absent_on(document, 12, 16)
    new_anchors = {*absent, Key(20, 1), Key(25, 1), *(Key(frame, 1) for frame in earlier)}
    passes = plan_heal(document, new_anchors, first=0, last=29)
    between = [pass_ for pass_ in passes if pass_.may_fill(Key(14, 1))]
    assert [pass_.frames[0] for pass_ in between] == [origin]


def test_an_object_that_is_absent_on_all_anchors_is_looked_for_from_there() -> None:
    document = video(anchors=())
    passes = plan_heal(document, absent_on(document, 12), first=0, last=29)
    assert {pass_.frames[0] for pass_ in passes} == {12}


def hidden_beside(scores: Mapping[int, float], anchors: tuple[int, ...] = (0,)) -> Document:
    """Return a video where object 2 is hidden on 12, on which object 1 was corrected.

    `scores` are those of its masks that are not 0.5; behind 12 it is in another place.
    """
    document = video()
    document.replace_objects((*document.objects, ObjectInfo(2, "ball", (3, 2, 1))))
    for frame in range(30):
        mask, score = mask_at(20 if frame < 12 else 50), scores.get(frame, 0.5)
        made = Origin.DRAWN if frame in anchors else Origin.PROPAGATED
        document.replace({Key(frame, 2): Entry(mask, made, score=score)})
    document.replace({Key(12, 2): Entry(None, Origin.DRAWN)})
    document.replace({Key(12, 1): Entry(mask_at(40), Origin.DRAWN)})
    document.replace(stale_marks(document, [Key(12, 1), Key(12, 2)]))
    return document


def told_of_the_hidden_one(
    document: Document, *objects: int
) -> dict[tuple[int, int], tuple[list[int], list[int]]]:
    """Return origin and step -> the frames on which a pass is told of object 2, whom it heals."""
    new_anchors = {Key(12, number) for number in objects}
    return {
        (pass_.frames[0], pass_.step): (
            [frame for frame in sorted(pass_.anchors) if pass_.anchors[frame].get(2)],
            list(pass_.objects),
        )
        for pass_ in plan_heal(document, new_anchors, first=0, last=29)
    }


@pytest.mark.parametrize(
    ("scores", "anchors", "back", "forward"),
    [
        ({}, (0,), [0], [0]),
        ({8: 0.92, 9: 0.95}, (0,), [0, 9], [0, 9]),
        ({16: 0.95}, (0,), [0], [0]),  # no anchor leads there
        ({8: 0.92, 9: 0.95, 16: 0.93, 18: 0.91}, (0, 29), [0, 16, 29], [0, 9, 29]),
    ],
)
def test_a_pass_is_told_where_what_is_hidden_beside_the_corrected_mask_was_surely_seen(
    scores: Mapping[int, float], anchors: tuple[int, ...], back: list[int], forward: list[int]
) -> None:
    """Behind the pass if it can: on its way the mask would be as it is said."""
    document = hidden_beside(scores, anchors)
    document.replace({Key(0, 3): Entry(mask_at(10), Origin.DRAWN)})
    told = told_of_the_hidden_one(document, 1)
    assert (told[12, -1][0], told[12, 1][0]) == (back, forward)


def test_what_is_found_to_be_absent_is_looked_for_from_there_where_a_sure_mask_recalls_it() -> None:
    told = told_of_the_hidden_one(hidden_beside({9: 0.95}), 1, 2)
    assert told == {
        (0, 1): ([0], [2]),  # up to there it comes from its anchor
        (12, -1): ([0, 9], [1]),
        (12, 1): ([0, 9], [1, 2]),
    }


def test_a_heal_fills_what_is_missing_beside_the_accepted_anchor_only() -> None:
    document = Document(
        (ObjectInfo(1, "knife", (1, 2, 3)),),
        {Key(frame, 1): Entry(mask_at(10), Origin.DRAWN) for frame in (0, 10, 20)},
    )
    passes = plan_heal(document, {Key(0, 1)}, first=0, last=29)
    assert [(pass_.frames[0], pass_.frames[-1]) for pass_ in passes] == [(0, 9)]


def test_nothing_stale_is_nothing_to_heal() -> None:
    assert plan_heal(video(), set(), first=0, last=29) == ()


def test_the_range_is_a_barrier() -> None:
    document = video()
    document.replace(stale_marks(document, [Key(0, 1)]))
    (pass_,) = plan_heal(document, {Key(0, 1)}, first=0, last=9)
    assert pass_.frames[-1] == 9


@pytest.mark.parametrize(
    ("new", "old", "wanted"),
    [
        (mask_at(10), mask_at(10), True),
        (None, None, True),
        (mask_at(10), None, False),
        (None, mask_at(10), False),
        (mask_at(10), mask_at(12), False),
        (mask_at(10), mask_at(10, side=11), False),
    ],
)
def test_masks_agree_where_area_overlap_and_outline_do(
    new: Mask | None, old: Mask | None, wanted: bool
) -> None:
    entry, before = (Entry(mask, Origin.PROPAGATED) for mask in (new, old))
    assert agree(entry, before, Rules()) is wanted


def test_a_frame_without_an_entry_agrees_with_nothing() -> None:
    assert not agree(Entry(None, Origin.PROPAGATED), None, Rules())


def test_outlines_match_within_a_pixel_on_a_small_frame() -> None:
    assert boundary_f(mask_at(10), mask_at(10)) == 1
    assert boundary_f(mask_at(10), mask_at(11)) == 1
    assert boundary_f(mask_at(0), mask_at(40)) == 0


def with_hole(side: int) -> Mask:
    """Return a large square with a square hole in its middle."""
    pixels = square(10, y=5, side=30)
    pixels[20 : 20 + side, 25 : 25 + side] = False
    mask = Mask.encode(pixels)
    assert mask is not None
    return mask


def test_the_boundary_measure_is_of_outlines_not_of_what_they_hold() -> None:
    whole, holed = with_hole(0), with_hole(10)
    outline, of_hole = 4 * 29, 12 * 12 - 10 * 10
    precision, recall = 1.0, outline / (outline + of_hole)
    wanted = 2 * precision * recall / (precision + recall)
    assert boundary_f(whole, holed) == pytest.approx(wanted)
    assert boundary_f(holed, whole) == pytest.approx(wanted)


def test_masks_of_one_size_and_place_but_another_outline_do_not_agree() -> None:
    one, other = (Entry(with_hole(side), Origin.PROPAGATED) for side in (0, 8))
    assert agree(one, other, Rules(boundary=0.8))
    assert not agree(one, other, Rules())


def test_the_outline_at_the_edge_of_the_frame_counts() -> None:
    edge = Mask.encode(square(0, y=0, side=20))
    inner = Mask.encode(square(3, y=3, side=17))
    assert edge is not None
    assert inner is not None
    # Of both outlines only what lies right and below is near the other, in the frame's corner not.
    assert boundary_f(edge, inner) < 0.6


def test_it_is_time_to_look_ahead_after_patient_agreement_only() -> None:
    watch = Watch(patience=3)
    fed = [watch.feed(agreed=agreed) for agreed in (True, True, False, True, True, True, True)]
    assert fed == [False, False, False, False, False, True, False]


def test_probes_look_near_half_way_and_at_the_end() -> None:
    assert probes(10, range(11, 100), patience=10) == (30, 55, 99)
    assert probes(90, range(89, 0, -1), patience=10) == (70, 45, 1)
    assert probes(10, range(11, 14), patience=10) == (12, 13)
    assert probes(10, (), patience=10) == ()


def test_the_summary_says_where_the_drift_began_and_stopped() -> None:
    old = Entry(mask_at(10), Origin.PROPAGATED, stale=True)
    before = {Key(frame, 1): old for frame in range(1190, 1300)}
    good = replace(old, stale=False)
    after = dict.fromkeys(before, good)
    after |= {Key(frame, 1): Entry(mask_at(30), Origin.PROPAGATED) for frame in range(1198, 1256)}
    objects = (ObjectInfo(1, "knife", (1, 2, 3)),)
    assert summary(objects, before, after) == (
        "knife: 58 frames changed, drift began 1198, stopped 1255",
    )
