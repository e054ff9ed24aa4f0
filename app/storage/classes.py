"""The shipped list of noun classes."""

from functools import cache

from app.core.classes import NounClasses
from app.paths import resources


@cache
def noun_classes() -> NounClasses:
    """Return the noun classes of EPIC-KITCHENS-100."""
    return NounClasses.parse((resources() / "classes.csv").read_text(encoding="utf-8"))
