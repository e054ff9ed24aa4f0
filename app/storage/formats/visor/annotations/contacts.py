"""The contacts of VISOR: what hands and gloves touch, and on which hand a glove is worn."""

from collections.abc import Set as AbstractSet

from app.core.classes import GLOVES, HANDS, LEFT_GLOVE, RIGHT_GLOVE
from app.storage.formats.visor.source_text import JsonObject

CONTACT = "in_contact_object"
WORN_ON = "on_which_hand"

INCONCLUSIVE = "inconclusive"
NONE_OF_THE_ABOVE = "none-of-the-above"
HAND_ANSWERS = frozenset({"hand-not-in-contact", NONE_OF_THE_ABOVE, INCONCLUSIVE})
GLOVE_ANSWERS = frozenset({"glove-not-in-contact", NONE_OF_THE_ABOVE, INCONCLUSIVE})
SPECIAL = HAND_ANSWERS | GLOVE_ANSWERS

HAND_NAMES = frozenset({"left hand", "right hand"})
GLOVE_NAMES = frozenset(
    {"oven glove", "gloves", "rubber glove", "left glove", "right glove", "glove"}
)


def is_hand(name: str, class_id: int | None) -> bool:
    """Whether an annotation says what it touches."""
    return name in HAND_NAMES or class_id in HANDS


def is_glove(name: str, class_id: int | None) -> bool:
    """Whether an annotation may say what it touches and on which hand it is worn."""
    return not is_hand(name, class_id) and (name in GLOVE_NAMES or class_id in GLOVES)


def must_say_where(class_id: int | None) -> bool:
    """Whether a glove must have both keys: left and right ones; other gloves only may."""
    return class_id in {LEFT_GLOVE, RIGHT_GLOVE}


def contact_keys(name: str, class_id: int | None) -> JsonObject:
    """Return the keys of a new annotation: no answer is known for a hand; a glove lies loose."""
    if is_hand(name, class_id):
        return {CONTACT: INCONCLUSIVE}
    if is_glove(name, class_id):
        return {WORN_ON: None, CONTACT: None}
    return {}


def renamed(raw: JsonObject, name: str, class_id: int | None) -> JsonObject:
    """Return an annotation under another name, with the contact keys that this name has."""
    wanted = contact_keys(name, class_id)
    kept = {key: value for key, value in raw.items() if key not in {CONTACT, WORN_ON}}
    kept |= {"name": name, "class_id": class_id}
    return kept | {key: raw.get(key, value) for key, value in wanted.items()}


def retargeted(raw: JsonObject, gone: AbstractSet[str]) -> JsonObject:
    """Return an annotation that no longer refers to the ids in `gone`."""
    target = raw.get(CONTACT)
    is_gone = isinstance(target, str) and target in gone
    return {**raw, CONTACT: NONE_OF_THE_ABOVE} if is_gone else raw
