"""What is loaded before anybody asks for it, and kept for whoever asks first."""

import threading
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

_T = TypeVar("_T")


class Ahead(Generic[_T]):
    """One thing loaded ahead, or none; from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: tuple[Hashable, _T] | None = None

    def load(self, key: Hashable, load: Callable[[], _T]) -> None:
        """Load what `key` names, in place of what was kept; raises what `load` does."""
        with self._lock:
            self._kept = None
            self._kept = key, load()

    def take(self, key: Hashable, load: Callable[[], _T]) -> _T:
        """Return what was loaded ahead as `key`, else load it; nothing is kept from here on.

        Where it is being loaded ahead that is waited for. Raises what `load` does.
        """
        with self._lock:
            kept, self._kept = self._kept, None
        return kept[1] if kept is not None and kept[0] == key else load()
