"""The queue of jobs: those that wait for the running one, in the order in which they will run."""

import itertools
from collections.abc import Collection
from typing import NamedTuple

from PySide6.QtCore import QObject, Signal, Slot

from app.core.document import Key
from app.session.jobs.job import Job
from app.session.state.interactions import Interactions, interaction
from app.session.state.masks import Masks


class WaitingJob(NamedTuple):
    """One job that waits; `number` tells it from others as long as it does."""

    number: int
    title: str


class JobQueue(QObject):
    """The waiting jobs; each is planned anew, on the masks as they are, when its turn comes."""

    changed = Signal()
    wanted = Signal(int)  # number: this one is to run now, in place of the running one

    def __init__(self, masks: Masks, interactions: Interactions, parent: QObject) -> None:
        super().__init__(parent)
        self._masks, self._interactions = masks, interactions
        self._jobs: dict[int, Job] = {}
        self._titles: dict[int, str] = {}
        self._numbers = itertools.count(1)
        masks.objects_changed.connect(self._forget_deleted)

    @property
    def waiting(self) -> tuple[WaitingJob, ...]:
        """What waits, the next one first."""
        return tuple(WaitingJob(number, self._titles[number]) for number in self._jobs)

    @property
    def jobs(self) -> tuple[Job, ...]:
        """The jobs themselves, the next one first."""
        return tuple(self._jobs.values())

    def add(self, job: Job, *, first: bool = False) -> None:
        """Let a job wait: behind the others, or before them."""
        number = next(self._numbers)
        self._titles[number] = job.title
        self._jobs = {number: job, **self._jobs} if first else {**self._jobs, number: job}
        self.changed.emit()

    def take(self, number: int | None = None) -> Job | None:
        """Return what is left to do of a job, by default of the next, which waits no longer.

        Of those of which nothing is left, the next one is taken.
        """
        for each in list(self._jobs) if number is None else [number]:
            job = self._jobs.pop(each, None)
            rest = job.rest(self._masks.document) if job is not None else None
            if rest is not None:
                self.changed.emit()
                return rest
        self.changed.emit()
        return None

    def take_joining(self) -> tuple[Job, ...]:
        """Return the heals, whose place another one takes; they wait no longer."""
        taken = {number: job for number, job in self._jobs.items() if job.joins}
        for number in taken:
            self.drop(number)
        return tuple(taken.values())

    @interaction("jobs.queue")
    def drop(self, number: int) -> None:
        """Let a job go without running it."""
        if self._jobs.pop(number, None) is not None:
            self.changed.emit()

    def clear(self) -> int:
        """Let all of them go; return how many there were."""
        count = len(self._jobs)
        self._jobs = {}
        if count:
            self.changed.emit()
        return count

    @interaction("jobs.queue")
    def move(self, number: int, places: int) -> None:
        """Let a job run so many places later, or earlier; the first goes before the running one."""
        order = list(self._jobs)
        if number not in order:
            return
        place = order.index(number) + places
        if place < 0:
            self.wanted.emit(number)
            return
        order.remove(number)
        order.insert(place, number)
        self._jobs = {each: self._jobs[each] for each in order}
        self.changed.emit()

    def leave_out(self, keys: Collection[Key]) -> int:
        """Let no waiting job give masks at `keys`; return how many of them any would have given."""
        return max((job.leave_out(keys) for job in self._jobs.values()), default=0)

    @Slot()
    def _forget_deleted(self) -> None:
        there = {info.id for info in self._masks.objects}
        for number, job in list(self._jobs.items()):
            if job.objects and there.isdisjoint(job.objects):
                self.drop(number)
