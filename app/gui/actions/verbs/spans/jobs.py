"""The verbs of the jobs: stop, and show what waits."""

import time
from collections.abc import Callable

from PySide6.QtCore import QCoreApplication

from app.gui.widgets.messages import Level
from app.session.jobs.runner import JobRunner

_YOUNG_S = 2.0  # as long as this a job that was begun by mistake ends at once
_AGAIN_S = 6.0  # how long the message stays that asks for the key again

Tell = Callable[[Level, str], None]


class JobVerbs:
    """Ends the running job where that is meant, and opens the list of those that wait."""

    def __init__(
        self,
        jobs: JobRunner,
        tell: Tell,
        untell: Callable[[], None],
        show: Callable[[], None],
    ) -> None:
        """`tell` says something for as long as it holds, `untell` ends that; `show` is the list."""
        self._jobs, self._tell, self._untell, self._show = jobs, tell, untell, show
        self._asked = ("", 0.0)  # which job the key was pressed for, and when

    def escape(self) -> None:
        """Stop all jobs; one that has run for a while needs the key twice."""
        title, seconds = self._jobs.running
        now = time.monotonic()
        again = self._asked[0] == title and now - self._asked[1] < _AGAIN_S
        if not title or seconds < _YOUNG_S or again:
            self._asked = ("", 0.0)
            self._untell()
            self._jobs.cancel()
            return
        self._asked = (title, now)
        text = _tr("Press Esc again to stop: {}. What is finished is kept.")
        self._tell(Level.INFO, text.format(title))

    def show(self) -> None:
        """Open the list of jobs."""
        self._show()


def _tr(text: str) -> str:
    return QCoreApplication.translate("JobVerbs", text)
