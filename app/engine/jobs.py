"""Requests to the inference thread, frozen and complete, and the inbox they wait in."""

import enum
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from app.batch.masks.consistency import Ballot
from app.core.densify import RunPasses
from app.core.document import Entry, Key
from app.core.heal import Rules
from app.core.mask import Mask
from app.core.passes import Pass
from app.core.proposals import Existing, FindRequest
from models.api import Box, Click


class Priority(enum.IntEnum):
    """What is served first: the lower number."""

    QUICK = 0  # a person waits for it: goes between two frames of a long job
    HOVER = 1  # only worth doing while nothing else is asked
    LONG = 2
    IDLE = 3


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """One object's mask on one frame, from all its clicks, its box and its mask so far.

    `others` are the masks of the objects beside it that give what it takes, `kept` of those that
    give nothing. `drafted`: this series of clicks made the mask so far from nothing.
    """

    id: int
    key: Key
    clicks: tuple[Click, ...] = ()
    box: Box | None = None
    mask: Mask | None = None
    hover: bool = False
    others: tuple[Mask, ...] = ()
    kept: tuple[Mask, ...] = ()
    drafted: bool = False

    @property
    def priority(self) -> Priority:
        """How soon the job is served."""
        return Priority.HOVER if self.hover else Priority.QUICK

    @property
    def subject(self) -> Key | None:
        """What tells the job from others of its priority; previews are all alike."""
        return None if self.hover else self.key

    @property
    def begins(self) -> int | None:
        """The frame that it is about first."""
        return self.key.frame


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """Fill the frames of these passes; the tracker is not to remember the frames `left_out`."""

    id: int
    passes: tuple[Pass, ...]
    left_out: frozenset[int] = frozenset()
    priority: Priority = field(default=Priority.LONG, init=False)
    subject: None = field(default=None, init=False)
    begins: None = field(default=None, init=False)


@dataclass(frozen=True, slots=True, eq=False)
class Heal:
    """Recompute the frames of these passes until they agree with the `old` entries."""

    id: int
    passes: tuple[Pass, ...]
    old: Mapping[Key, Entry]
    rules: Rules
    priority: Priority = field(default=Priority.LONG, init=False)
    subject: None = field(default=None, init=False)
    begins: None = field(default=None, init=False)


@dataclass(frozen=True, slots=True, eq=False)
class MakeConsistent:
    """Track, and let the masks that stand and the tracker's vote."""

    id: int
    ballot: Ballot
    priority: Priority = field(default=Priority.LONG, init=False)
    subject: None = field(default=None, init=False)
    begins: None = field(default=None, init=False)


@dataclass(frozen=True, slots=True, eq=False)
class Densify:
    """Fill these runs, each from both ends; a mask whose agreement is below `gate` is a conflict.

    `gate` is an IoU, 0 to 1.
    """

    id: int
    runs: tuple[RunPasses, ...]
    gate: float
    priority: Priority = field(default=Priority.LONG, init=False)
    subject: None = field(default=None, init=False)
    begins: None = field(default=None, init=False)


@dataclass(frozen=True, slots=True, eq=False)
class Refine:
    """Sharpen these masks; a result whose IoU with its mask is below `gate` is not used."""

    id: int
    masks: Mapping[Key, Mask]
    gate: float = 0.1
    ghost: bool = False  # a person waits to see it
    subject: None = field(default=None, init=False)
    begins: None = field(default=None, init=False)

    @property
    def priority(self) -> Priority:
        """How soon the job is served."""
        return Priority.QUICK if self.ghost else Priority.LONG


@dataclass(frozen=True, slots=True, eq=False)
class Prepare:
    """Compute ahead what clicks on these frames will need, while nothing else is to be done."""

    id: int
    frames: tuple[int, ...]
    priority: Priority = field(default=Priority.IDLE, init=False)
    subject: None = field(default=None, init=False)

    @property
    def begins(self) -> int | None:
        """The frame that is prepared first."""
        return self.frames[0] if self.frames else None


@dataclass(frozen=True, slots=True, eq=False)
class Explain:
    """Say which remembered frames vote for a pixel; of all objects where none is named."""

    id: int
    frame: int
    x: float
    y: float
    object: int | None = None
    priority: Priority = field(default=Priority.QUICK, init=False)
    subject: str = field(default="explain", init=False)
    begins: None = field(default=None, init=False)


@dataclass(frozen=True, slots=True, eq=False)
class Find:
    """Look on the one frame of the request for what it says.

    `existing` holds what was found before, too. `detector` names the model; empty is the one that
    suits the phrases.
    """

    id: int
    request: FindRequest
    existing: Existing
    detector: str = ""
    priority: Priority = field(default=Priority.QUICK, init=False)
    subject: str = field(default="find", init=False)

    @property
    def begins(self) -> int | None:
        """The frame that is looked at."""
        return self.request.frames[0]


Job = Segment | Explain | Find | Track | Heal | Densify | Refine | MakeConsistent | Prepare
_Slot = tuple[Priority, Key | str | None]  # where one job waits


class Inbox:
    """What the inference thread is to do next: one waiting job for each priority, the newest wins.

    Clicks are told apart by what they are about: one on another object or frame waits in its turn.
    A new long job also cancels the one that runs. Jobs must be put with rising ids. Any thread may
    call any method.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: dict[_Slot, Job] = {}
        self._cancelled = -1  # long jobs up to this id are to stop
        self._newest = -1
        self._closed = False

    def put(self, job: Job) -> None:
        """Leave a job; the one that waits in its slot is dropped."""
        with self._changed:
            self._newest = job.id
            if job.priority is Priority.LONG:
                self._cancelled = job.id - 1
            if job.priority is Priority.QUICK:
                self._waiting.pop((Priority.HOVER, None), None)
            if job.priority is not Priority.IDLE:
                self._waiting.pop((Priority.IDLE, None), None)
            self._waiting[_slot_of(job)] = job
            self._changed.notify()

    def take(self) -> Job | None:
        """Wait for the next job; None says that the inbox is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._waiting)
            if self._closed:
                return None
            return self._waiting.pop(_first(self._waiting))

    def take_quick(self) -> Job | None:
        """Return a job to be done between two frames of a long one, or None; does not wait."""
        with self._changed:
            quick = [slot for slot in self._waiting if slot[0] < Priority.LONG]
            return self._waiting.pop(_first(quick)) if quick and not self._closed else None

    def cancel(self) -> None:
        """Stop the long job that runs and drop the one that waits."""
        with self._changed:
            self._cancelled = self._newest
            self._waiting.pop((Priority.LONG, None), None)

    def is_cancelled(self, job: Job) -> bool:
        """Whether a running job is to stop at the next frame."""
        with self._changed:
            if self._closed:
                return True
            if job.priority is Priority.IDLE:
                return bool(self._waiting)
            return job.priority is Priority.LONG and job.id <= self._cancelled

    def needs(self, frame: int) -> bool:
        """Whether `frame` had better be prepared to the end: no job waits that begins elsewhere."""
        with self._changed:
            waiting = self._waiting.values()
            begun = not waiting or any(job.begins == frame for job in waiting)
            return begun and not self._closed

    def close(self) -> None:
        """Give out nothing from now on: `take` returns None."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()


def _slot_of(job: Job) -> _Slot:
    return job.priority, job.subject


def _first(slots: Iterable[_Slot]) -> _Slot:
    """Return the slot to be served first: of one priority, the one that has waited longest."""
    return min(slots, key=lambda slot: slot[0])
