"""The sources opened last."""

from pathlib import Path

from PySide6.QtCore import QObject, QSettings, Signal

_KEY = "recent/sources"
_MOST = 10


class RecentSources(QObject):
    """Up to ten sources, newest first, kept in the window's QSettings."""

    changed = Signal()

    def __init__(self, store: QSettings, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._store = store

    @property
    def paths(self) -> tuple[Path, ...]:
        """The sources, newest first, whether they are still there or not."""
        stored = self._store.value(_KEY)
        # An ini file gives a list of one back as a plain text.
        texts = stored if isinstance(stored, list) else [stored] if stored else []
        return tuple(Path(str(text)) for text in texts[:_MOST])

    def add(self, source: Path) -> None:
        """Put `source` first."""
        source = source.absolute()
        self._write([source, *(path for path in self.paths if path != source)])

    def remove(self, source: Path) -> None:
        """Forget `source`."""
        self._write([path for path in self.paths if path != source])

    def clear(self) -> None:
        """Forget all."""
        self._write([])

    def _write(self, paths: list[Path]) -> None:
        self._store.setValue(_KEY, [str(path) for path in paths[:_MOST]])
        self.changed.emit()
