"""The only undo commands: over masks, over objects, and over what is said of masks."""

from collections.abc import Callable

from PySide6.QtGui import QUndoCommand

from app.core.attributes import Attributes
from app.core.document import Changes, Document, Objects

_MERGES = 1  # the id that Qt asks for before it offers two commands to each other


class ReplaceEntries(QUndoCommand):
    """An edit of masks. Entries are immutable, so undo swaps references.

    Commands with the same `series` (not None) that follow each other become one undo step.
    """

    def __init__(
        self, document: Document, changes: Changes, text: str, *, series: object = None
    ) -> None:
        super().__init__(text)
        self._document, self._changes, self._series = document, changes, series

    def redo(self) -> None:
        """Apply the changes and keep their inverse."""
        self._changes = self._document.replace(self._changes)

    def undo(self) -> None:
        """Apply the inverse and keep the changes."""
        self.redo()

    def id(self) -> int:
        """Offer to merge where there is a series."""
        return _MERGES if self._series is not None else -1

    def mergeWith(self, other: QUndoCommand) -> bool:  # noqa: N802 - Qt's name
        """Take in a later command of the same series; both hold their inverse now."""
        if not isinstance(other, ReplaceEntries) or other._series != self._series:  # noqa: SLF001
            return False
        self._changes = {**other._changes, **self._changes}  # noqa: SLF001
        return True


class EditObjects(QUndoCommand):
    """An edit of the objects; `changed` is called after it and after each undo and redo.

    After an undo or redo `restored` is called, too.
    """

    def __init__(
        self,
        document: Document,
        objects: Objects,
        text: str,
        changed: Callable[[], None],
        restored: Callable[[], None],
    ) -> None:
        super().__init__(text)
        self._document, self._objects = document, objects
        self._changed, self._restored = changed, restored
        self._was_made = False

    def redo(self) -> None:
        """Set the objects and keep those before."""
        self._objects = self._document.replace_objects(self._objects)
        self._changed()
        if self._was_made:
            self._restored()
        self._was_made = True

    def undo(self) -> None:
        """Set the objects before and keep these."""
        self.redo()


class EditAttributes(QUndoCommand):
    """An edit of what is said of masks; `changed` is called after it, each undo and redo."""

    def __init__(
        self, document: Document, attributes: Attributes, text: str, changed: Callable[[], None]
    ) -> None:
        super().__init__(text)
        self._document, self._attributes, self._changed = document, attributes, changed

    def redo(self) -> None:
        """Set the attributes and keep those before."""
        self._attributes = self._document.replace_attributes(self._attributes)
        self._changed()

    def undo(self) -> None:
        """Set the attributes before and keep these."""
        self.redo()
