"""The session: what the window works on, put together from its parts."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Slot

from app.engine.inference import Models
from app.session.comparison import Comparison
from app.session.edits.clicks import Clicks
from app.session.edits.clipboard import Clipboard
from app.session.edits.correction import Correction
from app.session.edits.history import History
from app.session.edits.masks import MaskEdits
from app.session.edits.objects import ObjectEdits
from app.session.edits.ranges import RangeEdits
from app.session.files.autosave import Autosave
from app.session.files.exchange import Exchange
from app.session.files.files import Files
from app.session.inference.engine import Engine
from app.session.inference.prefetcher import Prefetcher
from app.session.jobs.runner import JobRunner
from app.session.review import Review
from app.session.runs.agreement import Agreement
from app.session.runs.dataset import DataSet
from app.session.runs.experiments import Experiments
from app.session.runs.inspector import Inspector
from app.session.runs.memory import MemoryVotes
from app.session.runs.reports import Reports
from app.session.runs.runs import Runs
from app.session.state.context import SessionContext
from app.session.state.masks import Masks
from app.session.state.preferences import Preferences, choice_of
from app.session.state.status import SessionState, Status
from app.session.state.video import CurrentVideo
from app.session.state.view import ViewState
from app.storage.settings import Settings
from app.storage.video.frames import FrameCache

ModelLoader = Callable[[FrameCache, Settings], Models]


def load_models(frames: FrameCache, settings: Settings) -> Models:
    """Return the models that the settings name."""
    return Models(frames, choice_of(settings))


class Session(QObject):
    """One open video, or none. Lives in the GUI thread.

    It only puts its parts together: each has its own calls and its own signals, all emitted in the
    GUI thread. While nothing is open every call does nothing. Calls that cannot do what was asked
    say so by `status.reported`; only those of `files` and `exchange`, and `compare.read_truth`,
    raise.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        loader: ModelLoader = load_models,
        settings_file: Path | None = None,
    ) -> None:
        """Open nothing yet; what `preferences.apply` changes is kept in `settings_file`."""
        super().__init__()
        self._loader = loader
        # What is read: what is open, and what is looked at.
        self.status = Status(self)
        self.preferences = Preferences(settings or Settings(), settings_file, self.status, self)
        self.video = CurrentVideo(self.status, self)
        self.masks = Masks(self.video, self)
        self.view = ViewState(self.video, self.masks, self)
        # What is done: by models, by the person, with files.
        context = SessionContext(self.status, self.preferences, self.video, self.masks, self.view)
        self._engine = engine = Engine(self)
        self.jobs = jobs = JobRunner(context, engine, self)
        self.objects = objects = ObjectEdits(context, jobs, self)
        self.edit = edit = MaskEdits(context, jobs, self)
        self.clipboard = Clipboard(context, objects, edit, self)
        self.ranges = RangeEdits(context, objects, edit, self)
        self.clicks = clicks = Clicks(context, engine, objects, edit, self)
        self.history = History(self.video, jobs, clicks, self)
        self.correction = Correction(context, engine, jobs, edit, clicks, self)
        self.compare = Comparison(context, jobs, self)
        self.review = review = Review(context, jobs, self)
        autosave = Autosave(self.masks, self.status, self)
        self.exchange = Exchange(context, edit, self)
        self.runs = Runs(context, autosave, edit, self.compare, self)
        self.inspector = Inspector(
            MemoryVotes(context, engine, self),
            Agreement(self.video, self.runs, self),
            Experiments(context, jobs, self.runs),
            DataSet(autosave, self.runs, self),
            Reports(context, self.runs, self),
        )
        self.files = self._make_files(context, autosave)
        prefetcher = Prefetcher(context, engine, lambda: review.suspects, self)
        review.suspects_changed.connect(prefetcher.prepare_soon)
        self.preferences.models_changed.connect(self._change_models)

    def _make_files(self, context: SessionContext, autosave: Autosave) -> Files:
        return Files(
            context,
            autosave,
            self,
            starts=(self._start_engine, self.review.start, self.runs.start),
            settle=self.jobs.cancel,
            stops=(
                partial(self.status.enter, SessionState.CLOSING),
                self.clicks.drop,
                self.correction.reject_refinement,
                self.edit.forget_new_anchors,
                self._engine.stop,
                self.review.stop,
                self.runs.stop,
                self.inspector.reports.stop,
                self.exchange.stop,
            ),
        )

    def _start_engine(self) -> None:
        opened, settings, loader = self.video.now, self.preferences.settings, self._loader
        if opened is not None:
            cache = opened.cache
            self._engine.start(lambda: loader(cache, settings))

    @Slot()
    def _change_models(self) -> None:
        if self.video.is_open:
            self.jobs.cancel()
            self.clicks.drop()
            self._start_engine()
