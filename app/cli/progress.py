"""The progress of long work: one line that is rewritten on a terminal, nothing elsewhere."""

import sys
import time
from types import TracebackType
from typing import Self, TextIO

_EVERY_S = 0.1


class Progress:
    """Counts steps of `total`; shows steps per second and the time left.

    Use it in a `with`: the line is ended when the work ends, however it ends.
    """

    def __init__(
        self, what: str, total: int, unit: str = "frames", stream: TextIO | None = None
    ) -> None:
        self._what, self._total, self._unit = what, total, unit
        self._stream = stream or sys.stderr
        self._shows = self._stream.isatty()
        self._done = 0
        self._begun = time.monotonic()
        self._shown_at = 0.0
        self._note = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._shows and self._done:
            self._show()
            self._stream.write("\n")

    def step(self, note: str = "") -> None:
        """One more is done; `note` is what else there is to say."""
        self._done += 1
        self._note = f", {note}" if note else ""
        now = time.monotonic()
        if self._shows and now - self._shown_at >= _EVERY_S:
            self._shown_at = now
            self._show()

    def _show(self) -> None:
        rate = self._done / max(time.monotonic() - self._begun, 1e-6)
        left = clock((self._total - self._done) / rate)
        count = f"{self._done}/{self._total} {self._unit}"
        line = f"{self._what}: {count}, {rate:.1f} {self._unit}/s, {left} left{self._note}"
        self._stream.write(f"\r{line}\x1b[K")
        self._stream.flush()


def clock(seconds: float) -> str:
    """Return `1:05` for 65 seconds, `1:00:05` for an hour and five."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
