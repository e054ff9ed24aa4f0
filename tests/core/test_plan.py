"""Plans: where a propagation goes, where it stops, and what it never touches."""

from collections.abc import Collection, Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.batch.passes.fill import fill
from app.batch.passes.heal import heal
from app.core.document import Document, Entry, Key, ObjectInfo, Origin
from app.core.mask import Mask
from app.core.passes import Pass
from app.core.plan import Direction, leaves_nothing, permitted, plan, rest_of
from tests.fakes import SIZE, FakeFrames, FakeTracker, square

MASKS = [Mask.encode(square(x)) for x in range(0, 50, 10)]


def document_of(
    anchors: Mapping[int, Collection[int]], *, locked: Collection[int] = (), **extra: Entry
) -> Document:
    """Return a document with these anchors: object -> frames."""
    infos = tuple(
        ObjectInfo(number, f"object {number}", (0, 0, 0), locked=number in locked)
        for number in anchors
    )
    entries = {
        Key(frame, number): Entry(MASKS[number], Origin.DRAWN)
        for number, frames in anchors.items()
        for frame in frames
    }
    return Document(infos, entries)


def planned(document: Document, **changes: object) -> tuple[Pass, ...]:
    arguments = {
        "objects": [info.id for info in document.objects],
        "first": 0,
        "last": 99,
        "direction": Direction.FORWARD,
        "from_frame": 0,
        "to_nearest_anchor": True,
    }
    return plan(document, **{**arguments, **changes})  # type: ignore[arg-type]


def filled(pass_: Pass, number: int = 1) -> list[int]:
    return [frame for frame in pass_.frames if pass_.may_fill(Key(frame, number))]


def test_forward_goes_from_the_anchor_to_the_end() -> None:
    (pass_,) = planned(document_of({1: [10]}), from_frame=10)
    assert pass_.frames == tuple(range(10, 100))
    assert filled(pass_) == list(range(11, 100))


def test_forward_stops_before_the_next_anchor() -> None:
    (pass_,) = planned(document_of({1: [10, 40]}), from_frame=10)
    assert filled(pass_) == list(range(11, 40))


def test_backward_stops_after_the_anchor_before() -> None:
    (pass_,) = planned(document_of({1: [10, 40]}), from_frame=40, direction=Direction.BACKWARD)
    assert pass_.frames[0] == 40
    assert filled(pass_) == list(range(39, 10, -1))


def test_both_ways_is_two_passes_that_share_no_frame() -> None:
    forward, backward = planned(document_of({1: [50]}), from_frame=50, direction=Direction.BOTH)
    assert sorted(filled(forward) + filled(backward)) == [*range(50), *range(51, 100)]


def test_going_to_the_end_passes_over_anchors() -> None:
    (pass_,) = planned(document_of({1: [0, 40, 60]}), to_nearest_anchor=False)
    assert filled(pass_) == [frame for frame in range(1, 100) if frame not in {40, 60}]


def test_every_anchor_of_the_video_is_given_to_the_tracker() -> None:
    (pass_,) = planned(document_of({1: [0, 40, 80]}), last=20)
    assert sorted(pass_.anchors) == [0, 40, 80]


def test_each_object_stops_at_its_own_anchor() -> None:
    (pass_,) = planned(document_of({1: [0, 20], 2: [0, 60]}))
    assert filled(pass_, 1) == list(range(1, 20))
    assert filled(pass_, 2) == list(range(1, 60))


def test_the_range_bounds_the_frames() -> None:
    forward, backward = planned(
        document_of({1: [50]}), from_frame=50, direction=Direction.BOTH, first=45, last=53
    )
    assert filled(forward) == [51, 52, 53]
    assert filled(backward) == [49, 48, 47, 46, 45]


def test_no_frame_of_the_range_lies_beyond_it() -> None:
    document = document_of({1: [0]})
    beyond = {"first": 45, "last": 53, "from_frame": 60}
    assert planned(document, **beyond) == ()
    assert planned(document, **beyond, direction=Direction.BACKWARD)
    before = {"first": 45, "last": 53, "from_frame": 10}
    assert planned(document, **before, direction=Direction.BACKWARD) == ()
    assert planned(document, **before)


def test_a_pass_goes_on_from_a_propagated_mask_that_it_keeps() -> None:
    document = document_of({1: [0]})
    document.replace({Key(30, 1): Entry(MASKS[2], Origin.PROPAGATED)})
    (pass_,) = planned(document, from_frame=30)
    assert pass_.anchors[30] == {1: MASKS[2]}
    assert filled(pass_) == list(range(31, 100))


def test_locked_objects_and_objects_without_masks_are_left_out() -> None:
    document = document_of({1: [0], 2: [0], 3: []}, locked=[2])
    (pass_,) = planned(document)
    assert pass_.objects == (1,)


def test_nothing_to_start_from_is_no_pass() -> None:
    assert planned(document_of({1: []})) == ()


def test_where_every_frame_is_an_anchor_there_is_no_pass() -> None:
    assert planned(document_of({1: range(100)}), to_nearest_anchor=False) == ()


def test_the_rest_after_an_edit_ahead_goes_on_from_the_head_over_the_new_anchor() -> None:
    document = document_of({1: [0]})
    (pass_,) = planned(document)
    document.replace({Key(20, 1): Entry(MASKS[2], Origin.PROPAGATED)})
    document.replace({Key(60, 1): Entry(MASKS[3], Origin.DRAWN)})
    rest = rest_of(pass_, 20, document, [Key(60, 1)])
    assert rest is not None
    assert rest.frames[0] == 20
    assert filled(rest) == [*range(21, 60), *range(61, 100)]
    assert rest.anchors[60] == {1: MASKS[3]}


def test_the_rest_after_an_edit_behind_goes_on_from_the_edit_for_that_object_only() -> None:
    document = document_of({1: [0], 2: [0]})
    (pass_,) = planned(document)
    document.replace({Key(20, 1): Entry(MASKS[3], Origin.DRAWN)})
    rest = rest_of(pass_, 50, document, [Key(20, 1)])
    assert rest is not None
    assert rest.frames[0] == 20
    assert filled(rest, 1) == list(range(21, 100))
    assert filled(rest, 2) == list(range(51, 100))


def test_nothing_is_left_of_a_finished_pass() -> None:
    document = document_of({1: [0]})
    (pass_,) = planned(document)
    assert rest_of(pass_, 99, document) is None


anchor_sets = st.dictionaries(
    st.integers(1, 4), st.sets(st.integers(0, 19), max_size=6), min_size=1
)


@settings(max_examples=150, deadline=None)
@given(
    anchors=anchor_sets,
    locked=st.sets(st.integers(1, 4)),
    direction=st.sampled_from(Direction),
    from_frame=st.integers(0, 19),
    bounds=st.tuples(st.integers(0, 19), st.integers(0, 19)).map(sorted),
    nearest=st.booleans(),
    drift=st.dictionaries(st.integers(0, 19), st.integers(-30, 30)),
)
def test_no_propagation_overwrites_an_anchor_or_a_locked_object(
    anchors: dict[int, set[int]],
    locked: set[int],
    direction: Direction,
    from_frame: int,
    bounds: list[int],
    nearest: bool,
    drift: dict[int, int],
) -> None:
    document = document_of(anchors, locked=locked)
    passes = planned(
        document,
        first=bounds[0],
        last=bounds[1],
        direction=direction,
        from_frame=from_frame,
        to_nearest_anchor=nearest,
    )
    tracker = FakeTracker(FakeFrames(20))
    tracker.drift = drift
    for step in fill(tracker, passes, SIZE):
        for key in step.entries:
            before = document.get(key)
            assert before is None or not before.is_anchor
            assert key.object not in locked
            assert bounds[0] <= key.frame <= bounds[1]


@settings(max_examples=100, deadline=None)
@given(
    anchors=anchor_sets,
    locked=st.sets(st.integers(1, 4)),
    new_anchors=st.tuples(st.integers(0, 19), st.integers(1, 4)),
    stale=st.sets(st.tuples(st.integers(0, 19), st.integers(1, 4)), max_size=20),
    drift=st.dictionaries(st.integers(0, 19), st.integers(-30, 30)),
)
def test_no_heal_overwrites_an_anchor_or_a_locked_object(
    anchors: dict[int, set[int]],
    locked: set[int],
    new_anchors: tuple[int, int],
    stale: set[tuple[int, int]],
    drift: dict[int, int],
) -> None:
    from app.core.heal import Rules, plan_heal

    document = document_of(anchors, locked=locked)
    old = Entry(MASKS[4], Origin.PROPAGATED, stale=True)
    free = [Key(*key) for key in stale if document.get(Key(*key)) is None]
    document.replace({key: old for key in free if key.object in anchors})
    passes = plan_heal(document, {Key(*new_anchors)}, first=0, last=19)
    tracker = FakeTracker(FakeFrames(20))
    tracker.drift = drift
    for step in heal(tracker, passes, dict(document.items()), Rules(patience=2), SIZE):
        for key in step.entries:
            before = document.get(key)
            assert before is None or not before.is_anchor
            assert key.object not in locked


def test_what_became_an_anchor_meanwhile_is_not_permitted() -> None:
    document = document_of({1: [5], 2: []}, locked=[2])
    new = Entry(MASKS[0], Origin.PROPAGATED)
    changes = {Key(5, 1): new, Key(6, 1): new, Key(6, 2): new, Key(6, 9): new}
    assert permitted(document, changes) == {Key(6, 1): new}


def wanted(
    anchors: Mapping[int, set[int]],
    seeds: Collection[int],
    first: int,
    last: int,
    forward: bool,
    both: bool,
    origin: int,
    nearest: bool,
) -> dict[int, set[int]]:
    """Return which frames of each object one of the passes is to fill, by the definition."""
    start = min(max(origin, first), last)
    found = {}
    for number, own in anchors.items():
        if not own and number not in seeds:
            continue
        if forward:
            stops = [frame for frame in own if frame > start] if nearest else []
            frames = set(range(start, min([last + 1, *stops])))
        else:
            stops = [frame for frame in own if frame < start] if nearest else []
            frames = set(range(max([first, *(stop + 1 for stop in stops)]), start + (not both)))
        given = own | ({origin} if number in seeds else set())
        if frames - given:
            found[number] = frames - given
    return found


@settings(max_examples=200, deadline=None)
@given(
    anchors=st.dictionaries(st.integers(1, 3), st.sets(st.integers(0, 9), max_size=4), min_size=1),
    seeds=st.sets(st.integers(1, 3)),
    direction=st.sampled_from(Direction),
    origin=st.integers(0, 9),
    bounds=st.tuples(st.integers(0, 9), st.integers(0, 9)).map(sorted),
    nearest=st.booleans(),
)
def test_a_plan_fills_what_its_definition_says_and_goes_no_further(
    anchors: dict[int, set[int]],
    seeds: set[int],
    direction: Direction,
    origin: int,
    bounds: list[int],
    nearest: bool,
) -> None:
    document = document_of(anchors)
    seeds = {n for n in seeds & anchors.keys() if origin not in anchors[n]}
    document.replace({Key(origin, n): Entry(MASKS[n], Origin.PROPAGATED) for n in seeds})
    first, last = bounds
    passes = planned(
        document, first=first, last=last, direction=direction,
        from_frame=origin, to_nearest_anchor=nearest,
    )  # fmt: skip
    ways = {Direction.FORWARD: [True], Direction.BACKWARD: [False], Direction.BOTH: [True, False]}
    both = direction is Direction.BOTH
    every = [
        (forward, wanted(anchors, seeds, first, last, forward, both, origin, nearest))
        for forward in ways[direction]
    ]
    if leaves_nothing(direction, origin, first, last):
        every = []
    every = [(forward, frames) for forward, frames in every if frames]
    assert len(passes) == len(every)
    for pass_, (forward, frames) in zip(passes, every, strict=True):
        assert {n: set(filled(pass_, n)) for n in pass_.objects} == frames
        start = min(max(origin, first), last)
        spans = [set(pass_.spans[n]) for n in pass_.objects]
        end = max(map(max, spans)) if forward else min(map(min, spans))
        assert pass_.frames == tuple(
            range(start, end + 1) if forward else range(start, end - 1, -1)
        )
        for number in pass_.objects:
            known = {frame for frame, given in pass_.anchors.items() if number in given}
            assert known == anchors[number] | ({origin} if number in seeds else set())


@pytest.mark.parametrize(
    ("direction", "frame", "nothing"),
    [
        (Direction.FORWARD, 8, False),
        (Direction.FORWARD, 9, True),
        (Direction.FORWARD, 1, False),
        (Direction.BACKWARD, 3, False),
        (Direction.BACKWARD, 2, True),
        (Direction.BACKWARD, 20, False),
        (Direction.BOTH, 2, False),
        (Direction.BOTH, 9, False),
    ],
)
def test_nothing_is_left_beyond_the_range(direction: Direction, frame: int, nothing: bool) -> None:
    assert leaves_nothing(direction, frame, 3, 8) is nothing


def test_the_rest_of_a_pass_before_its_first_frame_is_all_of_it() -> None:
    document = document_of({1: [0]})
    (pass_,) = planned(document)
    rest = rest_of(pass_, None, document)
    assert rest is not None
    assert (rest.frames, dict(rest.spans)) == (pass_.frames, dict(pass_.spans))
    assert filled(rest) == filled(pass_)
    # An edit outside of what the pass fills of an object is none of its.
    document.replace({Key(20, 2): Entry(MASKS[3], Origin.DRAWN)})
    aside = rest_of(pass_, 50, document, [Key(20, 2)])
    assert aside is not None
    assert aside.frames == tuple(range(50, 100))
    assert filled(aside) == list(range(51, 100))


def test_the_rest_backward_goes_on_from_the_head_down() -> None:
    document = document_of({1: [50], 2: [50]})
    (pass_,) = planned(document, from_frame=50, direction=Direction.BACKWARD)
    document.replace({Key(30, 1): Entry(MASKS[2], Origin.PROPAGATED)})
    rest = rest_of(pass_, 30, document)
    assert rest is not None
    assert rest.frames == tuple(range(30, -1, -1))
    assert filled(rest, 1) == list(range(29, -1, -1))
    assert rest.anchors[30] == {1: MASKS[2]}
    document.replace({Key(40, 2): Entry(MASKS[3], Origin.DRAWN)})
    again = rest_of(pass_, 30, document, [Key(40, 2)])
    assert again is not None
    assert again.frames[0] == 40
    assert filled(again, 2) == list(range(39, -1, -1))
    assert filled(again, 1) == list(range(29, -1, -1))
    document.replace_objects(document.objects[:1])
    assert (rest_of(pass_, 30, document) or pass_).objects == (1,)


def test_an_anchor_alone_is_no_seed_and_an_absence_is_none() -> None:
    document = document_of({1: [], 2: [5]})
    document.replace({Key(7, 1): Entry(None, Origin.PROPAGATED)})
    (pass_,) = planned(document, from_frame=7)
    assert pass_.objects == (2,)
    assert sorted(pass_.anchors) == [5]
