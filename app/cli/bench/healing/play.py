"""One clip, played by a simulated annotator until all is right or the rounds are over."""

import itertools
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

import numpy as np

from app.batch.annotator import SimulatedAnnotator
from app.batch.passes.fill import fill
from app.batch.passes.heal import heal
from app.batch.passes.predict import Retracing, predict
from app.core import evaluate, finder
from app.core import heal as healing
from app.core.document import Document, Entry, Key, ObjectInfo, Origin
from app.core.events import Event
from app.core.mask import Mask
from app.core.plan import Direction, plan
from app.core.suspects import Suspect
from models.api import Anchors, BoolMask, Frames, Segmenter, Tracked, Tracker

GOOD = 0.85  # IoU from which on a mask is right
_HARM = 0.05  # IoU that a right mask loses at least where it counts as spoiled
STRATEGIES = ("heal", "forward", "whole")
QUEUE = 20  # suspects that a person looks through


class Quality(NamedTuple):
    """How well a mask meets the truth, 0 to 1."""

    j: float
    f: float


class Stretch(NamedTuple):
    """Neighbouring wrong masks of one object: how many, and whether a suspect has any of them."""

    masks: int
    listed: bool


class Clip:
    """A video with the true masks of all its frames, and what is known of it once and for all."""

    def __init__(self, name: str, video: Frames, labels: Sequence[evaluate.Labels]) -> None:
        self.name, self.video, self._labels = name, video, labels
        self.numbers = [int(number) for number in np.unique(labels[0]) if number]
        self.objects = tuple(
            ObjectInfo(number, f"object {number}", (255, 60 * number % 255, 0))
            for number in self.numbers
        )
        self.count = len(labels)
        self._known: dict[tuple[Key, Mask | None], Quality] = {}

    def truth(self, frame: int, number: int) -> BoolMask:
        """Return where an object is."""
        there: BoolMask = self._labels[frame] == number
        return there

    def quality(self, key: Key, mask: Mask | None) -> Quality:
        """Return how well a mask meets the truth."""
        if (key, mask) not in self._known:
            true, drawn = self.truth(*key), self.pixels(mask)
            self._known[key, mask] = Quality(
                evaluate.jaccard(true, drawn), evaluate.boundary_f(true, drawn)
            )
        return self._known[key, mask]

    def pixels(self, mask: Mask | None) -> BoolMask:
        """Return a mask's pixels, (H, W)."""
        return np.zeros(self.video.size, np.bool_) if mask is None else mask.decode()

    @property
    def scored(self) -> list[Key]:
        """What is scored: every object on every frame but the first."""
        return [Key(frame, number) for frame in range(1, self.count) for number in self.numbers]

    def first_propagation(self, tracker: Tracker) -> dict[Key, Entry]:
        """Return the masks that come of the true ones on the first frame."""
        given = {
            Key(0, number): Entry(Mask.encode(self.truth(0, number)), Origin.DRAWN)
            for number in self.numbers
        }
        document = Document(self.objects, given)
        for entries in propagated(document, tracker, self, 0):
            document.replace(entries)
        return dict(document.items())


class CountingTracker:
    """A tracker that counts the frames it computes, whoever asks; what it was given is none."""

    def __init__(self, tracker: Tracker) -> None:
        self._tracker = tracker
        self.frames = 0

    def track(
        self, anchors: Anchors, frames: Sequence[int], *, probabilities: bool = False
    ) -> Generator[Tracked, None, None]:
        """Yield what the tracker yields."""
        yield from self._counted(
            anchors, predict(self._tracker, anchors, frames, probabilities=probabilities)
        )

    def track_as_before(
        self, anchors: Anchors, frames: Sequence[int]
    ) -> Generator[Tracked, None, None]:
        """Yield what the tracker yields, which sees frames as it did before, if it can."""
        yield from self._counted(anchors, predict(Retracing(self._tracker), anchors, frames))

    def _counted(
        self, anchors: Anchors, found: Generator[Tracked, None, None]
    ) -> Generator[Tracked, None, None]:
        with closing(found):
            for frame, objects in found:
                self.frames += not objects.keys() <= anchors.get(frame, {}).keys()
                yield frame, objects


@dataclass
class Play:
    """What came of playing one clip by one strategy; lists hold one item an interaction."""

    jf: list[float] = field(default_factory=list)  # one more: that before the first
    spoiled: list[int] = field(default_factory=list)
    good: list[int] = field(default_factory=list)  # how many masks could have been spoiled
    recomputed: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    clicks: list[int] = field(default_factory=list)
    edited: set[Key] = field(default_factory=set)
    wrong: int = 0  # masks that are still wrong at the end
    queue: list[bool] = field(default_factory=list)  # whether the first suspects were right to list
    stretches: list[Stretch] = field(default_factory=list)  # what they should list
    # What the model made, with its IoU, at the beginning and after each interaction.
    made: list[tuple[Entry, float]] = field(default_factory=list)


class Player:
    """Plays one clip by one strategy."""

    def __init__(
        self,
        clip: Clip,
        tracker: Tracker,
        segmenter: Segmenter | None,
        strategy: str,
    ) -> None:
        self._clip, self._tracker = clip, CountingTracker(tracker)
        self._segmenter = segmenter  # None: a person who draws the true mask
        self._annotator = SimulatedAnnotator(clip.truth, enough=GOOD)
        self._propagate = _STRATEGIES[strategy]

    def play(self, masks: Mapping[Key, Entry], rounds: int) -> Play:
        """Correct and propagate at most `rounds` times, beginning with `masks`."""
        document, play = self._begin(masks), Play()
        found = self._queue(document)
        play.queue = [self._is_wrong(document, Key(s.frame, s.object)) for s in found[:QUEUE]]
        play.stretches = list(self._stretches(document, found[:QUEUE]))
        self._look(document, play)
        while len(play.spoiled) < rounds and (key := self._worst(document, found)) is not None:
            before = self._ious(document)
            self._interact(document, key, play)
            after = self._ious(document)
            play.good.append(sum(iou >= GOOD for iou in before.values()))
            play.spoiled.append(
                sum(iou >= GOOD and after[each] < iou - _HARM for each, iou in before.items())
            )
            self._look(document, play)
            found = self._queue(document)
        play.wrong = sum(self._is_wrong(document, key) for key in self._clip.scored)
        return play

    def _begin(self, masks: Mapping[Key, Entry]) -> Document:
        """Return the document that is worked on, with `masks` in it."""
        return Document(self._clip.objects, masks)

    def _queue(self, document: Document) -> Sequence[Suspect]:
        """Return what a person would look at, the worst first."""
        return finder.find(document)

    def _stretches(self, document: Document, found: Sequence[Suspect]) -> Iterator[Stretch]:
        """Yield the stretches of wrong masks; a swap has the masks of both objects."""
        listed = {
            Key(frame, number)
            for each in found
            for number in (
                (each.object, each.other) if each.event is Event.SWAP else (each.object,)
            )
            if number is not None
            for frame in range(each.first, each.last + 1)
        }
        for number in self._clip.numbers:
            keys = [key for key in self._clip.scored if key.object == number]
            for wrong, masks in itertools.groupby(keys, partial(self._is_wrong, document)):
                stretch = set(masks)
                if wrong:
                    yield Stretch(len(stretch), not listed.isdisjoint(stretch))

    def _interact(self, document: Document, key: Key, play: Play) -> None:
        """Correct one mask and propagate."""
        self._correct(document, key, play)
        computed, begun = self._tracker.frames, time.perf_counter()
        for entries in self._propagate(document, self._tracker, self._clip, key):
            document.replace(_allowed(document, entries))
        play.seconds.append(time.perf_counter() - begun)
        play.recomputed.append(self._tracker.frames - computed)

    def _worst(self, document: Document, found: Sequence[Suspect]) -> Key | None:
        """Return what to correct: the worst of the queue, else of all; None = all is right.

        To look at a suspect costs nothing, so those that are fine are passed over.
        """
        wrong = [key for each in found[:QUEUE] if (key := self._shown(document, each)) is not None]
        if wrong:
            return min(wrong, key=lambda key: self._iou(document, key))
        ious = {key: iou for key, iou in self._ious(document).items() if iou < GOOD}
        wrong = [key for key in ious if self._is_wrong(document, key)]
        return min(wrong, key=lambda key: ious[key], default=None)

    def _shown(self, document: Document, suspect: Suspect) -> Key | None:
        """Return what is wrong of a suspect: the frame that it opens on, else its worst."""
        first = Key(suspect.frame, suspect.object)
        every = (Key(frame, suspect.object) for frame in range(suspect.first, suspect.last + 1))
        if self._is_wrong(document, first):
            return first
        wrong = [key for key in every if self._is_wrong(document, key)]
        return min(wrong, key=lambda key: self._iou(document, key), default=None)

    def _is_wrong(self, document: Document, key: Key) -> bool:
        """Whether a mask should be corrected; a person does not correct the same one again."""
        entry = document.get(key)
        return self._iou(document, key) < GOOD and not (entry is not None and entry.is_anchor)

    def _correct(self, document: Document, key: Key, play: Play) -> None:
        entry = document.get(key)
        now = self._clip.pixels(entry.mask if entry else None)
        if self._segmenter is None or not self._annotator.sees(*key):
            mask, clicks = self._clip.truth(*key), 1
        else:
            mask, clicks = self._annotator.correct(self._segmenter, *key, now)
        play.clicks.append(clicks)
        play.edited.add(key)
        document.replace({key: Entry(Mask.encode(mask), Origin.CLICKED)})

    def _look(self, document: Document, play: Play) -> None:
        found = [
            self._clip.quality(key, entry.mask if (entry := document.get(key)) else None)
            for key in self._clip.scored
        ]
        play.jf.append(float(np.mean([(each.j + each.f) / 2 for each in found])))
        play.made.extend(
            (entry, self._iou(document, key))
            for key, entry in document.items()
            if not entry.is_anchor
        )

    def _ious(self, document: Document) -> dict[Key, float]:
        return {key: self._iou(document, key) for key in self._clip.scored}

    def _iou(self, document: Document, key: Key) -> float:
        entry = document.get(key)
        return self._clip.quality(key, entry.mask if entry else None).j


Entries = Generator[Mapping[Key, Entry], None, None]
_Strategy = Callable[[Document, Tracker, Clip, Key], Entries]


def _healed(document: Document, tracker: Tracker, clip: Clip, key: Key) -> Entries:
    document.replace(healing.stale_marks(document, [key]))
    passes = healing.plan_heal(document, [key], first=0, last=clip.count - 1)
    old = healing.evidence(document, passes)
    for step in heal(tracker, passes, old, healing.Rules(), clip.video.size):
        yield step.entries


def propagated(document: Document, tracker: Tracker, clip: Clip, start: int) -> Entries:
    """Yield the entries of a propagation of all objects from `start` to the end."""
    passes = plan(
        document, clip.numbers, first=0, last=clip.count - 1, direction=Direction.FORWARD,
        from_frame=start, to_nearest_anchor=False,
    )  # fmt: skip
    for step in fill(tracker, passes, clip.video.size):
        yield step.entries


def _forward(document: Document, tracker: Tracker, clip: Clip, key: Key) -> Entries:
    return propagated(document, tracker, clip, key.frame)


def _whole(document: Document, tracker: Tracker, clip: Clip, _key: Key) -> Entries:
    return propagated(document, tracker, clip, 0)


_STRATEGIES: Mapping[str, _Strategy] = {"heal": _healed, "forward": _forward, "whole": _whole}


def _allowed(document: Document, entries: Mapping[Key, Entry]) -> dict[Key, Entry]:
    """Return what may be written: no anchor."""
    return {
        key: entry
        for key, entry in entries.items()
        if (now := document.get(key)) is None or not now.is_anchor
    }
