"""Models for tests: quick, exact, and as slow or as broken as a test wants them."""

import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np

from app.engine.inference import Choice, Models
from models.api import (
    Anchors,
    BoolMask,
    Detector,
    Finding,
    Frames,
    Image,
    Prediction,
    Prompt,
    PromptError,
    Segmenter,
    Tracked,
    Tracker,
)
from tests.waiting import PATIENCE

SIZE = (48, 64)


def square(x: int, y: int = 20, side: int = 10, size: tuple[int, int] = SIZE) -> BoolMask:
    """Return a square whose top left pixel is (x, y)."""
    pixels = np.zeros(size, np.bool_)
    pixels[y : y + side, x : x + side] = True
    return pixels


class FakeFrames:
    """Black frames."""

    def __init__(self, count: int = 50, size: tuple[int, int] = SIZE) -> None:
        self._count, self.size = count, size

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> Image:
        return np.zeros((*self.size, 3), np.uint8)


class Gate:
    """Lets model steps through: all, or as many as a test says."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._left: int | None = None
        self.waiting = 0  # steps that stand before the gate
        self.passed = 0

    def close(self) -> None:
        """Let no step through until `let`."""
        with self._changed:
            self._left = 0

    def let(self, steps: int) -> None:
        """Let so many more steps through."""
        with self._changed:
            self._left = (self._left or 0) + steps
            self._changed.notify_all()

    def open(self) -> None:
        """Let every step through."""
        with self._changed:
            self._left = None
            self._changed.notify_all()

    def wait_for_arrival(self) -> bool:
        """Wait until a step stands before the gate."""
        with self._changed:
            return self._changed.wait_for(lambda: self.waiting > 0, timeout=PATIENCE)

    def wait_until_passed(self, steps: int) -> bool:
        """Wait until so many steps are done: the one after them stands before the gate."""
        with self._changed:
            return self._changed.wait_for(
                lambda: self.passed >= steps and self.waiting > 0, timeout=PATIENCE
            )

    def step(self) -> None:
        """Pass the gate, in the model's thread."""
        with self._changed:
            self.waiting += 1
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._left != 0)
            self.waiting -= 1
            self.passed += 1
            if self._left is not None:
                self._left -= 1


class FakeTracker:
    """Copies each object's nearest anchor mask.

    `gate` holds up steps, `fail_at` raises `error` at a frame, `drift` moves the masks of frames
    (frame -> pixels to the right), `score` is that of them all, `calls` holds what was asked.
    """

    def __init__(self, frames: Frames) -> None:
        self._frames = frames
        self.gate = Gate()
        self.fail_at: int | None = None
        self.error: Exception = PromptError("no")
        self.drift: Mapping[int, int] = {}
        self.score = 0.9
        self.calls: list[tuple[int, ...]] = []
        self.visited: list[int] = []
        self.closed = 0
        self.threads: set[int] = set()

    def track(
        self, anchors: Anchors, frames: Sequence[int], *, probabilities: bool = False
    ) -> Generator[Tracked, None, None]:
        """Yield copies of the nearest anchors, `frames` in their order."""
        self.calls.append(tuple(frames))
        try:
            for frame in frames:
                self.gate.step()
                self.threads.add(threading.get_ident())
                if frame == self.fail_at:
                    raise self.error
                self.visited.append(frame)
                yield frame, self._predict(anchors, frame)
        finally:
            self.closed += 1

    def _predict(self, anchors: Anchors, frame: int) -> dict[int, Prediction]:
        given = anchors.get(frame, {})
        objects = {number for on_frame in anchors.values() for number in on_frame}
        return {
            number: Prediction(given[number], 1.0)
            if number in given
            else Prediction(self._moved(_nearest(anchors, frame, number), frame), self.score)
            for number in objects
        }

    def _moved(self, pixels: BoolMask, frame: int) -> BoolMask:
        return np.roll(pixels, self.drift.get(frame, 0), axis=1)


class FakeSegmenter:
    """Answers with a square round the last click or the mask so far; a second candidate is smaller.

    `gate` holds up answers, `error` is raised where set, `prompts` holds what was asked.
    """

    def __init__(self, frames: Frames) -> None:
        self._frames = frames
        self.gate = Gate()
        self.error: Exception | None = None
        self.prompts: list[tuple[int, Prompt]] = []
        self.prepared: list[int] = []

    def segment(self, frame: int, prompt: Prompt) -> tuple[Prediction, ...]:
        """Return two squares."""
        self.prompts.append((frame, prompt))
        self.gate.step()
        if self.error is not None:
            raise self.error
        if prompt.clicks:
            x, y = (round(value) for value in prompt.clicks[-1][:2])
            corner = max(0, x - 5), max(0, y - 5)
        elif prompt.box is not None:
            corner = round(prompt.box.x0), round(prompt.box.y0)
        else:
            raise PromptError("Nothing was asked.")
        size = self._frames.size
        return (
            Prediction(square(*corner, size=size), 0.8),
            Prediction(square(*corner, side=4, size=size), 0.6),
        )

    def prepare(self, frame: int, *, wanted: Callable[[], bool] | None = None) -> None:
        """Remember the frame, if it is wanted still once the gate lets through."""
        self.gate.step()
        if wanted is None or wanted():
            self.prepared.append(frame)


class FakeDetector:
    """Finds the boxes it is told; `names` are those it was asked for by."""

    def __init__(self) -> None:
        self.things: dict[int, list[Finding]] = {}
        self.names: list[str] = []
        self.gate = Gate()

    def find(self, frame: int, phrases: Sequence[str]) -> tuple[Finding, ...]:
        """Return what there is on the frame of what the phrases say."""
        self.gate.step()
        there = self.things.get(frame, ())
        return tuple(each for each in there if each.phrase in phrases)


class FakeModels(Models):
    """Both fakes, built when first asked for, as the real ones are."""

    def __init__(self, frames: Frames) -> None:
        super().__init__(frames, Choice())
        self.fake_tracker = FakeTracker(frames)
        self.fake_segmenter = FakeSegmenter(frames)
        self.fake_detector = FakeDetector()
        self.load_error: Exception | None = None

    def detector(self, name: str, phrases: Sequence[str]) -> Detector:
        """The fake detector."""
        if self.load_error is not None:
            raise self.load_error
        self.fake_detector.names.append(name)
        return self.fake_detector

    @property
    def tracker(self) -> Tracker:
        """The fake tracker."""
        if self.load_error is not None:
            raise self.load_error
        return self.fake_tracker

    @property
    def segmenter(self) -> Segmenter:
        """The fake segmenter."""
        if self.load_error is not None:
            raise self.load_error
        return self.fake_segmenter

    @property
    def refiner(self) -> Segmenter:
        """The fake segmenter."""
        return self.segmenter


def write_frames(folder: Path, count: int, size: tuple[int, int] = SIZE) -> Path:
    """Write a folder of numbered grey PNGs and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    for index in range(count):
        cv2.imwrite(str(folder / f"{index:05d}.png"), np.full((*size, 3), index % 250, np.uint8))
    return folder


def _nearest(anchors: Anchors, frame: int, number: int) -> BoolMask:
    frames = [each for each in anchors if number in anchors[each]]
    return anchors[min(frames, key=lambda each: (abs(each - frame), each))][number]
