"""Each kind of job of the inference thread, and its answer."""

from collections.abc import Collection, Generator, Sequence

import pytest
from pytestqt.qtbot import QtBot

from app.batch.masks.consistency import Ballot
from app.core.densify import passes, runs
from app.core.document import Document, Entry, Key, ObjectInfo, Origin
from app.core.heal import Rules, plan_heal, stale_marks
from app.core.mask import Mask
from app.core.passes import Pass
from app.core.proposals import Existing, FindRequest
from app.engine.inference import InferenceThread
from app.engine.jobs import (
    Densify,
    Explain,
    Find,
    Heal,
    Job,
    MakeConsistent,
    Prepare,
    Refine,
    Segment,
)
from app.errors import FrameReadError
from models.api import (
    Anchors,
    Box,
    Click,
    Finding,
    Image,
    ModelError,
    PromptError,
    Store,
    Tracked,
    Vote,
    WeightsMissingError,
)
from tests.engine.answers import Answers, mask_at, track_job
from tests.fakes import FakeFrames, FakeModels, FakeTracker


class Remembering(FakeTracker):
    """A tracker that can leave frames out of its memory and say what it remembers."""

    def __init__(self) -> None:
        super().__init__(FakeFrames())
        self.left_out: list[Collection[int]] = []
        self.asked: list[tuple[int, float, float, int | None]] = []

    def track_without(
        self, left_out: Collection[int], anchors: Anchors, frames: Sequence[int]
    ) -> Generator[Tracked, None, None]:
        self.left_out.append(left_out)
        return self.track(anchors, frames)

    def explain(
        self, frame: int, x: float, y: float, object_id: int | None = None
    ) -> tuple[Vote, ...]:
        self.asked.append((frame, x, y, object_id))
        return Vote(3, Store.ANCHOR, 0.75), Vote(7, Store.WORKING, 0.25)


class Torn(FakeFrames):
    """Frames of which one cannot be read."""

    def __init__(self, torn: int) -> None:
        super().__init__(50)
        self._torn = torn

    def __getitem__(self, index: int) -> Image:
        if index == self._torn:
            raise FrameReadError(f"Frame {index} cannot be read.")
        return super().__getitem__(index)


class Looking(FakeTracker):
    """A tracker that looks at the frames that it goes through."""

    def track(
        self, anchors: Anchors, frames: Sequence[int], *, probabilities: bool = False
    ) -> Generator[Tracked, None, None]:
        for frame, found in super().track(anchors, frames, probabilities=probabilities):
            _ = self._frames[frame]
            yield frame, found


def found_by(models: FakeModels, frame: int, *things: tuple[int, str, float]) -> None:
    """Let the detector find things of a side of 10 pixels: where, by which phrase, how surely."""
    models.fake_detector.things[frame] = [
        Finding(Box(x, 20, x + 10, 30), phrase, score) for x, phrase, score in things
    ]


def test_what_is_found_on_a_frame_is_told_at_once_and_best_first(
    thread: InferenceThread, answers: Answers, models: FakeModels, qtbot: QtBot
) -> None:
    found_by(models, 4, (10, "cup", 0.5), (40, "plate", 0.9), (25, "fork", 0.7))
    found_by(models, 5, (40, "cup", 0.9))
    existing = Existing({0: {3: mask_at(55, 5)}}, {3: "knife"})
    request = FindRequest(("cup", "plate"), (4,), numbers=range(3, 9))
    thread.inbox.put(Find(1, request, existing, "grounding-dino-tiny"))
    qtbot.waitUntil(lambda: answers.of("end", 1) == [None])
    (proposals,) = answers.of("found", 1)
    assert [(each.key, each.name, each.score, each.mask) for each in proposals] == [
        (Key(4, 4), "plate", 0.9, mask_at(40)),
        (Key(4, 5), "cup", 0.5, mask_at(10)),
    ]
    assert models.fake_detector.names == ["grounding-dino-tiny"]
    assert [what for what, *_ in answers.all] == ["found", "end"]


def test_what_is_there_already_is_not_found_again(
    thread: InferenceThread, answers: Answers, models: FakeModels, qtbot: QtBot
) -> None:
    found_by(models, 4, (10, "cup", 0.5), (40, "cup", 0.9))
    existing = Existing({4: {1: mask_at(40)}}, {1: "cup"})
    thread.inbox.put(Find(1, FindRequest(("cup",), (4,)), existing))
    qtbot.waitUntil(lambda: answers.of("end", 1) == [None])
    (proposals,) = answers.of("found", 1)
    assert [(each.key, each.name) for each in proposals] == [(Key(4, 2), "cup 2")]
    assert models.fake_detector.names == [""]  # which suits the phrases is not for the job to say


def test_a_search_that_finds_nothing_says_so(
    thread: InferenceThread, answers: Answers, qtbot: QtBot
) -> None:
    thread.inbox.put(Find(1, FindRequest(("cup",), (4,)), Existing()))
    qtbot.waitUntil(lambda: answers.of("end", 1) == [None])
    assert answers.of("found", 1) == [()]


def test_a_search_between_two_frames_of_a_propagation_is_answered_before_its_end(
    thread: InferenceThread, answers: Answers, models: FakeModels, qtbot: QtBot
) -> None:
    found_by(models, 4, (40, "cup", 0.9))
    gate = models.fake_tracker.gate
    gate.close()
    thread.inbox.put(track_job(1))
    gate.wait_for_arrival()
    thread.inbox.put(Find(2, FindRequest(("cup",), (4,)), Existing()))
    gate.let(1)
    qtbot.waitUntil(lambda: answers.of("end", 2) == [None])
    assert [each.mask for each in answers.of("found", 2)[0]] == [mask_at(40)]
    gate.open()
    qtbot.waitUntil(lambda: answers.of("end", 1) == [None])
    assert sorted(answers.entries(1)) == [Key(frame, 1) for frame in range(1, 50)]


def test_a_detector_that_cannot_be_loaded_ends_the_search_with_its_reason(
    thread: InferenceThread, answers: Answers, models: FakeModels, qtbot: QtBot
) -> None:
    models.load_error = WeightsMissingError("grounding-dino-tiny.safetensors is missing.")
    thread.inbox.put(Find(1, FindRequest(("cup",), (4,)), Existing()))
    qtbot.waitUntil(lambda: answers.of("end", 1) == [models.load_error])
    assert answers.of("found", 1) == []


def test_the_votes_for_a_pixel_are_those_of_the_tracker(
    thread: InferenceThread, answers: Answers, models: FakeModels, qtbot: QtBot
) -> None:
    models.fake_tracker = tracker = Remembering()
    thread.inbox.put(Explain(1, 9, 12.5, 30.0, 2))
    qtbot.waitUntil(lambda: answers.of("end", 1) == [None])
    assert answers.of("votes", 1) == [(Vote(3, Store.ANCHOR, 0.75), Vote(7, Store.WORKING, 0.25))]
    assert tracker.asked == [(9, 12.5, 30.0, 2)]


@pytest.mark.parametrize(
    "job", [Explain(1, 9, 12.5, 30.0), track_job(1, left_out=frozenset({2}))], ids=["ask", "leave"]
)
def test_a_tracker_without_a_memory_to_ask_says_so(
    thread: InferenceThread, answers: Answers, qtbot: QtBot, job: Job
) -> None:
    thread.inbox.put(job)
    qtbot.waitUntil(lambda: bool(answers.of("end", 1)))
    (error,) = answers.of("end", 1)
    assert isinstance(error, ModelError)
    assert "Choose another in the settings" in str(error)
    assert answers.of("votes", 1) == answers.of("step", 1) == []


def test_frames_are_left_out_of_the_tracker_s_memory_where_that_is_asked_for(
    thread: InferenceThread, answers: Answers, models: FakeModels, qtbot: QtBot
) -> None:
    models.fake_tracker = tracker = Remembering()
    thread.inbox.put(track_job(1, last=9, left_out=frozenset({4, 6})))
    qtbot.waitUntil(lambda: answers.of("end", 1) == [None])
    assert tracker.left_out == [{4, 6}]
    assert sorted(answers.entries(1)) == [Key(frame, 1) for frame in range(1, 10)]
    thread.inbox.put(track_job(2, last=9))
    qtbot.waitUntil(lambda: answers.of("end", 2) == [None])
    assert len(tracker.left_out) == 1
    assert tracker.calls == [tuple(range(10))] * 2


def test_masks_are_refined_where_the_result_passes_the_gate(
    thread: InferenceThread, answers: Answers, models: FakeModels, qtbot: QtBot
) -> None:
    # The refiner answers with a square of 10 pixels: the same, and a third of the larger one.
    masks = {Key(3, 1): mask_at(10), Key(6, 2): mask_at(20, side=18)}
    thread.inbox.put(Refine(1, masks, gate=0.5))
    qtbot.waitUntil(lambda: answers.of("end", 1) == [None])
    assert [step.frame for step in answers.of("step", 1)] == [3, 6]
    assert answers.entries(1) == {Key(3, 1): Entry(mask_at(10), Origin.REFINED, score=0.8)}
    thread.inbox.put(Refine(2, masks, gate=0.2))
    qtbot.waitUntil(lambda: answers.of("end", 2) == [None])
    assert answers.entries(2)[Key(6, 2)].mask == mask_at(20)
    assert [frame for frame, _ in models.fake_segmenter.prompts] == [3, 6, 3, 6]


def heal_job(number: int, frames: int = 50) -> Heal:
    """Return the heal of a drift on frames 10 to 14, of which frame 12 was corrected."""
    entries = {
        Key(frame, 1): Entry(mask_at(40 if 10 <= frame < 15 else 10), Origin.PROPAGATED, score=0.9)
        for frame in range(frames)
    }
    entries |= {Key(frame, 1): Entry(mask_at(10), Origin.DRAWN) for frame in (0, 12)}
    document = Document((ObjectInfo(1, "knife", (0, 0, 0)),), entries)
    document.replace(stale_marks(document, [Key(12, 1)]))
    passes = plan_heal(document, {Key(12, 1)}, first=0, last=frames - 1)
    return Heal(number, passes, dict(document.items()), Rules(patience=4))


def test_a_heal_corrects_the_drift_and_leaves_off_where_the_old_masks_hold(
    thread: InferenceThread, answers: Answers, models: FakeModels, qtbot: QtBot
) -> None:
    job = heal_job(1)
    thread.inbox.put(job)
    qtbot.waitUntil(lambda: answers.of("end", 1) == [None])
    healed = answers.entries(1)
    changed = {key.frame for key, entry in healed.items() if entry.mask != job.old[key].mask}
    assert changed == {10, 11, 13, 14}
    assert {entry.mask for entry in healed.values()} == {mask_at(10)}
    assert not any(entry.stale for entry in healed.values())
    assert max(models.fake_tracker.visited) < 49


def consistency_job(number: int, last: int = 9) -> MakeConsistent:
    """Return the vote on masks of which those of frames 4 and 5 are off."""
    frames = range(1, last + 1)
    anchors: dict[int, dict[int, Mask | None]] = {0: {1: mask_at(10)}}
    standing = {Key(f, 1): mask_at(40 if f in (4, 5) else 11) for f in frames}
    passes = (Pass(anchors, tuple(range(last + 1)), {1: frames}),)
    return MakeConsistent(number, Ballot(frames, (1,), standing, passes))


def test_masks_that_most_disagree_with_are_voted_down(
    thread: InferenceThread, answers: Answers, qtbot: QtBot
) -> None:
    thread.inbox.put(consistency_job(1))
    qtbot.waitUntil(lambda: answers.of("end", 1) == [None])
    assert [step.frame for step in answers.of("step", 1)] == [*range(10), 1]
    elected = answers.entries(1)
    assert {key: entry.mask for key, entry in elected.items()} == {
        Key(frame, 1): mask_at(10) for frame in range(1, 10)
    }


@pytest.mark.parametrize(
    "job", [track_job(1), heal_job(1), consistency_job(1)], ids=["track", "heal", "vote"]
)
def test_nothing_is_said_of_a_frame_that_cannot_be_read(qtbot: QtBot, job: Job) -> None:
    models = FakeModels(Torn(5 if not isinstance(job, Heal) else 11))
    models.fake_tracker = Looking(models.readable)
    thread = InferenceThread(lambda: models)
    answers = Answers(thread)
    thread.start()
    thread.inbox.put(job)
    qtbot.waitUntil(lambda: answers.of("end", 1) == [None])
    thread.close()
    (torn,) = models.readable.unreadable
    said = {key.frame for key in answers.entries(1)}
    assert torn not in said
    assert {torn - 1, torn + 2} <= said
    assert torn in models.fake_tracker.visited


@pytest.mark.parametrize(
    "job", [track_job(1), heal_job(1), consistency_job(1, 40)], ids=["track", "heal", "vote"]
)
def test_a_long_job_of_any_kind_ends_at_the_next_frame_when_it_is_cancelled(
    thread: InferenceThread, answers: Answers, models: FakeModels, qtbot: QtBot, job: Job
) -> None:
    gate = models.fake_tracker.gate
    gate.close()
    thread.inbox.put(job)
    gate.wait_for_arrival()
    gate.let(2)
    gate.wait_until_passed(2)
    thread.inbox.cancel()
    gate.open()
    qtbot.waitUntil(lambda: answers.of("end", 1) == [None])
    assert len(models.fake_tracker.visited) == 3
    assert models.fake_tracker.closed == len(models.fake_tracker.calls) == 1


def test_a_hover_is_answered_with_the_best_mask_alone(
    thread: InferenceThread, answers: Answers, models: FakeModels, qtbot: QtBot
) -> None:
    thread.inbox.put(Segment(1, Key(3, 1), (Click(20, 25),), hover=True))
    qtbot.waitUntil(lambda: answers.of("end", 1) == [None])
    ((best,),) = answers.of("seg", 1)
    assert (best.mask, best.score) == (mask_at(15), 0.8)
    assert models.fake_segmenter.prepared == [3]


def test_a_click_is_answered_also_where_its_frame_was_left(
    thread: InferenceThread, answers: Answers, models: FakeModels, qtbot: QtBot
) -> None:
    gate = models.fake_segmenter.gate
    gate.close()
    thread.inbox.put(Segment(1, Key(3, 1), (Click(20, 25),)))
    gate.wait_for_arrival()
    thread.inbox.put(Prepare(2, (9,)))
    gate.open()
    qtbot.waitUntil(lambda: answers.of("end", 2) == [None])
    ((best, second),) = answers.of("seg", 1)
    assert (best.mask, second.score) == (mask_at(15), 0.6)


def test_a_prompt_that_cannot_be_used_is_told_as_it_is(
    thread: InferenceThread, answers: Answers, models: FakeModels, qtbot: QtBot
) -> None:
    models.fake_segmenter.error = PromptError("The click lies outside.")
    thread.inbox.put(Segment(1, Key(3, 1), (Click(20, 25),)))
    qtbot.waitUntil(lambda: answers.of("end", 1) == [models.fake_segmenter.error])
    assert answers.of("seg", 1) == []


def test_densifying_asks_the_model_that_looks_finest(
    thread: InferenceThread, answers: Answers, models: FakeModels, monkeypatch: pytest.MonkeyPatch,
    qtbot: QtBot,
) -> None:  # fmt: skip
    finest = FakeTracker(FakeFrames())
    monkeypatch.setattr(FakeModels, "densifier", finest)
    drawn = {Key(frame, 1): Entry(mask_at(10), Origin.DRAWN) for frame in (0, 3)}
    document = Document((ObjectInfo(1, "knife", (0, 0, 0)),), drawn)
    thread.inbox.put(
        Densify(1, tuple(passes(document, run) for run in runs(document, [0, 3])), 0.5)
    )
    qtbot.waitUntil(lambda: answers.of("end", 1) == [None])
    assert finest.visited == [0, 1, 2, 3, 3, 2, 1, 0]
    assert models.fake_tracker.visited == []
    assert set(answers.entries(1)) == {Key(1, 1), Key(2, 1)}
