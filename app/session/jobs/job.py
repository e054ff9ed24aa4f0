"""The long job as the runner knows it, whatever it does."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping

from app.core.document import Document, Entry, Key
from app.engine.jobs import Job as Request
from app.session.jobs.progress import Meter
from app.session.state.context import SessionContext
from app.session.state.status import SessionState, Topic


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
    topic = Topic.CHANGES  # of the report of what it has changed
    joins = False  # whether a heal that is asked for takes its place
    new_anchors: frozenset[Key] = frozenset()  # such a heal begins there, too
    asked: object = None  # what tells two requests apart; None = no other is the same

    def __init__(self, context: SessionContext) -> None:
        self._context = context
        self._steps = 0  # of the engine, so far
        self._left_out: frozenset[Key] = frozenset()

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

    def count_step(self) -> bool:
        """Take note that the engine has answered once more.

        Returns whether all that was found so far may be kept; else a part of the job is half done,
        and is kept as soon as it is whole.
        """
        self._steps += 1
        return True

    def leave_out(self, keys: Collection[Key]) -> int:
        """Give no mask at `keys` any more; return how many of them the job covers."""
        covered = frozenset(key for key in keys if self.covers(key))
        self._left_out |= covered
        return len(covered)

    def given(self, found: Mapping[Key, Entry]) -> dict[Key, Entry]:
        """Return what the document is to get of what was found: all that is not left out."""
        return {key: entry for key, entry in found.items() if key not in self._left_out}

    def has_passed(self, _frame: int) -> bool:
        """Whether who asks again at `frame` wants it to go on where it was stopped."""
        return False

    @abstractmethod
    def rest(self, document: Document) -> "Job | None":
        """Return what is left where the job is stopped, or was not begun; None = nothing."""

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
