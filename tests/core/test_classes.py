"""The noun classes: ids, names in natural order, search."""

import pytest

from app.core.classes import NounClasses, natural_name
from app.storage.classes import noun_classes


def test_the_list_is_whole() -> None:
    classes = noun_classes()
    assert len(classes) == 305
    assert [noun.id for noun in classes] == list(range(305))
    assert len({noun.category for noun in classes}) == 22
    assert 304 in classes
    assert 305 not in classes


def test_names_are_turned_into_natural_order() -> None:
    assert natural_name("board:chopping") == "chopping board"
    assert natural_name("a:b:c") == "b c a"
    assert noun_classes()[301].name == "right hand"


@pytest.mark.parametrize(
    ("name", "class_id"),
    [
        ("left hand", 300), ("right hand", 301), ("left foot", 302), ("right glove", 304),
        ("oven glove", 60), ("tap", 0), ("Chopping Board ", 18), ("unheard of", None),
    ],
)  # fmt: skip
def test_a_name_has_a_class(name: str, class_id: int | None) -> None:
    found = noun_classes().of_name(name)
    assert (found.id if found else None) == class_id


def test_an_ambiguous_name_has_its_first_class_and_all_can_be_asked_for() -> None:
    assert [noun.id for noun in noun_classes().all_of_name("green yogurt")] == [98, 100]


def test_search_ranks_equal_prefix_word_and_middle() -> None:
    names = [match.name for match in noun_classes().search("pan", 400)]
    assert names[0] == "pan"
    kinds = [0 if n.startswith("pan") else 1 if " pan" in n else 2 for n in names]
    assert kinds == sorted(kinds)
    assert {"frying pan", "pancake"} <= set(names)


def test_search_prefers_a_classs_own_name() -> None:
    assert noun_classes().search("kni")[0].name == "knife"
    assert noun_classes().search("KNIFE ")[0].noun_class.id == 4


def test_search_is_limited_and_finds_nothing_in_nothing() -> None:
    assert len(noun_classes().search("a", 7)) == 7
    assert noun_classes().search("  ") == ()
    assert noun_classes().search("qqq") == ()


TABLE = NounClasses.parse(
    "id,key,instances,category\n"
    "2,cloth,cloth|pan|towel,textiles\n"
    "5,panel:front,panel:front|hand pan,appliances\n"
    "9,hand:left,hand:left,hands\n"
)


def test_a_table_is_read_in_its_own_order() -> None:
    assert [(each.id, each.name, each.category) for each in TABLE] == [
        (2, "cloth", "textiles"),
        (5, "front panel", "appliances"),
        (9, "left hand", "hands"),
    ]
    assert TABLE[5].instances == ("front panel", "hand pan")
    assert [each.id for each in TABLE.all_of_name(" PAN")] == [2]
    assert TABLE.of_name("panel") is None


def test_an_equal_name_goes_before_one_that_only_begins_so() -> None:
    table = NounClasses.parse(
        "id,key,instances,category\n1,cloth,cloth|pan,a\n2,pane,pane,a\n"
        "3,hand pan,hand pan,a\n4,span,span,a\n5,ape,ape|top pan,a\n"
    )
    found = [(match.name, match.noun_class.id) for match in table.search("pan")]
    assert found == [("pan", 1), ("pane", 2), ("hand pan", 3), ("top pan", 5), ("span", 4)]
