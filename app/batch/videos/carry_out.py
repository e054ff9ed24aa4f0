"""One video of a batch, from its anchors to its results: whole in its folder, or not there.

What is done is known again by a signature of all that went into it: the frames, the anchors, the
steps, and the files that these name.
"""

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from app.batch.masks.anchors import anchors_of, read_anchors
from app.batch.masks.voting import voted
from app.batch.resume import FillJob, RefineJob, ResumableFill, ResumableRefinement
from app.batch.videos.densify import Densification, DensifyJob, report
from app.batch.videos.plan import Densify, Evaluate, Export, Propagate, Refine, VideoTask, Vote
from app.batch.videos.results import fresh_results, held
from app.batch.write import add_to_project, project_for
from app.core.densify import QUALITY
from app.core.document import Changes, Document, Entry, Key, Origin
from app.core.evaluate import Protocol, score_sequence, summarize
from app.core.mask import Mask
from app.core.passes import PackedAnchors
from app.core.plan import Direction
from app.core.refine import paint_masks
from app.core.vote import VoteRules
from app.errors import UsageError
from app.storage.files.apart import check_apart
from app.storage.files.writing import atomic_write
from app.storage.formats.davis import mask_files
from app.storage.formats.exporting import Format, export_document
from app.storage.formats.importing import MaskSource
from app.storage.formats.palette import VOID, Labels, encode_palette_png, read_labels
from app.storage.formats.visor.importing import ATTACHMENT
from app.storage.project.exchange import copy_project, place_of_video
from app.storage.project.project import Project
from app.storage.video.frames import FrameCache
from app.storage.video.opening import Video, open_video
from models.api import Frames, LoadOptions, Segmenter, Tracker

RECORD = "done.json"
_READ_AHEAD_BYTES = 128 << 20
_MASKS, _PROJECT = "masks", "project.maskwright"
_MOST_LABELS = VOID - 1


@dataclass(frozen=True, slots=True)
class Loaders:
    """What loads the models: a name ("" = the best that is there), the frames, the options."""

    tracker: Callable[[str, Frames, LoadOptions], Tracker]
    segmenter: Callable[[str, Frames, LoadOptions], Segmenter]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one video: its frames, seconds and scores; or why it could not be done."""

    name: str
    frames: int = 0
    seconds: float = 0.0
    jf: float | None = None
    error: str = ""
    was_done: bool = False
    log: str = ""  # in full what led to the error


def signature(task: VideoTask) -> str:
    """Return a digest of all that the results depend on. Raises OSError."""
    described: list[object] = [[type(step).__name__, asdict(step)] for step in task.steps]
    described.append([task.options.size, str(task.options.weights)])
    frames = place_of_video(task.frames) if task.is_project else task.frames
    described += [_described(frames), _digests(task.anchors)]
    for step in task.steps:
        if isinstance(step, Vote):
            described.append(_described(task.place(step.masklets)))
        if isinstance(step, Evaluate):
            described.append(_described(task.place(step.truth)))
    return hashlib.sha256(json.dumps(described, default=str).encode()).hexdigest()


def done_before(task: VideoTask) -> Outcome | None:
    """Return the outcome of the same work where its results are there, else None."""
    try:
        record = json.loads((task.out / RECORD).read_text(encoding="utf-8"))
        if record["signature"] != signature(task):
            return None
        return Outcome(task.name, record["frames"], record["seconds"], record["jf"], was_done=True)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def carry_out(task: VideoTask, loaders: Loaders) -> Outcome:
    """Carry a task out and put its results in place, unless they are there already.

    Raises MaskwrightError, ModelError or OSError; what was in place before is as it was.
    """
    with held(task.out):
        if (before := done_before(task)) is not None:
            return before
        if task.out.is_dir() and any(task.out.iterdir()) and not (task.out / RECORD).is_file():
            raise UsageError(
                f"{task.out} holds other things than results, which would take their place. Give "
                "another `out`."
            )
        began, asked = time.monotonic(), signature(task)
        with fresh_results(task.out) as folder:
            source = task.frames
            if task.is_project:
                source = copy_project(task.anchors, folder / _PROJECT)
                check_apart(task.out, (source,))
            with (
                closing(open_video(source)) as video,
                closing(FrameCache(video, _READ_AHEAD_BYTES)) as frames,
            ):
                work = _Work(task, folder, video, frames, loaders)
                for step in task.steps:
                    work.do(step)
            seconds = round(time.monotonic() - began, 2)
            outcome = Outcome(task.name, len(video), seconds, work.jf)
            record = {"name": task.name, "frames": len(video), "seconds": seconds, "jf": work.jf}
            record["signature"] = asked
            atomic_write(folder / RECORD, json.dumps(record, indent=1).encode())
        return outcome


class _Work:
    """The steps of one video, each on the masks of the one before."""

    def __init__(
        self, task: VideoTask, folder: Path, video: Video, frames: Frames, loaders: Loaders
    ) -> None:
        self._task, self._folder, self._video = task, folder, video
        self._frames, self._loaders = frames, loaders
        self.jf: float | None = None
        if task.is_project:
            self._given: dict[int, Labels] = {}
            self._anchors = self._begin_with_project()
        else:
            self._given = _given(task.anchors, video)
            self._anchors = anchors_of(self._given, task.anchors)

    def do(self, step: object) -> None:
        """Carry one step out."""
        match step:
            case Propagate():
                self._propagate(step)
            case Densify():
                self._densify(step)
            case Refine():
                self._refine(step)
            case Vote():
                self._vote(step)
            case Export():
                self._export(step)
            case Evaluate():
                self._evaluate(step)

    def _propagate(self, step: Propagate) -> None:
        options = self._task.options
        job = FillJob(
            out=self._folder / _MASKS,
            given=self._given,
            anchors=self._anchors,
            first=0,
            last=len(self._video) - 1,
            direction=Direction(step.direction),
            scores=False,
            options=LoadOptions(options.device, options.threads, options.weights, step.size),
            model=step.model,
        )
        tracker = self._loaders.tracker(step.model, self._frames, job.options)
        filling = ResumableFill(job, self._video, tracker)
        with project_for(self._folder / _PROJECT, self._video) as project:
            for _ in filling.steps():
                pass
            filling.finish(project)
        self._show_project()

    def _densify(self, step: Densify) -> None:
        """Fill what lies between annotated frames; what is gated out has no mask."""
        options, anchors = self._task.options, self._task.anchors
        if anchors.suffix.lower() != ".json":
            raise UsageError(f"{anchors} is no sparse VISOR JSON, which `densify` begins with.")
        job = DensifyJob(
            anchors,
            self._folder / f"{self._task.name}_interpolations.json",
            self._folder / _PROJECT,
            step.gate,
            step.model,
            LoadOptions(
                options.device, options.threads, options.weights, step.size, quality=QUALITY
            ),
        )

        def load(name: str, asked: LoadOptions) -> Tracker:
            return self._loaders.tracker(name, self._frames, asked)

        with Densification(job, self._video, load) as work:
            for _ in work.steps():
                pass
            document = work.document()
            atomic_write(self._folder / "report.csv", report([work.finish()]))
        self._write_masks(document, range(len(self._video)))

    def _refine(self, step: Refine) -> None:
        given = self._masks()
        chosen = [frame for frame in sorted(given) if frame not in self._given]
        options, name = self._task.options, step.model
        job = RefineJob(self._folder / _MASKS, given, chosen, step.iou_gate, options, name)
        segmenter = self._loaders.segmenter(name, self._frames, options)
        refining = ResumableRefinement(job, self._video, segmenter)
        for _ in refining.steps():
            pass
        refining.finish()
        self._store(self._masks(), Origin.REFINED)

    def _vote(self, step: Vote) -> None:
        """Elect the masklets of each object, window by window; anchors stay as they are."""
        masklets = {file.stem: file for file in mask_files(self._task.place(step.masklets))}
        labels = self._masks()
        tracked = {
            frame: read_labels(masklets[stem], self._video.size)
            for frame in labels
            if (stem := self._video.stem(frame)) in masklets
        }
        made = voted(labels, tracked, VoteRules(step.window, step.overlap)) | {
            frame: labels[frame] for frame in self._given if frame in labels
        }
        for frame, each in made.items():
            path = self._folder / _MASKS / f"{self._video.stem(frame)}.png"
            atomic_write(path, encode_palette_png(each))
        self._store(made, Origin.PROPAGATED)

    def _export(self, step: Export) -> None:
        form = Format(step.format)
        name = {Format.DAVIS: "davis", Format.VIDEO: "overlay.mp4"}.get(form, f"{form.value}.json")
        with _opened(self._folder / _PROJECT) as project:
            kept = project.get_attachment(ATTACHMENT)
            document = project.load()
            export_document(document, self._video, form, self._folder / name, attachment=kept)

    def _evaluate(self, step: Evaluate) -> None:
        truth = mask_files(self._task.place(step.truth))
        if not truth:
            raise UsageError(f"{self._task.place(step.truth)} holds no mask. Check `truth`.")
        masks, size = self._folder / _MASKS, self._video.size
        score = score_sequence(
            self._task.name,
            [file.stem for file in truth],
            lambda index: read_labels(truth[index], size),
            lambda index: read_labels(masks / truth[index].name, size),
            Protocol(step.protocol),
        )
        found = summarize([score])
        self.jf = round((found.j + found.f) / 2, 6)
        text = json.dumps({"j": found.j, "f": found.f, "jf": (found.j + found.f) / 2}, indent=1)
        atomic_write(self._folder / "scores.json", text.encode())

    def _masks(self) -> dict[int, Labels]:
        return read_anchors(self._folder / _MASKS, self._video)

    def _store(self, labels: Mapping[int, Labels], origin: Origin) -> None:
        """Put masks in the project, in place of those of the step before."""
        numbers = sorted({number for masks in self._anchors.values() for number in masks})
        changes: Changes = {
            Key(frame, number): Entry(Mask.encode(each == number), origin)
            for frame, each in labels.items()
            if frame not in self._given
            for number in numbers
        }
        with _opened(self._folder / _PROJECT) as project:
            add_to_project(project, numbers, changes)
        self._show_project()

    def _begin_with_project(self) -> PackedAnchors:
        """Take the copied project's video for its own, write its masks, return its anchors."""
        with _opened(self._folder / _PROJECT) as project:
            project.relocate(self._video.source)
            document = project.load()
        if any(info.id > _MOST_LABELS for info in document.objects):
            raise UsageError(
                f"{self._task.anchors} has objects with numbers above {_MOST_LABELS}, for which "
                "masks in files have no room. Merge objects, or export it in parts."
            )
        self._write_masks(document, document.frames())
        anchors: dict[int, dict[int, Mask | None]] = {}
        for (frame, number), entry in document.items():
            if entry.is_anchor:
                anchors.setdefault(frame, {})[number] = entry.mask
        return anchors

    def _show_project(self) -> None:
        """Let the masks be those of the project, in which what a person made stays."""
        if self._task.is_project:
            with _opened(self._folder / _PROJECT) as project:
                document = project.load()
            self._write_masks(document, document.frames())

    def _write_masks(self, document: Document, frames: Iterable[int]) -> None:
        for frame in frames:
            path = self._folder / _MASKS / f"{self._video.stem(frame)}.png"
            atomic_write(path, encode_palette_png(_painted(document, frame, self._video)))


def _given(path: Path, video: Video) -> dict[int, Labels]:
    """Return the label maps of the anchors: a folder of PNGs, or a sparse VISOR JSON."""
    if path.suffix.lower() != ".json" or not path.is_file():
        return read_anchors(path, video)
    document = MaskSource(path).document(video).document
    return {frame: _painted(document, frame, video) for frame in document.frames()}


def _painted(document: Document, frame: int, video: Video) -> Labels:
    """Return a frame's label map, without what two propagations disagree on."""
    entries = document.on_frame(frame)
    order = [info.id for info in document.objects]
    masks = {
        number: each.mask
        for number, each in entries.items()
        if each.mask is not None and not each.conflict
    }
    nothing: Labels = np.zeros(video.size, np.uint8)
    return paint_masks(nothing, masks, order)


def _opened(path: Path) -> "closing[Project]":
    return closing(Project.open(path))


def _described(path: Path) -> list[object]:
    """Return the names, sizes and times of files: enough to see a change of large ones."""
    return [[each.name, each.stat().st_size, each.stat().st_mtime_ns] for each in _files(path)]


def _digests(folder: Path) -> list[object]:
    return [[each.name, hashlib.sha256(each.read_bytes()).hexdigest()] for each in _files(folder)]


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    else:
        yield from sorted(each for each in path.iterdir() if each.is_file())
