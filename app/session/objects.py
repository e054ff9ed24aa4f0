"""Edits to the objects: each is one undo step."""

from app.core.document import ObjectInfo
from app.session.workspace import Workspace


class ObjectEdits:
    """Add, change, delete and order the objects."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def add(self, name: str | None = None, class_id: int | None = None) -> int:
        """Add an object on top, select it and return its id."""
        return 0

    def edit(self, info: ObjectInfo) -> None:
        """Change name, colour, class, visibility or lock of the object with this id."""

    def delete(self, object_id: int) -> None:
        """Delete an object and all its masks."""

    def move(self, object_id: int, position: int) -> None:
        """Move an object in the drawing order; 0 lies at the bottom."""

    def search_classes(self, text: str) -> list[tuple[int, str]]:
        """Return (class id, name) of the VISOR noun classes that fit `text`, best first."""
        return []
