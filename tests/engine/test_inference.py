"""The inference thread: quick answers during long jobs, cancelling, named failures."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from app.core.document import Document, Entry, Key, ObjectInfo, Origin
from app.core.mask import Mask
from app.core.plan import Direction, plan
from app.core.proposals import Existing, FindRequest, Proposal
from app.engine.inference import Choice, InferenceThread, Models
from app.engine.jobs import Find, Prepare, Segment, Track
from models import registry
from models.api import (
    Box,
    Click,
    DeviceMemoryError,
    Finding,
    ModelError,
    Tracker,
    WeightsMissingError,
)
from tests.fakes import FakeFrames, FakeModels, FakeSegmenter, square
from tests.models.contract import Clip


class Answers:
    """What a thread said, in order."""

    def __init__(self, thread: InferenceThread) -> None:
        self.all: list[tuple[str, int, Any]] = []
        thread.segmented.connect(lambda number, value: self.all.append(("seg", number, value)))
        thread.stepped.connect(lambda number, value: self.all.append(("step", number, value)))
        thread.ended.connect(lambda number, value: self.all.append(("end", number, value)))

    def of(self, kind: str, number: int) -> list[Any]:
        return [value for what, job, value in self.all if (what, job) == (kind, number)]


@pytest.fixture
def models() -> FakeModels:
    return FakeModels(FakeFrames(50))


@pytest.fixture
def thread(models: FakeModels, qtbot: QtBot) -> Iterator[InferenceThread]:
    thread = InferenceThread(lambda: models)
    thread.start()
    yield thread
    models.fake_tracker.gate.open()
    models.fake_segmenter.gate.open()
    thread.close()
    assert thread.isFinished()


@pytest.fixture
def answers(thread: InferenceThread) -> Answers:
    return Answers(thread)


def track_job(number: int, last: int = 49) -> Track:
    entry = Entry(Mask.encode(square(10)), Origin.DRAWN)
    document = Document((ObjectInfo(1, "knife", (0, 0, 0)),), {Key(0, 1): entry})
    passes = plan(
        document,
        [1],
        first=0,
        last=last,
        direction=Direction.FORWARD,
        from_frame=0,
        to_nearest_anchor=True,
    )
    return Track(number, passes)


def click_job(number: int) -> Segment:
    return Segment(number, Key(5, 1), (Click(20, 20),))


def test_a_propagation_answers_frame_by_frame_with_packed_masks(
    thread: InferenceThread, answers: Answers, qtbot: QtBot
) -> None:
    thread.inbox.put(track_job(1, last=9))
    qtbot.waitUntil(lambda: answers.of("end", 1) == [None])
    steps = answers.of("step", 1)
    assert [step.frame for step in steps] == list(range(10))
    assert isinstance(steps[1].entries[Key(1, 1)].mask, Mask)


def test_the_model_runs_in_the_thread_only(
    thread: InferenceThread, answers: Answers, models: FakeModels, qtbot: QtBot
) -> None:
    thread.inbox.put(track_job(1))
    qtbot.waitUntil(lambda: answers.of("end", 1) == [None])
    assert models.fake_tracker.threads.isdisjoint({threading.get_ident()})
    assert len(models.fake_tracker.threads) == 1


def test_a_click_is_answered_between_two_frames_and_the_propagation_goes_on(
    thread: InferenceThread, answers: Answers, models: FakeModels, qtbot: QtBot
) -> None:
    gate = models.fake_tracker.gate
    gate.close()
    thread.inbox.put(track_job(1))
    gate.wait_for_arrival()
    thread.inbox.put(click_job(2))
    gate.let(1)
    qtbot.waitUntil(lambda: answers.of("end", 2) == [None])
    assert len(answers.of("step", 1)) == 1
    gate.open()
    qtbot.waitUntil(lambda: answers.of("end", 1) == [None])
    assert [step.frame for step in answers.of("step", 1)] == list(range(50))
    assert models.fake_tracker.calls == [tuple(range(50))]


def test_a_new_propagation_ends_the_one_before_at_the_next_frame(
    thread: InferenceThread, answers: Answers, models: FakeModels, qtbot: QtBot
) -> None:
    gate = models.fake_tracker.gate
    gate.close()
    thread.inbox.put(track_job(1))
    gate.wait_for_arrival()
    thread.inbox.put(track_job(2))
    gate.open()
    qtbot.waitUntil(lambda: answers.of("end", 2) == [None])
    assert len(answers.of("step", 1)) == 1
    assert len(answers.of("step", 2)) == 50


def test_cancelling_closes_the_model_generator(
    thread: InferenceThread, answers: Answers, models: FakeModels, qtbot: QtBot
) -> None:
    gate = models.fake_tracker.gate
    gate.close()
    thread.inbox.put(track_job(1))
    gate.wait_for_arrival()
    thread.inbox.cancel()
    gate.open()
    qtbot.waitUntil(lambda: answers.of("end", 1) == [None])
    assert models.fake_tracker.closed == 1


def test_fifty_quick_clicks_cost_a_few_model_calls_and_the_last_one_is_answered(
    thread: InferenceThread, answers: Answers, models: FakeModels, qtbot: QtBot
) -> None:
    models.fake_segmenter.gate.close()
    thread.inbox.put(click_job(1))
    models.fake_segmenter.gate.wait_for_arrival()
    for number in range(2, 51):
        thread.inbox.put(click_job(number))
    models.fake_segmenter.gate.open()
    qtbot.waitUntil(lambda: answers.of("end", 50) == [None])
    assert len(models.fake_segmenter.prompts) == 2


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (DeviceMemoryError("The GPU is full."), DeviceMemoryError),
        (MemoryError(), DeviceMemoryError),
        (ZeroDivisionError("unexpected"), ModelError),
    ],
)
def test_a_failure_comes_after_the_frames_before_it_and_the_thread_lives_on(
    thread: InferenceThread,
    answers: Answers,
    models: FakeModels,
    qtbot: QtBot,
    error: Exception,
    kind: type[Exception],
) -> None:
    models.fake_tracker.fail_at, models.fake_tracker.error = 4, error
    thread.inbox.put(track_job(1))
    qtbot.waitUntil(lambda: len(answers.of("end", 1)) == 1)
    assert isinstance(answers.of("end", 1)[0], kind)
    assert len(answers.of("step", 1)) == 4
    thread.inbox.put(click_job(2))
    qtbot.waitUntil(lambda: answers.of("end", 2) == [None])


def test_missing_weights_are_named(
    thread: InferenceThread, answers: Answers, models: FakeModels, qtbot: QtBot
) -> None:
    models.load_error = WeightsMissingError("lite.safetensors is missing.")
    thread.inbox.put(click_job(1))
    qtbot.waitUntil(lambda: len(answers.of("end", 1)) == 1)
    assert isinstance(answers.of("end", 1)[0], WeightsMissingError)


def test_a_frame_is_prepared_while_nothing_else_is_asked(
    thread: InferenceThread, answers: Answers, models: FakeModels, qtbot: QtBot
) -> None:
    thread.inbox.put(Prepare(1, (3, 4)))
    qtbot.waitUntil(lambda: answers.of("end", 1) == [None])
    assert models.fake_segmenter.prepared == [3, 4]


def test_a_frame_that_is_left_while_it_is_prepared_is_given_up(
    thread: InferenceThread, answers: Answers, models: FakeModels, qtbot: QtBot
) -> None:
    gate = models.fake_segmenter.gate
    gate.close()
    thread.inbox.put(Prepare(1, (3, 4)))
    gate.wait_for_arrival()
    thread.inbox.put(Prepare(2, (9,)))
    gate.open()
    qtbot.waitUntil(lambda: answers.of("end", 2) == [None])
    assert models.fake_segmenter.prepared == [9]


def test_a_hover_on_a_frame_that_is_left_is_given_up(
    thread: InferenceThread, answers: Answers, models: FakeModels, qtbot: QtBot
) -> None:
    gate = models.fake_segmenter.gate
    gate.close()
    thread.inbox.put(Segment(1, Key(3, 1), (Click(20, 25),), hover=True))
    gate.wait_for_arrival()
    thread.inbox.put(Prepare(2, (9,)))
    gate.open()
    qtbot.waitUntil(lambda: answers.of("end", 2) == [None])
    assert models.fake_segmenter.prompts == []
    assert models.fake_segmenter.prepared == [9]


def test_what_a_search_finds_on_its_frame_is_told(
    thread: InferenceThread, models: FakeModels, qtbot: QtBot
) -> None:
    found: list[tuple[int, tuple[Proposal, ...]]] = []
    thread.found.connect(lambda number, proposals: found.append((number, proposals)))
    models.fake_detector.things[4] = [Finding(Box(20, 25, 32, 37), "cup", 0.8)]
    thread.inbox.put(Find(7, FindRequest(("cup",), (4,)), Existing(), "by words"))
    qtbot.waitUntil(lambda: bool(found))
    ((number, (proposal,)),) = found
    assert number == 7
    assert (proposal.key, proposal.name, proposal.score) == (Key(4, 1), "cup", 0.8)
    assert models.fake_detector.names == ["by words"]


def test_closing_during_a_propagation_ends_the_thread(models: FakeModels, qtbot: QtBot) -> None:
    thread = InferenceThread(lambda: models)
    thread.start()
    models.fake_tracker.gate.close()
    thread.inbox.put(track_job(1))
    models.fake_tracker.gate.wait_for_arrival()
    threading.Timer(0.05, models.fake_tracker.gate.open).start()
    thread.close()
    assert thread.isFinished()
    assert models.fake_tracker.closed == 1


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


class _Watched(FakeModels):
    """Fakes that tell whether the tracker was asked for."""

    def __init__(self, tracker: str) -> None:
        super().__init__(FakeFrames(50))
        self._choice = Choice(tracker=tracker)
        self.loaded = False

    @property
    def tracker(self) -> Tracker:
        """The fake tracker."""
        self.loaded = True
        return super().tracker


@pytest.mark.parametrize(("name", "ahead"), [("lite", True), ("cutie-base", False)])
def test_the_embedded_tracker_is_loaded_while_nothing_else_is_to_be_done(
    qtbot: QtBot, *, name: str, ahead: bool
) -> None:
    models = _Watched(name)
    thread = InferenceThread(lambda: models)
    answers = Answers(thread)
    thread.start()
    thread.inbox.put(Prepare(1, (3,)))
    qtbot.waitUntil(lambda: bool(answers.of("end", 1)))
    assert models.loaded == ahead
    thread.close()
