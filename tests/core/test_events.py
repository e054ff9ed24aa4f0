"""Events: what two objects seem to have done to each other, and one alone, to the limit."""

import pytest

from app.core.document import Entry, Origin
from app.core.events import Event, Reason, alone, between
from app.core.mask import Mask
from tests.fakes import square

SIZE = (80, 90)
LEFT, RIGHT = (20, 30), (60, 30)


def at(place: tuple[int, int], side: int = 16, *, cut: int = 0) -> Mask:
    """Return a square, without its first columns."""
    x, y = place
    pixels = square(x, y, side, SIZE)
    pixels[:, : x + cut] = False
    mask = Mask.encode(pixels)
    assert mask is not None
    return mask


def joined(*masks: Mask) -> Mask:
    pixels = masks[0].decode()
    for each in masks[1:]:
        pixels = pixels | each.decode()
    mask = Mask.encode(pixels)
    assert mask is not None
    return mask


A, B = at(LEFT), at(RIGHT)


def shifted(share: float) -> Mask:
    """Return a mask like A, so much of which lies in A."""
    return at((LEFT[0] + round(16 * (1 - share)), LEFT[1]))


def shifted_to_b(share: float) -> Mask:
    return at((RIGHT[0] - round(16 * (1 - share)), RIGHT[1]))


@pytest.mark.parametrize(
    ("now", "other_now", "wanted"),
    [
        (B, A, Event.SWAP),
        (shifted_to_b(9 / 16), shifted(9 / 16), Event.SWAP),
        (shifted_to_b(0.5), shifted(0.5), None),
        (shifted_to_b(0.5), shifted(9 / 16), Event.TAKEN),
        (A, A, Event.TAKEN),
        (shifted(0.25), shifted(9 / 16), Event.TAKEN),
        (shifted_to_b(9 / 16), B, Event.TWO_THINGS),
        (shifted_to_b(0.5), B, None),
        (A, B, None),
        (A, shifted(0.5), None),
        (shifted_to_b(9 / 16), shifted(0.5), Event.TWO_THINGS),
        (None, None, None),
        (A, None, None),
        (None, B, None),
    ],
)
def test_more_than_half_of_a_mask_has_to_lie_in_the_others_place(
    now: Mask | None, other_now: Mask | None, wanted: Event | None
) -> None:
    assert between(A, now, B, other_now) is wanted


@pytest.mark.parametrize(("shared", "wanted"), [(3, Event.SWAP), (4, Event.SWAP), (5, None)])
def test_where_more_than_a_quarter_overlapped_before_nothing_is_said(
    shared: int, wanted: Event | None
) -> None:
    other = at((LEFT[0] + 16 - shared, LEFT[1]))
    assert between(A, other, other, A) is wanted


def test_what_is_not_known_of_before_says_nothing() -> None:
    assert between(None, B, None, A) is None
    assert between(None, A, A, A) is Event.TWO_THINGS
    assert between(A, A, None, A) is Event.TAKEN


def grown(mask: Mask, pixels: int, at_x: int, at_y: int, columns: int) -> Mask:
    """Return a mask with so many more pixels, in rows of some columns from a place on."""
    more = mask.decode()
    for number in range(pixels):
        row, column = divmod(number, columns)
        assert not more[at_y + row, at_x + column]
        more[at_y + row, at_x + column] = True
    made = Mask.encode(more)
    assert made is not None
    return made


LOST = at(LEFT, side=10)  # of 100 pixels: an object that grows by more than 40 has taken it


@pytest.mark.parametrize(("more", "taken"), [(40, False), (41, True)])
def test_what_has_grown_by_more_than_two_fifths_of_what_another_lost_has_taken_it(
    more: int, taken: bool
) -> None:
    """The new pixels lie beside the lost object, within the box that holds both."""
    beside = at((LEFT[0], LEFT[1] + 20), side=10)
    larger = grown(beside, more, LEFT[0] - 5, LEFT[1] + 9, 5)
    assert larger.area == beside.area + more
    wanted = (Event.TAKEN, Event.TWO_THINGS) if taken else (None, None)
    assert between(LOST, None, beside, larger) is wanted[0]
    assert between(beside, larger, LOST, None) is wanted[1]
    assert between(LOST, LOST, beside, larger) is None
    assert between(beside, larger, LOST, LOST) is None


@pytest.mark.parametrize("apart", [0, 1])
@pytest.mark.parametrize(("down", "right"), [(1, 0), (-1, 0), (0, 1), (0, -1)])
def test_what_grows_apart_from_what_was_lost_has_not_taken_it(
    down: int, right: int, apart: int
) -> None:
    x, y = LEFT
    reach = 9 + apart  # with 10 the two boxes only touch
    offsets = {1: reach, -1: -reach - 2, 0: -1}
    was = at((x + offsets[right] + 3, y + offsets[down] + 3), side=3)
    now = at((x + offsets[right], y + offsets[down]), side=12)
    wanted = None if apart else Event.TAKEN
    assert between(LOST, None, was, now) is wanted


ENTRY = Entry(A, Origin.PROPAGATED, score=0.9)


@pytest.mark.parametrize(
    ("reasons", "score", "wanted"),
    [
        ({Reason.RETURNED}, 0.5, Event.RE_ENTRY),
        ({Reason.RETURNED}, 0.49, Event.MADE_UP),
        ({Reason.RETURNED}, None, Event.RE_ENTRY),
        ({Reason.RETURNED, Reason.LOW_SCORE}, 0.6, Event.MADE_UP),
        ({Reason.RETURNED, Reason.VANISHED}, 0.9, Event.RE_ENTRY),
        ({Reason.VANISHED, Reason.SPLIT}, 0.9, Event.LOST),
        ({Reason.SLIVER, Reason.AREA_JUMP}, 0.9, Event.LOST),
        ({Reason.BORDER_EXIT}, 0.9, Event.LOST),
        ({Reason.SPLIT, Reason.AREA_JUMP}, 0.9, Event.TWO_THINGS),
        ({Reason.AREA_JUMP}, 0.9, Event.LEAK),
        ({Reason.LOW_OVERLAP}, 0.9, Event.DRIFT),
        (set(), 0.9, Event.DRIFT),
    ],
)
def test_the_first_reason_that_tells_names_what_happened(
    reasons: set[Reason], score: float | None, wanted: Event
) -> None:
    larger = joined(A, B)
    assert alone(reasons, A, larger, Entry(larger, Origin.PROPAGATED, score=score)) is wanted


def test_only_what_has_grown_leaks_and_only_what_is_there_returns() -> None:
    jump = {Reason.AREA_JUMP}
    assert alone(jump, A, B, ENTRY) is Event.DRIFT  # as large as before
    assert alone(jump, joined(A, B), A, ENTRY) is Event.DRIFT
    assert alone(jump, None, A, ENTRY) is Event.DRIFT
    assert alone(jump, A, None, ENTRY) is Event.DRIFT
    assert alone({Reason.RETURNED}, A, None, ENTRY) is Event.DRIFT
