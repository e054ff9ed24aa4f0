"""The replay of a log: the same interactions, each after the same answers of the models."""

import inspect
import operator
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import shiboken6
from PySide6.QtCore import QObject

from app.core.document import Document
from app.core.effort import Answer, Interaction
from app.errors import FormatError, MaskwrightError
from app.session.inference.engine import Engine
from app.session.session import ModelLoader, Session, load_models
from app.session.state.interactions import VIEW, Interactions, is_interaction
from app.storage.formats.importing import Imported
from app.storage.interactions import Log, decode
from app.storage.project.exchange import create_project
from app.storage.project.project import Project
from app.storage.project.seen import keep_seen
from app.storage.video.opening import open_video

_LOOK_S = 0.001  # between two looks for an answer
PATIENCE_S = 600.0  # for one answer


class HeldEngine(Engine):
    """An engine whose answers are told when they are asked for, in the order of a log.

    What a model answers depends on the request alone; when it comes depends on the machine.
    """

    def __init__(self, interactions: Interactions, parent: QObject) -> None:
        super().__init__(interactions, parent)
        self._held: dict[Answer, deque[tuple[int, object]]] = defaultdict(deque)
        self.within: deque[Answer] = deque()  # what the next interaction waits for

    def take_in(self, kind: str, job_id: int, value: object) -> None:
        """Keep an answer until it is asked for."""
        request = self._interactions.request_of(job_id)
        if request is not None:
            self._held[Answer(kind, request)].append((job_id, value))

    def give(self, answer: Answer) -> None:
        """Tell an answer, once it is there. Raises MaskwrightError where it never comes."""
        held, until = self._held[answer], time.monotonic() + PATIENCE_S
        while not held:
            if time.monotonic() > until:
                raise MaskwrightError(
                    f"The models gave no answer to request {answer.request} ({answer.kind}), "
                    "which the log has. They are others than those that were used."
                )
            self.deliver()
            time.sleep(_LOOK_S)
        super().take_in(answer.kind, *held.popleft())

    def cancel(self) -> None:
        """Stop the long job after the answers that the log has."""
        while self.within:
            self.give(self.within.popleft())
        super().cancel()


class Replay:
    """A session in which a log is played again; its project lies in `folder`."""

    def __init__(
        self, log: Log, folder: Path, video: Path | None = None, loader: ModelLoader = load_models
    ) -> None:
        """Make the project as the log began. `video` stands for the one that the log names.

        Raises MaskwrightError.
        """
        self._log, self._video, self._loader = log, video or log.head.video, loader
        self.project = folder / "replay.maskwright"
        self._make_project()

    @cached_property
    def session(self) -> Session:
        """The session, which opens the project when it is first asked for."""
        # A replay is not logged itself, and its project lies where it was made.
        settings = replace(self._log.head.settings, interaction_log=False, autosave_folder="")
        session = Session(settings, self._loader, engine_type=HeldEngine)
        session.files.open(self.project)
        return session

    def play(self, told: Callable[[], None] = lambda: None) -> Document:
        """Carry all of it out; return the masks. `told` is called with each interaction.

        Raises MaskwrightError.
        """
        engine = self.session.findChild(HeldEngine)
        assert isinstance(engine, HeldEngine), "the session has its engine"
        for made in self._log.interactions:
            self._give(engine, made.after)
            engine.within.extend(made.within)
            self._repeat(made)
            self._give(engine, engine.within)
            engine.within.clear()
            told()
        if self._log.end is not None:
            self._give(engine, self._log.end.after)
        return self.session.masks.document

    def close(self) -> None:
        """Close the video and end the models, and the session with them.

        A session is a cycle: one that Python finds later may be freed in another's thread.
        """
        if "session" in self.__dict__:  # it was asked for
            self.session.files.close()
            shiboken6.delete(self.session)
            del self.session

    def _make_project(self) -> None:
        head = self._log.head
        video = open_video(self._video)
        try:
            if len(video) != head.frames or video.size != head.size:
                raise FormatError(
                    f"{self._video} is another video than the one of the log, which has "
                    f"{head.frames} frames of {head.size[1]} x {head.size[0]} pixels."
                )
            create_project(self.project, Imported(head.document, video, None, ()))
        finally:
            video.close()
        with closing(Project.open(self.project)) as project:
            keep_seen(project, head.seen)

    @staticmethod
    def _give(engine: HeldEngine, answers: Iterable[Answer]) -> None:
        for answer in list(answers):
            engine.give(answer)

    def _repeat(self, made: Interaction) -> None:
        given = {name: decode(value) for name, value in made.given.items()}
        if made.what == VIEW:
            self._look(given)
            return
        if not is_interaction(made.what):
            raise FormatError(f"The log has {made.what}, which this version does not know.")
        method = operator.attrgetter(made.what)(self.session)
        signature = inspect.signature(method)
        if not given.keys() <= signature.parameters.keys():
            raise FormatError(f"The log has {made.what} with other arguments than it takes.")
        bound = signature.bind_partial()
        bound.arguments.update(given)
        method(*bound.args, **bound.kwargs)

    def _look(self, given: dict[str, object]) -> None:
        """Look where the person looked."""
        view = self.session.view
        first, last, number, frame = (
            value if isinstance(value, int) else None
            for value in map(given.get, ("first", "last", "selected", "frame"))
        )
        view.set_range(first, last)
        view.select(number)
        view.go_to(frame or 0)
