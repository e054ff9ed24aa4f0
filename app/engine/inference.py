"""The inference thread: the only one that touches a model."""

import logging
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from functools import cached_property, partial

from PySide6.QtCore import QObject, QThread, Signal

from app.batch.masks.consistency import make_consistent
from app.batch.masks.finding import find
from app.batch.masks.refine import refine
from app.batch.masks.sharpening import GATE, SharpenedTracker
from app.batch.passes.densify import densify
from app.batch.passes.fill import fill
from app.batch.passes.heal import heal
from app.batch.passes.predict import Forgetful
from app.batch.passes.readable import ReadableFrames
from app.batch.passes.steps import Steps, without
from app.core.densify import QUALITY
from app.core.proposals import Proposal
from app.engine.jobs import (
    Densify,
    Explain,
    Find,
    Heal,
    Inbox,
    Job,
    MakeConsistent,
    Prepare,
    Refine,
    Segment,
    Track,
)
from app.engine.segment import segment
from app.errors import MaskwrightError
from models.api import (
    Detector,
    DeviceMemoryError,
    Explainer,
    Frames,
    LoadOptions,
    ModelError,
    ScalableTracker,
    Seen,
    SeenKeeper,
    Segmenter,
    Tracker,
    Vote,
)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Choice:
    """Which models to use and how; an empty name is the best that is here and suits the machine."""

    tracker: str = ""
    segmenter: str = ""
    refiner: str = ""
    sharpener: str = ""  # sharpens each frame of a propagation; empty = none
    gate: float = GATE
    options: LoadOptions = field(default_factory=LoadOptions)


class Models:
    """The models of one video, each loaded when it is first asked for."""

    def __init__(self, frames: Frames, choice: Choice) -> None:
        self.frames = frames
        self.readable = ReadableFrames(frames)  # for the tracker, which goes through them
        self._choice = choice
        self._detectors: dict[str, Detector] = {}
        self._seen: Seen = {}

    def keep_seen(self, seen: Seen) -> None:
        """Keep here what the tracker sees of frames; to be called before it is first asked for."""
        self._seen = seen

    @cached_property
    def tracker(self) -> Tracker:
        """The video model; raises ModelError where it cannot be loaded."""
        from models import registry  # noqa: PLC0415 - torch comes with it

        name = self._choice.tracker or registry.default_tracker(self._choice.options)
        tracker = registry.load_tracker(name, self.readable, self._choice.options)
        if isinstance(tracker, SeenKeeper):
            tracker.keep_seen(self._seen)
        return tracker

    @property
    def densifier(self) -> Tracker:
        """The video model, looking as finely as masks to be handed on want, or in the size chosen.

        Raises ModelError where it cannot be loaded.
        """
        tracker = self.tracker
        if self._choice.options.size is None and isinstance(tracker, ScalableTracker):
            return tracker.at(QUALITY)
        return tracker

    @cached_property
    def segmenter(self) -> Segmenter:
        """The image model of clicks; raises ModelError where it cannot be loaded."""
        from models import registry  # noqa: PLC0415

        name = self._choice.segmenter or registry.default_segmenter(self._choice.options)
        return registry.load_segmenter(name, self.frames, self._choice.options)

    @cached_property
    def refiner(self) -> Segmenter:
        """The image model of fine edges; raises ModelError where it cannot be loaded."""
        from models import registry  # noqa: PLC0415

        if self._choice.refiner in {"", self._choice.segmenter}:
            return self.segmenter
        return registry.load_segmenter(self._choice.refiner, self.frames, self._choice.options)

    @cached_property
    def propagator(self) -> Tracker:
        """The video model, its masks sharpened if that was chosen; raises ModelError."""
        if not self._choice.sharpener:
            return self.tracker
        return SharpenedTracker(self.tracker, self._sharpener, gate=self._choice.gate)

    def load_ahead(self) -> None:
        """Load the embedded tracker before its first pass; larger ones wait until they are asked.

        Why it cannot be loaded is said when it is asked for.
        """
        from models import registry  # noqa: PLC0415

        name = self._choice.tracker or registry.default_tracker(self._choice.options)
        if name == registry.EMBEDDED:
            with suppress(ModelError):
                _ = self.tracker

    @property
    def _sharpener(self) -> Segmenter:
        from models import registry  # noqa: PLC0415

        name, choice = self._choice.sharpener, self._choice
        if name == (choice.segmenter or registry.default_segmenter(choice.options)):
            return self.segmenter
        if name == choice.refiner:
            return self.refiner
        return registry.load_segmenter(name, self.frames, choice.options)

    def detector(self, name: str, phrases: Sequence[str]) -> Detector:
        """Return the model that finds things; raises ModelError where it cannot be loaded.

        An empty name is the one that suits the phrases.
        """
        from models import registry  # noqa: PLC0415

        name = name or registry.default_detector(phrases)
        if name not in self._detectors:
            options = replace(self._choice.options, size=None, weights=None)  # those of a tracker
            self._detectors[name] = registry.load_detector(name, self.frames, options)
        return self._detectors[name]


class InferenceThread(QThread):
    """Carries out what lies in its inbox, one job at a time, quick ones between two frames.

    Every answer carries the id of its job; whether anyone still waits for it is for the receiver
    to know. `close` ends the thread after the model step it is in.
    """

    segmented = Signal(int, object)  # job id, tuple[Candidate, ...]
    explained = Signal(int, object)  # job id, tuple[Vote, ...]
    found = Signal(int, object)  # job id, tuple[Proposal, ...]
    stepped = Signal(int, object)  # job id, Step
    ended = Signal(int, object)  # job id, exception or None

    def __init__(self, load: Callable[[], Models], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.inbox = Inbox()
        self._load = load

    @cached_property
    def _models(self) -> Models:
        return self._load()

    def run(self) -> None:
        """Work until the inbox is closed."""
        while (job := self.inbox.take()) is not None:
            self._answer(job)

    def close(self) -> None:
        """Stop the job and wait for the thread; called from the thread that started it."""
        self.inbox.close()
        self.wait()

    def _answer(self, job: Job) -> None:
        try:
            self._carry_out(job)
        except (ModelError, MaskwrightError) as error:
            self.ended.emit(job.id, error)
        except MemoryError:
            self.ended.emit(job.id, DeviceMemoryError("Out of memory. Choose a smaller size."))
        # A model may fail in ways nobody has named; the thread must live on to say so.
        except Exception as error:
            log.exception("Job %d failed", job.id)
            self.ended.emit(job.id, ModelError(f"The model failed ({error!r}). See the log."))
        else:
            self.ended.emit(job.id, None)

    def _carry_out(self, job: Job) -> None:
        match job:
            case Segment():
                # A click is answered also where its frame was left; a hover is not worth that.
                if not job.hover or self._is_prepared(job.key.frame):
                    self.segmented.emit(job.id, segment(self._models.segmenter, job))
            case Prepare():
                self._prepare(job)
            case Explain():
                self.explained.emit(job.id, self._explain(job))
            case Find():
                self.found.emit(job.id, self._find(job))
            case Refine():
                self._walk(job, refine(self._models.refiner, job.masks, gate=job.gate))
            case Track() | Heal() | Densify() | MakeConsistent():
                self._walk(job, without(self._track(job), self._models.readable.unreadable))

    def _track(self, job: Track | Heal | Densify | MakeConsistent) -> Steps:
        """Return the steps of a job that the video model carries out."""
        models, size = self._models, self._models.frames.size
        match job:
            case Heal():
                return heal(models.propagator, job.passes, job.old, job.rules, size)
            case Densify():
                return densify(models.densifier, job.runs, job.gate, size)
            case MakeConsistent():
                return make_consistent(models.tracker, job.ballot, size)
            case Track():
                tracker = models.propagator
                if job.left_out:
                    tracker = Forgetful(tracker, job.left_out)
                return fill(tracker, job.passes, size)

    def _walk(self, job: Job, steps: Steps) -> None:
        """Tell each step of a long job, and look at the inbox between two."""
        with closing(steps):
            for step in steps:
                self.stepped.emit(job.id, step)
                self._serve_quick()
                if self.inbox.is_cancelled(job):
                    return

    def _explain(self, job: Explain) -> tuple[Vote, ...]:
        tracker = self._models.tracker
        if not isinstance(tracker, Explainer):
            raise ModelError(
                "This model keeps no memory of frames that could be asked. Choose another in the "
                "settings, such as lite, and propagate."
            )
        return tracker.explain(job.frame, job.x, job.y, job.object)

    def _find(self, job: Find) -> tuple[Proposal, ...]:
        models, request = self._models, job.request
        detector = models.detector(job.detector, request.phrases)
        steps = find(detector, models.segmenter, models.frames, request, job.existing)
        return tuple(proposal for _, proposals in steps for proposal in proposals)

    def _serve_quick(self) -> None:
        # The generator of the long job stays open meanwhile and goes on where it was.
        while (quick := self.inbox.take_quick()) is not None:
            self._answer(quick)

    def _prepare(self, job: Prepare) -> None:
        for frame in job.frames:
            if self.inbox.is_cancelled(job):
                return
            self._is_prepared(frame)
            if frame == job.frames[0] and not self.inbox.is_cancelled(job):
                self._models.load_ahead()  # before the frames that may be looked at next

    def _is_prepared(self, frame: int) -> bool:
        """Prepare a frame, unless it is left meanwhile; return whether it is wanted still."""
        wanted = partial(self.inbox.needs, frame)
        self._models.segmenter.prepare(frame, wanted=wanted)
        return wanted()
