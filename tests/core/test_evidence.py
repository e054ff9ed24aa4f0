"""Evidence: the best path through what each frame offers, and what speaks for a mask."""

import itertools
import math
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.confidence import log_odds
from app.core.document import Entry, Origin
from app.core.evidence import (
    Beside,
    Candidate,
    Candidates,
    Source,
    Stretch,
    choose,
    fits,
    overlap,
    place_odds,
    taken,
)
from app.core.mask import Mask
from tests.fakes import square


def mask_at(x: int) -> Mask:
    mask = Mask.encode(square(x))
    assert mask is not None
    return mask


def entry_at(x: int | None, score: float | None = 0.9) -> Entry:
    return Entry(None if x is None else mask_at(x), Origin.PROPAGATED, score=score)


def misfit(one: Mask | None, other: Mask | None) -> float:
    """Return 3 for masks that do not touch, 1.5 where one is missing."""
    if one is None or other is None:
        return 0.0 if one is other else 1.5
    return 3 * (1 - one.iou(other))


def worth(
    frames: Sequence[Candidates],
    path: Sequence[Source],
    start: Mask | None,
    end: Mask | None,
    beyond: Source | None,
) -> float:
    """Return what a path brings in, by the definition: a change costs 3.1."""
    masks = [here[source].entry.mask for here, source in zip(frames, path, strict=True)]
    total = -misfit(start, masks[0])
    for here, source in zip(frames, path, strict=True):
        strongest = max(each.support for each in here.values())
        total += max(here[source].support - strongest, -3)
    for (one, other), (before, after) in zip(
        itertools.pairwise(path), itertools.pairwise(masks), strict=True
    ):
        total -= misfit(before, after) + (3.1 if one is not other else 0)
    if end is not None:
        total -= misfit(masks[-1], end)
    return total - (3.1 if beyond is not None and beyond is not path[-1] else 0)


PLACES = st.sampled_from((None, 10, 13, 18, 40))
OFFERS = st.dictionaries(
    st.sampled_from(Source),
    st.builds(lambda x, support: Candidate(entry_at(x), support), PLACES, st.floats(-6, 6)),
    min_size=1,
)
ENDS = PLACES.map(lambda x: None if x is None else mask_at(x))


@settings(max_examples=150, deadline=None)
@given(st.lists(OFFERS, min_size=1, max_size=5), ENDS, ENDS, st.none() | st.sampled_from(Source))
def test_no_other_path_brings_in_more(
    frames: list[Candidates], start: Mask | None, end: Mask | None, beyond: Source | None
) -> None:
    best = max(
        worth(frames, path, start, end, beyond) for path in itertools.product(*map(list, frames))
    )
    chosen = choose(frames, start, end, beyond)
    assert worth(frames, chosen, start, end, beyond) == pytest.approx(best)


def test_of_no_frames_nothing_is_chosen() -> None:
    assert choose([], mask_at(10), mask_at(10)) == []


@pytest.mark.parametrize(("away", "fit"), [(5, True), (6, False)])
def test_masks_fit_from_three_tenths_of_overlap_on(away: int, fit: bool) -> None:
    """Squares of 10: moved by 5 they share 5 of 15, by 6 4 of 16."""
    assert fits(mask_at(10), mask_at(10 + away)) is fit
    assert fits(None, None)
    assert fits(mask_at(10), None)
    assert fits(None, mask_at(10))


def test_just_three_tenths_of_overlap_fit() -> None:
    one, other = (Mask.encode(square(x, side=13)) for x in (10, 17))
    assert one is not None
    assert other is not None
    assert one.iou(other) == 0.3
    assert fits(one, other)


def test_what_lies_in_another_objects_mask_speaks_against_a_mask_four_times_as_odds() -> None:
    here = mask_at(10)
    beside = [mask_at(18), mask_at(15), mask_at(40)]
    assert overlap(here, beside) == 0.5
    assert taken(here, beside) == 2
    assert overlap(here, []) == taken(here, []) == taken(None, beside) == 0


def test_a_place_speaks_as_log_odds() -> None:
    assert place_odds(0.5) == 0
    assert place_odds(0.8) == pytest.approx(math.log(4))


def stretch(
    beside: Beside = Beside.WRONG,
    *,
    start: int | None = 10,
    end: int | None = 12,
    last: int | None = 12,
    score: float | None = 0.8,
    falling: bool = False,
) -> Stretch:
    """Return a way of four frames from 20 on with old masks, of which the last lies at `last`."""
    frames = range(23, 19, -1) if falling else range(20, 24)
    old = {frame: entry_at(30, score) for frame in (*range(10, 20), *frames, 24, 25)}
    old[frames[-1]] = entry_at(last, score)
    first, behind = (None if x is None else mask_at(x) for x in (start, end))
    return Stretch(frames, first, behind, old, beside)


OLD = 2 * log_odds(0.8)


@pytest.mark.parametrize("falling", [False, True])
def test_an_old_mask_is_believed_the_more_the_nearer_it_is_to_the_certain_one(
    falling: bool,
) -> None:
    way = stretch(falling=falling)
    assert way.step == (-1 if falling else 1)
    supports = [held.support for frame in way.frames if (held := way.standing(frame))]
    assert supports == pytest.approx([OLD + math.log(n / (5 - n)) for n in (1, 2, 3, 4)])
    assert way.standing(99) is None


def test_a_single_frame_is_gone_forward() -> None:
    assert Stretch([7], None, None, {}).step == 1


@pytest.mark.parametrize(
    ("way", "more"),
    [
        (stretch(Beside.RIGHT), 2),
        (stretch(Beside.OPEN), 0),
        (stretch(last=40), -2),  # it does not lead to the certain one
        (stretch(Beside.RIGHT, last=40), 2),
        (stretch(Beside.OPEN, last=40), 0),
        (stretch(end=None), 0),
        (stretch(end=None, last=40), 0),
    ],
)
def test_what_is_known_of_old_masks_counts_on_every_frame(way: Stretch, more: float) -> None:
    for frame in way.frames:
        held = way.standing(frame)
        assert held is not None
        assert held.support == pytest.approx(OLD + more)


def test_without_an_old_mask_before_the_certain_one_the_others_may_lead_to_it() -> None:
    frames = range(20, 24)
    way = Stretch(frames, mask_at(10), mask_at(12), {20: entry_at(30, 0.8)})
    held = way.standing(20)
    assert held is not None
    assert held.support == pytest.approx(OLD + math.log(1 / 4))


@pytest.mark.parametrize("beside", [Beside.WRONG, Beside.RIGHT])
def test_on_an_open_end_new_masks_are_believed_more_but_less_and_less(beside: Beside) -> None:
    frames = range(20, 40)
    way = Stretch(frames, mask_at(10), None, {}, beside)
    for place, frame in enumerate(frames):
        more = max(0.5, 2.6 - math.log(2 + place))
        new = way.new(frame, entry_at(10, 0.7))
        assert new.support == pytest.approx(2 * log_odds(0.7) + more)
    assert more == 0.5


@pytest.mark.parametrize("way", [stretch(), stretch(Beside.OPEN, end=None)])
def test_elsewhere_the_score_speaks_for_a_new_mask_and_other_objects_against_it(
    way: Stretch,
) -> None:
    assert way.new(20, entry_at(10, 0.7)).support == pytest.approx(2 * log_odds(0.7))
    assert way.new(20, entry_at(10, None)).support == 0
    beside = way.new(20, entry_at(10, 0.7), [mask_at(15)])
    assert beside.support == pytest.approx(2 * log_odds(0.7) - 2)
    assert way.back(entry_at(10, 0.7)) == Candidate(entry_at(10, 0.7), beside.support + 2)


def test_that_nothing_is_found_is_believed_only_from_where_a_person_said_so() -> None:
    nothing = entry_at(None, 0.1)
    assert stretch(start=None).new(20, nothing).support == pytest.approx(2 * log_odds(0.86))
    assert stretch().new(20, nothing).support == pytest.approx(2 * log_odds(0.1))
    assert stretch(start=None).new(20, entry_at(10, 0.1)).support == pytest.approx(
        2 * log_odds(0.1)
    )
