"""The whole loop on the sample clip: click, propagate, find the drift, correct, heal, export."""

import json
import time
from collections.abc import Generator, Iterable, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from app import paths
from app.batch.annotator import SimulatedAnnotator
from app.batch.masks.refine import refinements
from app.batch.passes.fill import fill
from app.batch.passes.heal import heal
from app.cli.demo.choice import Choice, choose
from app.cli.demo.contact_sheet import Sheet, draw_sheet
from app.cli.progress import Progress
from app.core import finder
from app.core import heal as healing
from app.core.document import Document, Entry, Key, ObjectInfo, Origin
from app.core.evaluate import Protocol, SequenceScore, score_sequence, summarize
from app.core.mask import Mask
from app.core.plan import Direction, plan
from app.core.suspects import Suspect
from app.storage.files.writing import atomic_write
from app.storage.formats.labelled import LabelledFrame, painted
from app.storage.formats.overlay_video import write_overlay_video
from app.storage.formats.palette import Labels, encode_palette_png, read_labels
from app.storage.formats.visor.exporting import export_visor
from app.storage.sample import sample_frames
from app.storage.video.opening import Video, open_video
from models.api import BoolMask, Box, Click, LoadOptions, Prompt, Segmenter, Tracker
from models.registry import load_segmenter, load_tracker

OBJECTS = (ObjectInfo(1, "mug", (30, 160, 255), class_id=13),)
_FIRST_CLICKS = 5
_MORE_CLICKS = 4
_CORRECTIONS = 2
_GLANCES = 10  # suspects that are looked at, corrected or found to be fine


class Correction(NamedTuple):
    """One suspect that was corrected, and what it changed."""

    frame: int
    object: int
    reasons: str
    clicks: int
    iou_before: float
    iou_after: float
    recomputed: int


@dataclass
class _Record:
    """What happened, for the report."""

    seconds: dict[str, float] = field(default_factory=dict)
    clicks: int = 0
    glances: int = 0
    corrections: list[Correction] = field(default_factory=list)
    refinement: dict[str, object] | None = None

    @contextmanager
    def stage(self, name: str) -> Generator[None, None, None]:
        """Add the time of a block to a stage."""
        begun = time.perf_counter()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - begun


def run_loop(out: Path, model: str | None, options: LoadOptions) -> str:
    """Run it, write everything into `out`, and return what to say of it."""
    with closing(open_video(sample_frames())) as video:
        chosen = Choice(model) if model else choose(video, _first_masks(video), options)
        loop = _Loop(video, chosen.model, options)
        before = loop.first_round()
        first_masks = loop.document.snapshot()
        loop.correct()
        loop.refine()
        after = loop.score()
        report = loop.report(before, after)
        with loop.record.stage("export"):
            _export(out, video, loop.document)
        sheet = Sheet(OBJECTS, first_masks, loop.document, before, after, loop.truth)
        atomic_write(out / "contact_sheet.png", draw_sheet(sheet, video))
        report["seconds"] = {stage: round(s, 2) for stage, s in loop.record.seconds.items()}
        atomic_write(out / "report.json", json.dumps(report, indent=1).encode())
    return _summary(report, out, chosen.reason)


def _first_masks(video: Video) -> dict[int, BoolMask]:
    labels = _true_labels(video, 0)
    return {info.id: labels == info.id for info in OBJECTS}


class _Loop:
    """The document and the models, and what a person does with them."""

    def __init__(self, video: Video, model: str, options: LoadOptions) -> None:
        self._video, self._model = video, model
        self.record = _Record()
        self.document = Document(OBJECTS)
        self._annotator = SimulatedAnnotator(self.truth)
        with self.record.stage("load"):
            self._tracker: Tracker = load_tracker(model, video, options)
            self._segmenter: Segmenter = load_segmenter(model, video, options)

    def truth(self, frame: int, number: int) -> BoolMask:
        """Return where an object really is."""
        there: BoolMask = _true_labels(self._video, frame) == number
        return there

    def score(self) -> SequenceScore:
        """Score the document, the first frame left out."""
        numbers = [info.id for info in OBJECTS]
        stems = [self._video.stem(frame) for frame in range(len(self._video))]

        def drawn(frame: int) -> Labels:
            return _label_map(self.document, frame, self._video.size)

        def true(frame: int) -> Labels:
            labels = _true_labels(self._video, frame)
            return np.where(np.isin(labels, numbers), labels, 0).astype(np.uint8)

        return score_sequence("sample", stems, true, drawn, Protocol.VISOR)

    def first_round(self) -> SequenceScore:
        """Click each object on the first frame, propagate, and score."""
        with self.record.stage("click"):
            for info in OBJECTS:
                self._click(Key(0, info.id), _FIRST_CLICKS)
        last = len(self._video) - 1
        passes = plan(
            self.document, [info.id for info in OBJECTS], first=0, last=last,
            direction=Direction.FORWARD, from_frame=0, to_nearest_anchor=True,
        )  # fmt: skip
        with self.record.stage("propagate"), Progress("Propagating", last + 1) as progress:
            for step in fill(self._tracker, passes, self._video.size):
                self.document.replace(step.entries)
                progress.step()
        return self.score()

    def correct(self) -> None:
        """Look at the suspects, the most valuable first; correct and heal those that are wrong."""
        given_up: set[Key] = set()  # what clicks make no better
        while len(self.record.corrections) < _CORRECTIONS and self.record.glances < _GLANCES:
            with self.record.stage("find"):
                found = finder.find(self.document)
            found = tuple(s for s in found if Key(s.frame, s.object) not in given_up)
            if not found:
                return
            self.record.glances += 1
            key = self._wrong(found[0])
            if key is None:
                self._verify(Key(found[0].frame, found[0].object))
                continue
            before = self.document.get(key)
            iou = self._annotator.iou(*key, self._pixels(before))
            clicks = self._correct(key)
            if self.document.get(key) == before:
                given_up.add(Key(found[0].frame, found[0].object))
                continue
            recomputed = self._heal(key)
            healed = self._annotator.iou(*key, self._pixels(self.document.get(key)))
            self.record.corrections.append(
                Correction(*key, found[0].text, clicks, iou, healed, recomputed)
            )

    def refine(self) -> None:
        """Sharpen the least certain mask, where that makes it better in the person's eyes."""
        unsure = [
            (entry.score or 0.0, key)
            for key, entry in self.document.items()
            if entry.mask is not None and not entry.is_anchor
        ]
        if not unsure:
            return
        key = min(unsure)[1]
        entry = self.document.get(key)
        assert entry is not None
        assert entry.mask is not None
        with self.record.stage("refine"):
            (found,) = refinements(self._segmenter, {key: entry.mask}, gate=0.1)
        iou = self._annotator.iou(*key, entry.mask.decode())
        refined = self._annotator.iou(*key, found.verdict.mask.decode())
        taken = found.verdict.accepted and refined > iou
        if taken:
            mask = replace(entry, mask=found.verdict.mask, origin=Origin.REFINED)
            self.document.replace({key: mask})
        self.record.refinement = {
            "frame": key.frame, "object": key.object, "taken": taken,
            "iou_with_truth_before": round(iou, 4), "iou_with_truth_refined": round(refined, 4),
        }  # fmt: skip

    def report(self, before: SequenceScore, after: SequenceScore) -> dict[str, object]:
        """Return the figures; the stages' seconds come later."""
        return {
            "model": self._model,
            "frames": len(self._video),
            "objects": [info.name for info in OBJECTS],
            "before": _figures([before]),
            "after": _figures([after]),
            "clicks": self.record.clicks,
            "suspects_looked_at": self.record.glances,
            "corrections": [each._asdict() for each in self.record.corrections],
            "frames_recomputed": sum(each.recomputed for each in self.record.corrections),
            "refinement": self.record.refinement,
        }

    def _wrong(self, suspect: Suspect) -> Key | None:
        """Go through the frames of a suspect, that to look at first; return one to correct."""
        for frame in (suspect.frame, *range(suspect.first, suspect.last + 1)):
            key = Key(frame, suspect.object)
            if not self._annotator.is_content(*key, self._pixels(self.document.get(key))):
                return key
        return None

    def _verify(self, key: Key) -> None:
        entry = self.document.get(key)
        if entry is not None:
            self.document.replace({key: replace(entry, verified=True)})

    def _correct(self, key: Key) -> int:
        if not self._annotator.sees(*key):
            self.document.replace({key: Entry(None, Origin.DRAWN)})
            return 0
        with self.record.stage("correct"):
            return self._click(key, _MORE_CLICKS)

    def _click(self, key: Key, most: int) -> int:
        """Click until content, at most `most` times; return how often."""
        pixels, clicks = self._clicked(key, self._pixels(self.document.get(key)), None, most)
        if not self._annotator.is_content(*key, pixels):
            # Clicks do not lead there: a person starts over with a box.
            nothing = np.zeros_like(pixels)
            again, more = self._clicked(key, nothing, self._annotator.box(*key), most)
            if self._annotator.iou(*key, again) > self._annotator.iou(*key, pixels):
                pixels, clicks = again, more
        if clicks:
            clicked = Entry(Mask.encode(pixels), Origin.CLICKED, clicks=clicks)
            self.document.replace({key: clicked})
        return len(clicks)

    def _clicked(
        self, key: Key, pixels: BoolMask, box: Box | None, most: int
    ) -> tuple[BoolMask, tuple[Click, ...]]:
        """Return the best mask that clicks give, and those that led to it."""
        best, kept = pixels, tuple[Click, ...]()
        clicks: tuple[Click, ...] = ()
        for _ in range(most):
            if box is None or pixels.any():
                clicks = (*clicks, self._annotator.click(*key, pixels))
                self.record.clicks += 1
            mask = pixels if pixels.any() else None
            found = self._segmenter.segment(key.frame, Prompt(clicks, box, mask))
            # Of the candidates of a first click a person takes the best.
            pixels = max((each.mask for each in found), key=lambda m: self._annotator.iou(*key, m))
            if self._annotator.iou(*key, pixels) > self._annotator.iou(*key, best):
                best, kept = pixels, clicks
            if self._annotator.is_content(*key, pixels):
                break
        return best, kept

    def _heal(self, key: Key) -> int:
        """Heal what the edit made stale; return how many frames were computed again."""
        last = len(self._video) - 1
        self.document.replace(healing.stale_marks(self.document, [key]))
        passes = healing.plan_heal(self.document, [key], first=0, last=last)
        old = healing.evidence(self.document, passes)
        visited = 0
        rules = healing.Rules()
        with self.record.stage("heal"), Progress("Healing", last + 1) as progress:
            for step in heal(self._tracker, passes, old, rules, self._video.size):
                self.document.replace(step.entries)
                visited += step.computed
                progress.step()
        return visited

    def _pixels(self, entry: Entry | None) -> BoolMask:
        if entry is None or entry.mask is None:
            return np.zeros(self._video.size, np.bool_)
        return entry.mask.decode()


def _true_labels(video: Video, frame: int) -> Labels:
    file = paths.sample_folder() / "masks" / f"{video.stem(frame)}.png"
    return read_labels(file, video.size)


def _label_map(document: Document, frame: int, size: tuple[int, int]) -> Labels:
    order = [info.id for info in document.objects]
    return LabelledFrame("", painted(document.on_frame(frame), order)).labels(size)


def _export(out: Path, video: Video, document: Document) -> None:
    atomic_write(out / "visor.json", export_visor(document, video))
    for frame in range(len(video)):
        labels = _label_map(document, frame, video.size)
        atomic_write(out / "masks" / f"{video.stem(frame)}.png", encode_palette_png(labels))
    order = [info.id for info in document.objects]
    write_overlay_video(
        out / "overlay.mp4",
        video,
        lambda frame: painted(document.on_frame(frame), order),
        {info.id: info.color for info in document.objects},
        video.fps,
    )


def _figures(scores: Iterable[SequenceScore]) -> dict[str, float]:
    mean = summarize(scores)
    return {"J": round(mean.j, 4), "F": round(mean.f, 4), "J&F": round(mean.jf, 4)}


def _summary(report: Mapping[str, object], out: Path, reason: str) -> str:
    before, after = report["before"], report["after"]
    model = f"{report['model']} ({reason})" if reason else report["model"]
    return (
        f"model {model}, {report['frames']} frames, {report['clicks']} clicks\n"
        f"before the correction {before}\n"
        f"after                 {after}\n"
        f"frames recomputed {report['frames_recomputed']}\n"
        f"written to {out}\n"
    )
