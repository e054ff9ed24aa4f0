"""The work of `propagate`: passes of a tracker, each frame kept as soon as it is known."""

import hashlib
from collections.abc import Callable, Generator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from app.batch.predict import predict
from app.cli.progress import Progress
from app.core.document import Changes, Entry, Key, Origin
from app.core.mask import Mask
from app.core.passes import Pass, passes
from app.core.plan import Direction, permitted
from app.storage.formats.label_frames import LabelFrames
from app.storage.formats.labelled import named_objects
from app.storage.formats.palette import Labels
from app.storage.project.project import Project
from app.storage.video.opening import Video
from models.api import BoolMask, FloatMap, LoadOptions, Prediction, Tracker


@contextmanager
def held_project(path: Path | None, video: Video) -> Generator[Project | None, None, None]:
    """Hold the project of `video` at `path` until the work is done; one that is made for it goes
    where the work fails.

    Raises ProjectError at once: the work would be in vain.
    """
    if path is None:
        yield None
        return
    fresh = not path.exists()
    project = (
        Project.create(path, video.source, len(video), video.size) if fresh else Project.open(path)
    )
    try:
        project.join(video)
        yield project
    except BaseException:
        project.close()
        if fresh:
            path.unlink(missing_ok=True)
        raise
    project.close()


@dataclass(frozen=True, slots=True, eq=False)
class FillJob:
    """What is to be filled, from what, and how."""

    out: Path
    given: Mapping[int, Labels]  # frame -> the anchor's label map, as it is to be written
    anchors: Mapping[int, Mapping[int, BoolMask]]
    first: int
    last: int
    direction: Direction
    scores: bool
    options: LoadOptions
    model: str

    @property
    def objects(self) -> list[int]:
        """The ids of all objects, rising."""
        return sorted({number for masks in self.anchors.values() for number in masks})

    def passes(self) -> tuple[Pass, ...]:
        """Return the ways through the video."""
        anchored = {
            number: [frame for frame, masks in self.anchors.items() if number in masks]
            for number in self.objects
        }
        return passes(anchored, first=self.first, last=self.last, direction=self.direction)

    def question(self, video: Video) -> list[object]:
        """Return all that the answer depends on, by which unfinished work is known again."""
        options = self.options
        weights = options.weights and str(options.weights.absolute())
        shown = {k: hashlib.sha256(v.tobytes()).hexdigest() for k, v in self.given.items()}
        return [
            [str(video.source.absolute()), len(video), video.size],
            [self.model, weights, options.size, options.scales, options.flip],
            [self.first, self.last, self.direction.value, self.scores],
            sorted(shown.items()),
        ]


class Filling:
    """Runs a job. What is done stays beside the output until all is done."""

    def __init__(self, job: FillJob, video: Video, tracker: Tracker) -> None:
        self._job, self._video, self._tracker = job, video, tracker
        self._passes = job.passes()
        self._kept = LabelFrames(job.out, video.size, job.question(video))
        self._scores: dict[Key, float] = {}

    def go(self) -> None:
        """Run what is not done yet."""
        total = sum(len(way.frames) - self._kept.done(k) for k, way in enumerate(self._passes))
        with Progress(f"Propagating with {self._job.model}", total) as progress:
            for part, way in enumerate(self._passes):
                self._run(part, way, progress.step)

    def stopped(self) -> str:
        """Return what to say when a person stops the work."""
        done = sum(self._kept.done(part) for part in range(len(self._passes)))
        total = sum(len(way.frames) for way in self._passes)
        return (
            f"Stopped. {done} of {total} frames are kept in {self._kept.folder}; "
            "the same command again goes on from there."
        )

    def finish(self, project: Project | None) -> None:
        """Write the frames that no pass visits, then put everything in its place."""
        visited = {frame for way in self._passes for frame in way.frames}
        for frame in range(self._job.first, self._job.last + 1):
            if frame not in visited:
                self._keep(frame, {})
        if project is not None:
            self._save(project)
        self._kept.finish()

    def _run(self, part: int, way: Pass, step: Callable[[], None]) -> None:
        done = self._kept.done(part)
        rest = way.frames[done:]
        if not rest:
            return
        anchors = self._anchors(way, done)
        # Going on, the last finished frame is visited again: its masks lead to the next one.
        frames = way.frames[done - 1 :] if done else rest
        with closing(
            predict(self._tracker, anchors, frames, probabilities=self._job.scores)
        ) as found:
            for index, (frame, predictions) in enumerate(found):
                if done and index == 0:
                    continue
                filled = way.fills(frame)
                self._keep(frame, {n: p for n, p in predictions.items() if n in filled})
                self._kept.finished(part)
                step()

    def _anchors(self, way: Pass, done: int) -> dict[int, Mapping[int, BoolMask]]:
        anchors = dict(self._job.anchors)
        if done:
            frame = way.frames[done - 1]
            labels = self._kept.labels(self._video.stem(frame))
            seeds = {n: labels == n for n in way.fills(frame) if (labels == n).any()}
            anchors[frame] = seeds | dict(anchors.get(frame, {}))
        return anchors

    def _keep(self, frame: int, found: Mapping[int, Prediction]) -> None:
        stem, given = self._video.stem(frame), self._job.given.get(frame)
        if given is not None:
            self._kept.set(stem, given)
        else:
            self._kept.add(stem, {number: each.mask for number, each in found.items()})
        if self._job.scores:
            self._kept.add_scores(stem, self._maps(given, found), self._job.objects)
        self._scores |= {Key(frame, number): each.score for number, each in found.items()}

    def _maps(self, given: Labels | None, found: Mapping[int, Prediction]) -> dict[int, FloatMap]:
        if given is not None:
            return {n: (given == n).astype(np.float32) for n in self._job.objects}
        return {n: each.probability for n, each in found.items() if each.probability is not None}

    def _save(self, project: Project) -> None:
        """Put anchors and masks in a project; what a person made in it stays."""
        document = project.load()
        known = {info.id for info in document.objects}
        new = {n: f"object {n}" for n in self._job.objects if n not in known}
        if new:
            objects = (*document.objects, *named_objects(new))
            project.save_objects(objects)
            document.replace_objects(objects)
        project.append(permitted(document, self._changes()))

    def _changes(self) -> Changes:
        changes: dict[Key, Entry] = {}
        for frame in range(self._job.first, self._job.last + 1):
            labels = self._kept.labels(self._video.stem(frame))
            for number in self._job.objects:
                key = Key(frame, number)
                mask = Mask.encode(labels == number)
                if number in self._job.anchors.get(frame, {}):
                    changes[key] = Entry(mask, Origin.IMPORTED)
                elif mask is not None or key in self._scores:
                    changes[key] = Entry(mask, Origin.PROPAGATED, score=self._scores.get(key))
        for frame, masks in self._job.anchors.items():
            for number, pixels in masks.items():
                entry = Entry(Mask.encode(pixels), Origin.IMPORTED)
                changes.setdefault(Key(frame, number), entry)
        return changes
