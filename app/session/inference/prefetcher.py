"""The prefetcher: what the next click will need is computed before it comes."""

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer, Slot

from app.core.suspects import Suspect
from app.engine.jobs import Prepare
from app.session.inference.engine import Engine
from app.session.state.context import SessionContext
from app.session.state.status import SessionState

_STILL_MS = 150  # a frame that is left sooner than this is only passed by
_SUSPECTS = 2


class Prefetcher(QObject):
    """Has frames prepared while nothing else runs: the current one, next suspects, neighbours."""

    def __init__(
        self,
        context: SessionContext,
        engine: Engine,
        suspects: Callable[[], tuple[Suspect, ...]],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._video, self._view, self._status = context.video, context.view, context.status
        self._engine, self._suspects = engine, suspects
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_STILL_MS)
        self._timer.timeout.connect(self._prepare)
        for signal in (
            context.video.opened,
            context.view.frame_changed,
            context.status.state_changed,
        ):
            signal.connect(self.prepare_soon)

    @Slot()
    def prepare_soon(self) -> None:
        """Prepare once nothing has happened for a moment."""
        self._timer.start()

    @Slot()
    def _prepare(self) -> None:
        if not self._video.is_open or self._status.state is not SessionState.IDLE:
            return
        current, count = self._view.frame, self._video.frame_count
        suspects = (suspect.frame for suspect in self._suspects()[:_SUSPECTS])
        beside = (near for near in (current + 1, current - 1) if 0 <= near < count)
        frames = tuple(dict.fromkeys([current, *suspects, *beside]))
        self._engine.put(Prepare(self._engine.next_id(), frames))
