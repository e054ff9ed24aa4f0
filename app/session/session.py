"""The session: what the window works on, put together from its parts."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Slot

from app.core.runs import Run
from app.engine.inference import Models
from app.session.choices import best_models
from app.session.comparison import Comparison
from app.session.edits.changes import Changes
from app.session.edits.clicks import Clicks
from app.session.edits.clipboard import Clipboard
from app.session.edits.correction import Correction
from app.session.edits.finding import Finding
from app.session.edits.history import History
from app.session.edits.masks import MaskEdits
from app.session.edits.objects import ObjectEdits
from app.session.edits.ranges import RangeEdits
from app.session.edits.ready import ReadyMasks
from app.session.files.autosave import Autosave
from app.session.files.exchange import Exchange
from app.session.files.files import Files
from app.session.files.interaction_log import InteractionLog
from app.session.inference.engine import Engine
from app.session.inference.prefetcher import Prefetcher
from app.session.jobs.runner import JobRunner
from app.session.review import Review
from app.session.runs.inspection import Inspection
from app.session.state.context import SessionContext
from app.session.state.interactions import Interactions
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
    say so by `status.reported`; only those of `files` and
    `compare.read_truth` raise.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        loader: ModelLoader = load_models,
        settings_file: Path | None = None,
        *,
        engine_type: type[Engine] = Engine,
    ) -> None:
        """Open nothing yet; what `preferences.apply` changes is kept in `settings_file`."""
        super().__init__()
        self._loader = loader
        interactions = Interactions(self)
        self._best: tuple[str, ...] = ()  # the models that are taken where none was chosen
        self._weights_changed = False
        # What is read: what is open, and what is looked at.
        self.status = Status(self)
        self.preferences = Preferences(
            settings or Settings(), settings_file, self.status, interactions, self
        )
        self.video = CurrentVideo(self.status, self)
        self.masks = Masks(self.video, self.preferences, interactions, self)
        self.view = ViewState(self.video, self.masks, self)
        interactions.watch(self.video, self.view)
        # What is done: by models, by the person, with files.
        context = SessionContext(
            self.status, self.preferences, self.video, self.masks, self.view, interactions
        )
        self._engine = engine = engine_type(interactions, self)
        self.jobs = jobs = JobRunner(context, engine, self)
        self.objects = objects = ObjectEdits(context, jobs, self)
        self.edit = edit = MaskEdits(context, jobs, self)
        self.ready = ready = ReadyMasks(context, jobs, edit, self)
        self.clipboard = Clipboard(context, objects, edit, self)
        self.ranges = RangeEdits(context, jobs, objects, edit, self)
        self.clicks = clicks = Clicks(context, engine, objects, edit, self)
        self.finding = Finding(context, engine, jobs, objects, edit, self)
        self.history = History(self.video, jobs, clicks, interactions, self)
        self.correction = Correction(context, engine, jobs, edit, clicks, self)
        self.compare = Comparison(context, jobs, self)
        self.review = review = Review(context, jobs, self)
        self.changes = Changes(context, jobs, edit, self)
        autosave = Autosave(self.masks, self.status, self)
        exchange = Exchange(context, jobs, objects, edit, ready, self)
        self.inspection = Inspection(context, engine, jobs, autosave, ready, self.compare, self)
        self.files = self._make_files(context, autosave, exchange)
        prefetcher = Prefetcher(context, engine, lambda: review.suspects, self)
        review.suspects_changed.connect(prefetcher.prepare_soon)
        self.preferences.models_changed.connect(self._change_models)
        self.preferences.weights_changed.connect(self._note_weights)
        self.status.state_changed.connect(self._renew_soon)

    def _make_files(self, context: SessionContext, autosave: Autosave, exchange: Exchange) -> Files:
        log = InteractionLog(context, self)
        return Files(
            context,
            autosave,
            exchange,
            log,
            self,
            runs=self._kept_runs,
            starts=(
                self._start_engine,
                self.review.start,
                self.changes.start,
                self.inspection.runs.start,
                log.start,
            ),
            settle=self.jobs.cancel,
            stops=(
                log.stop,
                partial(self.status.enter, SessionState.CLOSING),
                self.clicks.drop,
                self.finding.discard,
                self.correction.reject_refinement,
                self.edit.unhealed.forget,
                self._engine.stop,
                partial(self._keep_seen, autosave),
                self.review.stop,
                self.changes.stop,
                self.inspection.stop,
                exchange.stop,
            ),
        )

    def _kept_runs(self) -> dict[int, Run]:
        runs = self.inspection.runs
        return {number: run for number in runs.infos if (run := runs.run(number)) is not None}

    def _keep_seen(self, autosave: Autosave) -> None:
        if self.video.now is not None:
            autosave.keep_seen(self.video.now.seen)

    def _start_engine(self) -> None:
        opened, settings, loader = self.video.now, self.preferences.settings, self._loader
        if opened is not None:
            self._best = best_models(settings)
            cache, seen = opened.cache, opened.seen

            def load() -> Models:
                models = loader(cache, settings)
                models.keep_seen(seen)
                return models

            self._engine.start(load)

    @Slot()
    def _note_weights(self) -> None:
        self._weights_changed = True
        self._renew_soon()

    @Slot()
    def _renew_soon(self) -> None:
        if self._weights_changed:
            QTimer.singleShot(0, self._renew)  # not from inside what has just ended

    @Slot()
    def _renew(self) -> None:
        """Take the best models once nothing runs, where others are the best now."""
        if self._weights_changed and self.status.state is SessionState.IDLE:
            self._weights_changed = False
            if self.video.is_open and best_models(self.preferences.settings) != self._best:
                self._change_models()

    @Slot()
    def _change_models(self) -> None:
        if self.video.is_open:
            self.jobs.cancel()
            self.clicks.drop()
            self.finding.stop()
            self._start_engine()
