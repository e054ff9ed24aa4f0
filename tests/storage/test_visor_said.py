"""What a person has said of masks, as it stands in the annotations of a file."""

from typing import Any

import pytest

from app.core.attributes import CONTACT, EXHAUSTIVE, WORN_ON, Value
from app.storage.formats.visor.annotations.said import applied

IDS = {1: "a" * 32, 2: "b" * 32}
HAND = {"id": "h", "name": "right hand", "class_id": 301, CONTACT: "c" * 32, EXHAUSTIVE: "y"}
GLOVE = {"id": "g", "name": "left glove", "class_id": 303, CONTACT: None, WORN_ON: None}
CUP = {"id": "k", "name": "cup", "class_id": 13, EXHAUSTIVE: "n"}


@pytest.mark.parametrize(
    ("raw", "said", "new"),
    [
        (HAND, {CONTACT: 1}, {CONTACT: "a" * 32}),
        (HAND, {CONTACT: 3}, {CONTACT: "none-of-the-above"}),
        (HAND, {CONTACT: "inconclusive"}, {CONTACT: "inconclusive"}),
        (HAND, {CONTACT: None, EXHAUSTIVE: "n"}, {CONTACT: None, EXHAUSTIVE: "n"}),
        (HAND, {WORN_ON: ("left hand",)}, {}),
        (GLOVE, {WORN_ON: ("left hand",)}, {WORN_ON: ["left hand"]}),
        (GLOVE, {CONTACT: 2, WORN_ON: ("a", "b")}, {CONTACT: "b" * 32, WORN_ON: ["a", "b"]}),
        (CUP, {CONTACT: 2, WORN_ON: ("left hand",), EXHAUSTIVE: "y"}, {EXHAUSTIVE: "y"}),
        (CUP, {EXHAUSTIVE: 1}, {EXHAUSTIVE: 1}),
        ({"name": "left hand"}, {CONTACT: None}, {CONTACT: None}),
    ],
)
def test_an_annotation_says_what_was_said_as_far_as_its_name_has_a_use_for_it(
    raw: dict[str, Any], said: dict[str, Value], new: dict[str, Any]
) -> None:
    before = dict(raw)
    assert applied(raw, said, IDS) == {**raw, **new}
    assert raw == before


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (HAND, {}), (HAND, {CONTACT: "c" * 32}), (GLOVE, {CONTACT: None, WORN_ON: None}),
        (CUP, {EXHAUSTIVE: "n"}), (CUP, {WORN_ON: None}),
    ],
)  # fmt: skip
def test_an_annotation_that_says_it_already_is_left_alone(
    raw: dict[str, Any], said: dict[str, Value]
) -> None:
    assert applied(raw, said, IDS) is raw
