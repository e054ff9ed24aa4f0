"""Suspects: every kind of suspect is found, grouped and ranked."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.document import Document, Entry, Key, ObjectInfo, Origin
from app.core.events import Event, Reason
from app.core.finder import Finder, find
from app.core.mask import Mask
from app.core.suspects import Order, Suspect
from models.api import BoolMask
from tests.fakes import square

INFO = ObjectInfo(1, "knife", (1, 2, 3))


def entry(pixels: BoolMask | None, **facts: object) -> Entry:
    mask = None if pixels is None else Mask.encode(pixels)
    return Entry(mask, **{"origin": Origin.PROPAGATED, "score": 0.9, **facts})  # type: ignore[arg-type]


def document_with(odd: dict[int, Entry], count: int = 40) -> Document:
    """Return a square that slowly moves right, but for the odd entries."""
    entries = {Key(frame, 1): entry(square(10 + frame // 8)) for frame in range(count)}
    entries[Key(0, 1)] = entry(square(10), origin=Origin.DRAWN)
    return Document((INFO,), {**entries, **{Key(f, 1): e for f, e in odd.items()}})


def reasons(odd: dict[int, Entry]) -> dict[tuple[int, int], set[Reason]]:
    return {(i.first, i.last): set(i.reasons) for i in find(document_with(odd))}


def test_a_steady_mask_is_no_suspect() -> None:
    assert find(document_with({})) == ()


@pytest.mark.parametrize(
    ("odd", "wanted"),
    [
        ({20: entry(square(12), score=0.1)}, Reason.LOW_SCORE),
        ({20: entry(square(12, side=20))}, Reason.AREA_JUMP),
        ({20: entry(square(45))}, Reason.LOW_OVERLAP),
        ({20: entry(square(12) | square(40), score=0.85)}, Reason.SPLIT),
        ({20: entry(None)}, Reason.VANISHED),
        ({20: entry(None)}, Reason.RETURNED),
        ({20: entry(square(12), conflict=True)}, Reason.CONFLICT),
        ({19: entry(square(0)), 20: entry(None)}, Reason.BORDER_EXIT),
    ],
)
def test_every_kind_of_suspect_is_found_at_its_frame(odd: dict[int, Entry], wanted: Reason) -> None:
    assert any(first <= 21 and last >= 20 and wanted in found
               for (first, last), found in reasons(odd).items())  # fmt: skip


def test_what_a_person_made_is_no_suspect() -> None:
    assert reasons({20: entry(square(40), origin=Origin.DRAWN, score=0.1)}).keys() == {(21, 21)}


def test_neighbouring_suspects_are_one_suspect_at_its_worst_frame() -> None:
    scores = {20: 0.1, 21: 0.4, 22: 0.2}
    odd = {frame: entry(square(12), score=score) for frame, score in scores.items()}
    (suspect,) = find(document_with(odd))
    assert (suspect.first, suspect.last, suspect.frame) == (20, 22, 20)


def test_where_passes_disagree_the_middle_is_to_be_corrected() -> None:
    scores = {frame: 0.9 - frame / 100 for frame in range(20, 27)}
    odd = {frame: entry(square(12), score=s, conflict=True) for frame, s in scores.items()}
    (suspect,) = find(document_with(odd))
    assert (suspect.first, suspect.last, suspect.frame) == (20, 26, 23)


def test_hardly_any_left_of_the_anchor_is_a_suspect_with_the_middle_to_look_at() -> None:
    entries = {Key(frame, 1): entry(square(12, side=30)) for frame in range(60)}
    entries |= {Key(frame, 1): entry(square(12, side=9)) for frame in range(21, 50)}
    entries[Key(0, 1)] = entry(square(12, side=30), origin=Origin.DRAWN)
    (hidden,) = (i for i in find(Document((INFO,), entries)) if Reason.SLIVER in i.reasons)
    assert (hidden.first, hidden.last, hidden.frame) == (21, 49, 35)


def test_an_object_that_leaves_the_picture_is_no_sliver() -> None:
    entries = {Key(frame, 1): entry(square(0, side=max(3, 30 - frame))) for frame in range(40)}
    entries[Key(0, 1)] = entry(square(0, side=30), origin=Origin.DRAWN)
    assert all(Reason.SLIVER not in i.reasons for i in find(Document((INFO,), entries)))


def test_what_vanishes_after_hardly_any_was_left_is_the_same_suspect() -> None:
    entries = {Key(frame, 1): entry(square(12, side=30)) for frame in range(20)}
    entries |= {Key(frame, 1): entry(square(12, side=9)) for frame in range(20, 25)}
    entries |= {Key(frame, 1): entry(None) for frame in range(25, 40)}
    entries[Key(0, 1)] = entry(square(12, side=30), origin=Origin.DRAWN)
    (suspect,) = find(Document((INFO,), entries))
    assert (suspect.first, suspect.last) == (20, 25)
    assert {Reason.SLIVER, Reason.VANISHED} <= set(suspect.reasons)


def test_suspects_on_two_sides_of_an_anchor_are_two_suspects() -> None:
    odd = {frame: entry(square(12), score=0.1) for frame in (20, 22)}
    odd[21] = entry(square(12), origin=Origin.DRAWN)
    assert {(i.first, i.last) for i in find(document_with(odd))} == {(20, 20), (22, 22)}


def test_the_suspect_that_heals_more_frames_comes_first() -> None:
    early, late = entry(square(12), score=0.1), entry(square(14), score=0.1)
    assert [i.first for i in find(document_with({8: early, 38: late}))] == [8, 38]


def test_a_correction_reaches_to_the_next_anchor() -> None:
    odd = {8: entry(square(11), conflict=True), 11: entry(square(11), origin=Origin.DRAWN)}
    (suspect,) = find(document_with(odd))
    assert suspect.value == pytest.approx(3 * suspect.severity)


def test_where_the_model_is_only_unsure_for_a_while_no_more_than_that_is_healed() -> None:
    unsure = {frame: entry(square(11), score=0.7) for frame in (8, 9)}
    leak = {frame: entry(square(10 + frame // 8, side=20)) for frame in range(30, 40)}
    leaks, doubt = find(document_with({**unsure, **leak}))
    assert (leaks.first, doubt.first) == (30, 8)
    assert doubt.value == pytest.approx(2 * doubt.severity)


def test_what_is_only_stale_is_no_suspect_and_swallows_none() -> None:
    odd = {frame: entry(square(12), stale=True) for frame in range(15, 30)}
    assert find(document_with(odd)) == ()
    odd[20] = entry(square(12), stale=True, conflict=True)
    (suspect,) = find(document_with(odd))
    assert (suspect.first, suspect.last) == (20, 20)
    assert set(suspect.reasons) == {Reason.CONFLICT, Reason.STALE}


def two_objects(odd: dict[Key, Entry], count: int = 30) -> tuple[Suspect, ...]:
    """Return the suspects of two squares that stand still, but for the odd entries."""
    entries = {
        Key(frame, number): entry(square(10 if number == 1 else 40))
        for frame in range(count)
        for number in (1, 2)
    }
    entries |= {Key(0, n): entry(square(10 * n), origin=Origin.DRAWN) for n in (1,)}
    return find(Document((INFO, ObjectInfo(2, "fork", (3, 2, 1))), {**entries, **odd}))


def test_two_objects_that_change_places_are_one_row() -> None:
    odd = {Key(f, n): entry(square(40 if n == 1 else 10)) for f in range(20, 30) for n in (1, 2)}
    (suspect,) = two_objects(odd)
    assert suspect.event is Event.SWAP
    assert {suspect.object, suspect.other} == {1, 2}
    assert suspect.first == 20


def test_a_swap_within_a_longer_unrest_begins_where_they_change_places() -> None:
    odd = {Key(f, n): entry(square(40 if n == 1 else 10)) for f in range(20, 30) for n in (1, 2)}
    odd |= {Key(f, 1): entry(square(10), score=0.4) for f in (17, 18, 19)}
    odd |= {Key(f, 1): entry(square(40), score=0.45) for f in range(20, 26)}
    before, swap = two_objects(odd)
    assert (before.first, before.last, before.event) == (17, 19, Event.DRIFT)
    assert (swap.first, swap.last, swap.event) == (20, 25, Event.SWAP)
    assert before.frame <= 19
    assert swap.frame >= 20


def test_a_swap_ends_where_they_change_back_though_the_unrest_goes_on() -> None:
    odd = {Key(f, n): entry(square(40 if n == 1 else 10)) for f in range(12, 20) for n in (1, 2)}
    odd |= {Key(f, 1): entry(square(10, side=5), score=0.3) for f in (20, 21)}
    swap, rest = (each for each in two_objects(odd) if each.object == 1)
    assert (swap.first, swap.last, swap.event) == (12, 19, Event.SWAP)
    assert swap.frame <= 19
    assert (rest.first, rest.event, rest.other) == (20, Event.DRIFT, None)
    one, two = Key(20, 1), Key(21, 1)
    back = {key: entry(square(10), score=0.9) for key in (one, two)}
    (swap,) = (each for each in two_objects(odd | back) if each.object == 1)
    assert (swap.first, swap.last) == (12, 19)


def test_what_another_object_has_now_was_taken_by_it() -> None:
    odd = {Key(f, 2): entry(square(10)) for f in range(20, 30)}
    odd |= {Key(f, 1): entry(None, score=0.1) for f in range(20, 30)}
    events = {s.object: (s.event, s.other) for s in two_objects(odd) if s.first == 20}
    assert events[1] == (Event.TAKEN, 2)


@pytest.mark.parametrize("seen", [20, 23, 25])
def test_what_vanishes_while_another_grows_by_it_was_taken_for_as_long_as_it_is_gone(
    seen: int,
) -> None:
    odd = {Key(f, 2): entry(square(40) | square(18)) for f in range(20, 26)}
    odd[Key(seen, 2)] = entry(square(40) | square(14, side=16))  # here most of it is to be seen
    odd |= {Key(f, 1): entry(None, score=0.1) for f in range(20, 26)}
    first, *others = (s for s in two_objects(odd) if s.first <= 25)
    assert (first.object, first.event, first.other) == (1, Event.TAKEN, 2)
    assert (first.first, first.last, first.frame) == (20, 25, seen)
    assert not any(each.event is Event.TWO_THINGS for each in others)


def test_what_only_moves_fast_is_no_suspect() -> None:
    moves = {frame: entry(square(10 + 5 * (frame - 10)), score=0.97) for frame in range(10, 17)}
    moves |= {frame: entry(square(40), score=0.97) for frame in range(17, 40)}
    assert find(document_with(moves)) == ()
    moves[14] = entry(square(30), score=0.7)  # here the model is less sure
    assert find(document_with(moves)) != ()


def test_one_thing_after_another_are_suspects_of_their_own() -> None:
    two = square(12) | square(40)
    odd = {
        frame: entry(two if frame in {10, 11} else square(12), score=0.4) for frame in range(10, 19)
    }
    odd |= {16: entry(two, score=0.4), 19: entry(None)}
    assert [each.first for each in find(document_with(odd), None)] == [10, 16, 19]


@pytest.mark.parametrize(
    ("odd", "wanted"),
    [
        ({20: entry(None)}, Event.LOST),
        ({20: entry(square(12) | square(40), score=0.4)}, Event.TWO_THINGS),
        ({20: entry(square(12, side=20), score=0.4)}, Event.LEAK),
        ({20: entry(square(12), conflict=True)}, Event.CONFLICT),
        ({20: entry(square(12), score=0.1)}, Event.DRIFT),
        ({**{f: entry(None) for f in range(1, 20)}, 20: entry(square(12), score=0.85)},
         Event.RE_ENTRY),
        ({**{f: entry(None) for f in range(1, 20)}, 20: entry(square(12), score=0.2)},
         Event.MADE_UP),
    ],
)  # fmt: skip
def test_what_happened_to_an_object_is_named(odd: dict[int, Entry], wanted: Event) -> None:
    assert wanted in {suspect.event for suspect in find(document_with(odd))}


def test_a_jump_and_the_jump_back_are_one_suspect() -> None:
    odd = {frame: entry(square(45), score=0.5 + frame / 100) for frame in range(12, 24)}
    (suspect,) = find(document_with(odd))
    assert (suspect.first, suspect.last, suspect.frame) == (12, 23, 12)


def test_after_a_jump_back_what_was_usual_before_is_no_suspect() -> None:
    """For some frames after a leak the usual size is still that of the leak."""
    odd = {frame: entry(square(8 - frame % 2, side=20)) for frame in range(12, 20)}
    (suspect,) = find(document_with(odd))
    assert (suspect.first, suspect.last) == (12, 19)


def test_a_short_loss_and_the_return_are_one_suspect_while_it_is_gone() -> None:
    odd = {frame: entry(None, score=0.1) for frame in range(12, 20)}
    (suspect,) = find(document_with(odd))
    assert (suspect.first, suspect.last) == (12, 19)
    assert suspect.event is Event.LOST
    assert set(suspect.reasons) == {Reason.VANISHED, Reason.RETURNED}


@pytest.mark.parametrize(
    "back", [entry(square(12), score=0.3), entry(square(12, side=20)), entry(square(12, side=6))]
)
@pytest.mark.parametrize("last", [20, 39])
def test_what_comes_back_as_something_else_is_a_suspect(back: Entry, last: int) -> None:
    odd = {frame: entry(None) for frame in range(12, 20)}
    odd |= dict.fromkeys(range(20, last + 1), back)
    assert any(each.first <= 20 <= each.last for each in find(document_with(odd)))


def test_what_is_lost_at_the_border_and_comes_back_to_its_place_is_one_suspect() -> None:
    moves = {frame: entry(square(0)) for frame in range(8, 40)}
    moves |= {frame: entry(None) for frame in range(12, 20)}
    (lost,) = (each for each in find(document_with(moves)) if each.last >= 12)
    assert (lost.first, lost.last) == (12, 19)
    assert set(lost.reasons) == {Reason.BORDER_EXIT, Reason.RETURNED}
    elsewhere = moves | {frame: entry(square(54)) for frame in range(20, 40)}
    assert any(each.first == 20 for each in find(document_with(elsewhere)))


def test_a_leak_that_grows_and_a_thing_that_grows_meanwhile_end_with_the_jump_back() -> None:
    sides = {12: 12, 13: 14, 14: 17, 15: 20, 16: 24, 17: 28}
    odd = {frame: entry(square(10, y=10, side=side)) for frame, side in sides.items()}
    odd |= {frame: entry(square(10, y=10, side=10 + (frame > 17))) for frame in range(18, 40)}
    odd |= {frame: entry(square(10, y=10)) for frame in range(1, 12)}
    (suspect,) = (each for each in find(document_with(odd)) if each.last >= 12)
    assert suspect.last == 17
    assert suspect.frame == 17  # the model is sure of all, so that the size tells


def test_after_a_jump_back_no_jump_begins_with_what_was_usual_before() -> None:
    """The thing grows all the while, leaks from 12 to 17, and a strip is left from frame 30 on."""
    sides = {frame: 10 + frame // 3 for frame in range(40)}
    sides |= {frame: 2 * sides[frame] for frame in range(12, 18)}
    masks = {frame: square(8, y=6, side=side) for frame, side in sides.items()}
    for frame in range(30, 40):
        masks[frame][13:] = False  # as large as the thing was on frame 3
    odd = {frame: entry(mask) for frame, mask in masks.items()}
    odd[0] = entry(square(8, y=6), origin=Origin.DRAWN)
    leak, shrunk = sorted(find(document_with(odd)), key=lambda each: each.first)
    assert (leak.first, leak.last) == (12, 17)
    assert shrunk.first == 30


def apart() -> BoolMask:
    """Return a square as large as the others, with a gap in it."""
    pixels = square(12) | square(13)
    pixels[:, 18] = False
    return pixels


@pytest.mark.parametrize(
    ("pieces", "score", "listed"),
    [
        (apart(), 0.95, False),
        (apart(), 0.85, True),  # the model is unsure
        (square(12) | square(40, side=6), 0.95, False),
        (square(12) | square(40, side=6), 0.85, True),
        (square(12) | square(40), 0.95, True),  # that is twice as much
    ],
)
def test_a_thing_that_only_comes_apart_is_no_suspect(
    pieces: BoolMask, score: float, listed: bool
) -> None:
    assert bool(find(document_with({20: entry(pieces, score=score)}))) is listed


def test_what_comes_back_after_an_anchor_or_a_long_time_is_a_suspect() -> None:
    gone = {frame: entry(None) for frame in range(12, 20)}
    absent = gone | {15: entry(None, origin=Origin.DRAWN)}
    assert any(each.first == 20 for each in find(document_with(absent)))
    long = {frame: entry(None) for frame in range(12, 32)}
    unsure = {frame: entry(square(14), score=0.89) for frame in range(32, 40)}
    assert any(each.first == 32 for each in find(document_with(long | unsure)))
    sure = {frame: entry(square(14, side=16), score=0.9) for frame in range(32, 40)}
    assert [(each.first, each.last) for each in find(document_with(long | sure))] == [(12, 12)]


def test_suspects_come_in_order_of_value_or_of_time() -> None:
    finder = Finder()
    odd = {5: entry(square(11), score=0.4), 20: entry(square(12), conflict=True, score=0.1)}
    finder.examine(1, document_with(odd).of_object(1))
    assert [s.first for s in finder.ranked(Order.TIME)] == [5, 20]
    assert sorted(finder.ranked(), key=lambda s: -s.value) == list(finder.ranked(Order.VALUE))


def test_looking_again_after_an_edit_gives_what_a_fresh_look_gives() -> None:
    document, finder = document_with({20: entry(square(45))}), Finder()
    finder.examine(1, document.of_object(1))
    document.replace({Key(20, 1): entry(square(12)), Key(30, 1): entry(None)})
    finder.examine(1, document.of_object(1))
    assert finder.ranked() == find(document)


def test_objects_that_are_gone_are_forgotten() -> None:
    finder = Finder()
    finder.examine(1, document_with({20: entry(None)}).of_object(1))
    finder.forget(keep=[2])
    assert finder.ranked() == ()


def test_the_text_names_frames_and_reasons() -> None:
    suspect = Suspect(1, 20, 22, 20, (Reason.CONFLICT, Reason.STALE), 0.9, 5.0)
    assert suspect.text == "20-22: conflict, stale"


def test_an_edit_in_twenty_thousand_entries_is_looked_at_again_quickly() -> None:
    masks = [Mask.encode(square(x)) for x in range(20)]
    entries = {
        frame: Entry(masks[frame % 20], Origin.PROPAGATED, score=0.9) for frame in range(20_000)
    }
    finder = Finder()
    begun = time.thread_time()
    finder.examine(1, entries)
    examined = time.thread_time() - begun
    again = []
    for frame in (776, 778, 777):
        entries[frame] = Entry(Mask.encode(np.ones((48, 64), np.bool_)), Origin.PROPAGATED)
        begun = time.thread_time()
        finder.examine(1, entries)
        again.append(time.thread_time() - begun)
    # .3 of it, measured, and .7 if each mask were measured again; a look at every pair of frames
    # would take a thousandfold.
    assert min(again) < examined / 2
    assert any(suspect.first <= 777 <= suspect.last for suspect in finder.ranked())


def test_what_is_usual_is_the_median_of_five_frames() -> None:
    """A leak that stays is told from the size before for as long as most of five frames had it."""
    leak = {frame: entry(square(12, y=8, side=17)) for frame in range(20, 40)}
    (suspect,) = find(document_with({**leak, 19: entry(square(12))}))
    assert (suspect.first, suspect.last) == (20, 22)


ANY_MASK = st.sampled_from((square(10), square(45), square(12, side=20), square(0), None))
ANY_ENTRY = st.builds(
    entry,
    ANY_MASK,
    score=st.sampled_from((None, 0.9, 0.3)),
    origin=st.sampled_from((Origin.PROPAGATED, Origin.PROPAGATED, Origin.DRAWN)),
    stale=st.booleans(),
)


STRETCHES = st.lists(st.tuples(st.integers(1, 5), st.none() | ANY_ENTRY | ANY_ENTRY), max_size=8)


@given(st.tuples(STRETCHES, STRETCHES))
@settings(max_examples=300, deadline=None)
def test_whatever_masks_there_are_a_suspect_is_of_frames_that_have_its_object(
    objects: tuple[list[tuple[int, Entry | None]], ...],
) -> None:
    """Also where frames between have none, as after a stopped run or a cleared range."""
    entries = dict[Key, Entry]()
    for number, stretches in enumerate(objects, 1):
        each = [found for count, found in stretches for _ in range(count)]
        entries |= {Key(f, number): found for f, found in enumerate(each) if found is not None}
    document = Document((INFO, ObjectInfo(2, "cup", (3, 2, 1))), dict(sorted(entries.items())))
    for suspect in find(document):
        for frame in (suspect.first, suspect.last, suspect.frame):
            assert Key(frame, suspect.object) in entries
        assert suspect.first <= suspect.frame <= suspect.last


def test_a_jump_and_the_jump_back_with_frames_cleared_between_are_one_suspect() -> None:
    jumped = {frame: entry(square(45)) for frame in range(10, 20)}
    document = document_with(jumped)
    document.replace({Key(15, 1): None})
    (found,) = (each for each in find(document) if Reason.LOW_OVERLAP in each.reasons)
    assert (found.first, found.last) == (10, 19)
