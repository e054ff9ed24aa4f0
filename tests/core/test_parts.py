"""The parts of masks: pieces split off, corrections carried on."""

import numpy as np

from app.core.block import Block
from app.core.document import Key
from app.core.mask import Mask
from app.core.parts import carried, split
from models.api import BoolMask
from tests.fakes import square


def mask(*pixels: BoolMask) -> Mask:
    made = Mask.encode(np.logical_or.reduce(pixels))
    assert made is not None
    return made


def test_the_part_is_what_does_not_go_on_from_the_frame_before() -> None:
    small, large = square(5, side=8), square(30, side=12)
    parts = split([(3, mask(square(29, side=8), square(5, side=7))), (4, mask(small, large))])
    assert parts[4] == (mask(large), mask(small))
    grown = split([(3, mask(small, square(30, side=4))), (4, mask(small, large))])
    assert grown[4] == (mask(small), mask(large))


def test_one_piece_and_its_specks_are_not_split() -> None:
    assert split([(0, mask(square(5))), (1, mask(square(5), square(40, side=2)))]) == {}


def test_a_correction_moves_with_the_object() -> None:
    before, now = mask(square(10)), mask(square(10), square(20, side=4))
    there = mask(square(14, y=22))
    assert carried(before, now, there) == mask(square(14, y=22), square(24, y=22, side=4))


def test_what_a_correction_took_away_is_taken_there_too() -> None:
    before, now = mask(square(10), square(20, side=4)), mask(square(10))
    assert carried(before, now, before) == now


def test_a_block_is_frames_times_objects() -> None:
    block = Block((2, 1), range(4, 6))
    assert block.keys == [Key(4, 2), Key(4, 1), Key(5, 2), Key(5, 1)]
    assert block.last == 5


def test_a_piece_of_a_twentieth_of_the_area_is_no_speck() -> None:
    whole = np.zeros((40, 60), np.bool_)
    whole[10:15, 10:29] = True  # 95 pixels
    piece = np.zeros_like(whole)
    piece[30, 50:55] = True
    assert split([(3, mask(whole, piece))]) == {3: (mask(whole), mask(piece))}
    piece[30, 50] = False
    assert split([(3, mask(whole, piece))]) == {}
    above = np.zeros_like(whole)
    above[2, 50:54] = True  # found before the rest: of 99 pixels in all
    assert split([(3, mask(whole, above))]) == {}


def test_where_nothing_goes_on_the_largest_piece_stays() -> None:
    small, large, elsewhere = square(5, y=5, side=6), square(30, side=12), square(50, y=2, side=5)
    found = split([(2, mask(elsewhere)), (3, mask(small, large))])
    assert found == {3: (mask(large), mask(small))}


def test_a_background_that_is_but_a_speck_is_no_part_of_the_mask() -> None:
    whole = ~square(20, side=3)
    whole[:, 40] = False
    (stays, part), *_ = split([(0, mask(whole))]).values()
    assert (stays.decode() | part.decode()).tolist() == whole.tolist()
    assert stays.area > part.area
