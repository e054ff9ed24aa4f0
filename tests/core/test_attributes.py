"""Attributes: what was said is kept, comes back from its text, and odd texts are refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.attributes import CONTACT, EXHAUSTIVE, NAMES, Attributes

numbers = st.integers(0, 2**31 - 1)
values = st.none() | st.text() | numbers | st.lists(st.text(), max_size=3).map(tuple)
attributes = st.builds(
    Attributes,
    st.dictionaries(
        st.tuples(numbers, numbers),
        st.dictionaries(st.sampled_from(NAMES), values, min_size=1),
        max_size=4,
    ),
    st.dictionaries(numbers, st.lists(numbers, unique=True).map(tuple), max_size=4),
)


@given(attributes)
def test_what_was_said_comes_back(said: Attributes) -> None:
    assert Attributes.loads(said.dumps()) == said


def test_the_last_word_on_a_thing_holds_and_all_others_stay() -> None:
    said = (
        Attributes().saying((3, 1), CONTACT, 2).saying((3, 2), EXHAUSTIVE, "y").ordered(3, [2, 1])
    )
    changed = said.saying((3, 1), CONTACT, None).saying((3, 1), EXHAUSTIVE, "n")
    assert changed.of((3, 1)) == {CONTACT: None, EXHAUSTIVE: "n"}
    assert changed.of((3, 2)) == {EXHAUSTIVE: "y"}
    assert changed.of((4, 1)) == {}
    assert changed.orders == {3: (2, 1)}
    assert said.of((3, 1)) == {CONTACT: 2}


def test_nothing_said_is_nothing() -> None:
    assert not Attributes()
    assert Attributes().saying((0, 1), CONTACT, None)
    assert Attributes().ordered(0, [1])


@pytest.mark.parametrize(
    "raw",
    [
        [],
        {"said": []},
        {"said": [[0, 1, ["y"]]], "orders": []},
        {"said": [[-1, 1, {EXHAUSTIVE: "y"}]], "orders": []},
        {"said": [[0, True, {EXHAUSTIVE: "y"}]], "orders": []},
        {"said": [[0, 2**31, {EXHAUSTIVE: "y"}]], "orders": []},
        {"said": [[0, 1, {"unknown": "y"}]], "orders": []},
        {"said": [[0, 1, {EXHAUSTIVE: 0.5}]], "orders": []},
        {"said": [[0, 1, {EXHAUSTIVE: ["y", 1]}]], "orders": []},
        {"said": [], "orders": [[0, ["1"]]]},
        {"said": [[0, 1]], "orders": []},
        {"said": [], "orders": [[0]]},
    ],
    ids=json.dumps,
)
def test_what_no_attributes_give_is_refused(raw: object) -> None:
    with pytest.raises(ValueError, match="its masks"):
        Attributes.loads(json.dumps(raw).encode())
