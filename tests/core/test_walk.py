"""Walks from a corrected anchor: where they end, and which of several masks hold."""

from dataclasses import replace
from itertools import groupby

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.document import Entry, Origin
from app.core.evidence import Beside, Candidate, Source, Stretch, choose
from app.core.heal import Rules
from app.core.mask import Mask
from app.core.walk import Settled, Verdict, Walk, apart, is_conflict
from tests.fakes import SIZE, square

RULES = Rules(patience=2)


def mask_at(x: int, side: int = 10) -> Mask:
    mask = Mask.encode(square(x, side=side))
    assert mask is not None
    return mask


def entry_at(x: int, score: float = 0.9) -> Entry:
    return Entry(mask_at(x), Origin.PROPAGATED, score=score)


def met_at_both_ends(new: int, back: int, count: int = 9, score: float = 0.9) -> list[Source]:
    """Return what holds between an anchor at `new` and one at `back` that no pass agrees on."""
    frames = range(1, count + 1)
    walk = Walk(Stretch(frames, mask_at(new), mask_at(back), {}), RULES)
    for frame in frames:
        walk.feed(frame, entry_at(new, score), {})
    settled = walk.settled({frame: entry_at(back) for frame in frames}, met=False)
    return [source for source, _ in settled.values()]


def test_of_two_passes_the_nearer_one_holds() -> None:
    sources = met_at_both_ends(10, 12)
    assert sources[1] is Source.NEW
    assert sources[-2] is Source.BACK


def test_a_confident_pass_holds_further() -> None:
    sure, unsure = met_at_both_ends(10, 12), met_at_both_ends(10, 12, score=0.02)
    assert unsure.count(Source.BACK) > sure.count(Source.BACK)


def surer_pass_back(*, met: bool) -> list[Source]:
    """Return what holds between two anchors where the pass back is somewhat surer."""
    frames = range(1, 20)
    walk = Walk(Stretch(frames, mask_at(10), mask_at(12), {}), RULES)
    for frame in frames:
        walk.feed(frame, entry_at(10, 0.85), {})
    back = {frame: entry_at(12, 0.893) for frame in frames}
    return [source for source, _ in walk.settled(back, met=met).values()]


def test_a_pass_back_that_met_the_walk_is_trusted_as_far_as_it_came() -> None:
    met, unmet = surer_pass_back(met=True), surer_pass_back(met=False)
    assert met == [Source.NEW] * 6 + [Source.BACK] * 13
    assert unmet == [Source.NEW] * 8 + [Source.BACK] * 11


def test_passes_that_are_far_apart_are_a_conflict() -> None:
    here = Candidate(entry_at(10), 0.5)
    near, far = Candidate(entry_at(11), 0.5), Candidate(entry_at(40), 0.5)
    assert not is_conflict(Source.NEW, {Source.NEW: here, Source.BACK: near}, RULES)
    assert is_conflict(Source.NEW, {Source.NEW: here, Source.BACK: far}, RULES)


def test_a_pass_close_to_its_anchor_is_not_put_in_question() -> None:
    walk = Walk(Stretch(range(1, 10), mask_at(10), mask_at(40), {}), RULES)
    for frame in range(1, 10):
        walk.feed(frame, entry_at(10), {})
    back = {frame: entry_at(40) for frame in range(1, 10)}
    settled = walk.settled(back, met=False)
    assert not is_conflict(*settled[1], RULES)
    assert not is_conflict(*settled[9], RULES)
    assert is_conflict(*settled[5], RULES)
    lost = {**settled[1][1], Source.NEW: Candidate(entry_at(10, 0.01), -9.0)}
    assert is_conflict(Source.NEW, lost, RULES)


def test_a_walk_ends_where_it_is_back_on_the_old_masks() -> None:
    old = {frame: entry_at(40 if frame < 5 else 10) for frame in range(1, 20)}
    walk = Walk(Stretch(range(1, 20), mask_at(10), None, old), RULES)
    verdicts = [walk.feed(frame, entry_at(10), {}) for frame in range(1, 7)]
    assert verdicts == [Verdict.GOES_ON] * 5 + [Verdict.AGREES]
    held = {frame: source for frame, (source, _) in walk.settled({}, met=False).items()}
    assert [frame for frame, source in held.items() if source is Source.NEW] == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("score", "place", "wanted"),
    [
        (0.79, 14, Source.OLD),
        (0.82, 14, Source.NEW),
        (0.79, 40, Source.NEW),  # they do not lead to the corrected mask
    ],
)
def test_on_the_way_to_where_both_agree_an_old_mask_holds_that_is_clearly_surer(
    score: float, place: int, wanted: Source
) -> None:
    old = {frame: entry_at(place if frame < 5 else 10, 0.9) for frame in range(1, 20)}
    walk = Walk(Stretch(range(1, 20), mask_at(10), None, old), RULES)
    for frame in range(1, 7):
        walk.feed(frame, entry_at(10, score if frame == 3 else 0.9), {})
    held = walk.settled({}, met=False)
    assert [held[frame][0] for frame in (2, 3, 4)] == [Source.NEW, wanted, Source.NEW]


def offered(source: Source, **supports: tuple[int, float]) -> Settled:
    """Return what holds on frame 1 of masks at these places, that have this support."""
    offers = {Source(name): Candidate(entry_at(x), much) for name, (x, much) in supports.items()}
    return {1: (source, offers)}


def test_of_two_objects_on_one_thing_the_one_goes_for_which_more_speaks_elsewhere() -> None:
    one = offered(Source.NEW, new=(40, 0.6), old=(10, 1.6))
    two = offered(Source.OLD, new=(10, 4.6), old=(40, 0.1))
    held = apart({1: one, 2: two})
    assert (held[1][1][0], held[2][1][0]) == (Source.NEW, Source.NEW)
    assert one[1][0] is Source.NEW  # what was given is not changed
    assert two[1][0] is Source.OLD


@pytest.mark.parametrize(
    "other",
    [
        offered(Source.OLD, new=(10, 0.7), old=(40, 0.1)),  # hardly more speaks for it
        offered(Source.OLD, new=(42, 4.6), old=(40, 0.1)),  # there it is, too
        offered(Source.OLD, old=(40, 0.1)),
        offered(Source.OLD, new=(10, 4.6), old=(46, 0.1)),  # they are beside each other
    ],
)
def test_two_objects_stay_where_neither_has_a_better_place(other: Settled) -> None:
    found = {1: offered(Source.NEW, new=(40, 0.6)), 2: other}
    assert apart(found) == found


@pytest.mark.parametrize(("beside", "ends_at"), [(10, 5), (11, 6)])
def test_one_frame_that_is_the_same_but_for_noise_ends_a_walk(beside: int, ends_at: int) -> None:
    """Masks that are only just the same have to be so once more."""

    def large_at(x: int) -> Entry:
        return Entry(mask_at(x, side=30), Origin.PROPAGATED, score=0.9)

    old = {frame: large_at(30 if frame < 5 else beside) for frame in range(1, 20)}
    walk = Walk(Stretch(range(1, 20), mask_at(10, side=30), None, old), Rules())
    verdicts = [walk.feed(frame, large_at(10), {}) for frame in range(1, ends_at + 1)]
    assert verdicts == [Verdict.GOES_ON] * (ends_at - 1) + [Verdict.AGREES]


@pytest.mark.parametrize(
    ("beside", "wanted"),
    [(Beside.WRONG, Source.NEW), (Beside.OPEN, Source.OLD), (Beside.RIGHT, Source.OLD)],
)
def test_old_masks_hold_as_they_are_known(beside: Beside, wanted: Source) -> None:
    """Where it is open which are right, the surer ones; at places where either fits alike."""
    frames = range(1, 5)
    old = {frame: entry_at(40, 0.92) for frame in range(1, 20)}
    walk = Walk(Stretch(frames, mask_at(25), None, old, beside), RULES)
    for frame in frames:
        walk.feed(frame, entry_at(10), {})
    assert {source for source, _ in walk.settled({}, met=False).values()} == {wanted}


def test_far_behind_a_correction_the_surer_mask_holds() -> None:
    old = {frame: entry_at(40, 0.893) for frame in range(1, 40)}
    walk = Walk(Stretch(range(1, 40), mask_at(10), None, old), RULES)
    verdicts = [walk.feed(frame, entry_at(10, 0.85), {}) for frame in range(1, 20)]
    assert verdicts[3] is Verdict.GOES_ON
    assert verdicts[-1] is Verdict.GIVES_WAY


def test_masks_that_a_correction_speaks_against_do_not_win_by_a_hair_of_a_high_score() -> None:
    old = {frame: entry_at(40, 0.98) for frame in range(1, 40)}
    walk = Walk(Stretch(range(1, 40), mask_at(10), None, old), RULES)
    verdicts = {walk.feed(frame, entry_at(10, 0.95), {}) for frame in range(1, 40)}
    assert verdicts == {Verdict.GOES_ON}
    assert {source for source, _ in walk.settled({}, met=False).values()} == {Source.NEW}


def test_one_frame_in_doubt_makes_no_walk_give_way() -> None:
    old = {frame: entry_at(30, 0.95 if frame == 9 else 0.3) for frame in range(1, 13)}
    walk = Walk(Stretch(range(12, 0, -1), mask_at(10), mask_at(30), old), Rules())
    verdicts = [walk.feed(frame, entry_at(10), {}) for frame in range(12, 6, -1)]
    assert verdicts == [Verdict.GOES_ON] * 6


def test_a_walk_gives_way_to_masks_that_stand_beside_a_certain_one() -> None:
    old = {frame: entry_at(30) for frame in range(1, 13)}
    walk = Walk(Stretch(range(12, 0, -1), mask_at(10), mask_at(30), old), RULES)
    verdicts = {frame: walk.feed(frame, entry_at(10), {}) for frame in range(12, 0, -1)}
    assert verdicts[11] is Verdict.GOES_ON
    assert Verdict.GIVES_WAY in verdicts.values()
    held = walk.settled({}, met=False)
    assert held[12][0] is Source.NEW
    assert held[1][0] is Source.OLD


def test_ways_that_meet_and_part_again_each_hold_on_their_side() -> None:
    """Old and new, each from a certain mask, lie close on frame 6, and further apart elsewhere."""
    old = {frame: entry_at(10 + abs(frame - 6)) for frame in range(1, 12)}
    walk = Walk(Stretch(range(11, 0, -1), mask_at(10), mask_at(15), old), RULES)
    verdicts = [walk.feed(frame, entry_at(11), {}) for frame in range(11, 0, -1)]
    assert Verdict.AGREES in verdicts
    held = walk.settled({}, met=False)
    assert [held[frame][0] for frame in (10, 9)] == [Source.NEW] * 2
    assert [held[frame][0] for frame in (3, 2)] == [Source.OLD] * 2


def test_a_mask_that_lies_on_another_object_is_not_believed() -> None:
    def ends(others: bool) -> Verdict:
        old = {frame: entry_at(30) for frame in range(1, 20)}
        walk = Walk(Stretch(range(10, 0, -1), mask_at(10), mask_at(30), old), RULES)
        walk.feed(10, entry_at(10), {})
        for frame in (9, 8, 7):
            verdict = walk.feed(frame, entry_at(50), {2: mask_at(50)} if others else {})
        return verdict

    assert ends(others=False) is Verdict.GOES_ON
    assert ends(others=True) is Verdict.GIVES_WAY


def walked(old_at: int, end: int | None, score: float = 0.9) -> Walk:
    """Return a walk of masks at 10 over frames 1 to 9 whose old masks lie elsewhere."""
    old = {frame: entry_at(old_at, score) for frame in range(1, 10)}
    walk = Walk(Stretch(range(1, 10), mask_at(10), mask_at(end) if end else None, old), RULES)
    for frame in range(1, 10):
        walk.feed(frame, entry_at(10), {})
    return walk


def test_a_second_pass_comes_back_from_where_the_walk_did_not_lead() -> None:
    assert walked(30, 40).comes_back_from() == 10  # the certain mask, which it misses
    assert walked(30, 10).comes_back_from() is None  # it leads there, and holds all the way
    assert walked(10, 40).comes_back_from() is None  # it is back on the old masks
    assert walked(30, None).comes_back_from() is None  # nothing is certain at the end
    giving_way = walked(30, 30, 0.97)
    start = giving_way.comes_back_from()
    held = {frame: source for frame, (source, _) in giving_way.settled({}, met=False).items()}
    assert start == next(frame for frame, source in held.items() if source is Source.OLD)
    assert not giving_way.reaches_back(start)
    assert walked(30, 40).reaches_back(10)


@pytest.mark.parametrize(("other", "wanted"), [(40, Source.NEW), (10, Source.OLD)])
def test_a_mask_that_holds_of_another_object_speaks_against_what_lies_in_it(
    other: int, wanted: Source
) -> None:
    old = {frame: entry_at(40) for frame in range(1, 10)}
    walk = Walk(Stretch(range(1, 10), mask_at(25), mask_at(25), old), RULES)
    for frame in range(1, 10):
        walk.feed(frame, entry_at(10), {2: mask_at(55)})
    beside = {frame: {2: mask_at(other)} for frame in range(1, 10)}
    held = walk.settled({}, met=False, others=beside)
    assert {source for source, _ in held.values()} == {wanted}


@pytest.mark.parametrize(
    ("score", "other", "wanted"),
    [
        (0.95, None, Source.OLD),  # it is back, and the tracker is late
        (0.95, 40, Source.NEW),  # it was on what is another object's
        (0.6, None, Source.NEW),
    ],
)
def test_that_nothing_is_found_beside_an_absence_holds_against_old_masks_that_are_not_sure(
    score: float, other: int | None, wanted: Source
) -> None:
    nothing = Entry(None, Origin.PROPAGATED, score=0.0)
    old = {frame: entry_at(40, score) for frame in range(1, 20)}
    walk = Walk(Stretch(range(1, 20), None, None, old), RULES)
    walk.feed(1, nothing, {} if other is None else {2: mask_at(other)})
    for frame in (2, 3, 4, 5):
        verdict = walk.feed(frame, old[frame], {})
    held = walk.settled({}, met=False)
    assert verdict is Verdict.AGREES
    assert [held[frame][0] for frame in (1, 2)] == [wanted, Source.OLD]


def test_a_small_correction_is_carried_on_though_old_and_new_are_much_alike() -> None:
    """A handle that was left out makes little of the area; that it is small is no agreement."""
    old = {frame: entry_at(11) for frame in range(1, 20)}
    walk = Walk(Stretch(range(1, 20), mask_at(10), None, old), replace(RULES, iou=0.8))
    assert [walk.feed(frame, entry_at(10), {}) for frame in (1, 2, 3)] == [Verdict.GOES_ON] * 3


def candidates() -> st.SearchStrategy[list[dict[Source, Candidate]]]:
    one = st.builds(
        Candidate,
        st.sampled_from([entry_at(10), entry_at(14), entry_at(40), Entry(None, Origin.PROPAGATED)]),
        st.floats(-9, 9),
    )
    both = st.fixed_dictionaries({Source.OLD: one, Source.NEW: one})
    return st.lists(both, min_size=1, max_size=25)


@given(candidates())
@settings(deadline=None)
def test_each_frame_gets_one_of_its_candidates(frames: list[dict[Source, Candidate]]) -> None:
    path = choose(frames, mask_at(10), mask_at(14))
    assert len(path) == len(frames)
    assert all(source in here for source, here in zip(path, frames, strict=True))


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=3, max_size=25))
@settings(deadline=None)
def test_masks_are_chosen_in_stretches_not_by_turns(trusts: list[tuple[float, float]]) -> None:
    frames = [
        {Source.OLD: Candidate(entry_at(10), one), Source.NEW: Candidate(entry_at(11), other)}
        for one, other in trusts
    ]
    path = choose(frames, None, None)
    lengths = [len(list(run)) for _, run in groupby(path)]
    assert all(length > 1 for length in lengths[1:-1])


@pytest.mark.parametrize("certain", [10, 40])
def test_a_stretch_fits_the_masks_at_its_ends(certain: int) -> None:
    frames = [
        {Source.OLD: Candidate(entry_at(10), 0.5), Source.NEW: Candidate(entry_at(40), 0.5)}
    ] * 5
    wanted = Source.OLD if certain == 10 else Source.NEW
    assert choose(frames, mask_at(certain), mask_at(certain)) == [wanted] * 5


@pytest.mark.parametrize(("lead", "conflict"), [(0.7, True), (0.71, False), (-3.0, True)])
def test_a_rival_is_a_conflict_that_is_no_more_than_seven_tenths_behind(
    lead: float, conflict: bool
) -> None:
    offers = {Source.NEW: Candidate(entry_at(10), lead), Source.OLD: Candidate(entry_at(40), 0.0)}
    assert is_conflict(Source.NEW, offers, RULES) is conflict


def test_masks_that_differ_by_just_as_much_as_is_allowed_are_no_conflict() -> None:
    apart = 1 - mask_at(10).iou(mask_at(15))
    offers = {Source.NEW: Candidate(entry_at(10), 0), Source.OLD: Candidate(entry_at(15), 0)}
    assert not is_conflict(Source.NEW, offers, replace(RULES, conflict=apart))
    assert is_conflict(Source.NEW, offers, replace(RULES, conflict=apart - 1e-9))


@pytest.mark.parametrize(("shared", "ignored"), [(2, False), (3, True)])
def test_another_object_that_lies_where_this_one_does_from_the_start_speaks_against_nothing(
    shared: int, ignored: bool
) -> None:
    """More than a fifth of it: from the first frame on, and on that alone."""
    walk = Walk(Stretch(range(1, 9), mask_at(10), mask_at(10), {}), RULES)
    other = mask_at(20 - shared)
    walk.feed(1, entry_at(10, 0.5), {2: other})
    assert walk.new[1].support == pytest.approx(0 if ignored else -4 * shared / 10)
    walk.feed(2, entry_at(10, 0.5), {2: mask_at(15), 3: mask_at(40)})
    assert walk.new[2].support == pytest.approx(0 if ignored else -2)
    walk.feed(3, entry_at(10, 0.5), {3: mask_at(15)})
    assert walk.new[3].support == pytest.approx(-2)


def columns(count: int, first: int = 10) -> Entry:
    return Entry(Mask.encode(square(first, side=40)[:, :] & (np.indices(SIZE)[1] < first + count)),
                 Origin.PROPAGATED, score=0.9)  # fmt: skip


@pytest.mark.parametrize(("count", "ends_at"), [(38, 3), (37, 4)])
def test_masks_that_share_nineteen_twentieths_are_the_same_but_for_noise(
    count: int, ends_at: int
) -> None:
    """38 of 40 columns are: the walk ends a frame earlier."""
    old = {1: columns(10, 50)} | {frame: columns(count) for frame in range(2, 20)}
    rules = Rules(boundary=0.0, iou=0.5)
    walk = Walk(Stretch(range(1, 20), columns(40).mask, None, old), rules)
    verdicts = [walk.feed(frame, columns(40), {}) for frame in range(1, ends_at + 1)]
    assert walk.agreed[0] == 2
    assert verdicts.index(Verdict.AGREES) == (1 if count == 38 else 2)


def test_beside_the_correction_rules_are_as_strict_as_it_was_small() -> None:
    """Of what a correction changed a third may be left, but no less than noise is asked for."""

    def rules_after(old: Entry | None, iou: float = 0.5) -> float:
        known = {} if old is None else {1: old}
        walk = Walk(Stretch(range(1, 9), mask_at(10), None, known), replace(RULES, iou=iou))
        walk.feed(1, entry_at(10), {})
        walk.feed(2, entry_at(10), {})
        return walk.rules.iou

    assert rules_after(None) == 0.5
    assert rules_after(entry_at(40)) == pytest.approx(2 / 3)
    assert rules_after(entry_at(15)) == pytest.approx(1 - (2 / 3) / 3)
    assert rules_after(entry_at(10)) == 0.95
    assert rules_after(entry_at(40), 0.9) == 0.9


def test_what_gains_from_another_object_differs_from_the_old_mask_be_it_by_nothing() -> None:
    old = {frame: entry_at(10) for frame in range(1, 9)}
    walk = Walk(Stretch(range(1, 9), mask_at(10), None, old), Rules())
    assert [walk.feed(frame, entry_at(10), {}, gains=frame < 3) for frame in (1, 2, 3)] == [
        Verdict.GOES_ON,
        Verdict.GOES_ON,
        Verdict.AGREES,
    ]


@pytest.mark.parametrize(
    ("closest", "then", "meets"),
    [
        (11, (12, 12), True),  # 9 of 11 are .82: and .67 after it
        (12, (13, 13), False),  # .67 is not close
        (11, (12,), False),  # one frame apart is not enough
        (11, (12, 11), False),
    ],
)
def test_two_ways_meet_that_come_close_and_part(
    closest: int, then: tuple[int, ...], meets: bool
) -> None:
    old = {1: entry_at(14), 2: entry_at(closest)}
    old |= {frame: entry_at(x) for frame, x in enumerate(then, 3)}
    walk = Walk(Stretch(range(1, 20), mask_at(10), mask_at(20), old), replace(RULES, iou=0.95))
    verdicts = [walk.feed(frame, entry_at(10), {}) for frame in range(1, 3 + len(then))]
    assert (verdicts[-1] is Verdict.AGREES) is meets
    assert walk.agreed == ([2, 3, 4] if meets else [])
    open_end = Walk(Stretch(range(1, 20), mask_at(10), None, old), replace(RULES, iou=0.95))
    assert Verdict.AGREES not in [open_end.feed(f, entry_at(10), {}) for f in range(1, 5)]
