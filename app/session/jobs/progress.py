"""The progress of the running job: how far it is, how fast, how long it will take."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

_EVERY_S = 0.1
_SURE_AFTER = 10  # frames before a time left is told


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the running job is.

    `fps` in frames per second and `seconds_left` are None until they can be told. `first` to
    `last` are the frames that it fills, `at` the one it is at, `objects` what it follows. Of one
    that works `outward` from where the person is, the end is no place to be.
    """

    text: str
    done: int
    total: int
    fps: float | None
    seconds_left: float | None
    first: int
    last: int
    at: int
    objects: tuple[int, ...]
    outward: bool = False


class Meter:
    """Counts the frames of one job."""

    def __init__(
        self, text: str, frames: Sequence[int], objects: tuple[int, ...], *, outward: bool = False
    ) -> None:
        self._text, self._objects, self._outward = text, objects, outward
        self._total = len(frames)
        self._first, self._last = min(frames), max(frames)
        self._done = 0
        self._seconds = 0.0  # a frame takes, a moving average
        self._since = self._told = time.monotonic()

    def step(self, frame: int) -> Progress | None:
        """Count a frame; return what to tell, or None where it is too early to tell again."""
        now = time.monotonic()
        self._done += 1
        # The first frame is left out: it pays for loading the model.
        if self._done == 2:
            self._seconds = now - self._since
        elif self._done > 2:
            self._seconds += (now - self._since - self._seconds) / min(self._done - 1, 20)
        self._since = now
        if now - self._told < _EVERY_S and self._done > 1:
            return None
        self._told = now
        return self.progress(frame)

    def progress(self, at: int) -> Progress:
        """Return how far the job is, at frame `at`."""
        left = max(0, self._total - self._done)
        known = self._done >= _SURE_AFTER and self._seconds > 0
        return Progress(
            text=self._text,
            done=min(self._done, self._total),
            total=self._total,
            fps=1 / self._seconds if self._seconds > 0 else None,
            seconds_left=left * self._seconds if known else None,
            first=self._first,
            last=self._last,
            at=at,
            objects=self._objects,
            outward=self._outward,
        )
