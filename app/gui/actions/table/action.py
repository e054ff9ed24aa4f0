"""The form of an action: one row of a menu."""

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QT_TRANSLATE_NOOP
from PySide6.QtGui import QKeySequence

from app.gui.actions.context import ActionContext
from app.gui.actions.needs import Need, Situation

Keys = tuple[str | QKeySequence.StandardKey, ...]
# Where a menu has a submenu.
RECENT, SELECT, PANELS, MODES = "recent", "select", "panels", "modes"


@dataclass(frozen=True, slots=True)
class Action:
    """One action. `icon` is a qtawesome name without its set, or empty.

    The texts are in the source language; `Actions` translates them in the context "Action". `group`
    makes it one of several, of which one is on; `is_on` tells of a switch whether it is.
    """

    name: str
    text: str
    icon: str
    keys: Keys
    need: Need
    tip: str
    run: Callable[[ActionContext], object]
    group: str = ""
    is_on: Callable[[Situation], bool] | None = None


@dataclass(frozen=True, slots=True)
class Menu:
    """A menu of the menu bar; None is a separator, a text the place of a submenu of that name."""

    title: str
    rows: tuple[Action | str | None, ...]


def tr_noop(text: str) -> str:
    """Mark a text for translation in the context "Action"."""
    return str(QT_TRANSLATE_NOOP("Action", text))
