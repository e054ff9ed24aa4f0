"""The inspector: what looks into runs, and writes what it sees."""

from dataclasses import dataclass

from app.session.runs.agreement import Agreement
from app.session.runs.dataset import DataSet
from app.session.runs.experiments import Experiments
from app.session.runs.memory import MemoryVotes
from app.session.runs.reports import Reports


@dataclass(frozen=True)
class Inspector:
    """The memory, experiments with it, the agreement of runs, a data set, and what is written."""

    memory: MemoryVotes
    agreement: Agreement
    experiments: Experiments
    data_set: DataSet
    reports: Reports
