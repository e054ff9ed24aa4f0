"""The sparse masks of one video made dense: resumable run by run, kept in a project."""

import csv
import hashlib
import io
import json
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Self

from app.batch.passes.densify import dense_run
from app.core.densify import Kept, Run, passes, runs, tally
from app.core.document import Document, Entry, Key
from app.errors import ProjectError, UsageError
from app.storage.files.writing import atomic_write
from app.storage.formats.importing import MaskSource, find_frames, find_video
from app.storage.formats.visor.importing import ATTACHMENT
from app.storage.formats.visor.records import VisorFile
from app.storage.formats.visor.release.dense import annotated_frames, dense_file
from app.storage.project.exchange import create_project
from app.storage.project.project import SUFFIX, Project
from app.storage.video.opening import Video
from models.api import LoadOptions, Tracker

_QUESTION, _DONE = "densify", "densify runs"  # attachments of the project
_COLUMNS = (
    "video", "start", "end", "object", "frames", "accepted", "gated_out",
    "mean_agreement", "lowest_agreement", "frames_gated_out", "why_not",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class DensifyJob:
    """What is to be made dense, and how: a sparse JSON; the gate is an IoU, 0 to 1."""

    source: Path
    out: Path  # the dense JSON
    project: Path
    gate: float
    model: str
    options: LoadOptions


@dataclass(frozen=True, slots=True)
class Densified:
    """What became of one video: of every object of every run, how much was accepted."""

    video: str
    kept: tuple[tuple[str, Kept], ...]  # name of the object
    names: tuple[str, ...]  # of the frames

    @property
    def accepted(self) -> int:
        """The number of masks that were accepted."""
        return sum(each.accepted for _, each in self.kept)

    @property
    def proposed(self) -> int:
        """The number of masks that were made."""
        return sum(len(each.agreements) for _, each in self.kept)

    def __str__(self) -> str:
        if not self.proposed:
            return f"{self.video}: no object is on two annotated frames with others between them"
        share = self.accepted / self.proposed
        mean = fmean(value for _, each in self.kept for value in each.agreements)
        return (
            f"{self.video}: {self.accepted} of {self.proposed} masks accepted ({share:.0%}), "
            f"{self.proposed - self.accepted} gated out, mean agreement {mean:.3f}"
        )


class Densification:
    """The work on one video. Each run is kept as soon as it is done; use it in a `with`.

    The project is made beside its place, and put there when all is done. Raises UsageError where
    a project is there that was made from other masks or in another way.
    """

    def __init__(
        self, job: DensifyJob, video: Video, load: Callable[[str, LoadOptions], Tracker]
    ) -> None:
        self._job, self._video, self._load = job, video, load
        self._file = VisorFile.read(job.source)
        self._question = _question(job, video)
        self._unfinished = job.project.with_name(f".{job.project.stem}.unfinished{SUFFIX}")
        self.was_done = self._is_finished()
        self._project = self._opened()
        self._document = self._project.load()
        annotated = annotated_frames(self._file, video)
        self._runs = runs(self._document, annotated)
        self._count = int(self._project.get_attachment(_DONE) or b"0")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._project.close()

    @property
    def left(self) -> int:
        """How many frames are to be visited still, in both directions."""
        return sum(2 * (len(run.frames) + 2) for run in self._runs[self._count :])

    def steps(self) -> Generator[None, None, None]:
        """Visit what is left, run by run, and yield after each frame."""
        if not self._runs[self._count :]:
            return
        tracker = self._load(self._job.model, self._job.options)
        for run in self._runs[self._count :]:
            found: dict[Key, Entry] = {}
            both = passes(self._document, run)
            with closing(dense_run(tracker, both, self._job.gate, self._video.size)) as steps:
                for step in steps:
                    found |= step.entries
                    yield
            # Killed between the two, the run is done again, with the same masks.
            self._project.append(found)
            self._count += 1
            self._project.set_attachment(_DONE, str(self._count).encode())

    def stopped(self) -> str:
        """Return what to say when a person stops the work."""
        return (
            f"Stopped. {self._count} of {len(self._runs)} runs are kept in {self._unfinished}; "
            "the same command again goes on from there."
        )

    def finish(self) -> Densified:
        """Write the dense JSON, put the project in its place, and say what was accepted."""
        document = self._project.load()
        attachment = self._project.get_attachment(ATTACHMENT)
        dense = dense_file(document, self._video, self._runs, self._file, attachment)
        if not (self.was_done and self._job.out.is_file()):
            atomic_write(self._job.out, dense.dumps())
        if not self.was_done:
            self._project.copy_to(self._job.project)
            self._project.close()
            self._unfinished.unlink()
        return self._densified(document)

    def document(self) -> Document:
        """Return all masks so far, those that were gated out too, which are conflicts."""
        return self._project.load()

    def _densified(self, document: Document) -> Densified:
        names = {info.id: info.name for info in document.objects}
        kept = tuple((names[each.object], each) for each in tally(document, self._runs))
        video = self._file.records[0].video if self._file.records else self._job.source.stem
        stems = tuple(self._video.stem(frame) for frame in range(len(self._video)))
        return Densified(video, kept, stems)

    def _is_finished(self) -> bool:
        if not self._job.project.exists():
            return False
        with closing(Project.open(self._job.project)) as project:
            if project.get_attachment(_QUESTION) == self._question:
                return True
        raise UsageError(
            f"{self._job.project} is there already, from other masks or other settings, and may "
            "hold work. Move it away, or choose another DST."
        )

    def _opened(self) -> Project:
        if self.was_done:
            return Project.open(self._job.project)
        path = self._unfinished
        with suppress(ProjectError):
            if path.exists():
                project = Project.open(path)
                if project.get_attachment(_QUESTION) == self._question:
                    return project
                project.close()
        path.unlink(missing_ok=True)
        create_project(path, MaskSource(self._job.source).document(self._video))
        project = Project.open(path)
        project.set_attachment(_QUESTION, self._question)
        return project


def video_of(source: Path, root: Path | None) -> Path:
    """Return where the frames of a sparse JSON are: `root` itself, in it, or beside the JSON.

    Raises UsageError.
    """
    records = VisorFile.read(source).records
    name = records[0].video if records else source.stem
    folder = root or source.parent
    if folder.is_file():
        return folder
    found = find_video(folder, name) or find_frames(folder, name)
    if found is None and root is not None and any(map(_is_image, root.iterdir())):
        found = root
    if found is None:
        raise UsageError(
            f"The frames of {name} are not in {folder} (looked for {name} and {name}.mp4). Give "
            "the folder that holds them: --frames DIR."
        )
    return found


def report(found: Iterable[Densified]) -> bytes:
    """Return a CSV with a line for each object of each run: what was accepted, and what was not."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for video in found:
        for name, kept in video.kept:
            writer.writerow(_row(video, name, kept))
    return text.getvalue().encode(errors="surrogatepass")


def _row(video: Densified, name: str, kept: Kept) -> Sequence[object]:
    made = kept.agreements
    run: Run = kept.run
    numbers = (f"{fmean(made):.4f}", f"{min(made):.4f}") if made else ("", "")
    gated = " ".join(video.names[frame] for frame in kept.gated)
    why = "agreement below the gate" if kept.gated else "" if made else "on one end only"
    ends = (video.names[run.start], video.names[run.end])
    counts = (len(made), kept.accepted, len(kept.gated))
    return (video.video, *ends, name, *counts, *numbers, gated, why)


def _question(job: DensifyJob, video: Video) -> bytes:
    """Return all that the result depends on, by which a project is known again."""
    options = job.options
    weights = options.weights and str(options.weights.absolute())
    asked = [
        hashlib.sha256(job.source.read_bytes()).hexdigest(),
        [str(video.source.absolute()), len(video), video.size],
        [job.model, weights, options.size, options.quality.value, job.gate],
    ]
    return json.dumps(asked).encode()


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in {".jpg", ".jpeg", ".png"}
