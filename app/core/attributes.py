"""The attributes of annotations: what a person says of a mask besides its pixels."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

Place = tuple[int, int]  # frame and object: a `Key` of the document
Value = str | int | tuple[str, ...] | None
"""A word of the format, the id of an object that is touched, hands, or nothing."""

EXHAUSTIVE, CONTACT, WORN_ON = "exhaustive", "in_contact_object", "on_which_hand"
SEGMENTS, TRACED = "segments", "traced"  # the polygons are to be made anew of the mask
NAMES = (EXHAUSTIVE, CONTACT, WORN_ON, SEGMENTS)
_MOST = 1 << 31


@dataclass(frozen=True, slots=True)
class Attributes:
    """What a person has said; whatever is not here is as it was imported.

    `orders` are the objects of a frame in drawing order, the lowest first.
    """

    said: Mapping[Place, Mapping[str, Value]] = field(default_factory=lambda: MappingProxyType({}))
    orders: Mapping[int, tuple[int, ...]] = field(default_factory=lambda: MappingProxyType({}))

    def __bool__(self) -> bool:
        return bool(self.said or self.orders)

    def of(self, key: Place) -> Mapping[str, Value]:
        """Return what was said of the mask at `key`, by the name of the attribute."""
        return self.said.get(key, MappingProxyType({}))

    def saying(self, key: Place, name: str, value: Value) -> "Attributes":
        """Return these attributes with one more said of the mask at `key`."""
        return Attributes({**self.said, key: {**self.of(key), name: value}}, self.orders)

    def ordered(self, frame: int, order: Iterable[int]) -> "Attributes":
        """Return these attributes with another drawing order of one frame."""
        return Attributes(self.said, {**self.orders, frame: tuple(order)})

    def dumps(self) -> bytes:
        """Return the attributes as JSON text."""
        said = [[*key, dict(values)] for key, values in sorted(self.said.items())]
        orders = [[frame, list(order)] for frame, order in sorted(self.orders.items())]
        return json.dumps({"said": said, "orders": orders}).encode()

    @classmethod
    def loads(cls, content: bytes) -> "Attributes":
        """Undo `dumps`. Raises ValueError where `content` is not what it gives."""
        try:
            raw = json.loads(content)
            said = {
                (_number(frame), _number(object_id)): {
                    _name(name): _value(value) for name, value in values.items()
                }
                for frame, object_id, values in raw["said"]
            }
            orders = {
                _number(frame): tuple(dict.fromkeys(map(_number, order)))
                for frame, order in raw["orders"]
            }
        except _UnreadableError:
            raise
        except (KeyError, TypeError, AttributeError, RecursionError, ValueError) as error:
            raise ValueError("the attributes of its masks cannot be read") from error
        return cls(said, orders)


class _UnreadableError(ValueError):
    """Attributes with a value that cannot be, which is named."""


def _number(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _MOST:
        return value
    raise _UnreadableError("the attributes of its masks name an object or a frame that cannot be")


def _name(name: str) -> str:
    if name in NAMES:
        return name
    raise _UnreadableError(f"its masks have an attribute that is not known, {name[:40]!r}")


def _value(value: object) -> Value:
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return tuple(value)
    if value is None or isinstance(value, str):
        return value
    return _number(value)
