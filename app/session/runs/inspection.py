"""The inspection: all that compares stored predictions, and asks a model why it failed."""

from PySide6.QtCore import QObject

from app.session.comparison import Comparison
from app.session.edits.ready import ReadyMasks
from app.session.files.autosave import Autosave
from app.session.inference.engine import Engine
from app.session.jobs.runner import JobRunner
from app.session.runs.agreement import Agreement
from app.session.runs.dataset import DataSet
from app.session.runs.experiments import Experiments
from app.session.runs.memory import MemoryVotes
from app.session.runs.reports import Reports
from app.session.runs.runs import Runs
from app.session.state.context import SessionContext


class Inspection:
    """The runs of the video, those of a data set, experiments, the memory, and what is saved."""

    def __init__(
        self,
        context: SessionContext,
        engine: Engine,
        jobs: JobRunner,
        autosave: Autosave,
        ready: ReadyMasks,
        compare: Comparison,
        parent: QObject,
    ) -> None:
        self.runs = Runs(context, autosave, ready, compare, parent)
        self.reports = Reports(context, self.runs, parent)
        self.data_set = DataSet(autosave, self.runs, parent)
        self.experiments = Experiments(context, jobs, self.runs)
        self.memory = MemoryVotes(context, engine, parent)
        self.agreement = Agreement(context.video, self.runs, parent)

    def stop(self) -> None:
        """End what is measured or written of the open video."""
        self.runs.stop()
        self.reports.stop()
