"""How far a batch is: sums over the outcomes so far, of which only the latest are kept."""

from collections import deque
from dataclasses import dataclass, field

from app.batch.videos.carry_out import Outcome

SHOWN = 100  # of what failed, and of what was done last


@dataclass(slots=True)
class Standing:
    """What has become of the videos so far; `total` is how many there are in all.

    `price` is that of an hour of one worker. However many videos, it takes the same memory.
    """

    total: int
    price: float | None = None
    currency: str = ""
    seconds: float = 0.0  # since the batch began
    count: int = 0
    done_before: int = 0
    failures: int = 0
    latest: deque[Outcome] = field(default_factory=lambda: deque(maxlen=SHOWN))
    failed: list[Outcome] = field(default_factory=list)  # the first of them
    _frames: int = 0
    _busy: float = 0.0  # seconds of workers, on what was done now
    _scores: tuple[float, int] = (0.0, 0)

    def add(self, outcome: Outcome, seconds: float) -> None:
        """Count one more outcome, `seconds` after the batch began."""
        self.count += 1
        self.seconds = seconds
        self.done_before += outcome.was_done
        self.failures += bool(outcome.error)
        self.latest.append(outcome)
        if outcome.error and len(self.failed) < SHOWN:
            self.failed.append(outcome)
        if not outcome.was_done:
            self._frames += outcome.frames
            self._busy += outcome.seconds
        if outcome.jf is not None:
            self._scores = self._scores[0] + outcome.jf, self._scores[1] + 1

    @property
    def is_over(self) -> bool:
        """Whether there is an outcome of every video."""
        return self.count >= self.total

    @property
    def fps(self) -> float:
        """Frames a second over all workers, of what was done now."""
        return self._frames / self.seconds if self.seconds else 0.0

    @property
    def mean_jf(self) -> float | None:
        """The mean J&F of the videos that were scored; None where none was."""
        return self._scores[0] / self._scores[1] if self._scores[1] else None

    @property
    def seconds_left(self) -> float | None:
        """How long it will take at this pace; None until a video was done now."""
        fresh = self.count - self.done_before
        return self.seconds / fresh * (self.total - self.count) if fresh else None

    @property
    def cost(self) -> str:
        """What this run costs so far and to its end: hours of workers, and money where known."""
        fresh = self.count - self.done_before
        if not fresh:
            return ""
        hours = self._busy / 3600
        whole = hours / fresh * (self.total - self.done_before)
        text = f"{_amount(hours)} of {_amount(whole)} worker hours"
        if self.price is None:
            return text
        money = f"{hours * self.price:.2f} of {whole * self.price:.2f} {self.currency}".rstrip()
        return f"{text}, {money}"


def _amount(hours: float) -> str:
    return f"{hours:.1f}" if hours >= 1 else f"{hours:.3f}"
