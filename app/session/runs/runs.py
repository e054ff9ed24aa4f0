"""The runs of the open project, and how they fail against its ground truth."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot

from app.core.document import Document, ids_for
from app.core.evaluate import Protocol
from app.core.inspection.episodes import Episode
from app.core.inspection.results import Result, inspect_runs
from app.core.runs import Parameters, Run, RunInfo, RunKind, run_of
from app.errors import FirstNumberError
from app.session.comparison import Comparison
from app.session.edits.ready import ReadyMasks
from app.session.files.autosave import Autosave
from app.session.runs.reading import checksum, read_run
from app.session.state.background import Background
from app.session.state.context import SessionContext
from app.session.state.preferences import choice_of
from app.storage.formats.labelled import named_objects
from app.storage.project.project import Project
from app.storage.project.runs import RunStore
from app.storage.video.frames import FrameCache
from models import registry


class Runs(QObject):
    """Keeps runs in the project and measures each prediction against the ground truth.

    Reading and measuring are done in a thread of its own, storing in the writer's. What comes
    back after another video was opened, or another ground truth chosen, is dropped.
    """

    changed = Signal()  # which runs there are, or which of them are looked at
    measured = Signal()  # a result has come or gone
    progressed = Signal(object)  # float, 0 to 1, of the measuring; None when it has ended

    def __init__(
        self,
        context: SessionContext,
        autosave: Autosave,
        ready: ReadyMasks,
        compare: Comparison,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._video, self._masks, self._view = context.video, context.masks, context.view
        self._status, self._preferences = context.status, context.preferences
        self._autosave, self._ready, self._compare = autosave, ready, compare
        self._runs: dict[int, Run] = {}
        self._results: dict[tuple[int, int], Result] = {}  # by ground truth and prediction
        self._compared: Run | None = None  # the ground truth that the masks are compared with
        self._measuring: set[tuple[int, int]] = set()
        self._taken: dict[tuple[int, int], int] = {}  # (run, its object) -> the project's object
        self.truth: int | None = None  # the number of the ground truth that is measured against
        self.shown: int | None = None  # the number of the prediction that is looked at
        self.object: int | None = None  # the object that is looked at, by its id
        self._background = Background("runs", self)
        self._background.failed.connect(partial(self._status.report, "error"))
        context.view.selection_changed.connect(self._on_selection_changed)

    @property
    def infos(self) -> dict[int, RunInfo]:
        """What is known of each run, by its number, the oldest first."""
        return {number: run.info for number, run in sorted(self._runs.items())}

    @property
    def results(self) -> dict[int, Result]:
        """What was measured of each prediction against the present ground truth."""
        return {run: found for (truth, run), found in self._results.items() if truth == self.truth}

    @property
    def episodes(self) -> tuple[Episode, ...]:
        """The drift episodes of the shown run, the most costly first."""
        result = self._results.get((self.truth or 0, self.shown or 0))
        return result.episodes if result else ()

    def run(self, number: int | None) -> Run | None:
        """Return a run of the project."""
        return self._runs.get(number) if number is not None else None

    @property
    def objects(self) -> dict[int, str]:
        """The names of the objects of the ground truth, or of the run where there is none."""
        run = self.run(self.truth) or self.run(self.shown)
        return dict(run.objects) if run else {}

    def start(self) -> None:
        """Read the runs of the project that was just opened."""
        self._background.ask(self._autosave.on_project(_load), self._take)

    def stop(self) -> None:
        """Forget the runs; waits for the frame that is measured."""
        self._background.stop()
        self._runs, self._results, self._measuring, self._taken = {}, {}, set(), {}
        self.truth = self.shown = self.object = None
        self.progressed.emit(None)
        self._compared = None
        self._compare.use_truth(None)
        self.changed.emit()
        self.measured.emit()

    def import_run(
        self, source: Path, kind: RunKind, name: str = "", first_number: int | None = None
    ) -> None:
        """Read a folder of mask PNGs or a JSON as a run and keep it; nothing becomes an anchor.

        Without a `name` it is called after its source. Where the number of the video's first frame
        has to be known, it is asked for by `Status.first_number_wanted`.
        """
        opened = self._video.now
        if opened is None:
            self._status.report("warning", "A run belongs to a video. Open one first.")
            return
        video = opened.video

        def read() -> tuple[Run, tuple[str, ...]] | FirstNumberError:
            try:
                return read_run(source, video, kind, name, first_number)
            except FirstNumberError as error:
                return error

        def take(found: tuple[Run, tuple[str, ...]] | FirstNumberError) -> None:
            if isinstance(found, FirstNumberError):
                again = partial(self.import_run, source, kind, name)
                self._status.first_number_wanted.emit(found.question, again)
            else:
                self._keep_read(found, tells=not name)

        self._background.do(read, take)

    def keep(self, document: Document | None = None, how: str = "") -> None:
        """Keep masks as a run, by default the present ones; `how` they came about, if otherwise."""
        document = self._masks.snapshot() if document is None else document
        if not len(document):
            self._status.report("warning", "There are no masks to keep yet. Propagate first.")
            return
        settings = self._preferences.settings
        model = settings.tracker or registry.default_tracker(choice_of(settings).options)
        kept = sum(info.name.startswith(f"{model} {how}".strip()) for info in self.infos.values())
        name = " ".join(filter(None, (model, how, str(kept + 1) if kept else "")))
        parameters: Parameters = {"size": settings.size, "device": settings.device}
        if how:
            parameters = {**parameters, "memory": how}

        def made() -> Run:
            weights = checksum(model)
            info = RunInfo(name, RunKind.PREDICTION, model, weights, parameters, "this project")
            return run_of(document, info)

        self._background.do(made, self._add)

    def describe(self, number: int, info: RunInfo) -> None:
        """Change a run's name, or whether it is a ground truth."""
        run = self._runs[number]
        self._runs[number] = replace(run, info=info)
        self._store(lambda runs: runs.describe(number, info))
        if run.info.kind is not info.kind:
            truths = self._numbers(RunKind.GROUND_TRUTH)
            self.truth = number if number in truths else next(reversed(truths), None)
            self.shown = None
        self._settle()

    def drop(self, number: int) -> None:
        """Delete a run from the project."""
        del self._runs[number]
        self._store(lambda runs: runs.drop(number))
        self._results = {pair: each for pair, each in self._results.items() if number not in pair}
        self._settle()

    def show(self, number: int) -> None:
        """Look at a run: a prediction is inspected, a ground truth measured against."""
        if self._runs[number].info.kind is RunKind.GROUND_TRUTH:
            self.truth = number
        else:
            self.shown = number
        self._settle()

    def select(self, object_id: int) -> None:
        """Look at an object; where the project has it, it is selected there, too."""
        if object_id in self.objects and object_id != self.object:
            self.object = object_id
            self.changed.emit()
        self._view.select(object_id)

    def take_over(self, number: int, first: int, last: int) -> None:
        """Make a run's masks on a range of frames anchors, as one undo step."""
        run = self._runs[number]
        there = {info.id for info in self._masks.objects}
        # What was deleted here stays gone: its id is not that of an object of a run.
        own = ids_for(self._masks.document, run.objects)
        before = {n: self._taken.get((number, n), 0) for n in run.objects}
        own |= {n: mine for n, mine in before.items() if mine in there}
        self._taken |= {(number, n): mine for n, mine in own.items()}
        found = run.take_over(range(first, last + 1), run.objects)
        changes = {key._replace(object=own[key.object]): entry for key, entry in found.items()}
        text = f"Take over {run.info.name}, frames {first} to {last}"
        objects = named_objects({own[n]: name for n, name in run.objects.items()})
        with self._ready.put_in(changes, objects, text) as notes:
            pass
        count = len({key.frame for key in changes})
        where = f"{count:,} frames" if count != 1 else "one frame"
        text = f"Masks of {run.info.name} on {where} are anchors now."
        self._status.report("info", " ".join((text, *notes)))

    def _add(self, run: Run) -> None:
        future = self._autosave.on_project(lambda project: project.runs.add(run))

        def kept(number: int) -> None:
            self._runs[number] = run
            if run.info.kind is RunKind.GROUND_TRUTH:
                self.truth = number
            else:
                self.shown = number
            self._settle()

        self._background.ask(future, kept)

    def _keep_read(self, read: tuple[Run, tuple[str, ...]], *, tells: bool) -> None:
        run, notes = read
        text = f"{run.info.name}: {len(run.frames):,} frames read as a {run.info.kind.value}."
        if tells or notes:
            self._status.report("info", " ".join((text, *notes)))
        self._add(run)

    def _take(self, runs: dict[int, Run]) -> None:
        self._runs = runs
        self._settle()

    def _store(self, call: Callable[[RunStore], None]) -> None:
        self._background.ask(
            self._autosave.on_project(lambda project: call(project.runs)), _nothing
        )

    def _numbers(self, kind: RunKind) -> list[int]:
        return [number for number, info in self.infos.items() if info.kind is kind]

    def _settle(self) -> None:
        """Look at what there is, and measure what has not been."""
        truths, predictions = map(self._numbers, (RunKind.GROUND_TRUTH, RunKind.PREDICTION))
        if self.truth not in truths:
            self.truth = truths[-1] if truths else None
        if self.shown not in predictions:
            self.shown = predictions[-1] if predictions else None
        if self.object not in self.objects:
            self.object = min(self.objects, default=None)
        if (truth := self.run(self.truth)) is not self._compared:
            self._compared = truth
            self._compare.use_truth(truth)
        self.changed.emit()
        self.measured.emit()
        self._measure(predictions)

    def _measure(self, predictions: Iterable[int]) -> None:
        truth, opened = self.run(self.truth), self._video.now
        if truth is None or opened is None or self.truth is None:
            return
        first = sorted(predictions, key=lambda number: number != self.shown)
        for number in first:
            pair = (self.truth, number)
            if pair in self._results or pair in self._measuring:
                continue
            self._measuring.add(pair)
            work = _Measuring(
                truth, self._runs[number], opened.cache, self._video.title,
                self._background.check, self._background.relay(self.progressed.emit),
            )  # fmt: skip
            self._background.do(work, partial(self._found, pair))

    def _found(self, pair: tuple[int, int], result: Result) -> None:
        self._measuring.discard(pair)
        if all(number in self._runs for number in pair):
            self._results[pair] = result
        self.progressed.emit(None)
        self.measured.emit()

    @Slot(object)
    def _on_selection_changed(self, selected: int | None) -> None:
        if selected in self.objects and selected != self.object:
            self.object = selected
            self.changed.emit()


class _Measuring:
    """One run measured against another; `check` raises once that is wanted no more."""

    def __init__(
        self,
        truth: Run,
        prediction: Run,
        images: FrameCache,
        title: str,
        check: Callable[[], None],
        tell: Callable[[float], None],
    ) -> None:
        self._truth, self._prediction = scored(truth, len(images)), prediction
        self._images, self._title = images, title
        self._check, self._tell = check, tell
        self._done = 0

    def __call__(self) -> Result:
        result = inspect_runs(
            self._truth,
            self._prediction,
            self._images.size,
            self._images.get,
            self._count,
        )
        result = replace(result, sequence=self._title)
        # Worked out here, so that the window need not wait for it.
        _ = result.episodes, result.circumstances
        return result

    def _count(self) -> None:
        self._check()
        self._done += 1
        if self._done % 10 == 0:
            self._tell(self._done / len(self._truth.frames))


def scored(truth: Run, frame_count: int) -> Run:
    """Return a ground truth without the frames that the benchmarks leave out.

    A sparse one is VISOR's, which scores all but the first frame, a dense one DAVIS's, which does
    not score the last either.
    """
    protocol = Protocol.VISOR if truth.is_sparse(frame_count) else Protocol.DAVIS2017
    places = protocol.scored(len(truth.frames))
    frames = tuple(truth.frames[place] for place in places)
    return replace(truth, frames=frames) if frames else truth


def _load(project: Project) -> dict[int, Run]:
    return {number: project.runs.load(number) for number in project.runs.infos()}


def _nothing(_: object) -> None:
    """Take an answer that says no more than that it is done."""
