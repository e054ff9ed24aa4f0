"""Experiments with the memory: runs of the same video with a frame more or less remembered."""

from app.core.document import Document
from app.session.jobs.experiment import Experiment, Memory, with_frame, without_frame
from app.session.jobs.runner import JobRunner
from app.session.runs.runs import Runs
from app.session.state.context import SessionContext


class Experiments:
    """Propagates anew with another memory; what comes of it is a run, and nothing else changes."""

    def __init__(self, context: SessionContext, jobs: JobRunner, runs: Runs) -> None:
        self._context, self._jobs, self._runs = context, jobs, runs

    def without(self, frame: int) -> None:
        """Run as if `frame` were never remembered: as an anchor it is not given."""
        if self._context.video.is_open:
            self._jobs.ask(lambda: self._planned(without_frame(self._document(), frame)))

    def given(self, frame: int) -> None:
        """Run as if the masks on `frame` were anchors, too."""
        if self._context.video.is_open:
            self._jobs.ask(lambda: self._planned(with_frame(self._document(), frame)))

    def _document(self) -> Document:
        return self._context.masks.document

    def _planned(self, memory: Memory) -> Experiment:
        return Experiment(self._context, memory, self._keep)

    def _keep(self, memory: Memory, found: Document) -> None:
        self._runs.keep(found, memory.title)
