"""The agreement of runs, worked out in a thread of its own."""

from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal, Slot

from app.core.inspection.agreement import disagreement
from app.core.inspection.measures import Floats
from app.core.runs import Run
from app.session.runs.runs import Runs
from app.session.state.background import Background
from app.session.state.video import CurrentVideo


class Apart(NamedTuple):
    """How far two runs are apart: 1 - IoU of an object, frame by frame."""

    frames: NDArray[np.int64]  # (T,)
    values: Floats  # (T,)


class Agreement(QObject):
    """Says how far the shown run is from each other one; what is not known yet comes later."""

    changed = Signal()

    def __init__(self, video: CurrentVideo, runs: Runs, parent: QObject) -> None:
        super().__init__(parent)
        self._runs = runs
        self._found: dict[tuple[int, int, int], Apart | None] = {}  # None: it is being worked out
        self._background = Background("agreement", self)
        video.opened.connect(self.forget)

    def of_shown(self) -> dict[int, Apart]:
        """Return what is known of the object that is looked at, by the number of the other run."""
        shown, number = self._runs.shown, self._runs.object
        one = self._runs.run(shown)
        if one is None or shown is None or number is None:
            return {}
        found: dict[int, Apart] = {}
        for other in self._runs.infos:
            run, truth = self._runs.run(other), other == self._runs.truth
            if run is None or truth or other == shown:
                continue
            known = self._look_up((shown, other, number), one, run)
            if known is not None:
                found[other] = known
        return found

    @Slot()
    def forget(self) -> None:
        """Drop all that is known: the runs are another video's."""
        self._background.stop()
        self._found.clear()

    def _look_up(self, key: tuple[int, int, int], one: Run, other: Run) -> Apart | None:
        if key not in self._found:
            self._found[key] = None
            self._background.do(
                lambda: Apart(*disagreement(one, other, key[2])), partial(self._take, key)
            )
        return self._found[key]

    def _take(self, key: tuple[int, int, int], apart: Apart) -> None:
        self._found[key] = apart
        self.changed.emit()
