"""What a person has said of masks, written into the annotations of a file."""

from collections.abc import Mapping

from app.core.attributes import CONTACT, EXHAUSTIVE, WORN_ON, Value
from app.storage.formats.visor.annotations.contacts import (
    NONE_OF_THE_ABOVE,
    is_glove,
    is_hand,
)
from app.storage.formats.visor.records import Annotation
from app.storage.formats.visor.source_text import JsonObject


def applied(raw: JsonObject, said: Mapping[str, Value], ids: Mapping[int, str]) -> JsonObject:
    """Return an annotation with what was `said` of it; itself where it says that already.

    `ids` are those of the frame's annotations, by object. What is touched and is not among them
    is `none-of-the-above`. What its name has no use for is left out.
    """
    annotation = Annotation(raw)
    wanted = {name: _written(name, value, ids) for name, value in said.items()}
    hand = is_hand(annotation.name, annotation.class_id)
    glove = is_glove(annotation.name, annotation.class_id)
    allowed = (
        {EXHAUSTIVE} | ({CONTACT} if hand or glove else set()) | ({WORN_ON} if glove else set())
    )
    new = {
        name: value
        for name, value in wanted.items()
        if name in allowed and (name not in raw or raw[name] != value)
    }
    return {**raw, **new} if new else raw


def _written(name: str, value: Value, ids: Mapping[int, str]) -> object:
    if name == CONTACT and isinstance(value, int):
        return ids.get(value) or NONE_OF_THE_ABOVE
    return list(value) if isinstance(value, tuple) else value
