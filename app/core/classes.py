"""The noun classes of EPIC-KITCHENS-100, in which VISOR names its objects.

The names of the list are `noun:modifier:modifier`; VISOR and people use the natural order,
`chopping board` for `board:chopping`. Everything here speaks the natural order.
"""

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

LEFT_HAND, RIGHT_HAND = 300, 301
GLOVE, LEFT_GLOVE, RIGHT_GLOVE = 60, 303, 304
HANDS = frozenset({LEFT_HAND, RIGHT_HAND})
GLOVES = frozenset({GLOVE, LEFT_GLOVE, RIGHT_GLOVE})


@dataclass(frozen=True, slots=True)
class NounClass:
    """One class; `id` is the zero-based row of the list, VISOR's `class_id`."""

    id: int
    name: str
    category: str
    instances: tuple[str, ...]  # all names that belong to it, in the list's order


class Match(NamedTuple):
    """A name that a search found, and its class."""

    name: str
    noun_class: NounClass


class NounClasses:
    """All classes, by id and by name."""

    def __init__(self, classes: Iterable[NounClass]) -> None:
        self._classes = {noun_class.id: noun_class for noun_class in classes}
        self._by_name: dict[str, list[NounClass]] = {}
        for noun_class in self._classes.values():
            for name in dict.fromkeys(map(_normal, noun_class.instances)):
                self._by_name.setdefault(name, []).append(noun_class)

    @classmethod
    def parse(cls, text: str) -> "NounClasses":
        """Read a table with the columns id, key, instances (parted by |) and category."""
        return cls(
            NounClass(
                int(row["id"]),
                natural_name(row["key"]),
                row["category"],
                tuple(map(natural_name, row["instances"].split("|"))),
            )
            for row in csv.DictReader(io.StringIO(text))
        )

    def __len__(self) -> int:
        return len(self._classes)

    def __iter__(self) -> Iterator[NounClass]:
        return iter(self._classes.values())

    def __contains__(self, class_id: int) -> bool:
        return class_id in self._classes

    def __getitem__(self, class_id: int) -> NounClass:
        """Return the class with this id; KeyError where there is none."""
        return self._classes[class_id]

    def of_name(self, name: str) -> NounClass | None:
        """Return the class that `name` belongs to (the first, where several do), or None."""
        return next(iter(self.all_of_name(name)), None)

    def all_of_name(self, name: str) -> tuple[NounClass, ...]:
        """Return every class that `name` belongs to; case and space round it do not matter."""
        return tuple(self._by_name.get(_normal(name), ()))

    def search(self, text: str, limit: int = 20) -> tuple[Match, ...]:
        """Return names that contain `text`, best first.

        Equal before beginning of the name, beginning of a word, middle of a word; the class's own
        name before its other names; short before long.
        """
        wanted = _normal(text)
        if not wanted:
            return ()
        found = [
            (rank, name != _normal(classes[0].name), len(name), name)
            for name, classes in self._by_name.items()
            if (rank := _rank(wanted, name)) is not None
        ]
        best = sorted(found)[:limit]
        return tuple(Match(name, self._by_name[name][0]) for *_, name in best)


def natural_name(key: str) -> str:
    """Return `chopping board` for `board:chopping`: the first token moves to the end."""
    noun, *modifiers = (token.strip() for token in key.split(":"))
    return " ".join([*modifiers, noun])


def _normal(name: str) -> str:
    return name.strip().lower()


def _rank(wanted: str, name: str) -> int | None:
    at = name.find(wanted)
    if at < 0:
        return None
    if at == 0:
        return 0 if wanted == name else 1
    return 2 if f" {wanted}" in name else 3
