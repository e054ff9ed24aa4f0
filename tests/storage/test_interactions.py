"""The log of interactions: what an argument is, it is again when the log is read."""

from collections.abc import Iterable
from dataclasses import replace

import msgspec
import numpy as np
import pytest

from app.core.block import Block
from app.core.document import Entry, Key, Origin
from app.core.mask import Mask
from app.core.plan import Direction
from app.errors import FormatError
from app.storage.interactions import decode, encode
from app.storage.settings import Settings
from models.api import Box, Click
from tests.fakes import square

MASK = Mask.encode(square(10))
ARGUMENTS = [
    None, True, 3, 0.5, "cup",
    Key(3, 1), Click(2.5, 3.5, positive=False), Box(1, 2, 3, 4), Direction.BACKWARD,
    {Key(3, 1): Entry(MASK, Origin.DRAWN), Key(4, 1): None},
    range(3, 9), Block((1, 4), range(2, 7)),
    [1, None, Key(0, 2), ["a"]],
]  # fmt: skip


def written_and_read(value: object) -> object:
    return decode(msgspec.json.decode(msgspec.json.encode(encode(value))))


@pytest.mark.parametrize("argument", ARGUMENTS, ids=lambda value: type(value).__name__)
def test_an_argument_comes_back(argument: object) -> None:
    assert written_and_read(argument) == argument


def test_settings_come_back_as_what_differs_from_the_defaults() -> None:
    chosen = replace(Settings(), overlay_opacity=0.25, overlap=True)
    assert written_and_read(chosen) == chosen
    assert written_and_read(Settings()) == Settings()


@pytest.mark.parametrize("pixels", [square(10), np.zeros((7, 9), np.bool_)])
def test_pixels_come_back_with_their_size(pixels: np.ndarray) -> None:
    np.testing.assert_array_equal(written_and_read(pixels), pixels)


def test_numbers_of_numpy_are_numbers_and_any_row_of_things_a_list() -> None:
    assert written_and_read((np.int64(3), np.float32(0.5))) == [3, 0.5]
    many: Iterable[int] = iter([1, 2])
    assert written_and_read(many) == [1, 2]


@pytest.mark.parametrize("value", [object(), np.complex64(1), [object()]])
def test_what_has_no_form_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match="has no form in a log"):
        encode(value)


@pytest.mark.parametrize("plain", [{"key": ["a", 1]}, {"thing": 1}, {}, {"key": [1, 2], "box": 1}])
def test_what_is_no_argument_is_refused(plain: object) -> None:
    with pytest.raises(FormatError, match="which is no argument"):
        decode(plain)
