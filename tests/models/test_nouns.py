"""What a sentence is about."""

from dataclasses import dataclass, field

import pytest

from models.text import nouns
from models.text.nouns import main_noun, noun_by_grammar, noun_by_rule, phrase_of


@pytest.mark.parametrize(
    ("sentence", "noun"),
    [
        ("Cup", "cup"),
        ("the cup.", "cup"),
        ("The cutting board under the knife", "cutting board"),
        ("a washing machine", "washing machine"),
        ("a cat that is jumping to the left", "cat"),
        ("The elephant walks away from the others", "elephant"),
        ("dog running", "dog"),
        ("two black birds flying over the lake", "birds"),
        ("a chest of drawers in the corner", "chest of drawers"),
        ("the tail of the cat", "tail"),
        ("The big red coffee machine, not the small one", "coffee machine"),
        ("left hand", "hand"),
        ("T-shirt on the bed", "t-shirt"),
        ("bird moved from left to right", "bird"),
        ("the one turning round", ""),
        ("", ""),
    ],
)
def test_the_rule_finds_the_noun_with_its_compounds(sentence: str, noun: str) -> None:
    assert noun_by_rule(sentence) == noun


def test_a_sentence_without_a_noun_is_asked_for_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nouns, "_parser", lambda: None)
    assert main_noun("The one turning round.") == "the one turning round"
    assert main_noun("The chopping board is wet.") == "chopping board"


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("cup", "cup"),
        ("The left hand.", "left hand"),
        ("a chest of drawers", "chest of drawers"),
        ("big red cup", "big red cup"),
        ("the cat that jumps to the left", "cat"),
        ("A dog walks", "dog"),
        ("", ""),
    ],
)
def test_a_phrase_is_asked_for_as_it_is_and_a_sentence_by_its_noun(
    text: str, phrase: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nouns, "_parser", lambda: None)
    assert phrase_of(text) == phrase


@dataclass
class Token:
    """A word as spaCy parses it."""

    lower_: str
    dep_: str
    pos_: str = "NOUN"
    tag_: str = "NN"
    lefts: list["Token"] = field(default_factory=list)
    rights: list["Token"] = field(default_factory=list)


@dataclass
class Chunk:
    """A noun phrase."""

    root: Token


class Sentence(list[Token]):
    """A parsed sentence."""

    noun_chunks: tuple[Chunk, ...] = ()


def test_grammar_takes_a_noun_at_the_root_with_its_compounds() -> None:
    the, cutting = Token("the", "det", "DET", "DT"), Token("cutting", "compound")
    board = Token("board", "ROOT", lefts=[the, cutting])
    assert noun_by_grammar(Sentence([the, cutting, board])) == "cutting board"


def test_grammar_takes_the_subject_of_a_verb() -> None:
    cat = Token("cat", "nsubj", lefts=[Token("black", "amod", "ADJ", "JJ")])
    mat = Token("mat", "pobj")
    assert noun_by_grammar(Sentence([mat, cat, Token("sits", "ROOT", "VERB")])) == "cat"


def test_grammar_keeps_bare_content_only() -> None:
    drawers = Token("drawers", "pobj")
    chest = Token("chest", "ROOT", rights=[Token("of", "prep", "ADP", "IN", rights=[drawers])])
    assert noun_by_grammar(Sentence([chest])) == "chest of drawers"
    drawers.lefts = [Token("the", "det", "DET", "DT")]
    assert noun_by_grammar(Sentence([chest])) == "chest"


def test_grammar_takes_the_first_phrase_where_neither_is_a_noun() -> None:
    sentence = Sentence([Token("look", "ROOT", "VERB")])
    assert noun_by_grammar(sentence) == ""
    sentence.noun_chunks = (Chunk(Token("dog", "dobj")),)
    assert noun_by_grammar(sentence) == "dog"
