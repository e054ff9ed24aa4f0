"""Resumable work on a whole video: it is taken up again where it was stopped.

Each frame is kept beside the output as soon as it is known; the same work, started again, goes on
behind the last one. The output is replaced once all is done.
"""

import hashlib
from collections.abc import Container, Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from app.batch.masks.anchors import ids_in
from app.batch.masks.refine import refinements
from app.batch.masks.sharpening import GATE
from app.batch.passes.fill import fill_pass
from app.batch.write import add_to_project
from app.core.document import Changes, Entry, Key, Origin
from app.core.mask import Mask
from app.core.passes import PackedAnchors, Pass
from app.core.plan import Direction, plan_from_anchors
from app.core.refine import Verdict, paint_masks
from app.storage.formats.label_frames import LabelFrames
from app.storage.formats.palette import VOID, Labels
from app.storage.project.project import Project
from app.storage.video.opening import Video
from models.api import BoolMask, FloatMap, LoadOptions, Prediction, Quality, Segmenter, Tracker


@dataclass(frozen=True, slots=True, eq=False)
class FillJob:
    """What is to be filled, from what, and how.

    `given` are label maps of anchors, as they are to be written; where an anchor's frame has none,
    the other objects are filled round it. `first` and `last` are the frames to write, both
    inclusive; `scores`: write the probabilities, too. `refiner` sharpens each frame, where one is
    named. `names` are those of objects that have one.
    """

    out: Path
    given: Mapping[int, Labels]
    anchors: PackedAnchors
    first: int
    last: int
    direction: Direction
    scores: bool
    options: LoadOptions
    model: str
    refiner: str = ""
    gate: float = GATE
    names: Mapping[int, str] = field(default_factory=dict)

    @property
    def objects(self) -> list[int]:
        """The ids of all objects, rising."""
        return sorted({number for masks in self.anchors.values() for number in masks})

    def passes(self) -> tuple[Pass, ...]:
        """Return the passes through the video."""
        return plan_from_anchors(
            self.anchors, first=self.first, last=self.last, direction=self.direction
        )

    def signature(self, video: Video) -> list[object]:
        """Return all that the result depends on, by which unfinished work is known again."""
        options = self.options
        weights = options.weights and str(options.weights.absolute())
        fusion: list[object] = [options.size, options.scales, options.flip, options.presence]
        if options.quality is not Quality.NORMAL:  # so that older unfinished work is known again
            fusion.append(options.quality.value)
        if options.follow is not None:
            fusion.append(f"follow {options.follow}")
        shown = {frame: _digest(labels) for frame, labels in self.given.items()}
        found = {
            f"{frame} {number}": hashlib.sha256(mask.bits).hexdigest() if mask else ""
            for frame, masks in self.anchors.items()
            for number, mask in masks.items()
            if frame not in self.given
        }
        return [
            [str(video.source.absolute()), len(video), video.size],
            [self.model, weights, *fusion, self.refiner, self.gate],
            [self.first, self.last, self.direction.value, self.scores],
            [*sorted(shown.items()), *sorted(found.items())],
        ]


class ResumableFill:
    """A fill of a video's frames into a folder of label maps."""

    def __init__(
        self, job: FillJob, video: Video, tracker: Tracker, unreadable: Container[int] = ()
    ) -> None:
        """`unreadable` are the frames that the tracker has not seen; it may grow meanwhile."""
        self._job, self._video, self._tracker = job, video, tracker
        self._passes = job.passes()
        self._kept = LabelFrames(job.out, video.size, job.signature(video))
        self._scores: dict[Key, float] = {}
        self._unreadable = unreadable

    @property
    def left(self) -> int:
        """How many frames are to be visited still."""
        return sum(len(each.frames) - self._kept.done(k) for k, each in enumerate(self._passes))

    def steps(self) -> Generator[int, None, None]:
        """Visit what is left, and yield each frame once it is kept."""
        for part, pass_ in enumerate(self._passes):
            yield from self._visit(part, pass_)

    def stopped(self) -> str:
        """Return what to say when a person stops the work."""
        total = sum(len(each.frames) for each in self._passes)
        return _stopped(total - self.left, total, self._kept)

    def finish(self, project: Project | None = None) -> None:
        """Put everything in its place, and in `project`, where what a person made stays.

        Raises StorageError, with the work kept.
        """
        visited = {frame for each in self._passes for frame in each.frames}
        for frame in range(self._job.first, self._job.last + 1):
            if frame not in visited:
                self._keep(frame, {})
        if project is not None:
            add_to_project(project, self._job.objects, self._changes(), self._job.names)
        self._kept.finish()

    def _visit(self, part: int, pass_: Pass) -> Generator[int, None, None]:
        done = self._kept.done(part)
        if done == len(pass_.frames):
            return
        rest = self._rest(pass_, done)
        asked = fill_pass(self._tracker, rest, self._video.size, probabilities=self._job.scores)
        with closing(asked) as found:
            for index, (frame, predictions) in enumerate(found):
                if done and index == 0:
                    continue
                self._keep(frame, predictions)
                self._kept.finished(part)
                yield frame

    def _rest(self, pass_: Pass, done: int) -> Pass:
        """Return what is left of a pass of which `done` frames are kept.

        The last finished frame is visited again: its masks lead to the next one.
        """
        if not done:
            return pass_
        frame = pass_.frames[done - 1]
        labels = self._kept.labels(self._video.stem(frame))
        free = [number for number in pass_.objects if pass_.may_fill(Key(frame, number))]
        seeds = {number: mask for number in free if (mask := Mask.encode(labels == number))}
        given = {**seeds, **pass_.anchors.get(frame, {})}
        anchors = {**pass_.anchors, frame: given}
        return replace(pass_, anchors=anchors, frames=pass_.frames[done - 1 :])

    def _keep(self, frame: int, found: Mapping[int, Prediction]) -> None:
        stem, given = self._video.stem(frame), self._job.given.get(frame)
        if given is None and frame in self._unreadable:
            return
        if given is not None:
            self._kept.set(stem, given)
        else:
            masks = {number: each.mask for number, each in found.items()}
            self._kept.add(stem, self._anchored(frame) | masks)
        if self._job.scores:
            self._kept.add_scores(stem, self._maps(frame, found), self._job.objects)
        self._scores |= {Key(frame, number): each.score for number, each in found.items()}

    def _anchored(self, frame: int) -> dict[int, BoolMask]:
        anchors = self._job.anchors.get(frame, {})
        return {number: mask.decode() for number, mask in anchors.items() if mask}

    def _maps(self, frame: int, found: Mapping[int, Prediction]) -> dict[int, FloatMap]:
        given = self._job.given.get(frame)
        if given is not None:
            return {n: (given == n).astype(np.float32) for n in self._job.objects}
        anchored = {n: mask.astype(np.float32) for n, mask in self._anchored(frame).items()}
        known = {n: each.probability for n, each in found.items()}
        return anchored | {n: each for n, each in known.items() if each is not None}

    def _changes(self) -> Changes:
        """Return the entries that the fill makes in a document, the anchors among them."""
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
            for number, mask in masks.items():
                changes.setdefault(Key(frame, number), Entry(mask, Origin.IMPORTED))
        return changes


@dataclass(frozen=True, slots=True, eq=False)
class RefineJob:
    """Which of the label maps `given` are to be refined, and how; the others stay as they are."""

    out: Path
    given: Mapping[int, Labels]
    frames: Sequence[int]
    gate: float
    options: LoadOptions
    model: str

    def signature(self, video: Video) -> list[object]:
        """Return all that the result depends on, by which unfinished work is known again."""
        source, weights = str(video.source.absolute()), str(self.options.weights)
        digests = [_digest(self.given[frame]) for frame in sorted(self.given)]
        return [[source, self.model, weights, self.gate, list(self.frames)], digests]


class ResumableRefinement:
    """A refinement of a folder of label maps into another."""

    def __init__(self, job: RefineJob, video: Video, segmenter: Segmenter) -> None:
        self._job, self._video, self._segmenter = job, video, segmenter
        self._kept = LabelFrames(job.out, video.size, job.signature(video))

    @property
    def left(self) -> int:
        """How many frames are to be refined still."""
        return len(self._job.frames) - self._kept.done(0)

    def steps(self) -> Generator[tuple[int, dict[int, Verdict]], None, None]:
        """Refine what is left, and yield each frame's verdicts once they are kept."""
        for frame in self._job.frames[self._kept.done(0) :]:
            labels = self._job.given[frame]
            ids = ids_in(labels)
            masks = {Key(frame, n): mask for n in ids if (mask := Mask.encode(labels == n))}
            found = refinements(self._segmenter, masks, gate=self._job.gate)
            verdicts = {each.key.object: each.verdict for each in found}
            ground = np.where(labels == VOID, labels, 0).astype(np.uint8)
            refined = {number: each.mask for number, each in verdicts.items()}
            self._kept.set(self._video.stem(frame), paint_masks(ground, refined, sorted(refined)))
            self._kept.finished(0)
            yield frame, verdicts

    def stopped(self) -> str:
        """Return what to say when a person stops the work."""
        return _stopped(self._kept.done(0), len(self._job.frames), self._kept)

    def finish(self) -> None:
        """Put everything in its place. Raises StorageError, with the work kept."""
        for frame in set(self._job.given) - set(self._job.frames):
            self._kept.set(self._video.stem(frame), self._job.given[frame])
        self._kept.finish()


def _stopped(done: int, total: int, kept: LabelFrames) -> str:
    return (
        f"Stopped. {done} of {total} frames are kept in {kept.folder}; "
        "the same command again goes on from there."
    )


def _digest(labels: Labels) -> str:
    return hashlib.sha256(labels.tobytes()).hexdigest()
