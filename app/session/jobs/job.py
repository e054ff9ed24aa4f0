"""The long job as the runner knows it, whatever it does."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping

from app.core.document import Document, Entry, Key
from app.engine.jobs import Job as Request
from app.session.jobs.progress import Meter
from app.session.state.context import SessionContext
from app.session.state.status import SessionState


class NothingToDo(Exception):
    """The plan of a job is empty; the message says why. `level` is that of a report."""

    def __init__(self, level: str, text: str) -> None:
        super().__init__(text)
        self.level = level


class Job(ABC):
    """One long job: what it asks of the engine, what it covers, what is left of it, how it ended.

    Its subclasses are the planners; nothing else asks which of them a job is.
    """

    state = SessionState.PROPAGATING  # while it runs
    new_anchors: frozenset[Key] = frozenset()  # a heal that takes its place begins there, too

    def __init__(self, context: SessionContext) -> None:
        self._context = context
        self._steps = 0  # of the engine, so far

    @property
    @abstractmethod
    def title(self) -> str:
        """What the job is called, for undo and for sentences."""

    @property
    @abstractmethod
    def first(self) -> int:
        """The frame that is visited first."""

    @property
    @abstractmethod
    def objects(self) -> frozenset[int]:
        """The objects that the job works on."""

    @abstractmethod
    def request(self, job_id: int) -> Request:
        """Return what is asked of the engine."""

    @abstractmethod
    def meter(self) -> Meter:
        """Return a meter of the job's frames."""

    @abstractmethod
    def covers(self, key: Key) -> bool:
        """Whether an edit at `key` falls into the objects and frames of the job."""

    def count_step(self) -> None:
        """Take note that the engine has answered once more."""
        self._steps += 1

    def rest(self, _document: Document) -> "Job | None":
        """Return what is left where the job is stopped; None = nothing can go on later."""
        return None

    @abstractmethod
    def after_edit(self, edited: Collection[Key]) -> "Job | None":
        """Return the job that goes on once the masks at `edited` were changed within this one.

        None = nothing does. Raises NothingToDo where a new plan is empty.
        """

    def outcome(
        self, title: str, _before: Mapping[Key, Entry], _changed: Mapping[Key, Entry]
    ) -> str:
        """Return a sentence on what a job that ended by itself has `changed`.

        `before` holds the entries that stood where it had found something.
        """
        return f"{title}: done"
