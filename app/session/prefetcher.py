"""What the next click will need is computed before it comes."""

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer, Slot

from app.core.suspects import Suspect
from app.engine.jobs import Prepare
from app.session.engine import Engine
from app.session.signals import SessionState
from app.session.workspace import Workspace

_STILL_MS = 150  # a frame that is left sooner than this is only passed by
_SUSPECTS = 2


class Prefetcher(QObject):
    """Has frames prepared while nothing else runs: the current one, next suspects, neighbours."""

    def __init__(
        self,
        workspace: Workspace,
        engine: Engine,
        suspects: Callable[[], tuple[Suspect, ...]],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._workspace, self._engine, self._suspects = workspace, engine, suspects
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_STILL_MS)
        self._timer.timeout.connect(self._prepare)
        signals = workspace.signals
        for signal in (
            signals.opened,
            signals.frame_changed,
            signals.state_changed,
            signals.suspects_changed,
        ):
            signal.connect(self._later)

    @Slot()
    def _later(self) -> None:
        self._timer.start()

    @Slot()
    def _prepare(self) -> None:
        workspace = self._workspace
        if workspace.video is None or workspace.activity is not SessionState.IDLE:
            return
        current = workspace.frame
        suspects = (suspect.frame for suspect in self._suspects()[:_SUSPECTS])
        beside = (near for near in (current + 1, current - 1) if 0 <= near < workspace.frame_count)
        frames = tuple(dict.fromkeys([current, *suspects, *beside]))
        self._engine.put(Prepare(self._engine.next_id(), frames))
