"""The inference thread: quick answers during long jobs, cancelling, named failures."""

import threading

import pytest
from pytestqt.qtbot import QtBot

from app.core.document import Key
from app.core.mask import Mask
from app.engine.inference import Choice, InferenceThread
from app.engine.jobs import Prepare, Segment
from models.api import Click, DeviceMemoryError, ModelError, Tracker, WeightsMissingError
from tests.engine.answers import Answers, click_job, track_job
from tests.fakes import FakeFrames, FakeModels


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
