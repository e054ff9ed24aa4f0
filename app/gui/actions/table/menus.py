"""All menus, and every action in their order."""

from app.gui.actions.table.action import Action
from app.gui.actions.table.file import FILE
from app.gui.actions.table.masks import EDIT, OBJECTS, PROPAGATE, RANGE
from app.gui.actions.table.review import GO, INSPECT, REVIEW
from app.gui.actions.table.view import HELP, SELECT_OBJECT, VIEW
from app.gui.actions.table.visor import VISOR

MENUS = (FILE, EDIT, PROPAGATE, RANGE, OBJECTS, GO, REVIEW, INSPECT, VISOR, VIEW, HELP)


def acts() -> tuple[Action, ...]:
    """Return every action, in the order of the menus."""
    return tuple(
        row for menu in (*MENUS, SELECT_OBJECT) for row in menu.rows if isinstance(row, Action)
    )
