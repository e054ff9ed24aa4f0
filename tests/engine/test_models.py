"""The models of one video: which are loaded, how, and how often."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from app.engine.inference import Choice, InferenceThread, Models
from app.engine.jobs import Prepare
from models import registry
from models.api import Detector, Frames, LoadOptions, Quality, Seen, WeightsMissingError
from tests.engine.answers import Answers, click_job, track_job
from tests.fakes import FakeDetector, FakeFrames, FakeSegmenter, FakeTracker
from tests.models.contract import Clip

OPTIONS = LoadOptions(device="cpu", threads=2, size=360, weights=Path("mine"), threshold=0.4)


class Loads:
    """What was loaded through the registry, in order: what for, by which name and how."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.all: list[tuple[str, str, LoadOptions]] = []
        self.frames: list[object] = []
        for kind, make in (
            ("tracker", FakeTracker),
            ("segmenter", FakeSegmenter),
            ("detector", lambda _: FakeDetector()),
        ):
            monkeypatch.setattr(registry, f"load_{kind}", self._load(kind, make))

    def _load(self, kind: str, make: Callable[[Any], object]) -> Callable[..., object]:
        def load(name: str, frames: object, options: LoadOptions) -> object:
            self.all.append((kind, name, options))
            self.frames.append(frames)
            return make(frames)

        return load

    @property
    def names(self) -> list[tuple[str, str]]:
        """What was loaded, and its name."""
        return [(kind, name) for kind, name, _ in self.all]


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> Loads:
    return Loads(monkeypatch)


def test_each_model_is_loaded_once_and_as_it_was_chosen(loads: Loads) -> None:
    frames = FakeFrames()
    models = Models(frames, Choice("classic", "mobile-sam", "hq-sam-tiny", options=OPTIONS))
    for _ in range(2):
        assert models.tracker is models.propagator
        assert models.segmenter is not models.refiner
    assert loads.all == [
        ("tracker", "classic", OPTIONS),
        ("segmenter", "mobile-sam", OPTIONS),
        ("segmenter", "hq-sam-tiny", OPTIONS),
    ]
    assert loads.frames == [models.readable, frames, frames]


def test_where_none_was_chosen_the_best_for_these_options_is_loaded(
    loads: Loads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "default_tracker", lambda given: f"tracker on {given.device}")
    monkeypatch.setattr(registry, "default_segmenter", lambda given: f"clicks on {given.device}")
    models = Models(FakeFrames(), Choice(options=OPTIONS))
    _ = models.tracker, models.segmenter
    assert loads.names == [("tracker", "tracker on cpu"), ("segmenter", "clicks on cpu")]


@pytest.mark.parametrize("refiner", ["", "mobile-sam"])
def test_one_model_answers_clicks_and_refines_where_no_other_was_chosen(
    loads: Loads, refiner: str
) -> None:
    models = Models(FakeFrames(), Choice(segmenter="mobile-sam", refiner=refiner))
    assert models.refiner is models.segmenter
    assert loads.names == [("segmenter", "mobile-sam")]


def test_the_model_of_clicks_sharpens_too_where_it_is_the_one_that_no_choice_means(
    loads: Loads,
) -> None:
    models = Models(Clip(), Choice("classic", sharpener=registry.default_segmenter()))
    dict(models.propagator.track({0: {1: Clip().mask(1, 0)}}, range(1, 3)))
    _ = models.segmenter
    assert loads.names == [("tracker", "classic"), ("segmenter", registry.default_segmenter())]


def test_each_detector_is_loaded_once_without_what_was_chosen_for_a_tracker(loads: Loads) -> None:
    models = Models(FakeFrames(), Choice(options=OPTIONS))

    def asked(*searches: tuple[str, Sequence[str]]) -> list[Detector]:
        return [models.detector(name, phrases) for name, phrases in searches]

    first, again, hands, named = asked(
        ("", ("cup",)), ("", ("plate",)), ("", ("left hand",)), ("grounding-dino-tiny", ("hand",))
    )
    assert first is again is named
    assert first is not hands
    options = LoadOptions(device="cpu", threads=2, threshold=0.4)
    assert loads.all == [
        ("detector", "grounding-dino-tiny", options),
        ("detector", "hands", options),
    ]


def test_the_models_are_made_with_the_first_job_and_once(qtbot: QtBot, loads: Loads) -> None:
    made = list[Models]()

    def make() -> Models:
        made.append(Models(FakeFrames(), Choice("classic", "classic")))
        return made[-1]

    thread = InferenceThread(make)
    answers = Answers(thread)
    thread.start()
    assert made == []
    for number in (1, 2):
        thread.inbox.put(click_job(number))
        qtbot.waitUntil(lambda number=number: answers.of("end", number) == [None])
    thread.close()
    assert len(made) == 1
    assert loads.names == [("segmenter", "classic")]


def test_that_a_model_cannot_be_loaded_ahead_is_said_when_it_is_asked_for(
    qtbot: QtBot, loads: Loads, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise WeightsMissingError("lite.safetensors is missing.")

    monkeypatch.setattr(registry, "load_tracker", fail)
    thread = InferenceThread(lambda: Models(FakeFrames(), Choice("lite", "classic")))
    answers = Answers(thread)
    thread.start()
    thread.inbox.put(Prepare(1, (3,)))
    qtbot.waitUntil(lambda: answers.of("end", 1) == [None])
    thread.inbox.put(track_job(2))
    qtbot.waitUntil(lambda: bool(answers.of("end", 2)))
    thread.close()
    assert isinstance(answers.of("end", 2)[0], WeightsMissingError)


class ScalingTracker(FakeTracker):
    """A tracker that says how finely it was asked to look."""

    quality: Quality | None = None

    def at(self, quality: Quality) -> "ScalingTracker":
        """Return another that looks so finely."""
        other = ScalingTracker(self._frames)
        other.quality = quality
        return other


def test_the_tracker_keeps_what_it_sees_where_it_is_told_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Keeping(FakeTracker):
        def keep_seen(self, seen: Seen) -> None:
            self.seen = seen

    monkeypatch.setattr(registry, "load_tracker", lambda _name, frames, _options: Keeping(frames))
    models, seen = Models(FakeFrames(), Choice("lite")), Seen()
    models.keep_seen(seen)
    assert isinstance(models.tracker, Keeping)
    assert models.tracker.seen is seen


@pytest.mark.parametrize(("size", "asked"), [(None, Quality.FINEST), (360, None)])
def test_densifying_looks_finest_unless_a_size_was_chosen(
    monkeypatch: pytest.MonkeyPatch, size: int | None, asked: Quality | None
) -> None:
    loaded: list[ScalingTracker] = []

    def load(name: str, frames: Frames, options: LoadOptions) -> FakeTracker:
        loaded.append(ScalingTracker(frames))
        return loaded[-1]

    monkeypatch.setattr(registry, "load_tracker", load)
    models = Models(FakeFrames(), Choice("lite", options=LoadOptions(size=size)))
    assert isinstance(models.densifier, ScalingTracker)
    assert models.densifier.quality is asked
    assert models.tracker is loaded[0]
    assert len(loaded) == 1


def test_a_tracker_that_looks_in_one_way_densifies_as_it_is(loads: Loads) -> None:
    models = Models(FakeFrames(), Choice("classic"))
    assert models.densifier is models.tracker


@pytest.mark.parametrize(
    ("tracker", "suits", "loaded"),
    [
        ("lite", "classic", ["lite"]),
        ("", "lite", ["lite"]),
        ("", "cutie-base", []),
        ("cutie-base", "lite", []),
    ],
)
def test_only_the_embedded_tracker_is_loaded_ahead(
    loads: Loads, monkeypatch: pytest.MonkeyPatch, tracker: str, suits: str, loaded: Iterable[str]
) -> None:
    monkeypatch.setattr(registry, "default_tracker", lambda _: suits)
    models = Models(FakeFrames(), Choice(tracker))
    models.load_ahead()
    models.load_ahead()
    assert loads.names == [("tracker", name) for name in loaded]


def test_the_tracker_is_loaded_before_the_frames_beside_are_prepared(
    qtbot: QtBot, loads: Loads, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames, prepared = FakeFrames(), list[list[int]]()
    segmenter = FakeSegmenter(frames)
    monkeypatch.setattr(registry, "load_segmenter", lambda *_: segmenter)
    load = registry.load_tracker

    def note(*options: Any) -> object:  # noqa: ANN401
        prepared.append(list(segmenter.prepared))
        return load(*options)

    monkeypatch.setattr(registry, "load_tracker", note)
    thread = InferenceThread(lambda: Models(frames, Choice("lite", "classic")))
    answers = Answers(thread)
    thread.start()
    thread.inbox.put(Prepare(1, (3, 4, 2)))
    qtbot.waitUntil(lambda: answers.of("end", 1) == [None])
    thread.close()
    assert prepared == [[3]]
    assert segmenter.prepared == [3, 4, 2]
    assert loads.names == [("tracker", "lite")]


def test_a_propagation_is_sharpened_where_that_was_chosen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    frames = Clip()
    segmenter = FakeSegmenter(frames)  # answers with a smaller square in the box
    monkeypatch.setattr(registry, "load_segmenter", lambda *_: segmenter)
    plain = Models(frames, Choice("classic"))
    assert plain.propagator is plain.tracker
    anchors = {0: {1: frames.mask(1, 0)}}

    def area(models: Models) -> int:
        (_, found), *_ = models.propagator.track(anchors, range(1, 3))
        return int(found[1].mask.sum())

    assert area(Models(frames, Choice("classic", sharpener="hq-sam-large"))) == 100
    assert area(plain) > 100
    unpassed = Choice("classic", sharpener="hq-sam-large", gate=1.0)
    assert area(Models(frames, unpassed)) == area(plain)
    assert all(prompt.mask is None for _, prompt in segmenter.prompts)


@pytest.mark.parametrize(("segmenter", "refiner"), [("a", "b"), ("b", "a"), ("b", "c")])
def test_the_model_that_sharpens_is_the_one_that_was_chosen_and_loaded_once(
    monkeypatch: pytest.MonkeyPatch, segmenter: str, refiner: str
) -> None:
    frames, loaded = Clip(), list[str]()

    def load(name: str, *_: object) -> FakeSegmenter:
        loaded.append(name)
        return FakeSegmenter(frames)

    monkeypatch.setattr(registry, "load_segmenter", load)
    choice = Choice("classic", segmenter=segmenter, refiner=refiner, sharpener="a")
    models = Models(frames, choice)
    dict(models.propagator.track({0: {1: frames.mask(1, 0)}}, range(1, 3)))
    assert loaded == ["a"]
    _ = models.segmenter, models.refiner
    assert sorted(loaded) == sorted({"a", segmenter, refiner})
