"""The shipped list of noun classes."""

from functools import cache

from app.core.classes import NounClasses
from app.paths import resources


@cache
def noun_classes() -> NounClasses:
    """Return the noun classes of EPIC-KITCHENS-100; none where the list is left out.

    Its licence (CC BY-NC 4.0) is not the program's, so an installation may be without it.
    """
    try:
        return NounClasses.parse((resources() / "classes.csv").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return NounClasses(())
