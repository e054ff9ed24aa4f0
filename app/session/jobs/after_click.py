"""What begins once a click is answered."""

from collections.abc import Callable

from PySide6.QtCore import QObject, Slot

from app.core.document import Key


class AfterClick(QObject):
    """Holds the newest thing that a person asked for while a click was not answered yet."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._begin: Callable[[], None] | None = None

    def hold(self, begin: Callable[[], None]) -> None:
        """Have `begin` called with the answer."""
        self._begin = begin

    @Slot(object, bool)
    def settle(self, _key: Key, answered: bool) -> None:  # noqa: FBT001
        """Begin what is held, or let it go with a click that was taken back."""
        begin, self._begin = self._begin, None
        if begin is not None and answered:
            begin()
