"""The work on one model's weights, in a thread of its own: fetch, verify, take in."""

import logging
import threading
import time
from collections.abc import Callable

from models.api import ModelError
from models.weights.download import DownloadStoppedError

log = logging.getLogger(__name__)


class Work:
    """One task and how far it is; the window looks at it now and then.

    The thread ends with the program: what it writes is put in its place only when it is whole, so
    it may be cut off anywhere.
    """

    def __init__(self, verb: str, task: Callable[["Work"], str]) -> None:
        """`verb` is what a person reads while `task`, which returns what came of it, is at work."""
        self.verb = verb
        self.done, self.total = 0, 0  # bytes; 0 in all = not known
        self._first: tuple[float, int] | None = None  # when progress was told first, and how far
        self.said, self.error = "", ""
        self.was_stopped = False
        self._task, self._wanted = task, True
        self._thread = threading.Thread(target=self._run, name=f"shelf: {verb}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Ask the task to end soon; what has arrived is kept."""
        self._wanted = False

    def wait(self, seconds: float | None = None) -> None:
        """Wait for the end."""
        self._thread.join(seconds)

    @property
    def is_wanted(self) -> bool:
        """Whether nobody has asked it to end."""
        return self._wanted

    @property
    def is_over(self) -> bool:
        """Whether the thread has ended, or was never begun."""
        return not self._thread.is_alive()

    def tell(self, done: int, total: int) -> None:
        """Take note of how far the task is, in bytes."""
        self.done, self.total = done, total
        if self._first is None:
            self._first = time.monotonic(), done

    @property
    def rate(self) -> float:
        """Bytes in a second, 0 = not known yet."""
        if self._first is None:
            return 0.0
        since, before = self._first
        return (self.done - before) / max(time.monotonic() - since, 0.1)

    def _run(self) -> None:
        # What nobody has thought of shows as a failure, too, and goes to the log.
        self.error = "It failed; the log says why."
        try:
            self.said = self._task(self)
            self.error = ""
        except DownloadStoppedError:
            self.error, self.was_stopped = "", True
        except (ModelError, OSError, MemoryError) as error:
            log.info("%s: %s", self.verb, error)
            self.error = str(error) or "There is not enough memory."
