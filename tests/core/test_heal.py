"""Heals: what an edit makes stale, where the heal stops, how two passes merge."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from app.core.document import Document, Entry, Key, ObjectInfo, Origin
from app.core.heal import (
    Gap,
    Rules,
    Watch,
    agree,
    boundary_f,
    difference,
    evidence,
    gaps,
    masks_agree,
    plan_heal,
    probes,
    stale_marks,
    summary,
)
from app.core.mask import Mask
from app.core.passes import Pass
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
    assert summary(objects, before, after, {1}) == (
        "knife: 58 frames changed, drift began 1198, stopped 1255",
    )


def test_of_an_object_that_only_gave_what_a_healed_one_took_no_drift_is_told() -> None:
    old, less = Entry(mask_at(10), Origin.PROPAGATED), Entry(mask_at(30), Origin.PROPAGATED)
    objects = tuple(ObjectInfo(n, f"thing {n}", (1, 2, 3)) for n in (1, 2, 3))
    before = {Key(frame, n): old for frame in (4, 5) for n in (1, 2, 3)}
    after = {Key(4, 1): less, Key(5, 1): less, Key(4, 2): less, Key(4, 3): old}
    assert summary(objects, before, after, {2}) == (
        "thing 2: 1 frame changed, drift began 4, stopped 4",
        "thing 1: gave way on 2 frames",
    )


def test_gaps_lie_between_anchors_and_the_ends_of_the_range() -> None:
    document = video(anchors=(3, 4, 9, 20))
    assert list(gaps(document, 1, first=0, last=12)) == [
        Gap(1, -1, 3, False, True),
        Gap(1, 4, 9, True, True),
        Gap(1, 9, 13, True, False),
    ]
    assert list(gaps(document, 1, first=4, last=9)) == [Gap(1, 4, 9, True, True)]
    assert list(gaps(document, 1, first=5, last=8)) == [Gap(1, 4, 9, False, False)]
    assert list(gaps(document, 1, first=3, last=4)) == []
    assert Gap(1, 4, 9, True, True).frames == range(5, 9)


def test_the_evidence_is_of_the_frames_of_the_passes_and_those_beside_them() -> None:
    document = video()
    document.replace({Key(f, 2): Entry(None, Origin.DRAWN) for f in (9, 10, 16, 17)})
    passes = [Pass({}, tuple(frames), {}) for frames in (range(11, 14), range(15, 12, -1))]
    found = evidence(document, passes)
    assert list(found) == [
        *[Key(f, n) for f in range(10, 17) for n in (1, 2) if n == 1 or f in {10, 16}]
    ]
    assert all(document.get(key) is entry for key, entry in found.items())
    assert evidence(document, []) == {}


def bar(columns: int, rows: int = 10, x: int = 5) -> Mask:
    pixels = np.zeros((60, 90), np.bool_)
    pixels[20 : 20 + rows, x : x + columns] = True
    mask = Mask.encode(pixels)
    assert mask is not None
    return mask


@pytest.mark.parametrize(
    ("one", "other", "rules", "agree_"),
    [
        (bar(20), bar(18), Rules(boundary=0.5), True),  # a tenth less, of which all is shared
        (bar(18), bar(20), Rules(boundary=0.5), True),
        (bar(30), bar(26), Rules(iou=0.5, boundary=0.5), False),
        (bar(20), bar(18), Rules(iou=0.91, boundary=0.5), False),
        (bar(20), bar(20, x=6), Rules(iou=19 / 21), True),
        (bar(20), bar(20, x=6), Rules(iou=19 / 21 + 1e-9), False),
        (bar(20), bar(18), Rules(area=0.09, boundary=0.5), False),
        (bar(40), bar(37), Rules(boundary=0.91), False),  # its end is three pixels off
        (bar(40), bar(37), Rules(), True),
    ],
)
def test_masks_are_the_same_at_a_rule_and_not_beyond_it(
    one: Mask, other: Mask, rules: Rules, agree_: bool
) -> None:
    assert masks_agree(one, other, rules) is agree_


def test_a_boundary_that_is_just_enough_is_enough() -> None:
    one, other = bar(40), bar(37)
    reached = boundary_f(one, other)
    assert 0.5 < reached < 0.95
    assert masks_agree(one, other, Rules(boundary=reached))
    assert not masks_agree(one, other, Rules(boundary=reached + 1e-9))


@pytest.mark.parametrize(("away", "wanted"), [(8, 1.0), (9, 0.0)])
def test_outlines_match_within_8_pixels_at_480p(away: int, wanted: float) -> None:
    """Of two rows across the whole frame the ends lie in a column, as far as they overlap."""
    one, other = np.zeros((2, 480, 854), np.bool_)
    one[200], other[200 + away] = True, True
    masks = Mask.encode(one), Mask.encode(other)
    assert masks[0] is not None
    assert masks[1] is not None
    assert boundary_f(masks[0], masks[1]) == wanted


def test_the_outline_is_one_pixel_wide_and_measured_both_ways() -> None:
    """Rings of 4 * 9 and 4 * 19 pixels, which share a corner; there are no others near."""
    small, large = bar(10), bar(20, rows=20)
    # Near the small one's two sides that it shares, and one pixel round the corner beyond them.
    precision, recall = (2 * 10 - 1 + 2) / 36, (2 * 11 - 1) / 76
    wanted = 2 * precision * recall / (precision + recall)
    assert boundary_f(small, large) == pytest.approx(wanted)
    assert boundary_f(large, small) == pytest.approx(wanted)


def test_how_different_two_masks_are() -> None:
    assert difference(None, None) == 0
    assert difference(bar(5), None) == difference(None, bar(5)) == 1
    assert difference(bar(10), bar(5)) == 0.5


@pytest.mark.parametrize(("patience", "doubts"), [(1, 2), (2, 2), (3, 3)])
def test_a_heal_doubts_for_two_frames_at_least(patience: int, doubts: int) -> None:
    assert Rules(patience=patience).doubts == doubts


def test_a_watch_asks_after_every_so_many_frames_that_agree() -> None:
    watch = Watch(patience=2)
    seen = [(watch.feed(agreed=agreed), watch.agrees) for agreed in (True, True, True, True, False)]
    assert seen == [(False, True), (True, True), (False, True), (True, True), (False, False)]
    assert not Watch(patience=2).agrees


def test_probes_are_among_what_lies_ahead() -> None:
    assert probes(10, [11], patience=1) == (11,)
    assert probes(10, [11, 12], patience=1) == (12,)
    assert probes(10, [11, 12, 13], patience=1) == (12, 13)
    assert probes(12, [11, 10, 9, 8, 7], patience=1) == (10, 9, 7)
    assert probes(11, [11], patience=3) == (11,)


def test_an_edit_on_an_anchor_marks_both_sides_and_edits_are_not_marked() -> None:
    document = video(anchors=(5, 12, 20))
    assert sorted(k.frame for k in stale_marks(document, [Key(12, 1)])) == [
        *range(6, 12),
        *range(13, 20),
    ]
    marks = stale_marks(document, [Key(2, 1), Key(22, 1), Key(24, 1)])
    assert sorted(k.frame for k in marks) == [0, 1, 3, 4, 21, 23, *range(25, 30)]
    assert stale_marks(document, []) == {}
    for key, entry in marks.items():
        assert entry == replace(document.get(key) or entry, stale=True)


def test_the_summary_counts_frames_of_each_object_in_order() -> None:
    old = Entry(mask_at(10), Origin.PROPAGATED, stale=True)
    new, same = Entry(mask_at(30), Origin.PROPAGATED), replace(old, stale=False)
    objects = tuple(ObjectInfo(n, f"thing {n}", (1, 2, 3)) for n in (3, 2, 1))
    before = {Key(4, n): old for n in (1, 2, 3)} | {Key(2000, 3): old}
    after = {Key(4, 3): new, Key(5, 3): new, Key(4, 2): same, Key(5, 1): new, Key(6, 1): same}
    after |= {Key(4, 1): same, Key(7, 9): new, Key(2000, 3): new}
    assert summary(objects, before, after, {1, 2, 3}) == (
        "thing 1: 2 frames filled",
        "thing 2: nothing changed",
        "thing 3: 2 frames changed, drift began 4, stopped 2000; 1 frame filled",
    )
    many = {Key(f, 1): new for f in range(1000)}
    assert summary(objects, {}, many, {1}) == ("thing 1: 1,000 frames filled",)
    assert summary((), before, after, {1, 2, 3}) == ()


def two_objects() -> Document:
    """Return two objects on 30 frames, each with an anchor on the first."""
    document = video()
    document.replace_objects((*document.objects, ObjectInfo(2, "ball", (3, 2, 1))))
    document.replace({
        Key(f, 2): Entry(mask_at(40), Origin.PROPAGATED if f else Origin.DRAWN, score=0.9)
        for f in range(30)
    })  # fmt: skip
    return document


def test_what_is_beside_a_new_anchor_is_healed_first_then_by_frame() -> None:
    document = two_objects()
    edits = {
        Key(20, 1): Entry(mask_at(30), Origin.DRAWN),
        Key(9, 2): Entry(mask_at(30), Origin.DRAWN),
    }
    document.replace(edits)
    document.replace(stale_marks(document, edits))
    every = plan_heal(document, set(edits), first=0, last=29)
    assert [(each.frames[0], each.step, each.objects) for each in every] == [
        (9, -1, (2,)), (9, 1, (2,)), (20, -1, (1,)), (20, 1, (1,)),
    ]  # fmt: skip
    late = plan_heal(document, {Key(20, 1)}, first=0, last=29)
    assert [(each.frames[0], each.step) for each in late] == [(20, -1), (20, 1), (0, 1), (9, 1)]
    locked = (document.objects[0], replace(document.objects[1], locked=True))
    document.replace_objects(locked)
    assert {n for each in plan_heal(document, set(edits), first=0, last=29) for n in each.objects} \
        == {1}  # fmt: skip


def test_a_pass_from_one_anchor_heals_both_objects_and_is_told_of_the_others() -> None:
    document = two_objects()
    edits = {Key(10, n): Entry(mask_at(30), Origin.DRAWN) for n in (1, 2)}
    document.replace(edits)
    document.replace({Key(16, 2): Entry(mask_at(40), Origin.DRAWN)})
    document.replace(stale_marks(document, edits))
    back, forward = plan_heal(document, set(edits), first=0, last=29)
    assert (back.frames, dict(back.spans)) == (
        tuple(range(10, 0, -1)),
        dict.fromkeys((1, 2), range(1, 10)),
    )
    assert forward.frames == tuple(range(10, 30))
    assert dict(forward.spans) == {1: range(11, 30), 2: range(11, 16)}
    alone = plan_heal(document, {Key(10, 1)}, first=0, last=29)
    assert all(each.anchors[10] == {1: mask_at(30), 2: mask_at(30)} for each in alone)
