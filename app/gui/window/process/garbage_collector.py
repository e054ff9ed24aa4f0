"""The idle garbage collector: cyclic garbage is collected on the thread of the window alone."""

import gc

from PySide6.QtCore import QObject, QTimer, Slot

from app.session.state.video import CurrentVideo
from models.runtime.memory import give_back_memory

_EVERY_MS = 500
_BURST = 20_000  # new objects between two looks: an import or a project that was read, no garbage


class IdleGarbageCollector(QObject):
    """Collects cyclic garbage in place of Python's own collector, which is off while this lives.

    Python collects on whichever thread happens to allocate. A widget or a timer that dies on the
    inference thread crashes the process: what is Qt's may be destroyed on its own thread only.

    What the program consists of, what comes in a burst and what survives a full collection is set
    aside until a video is closed: with torch in memory, a look at everything holds all threads for
    half a second.
    """

    def __init__(self, video: CurrentVideo, parent: QObject) -> None:
        super().__init__(parent)
        self._video = video
        self._thorough = False
        gc.disable()
        gc.freeze()
        timer = QTimer(self, interval=_EVERY_MS)
        timer.timeout.connect(self._collect)
        timer.start()
        video.opened.connect(self._on_opened)
        self.destroyed.connect(_hand_back)

    @Slot()
    def _on_opened(self) -> None:
        self._thorough |= not self._video.is_open

    @Slot()
    def _collect(self) -> None:
        """Collect about as much as Python would have by now."""
        young, _, old = (
            count > limit for count, limit in zip(gc.get_count(), gc.get_threshold(), strict=True)
        )
        is_closed = self._thorough
        if is_closed:
            self._thorough = False
            gc.unfreeze()
        elif gc.get_count()[0] > _BURST:
            gc.freeze()
            return
        elif not old:
            if young:
                gc.collect(1)
            return
        gc.collect()
        gc.freeze()
        if is_closed:
            give_back_memory()


def _hand_back() -> None:
    gc.unfreeze()
    gc.enable()
