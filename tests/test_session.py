"""The session: open, click, edit, propagate, heal, review; with fake models in a real thread."""

import hashlib
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import shiboken6
from pytestqt.qtbot import QtBot

from app.core.document import Entry, Key, ObjectInfo, Origin, State
from app.core.mask import Mask
from app.core.plan import Direction
from app.session.session import Session
from app.session.signals import Progress, Report, SessionState
from app.storage.frames import FrameCache
from app.storage.settings import Settings
from models.api import Box, Click, DeviceMemoryError, WeightsMissingError
from tests.fakes import FakeModels, square, write_frames

FRAMES = 30


class Desk:
    """A session on a short video, its fake models and what it told."""

    def __init__(self, source: Path) -> None:
        self.models: list[FakeModels] = []
        self.session = Session(loader=self._load)
        self.reports: list[Report] = []
        self.progress: list[Progress | None] = []
        self.ghosts: list[tuple[int, int, Mask | None] | None] = []
        self.session.reported.connect(self.reports.append)
        self.session.progress_changed.connect(self.progress.append)
        self.session.preview_changed.connect(self.ghosts.append)
        self.session.open(source)

    def _load(self, frames: FrameCache, settings: Settings) -> FakeModels:
        self.models.append(self.made)
        return self.made

    def prepare(self) -> None:
        self.made = FakeModels(self.session.video or _none())

    def close(self) -> None:
        self.made.fake_tracker.gate.open()
        self.made.fake_segmenter.gate.open()
        self.session.close()
        # Sessions are cycles: one that Python finds later may be freed in another's thread.
        shiboken6.delete(self.session)

    def said(self, words: str) -> bool:
        return any(words in report.text for report in self.reports)


def _none() -> FrameCache:
    raise AssertionError("no video is open")


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_frames(tmp_path / "clip", FRAMES)


@pytest.fixture
def desk(clip: Path, qtbot: QtBot) -> Iterator[Desk]:
    desk = Desk(clip)
    desk.prepare()
    yield desk
    desk.close()


@pytest.fixture
def idle(desk: Desk, qtbot: QtBot) -> Callable[[], None]:
    """Wait until the session is idle."""
    return lambda: qtbot.waitUntil(lambda: desk.session.activity is SessionState.IDLE)


def draw(desk: Desk, frame: int, number: int = 1, x: int = 10) -> None:
    """Draw a square; the object is made if it is not there."""
    if number not in {info.id for info in desk.session.objects}:
        desk.session.add_object()
    desk.session.commit_mask(frame, number, square(x), "Brush")


def mask_at(x: int) -> Mask | None:
    return Mask.encode(square(x))


# Views


def test_going_beyond_the_ends_stays_at_the_ends(desk: Desk) -> None:
    desk.session.go_to(99)
    assert desk.session.frame == FRAMES - 1
    desk.session.go_to(-5)
    assert desk.session.frame == 0


def test_an_image_that_is_not_in_memory_is_announced_when_it_is(desk: Desk, qtbot: QtBot) -> None:
    session = desk.session
    if session.image(7) is None:
        qtbot.waitUntil(lambda: session.image(7) is not None)
    image = session.image(7)
    assert image is not None
    assert image[0, 0, 0] == 7


def test_the_range_is_put_in_order(desk: Desk) -> None:
    desk.session.set_range(20, 10)
    assert (desk.session.in_point, desk.session.out_point) == (10, 20)


# Objects


def test_objects_are_added_edited_moved_and_deleted_and_all_is_undone(desk: Desk) -> None:
    session = desk.session
    first, second = session.add_object("knife"), session.add_object("hand")
    assert first is not None
    assert second is not None
    session.edit_object(ObjectInfo(first, "spoon", (1, 2, 3)))
    session.move_object(first, 1)
    draw(desk, 3, second)
    assert [info.name for info in session.objects] == ["hand", "spoon"]
    session.delete_object(second)
    assert [info.name for info in session.objects] == ["spoon"]
    assert len(session.document) == 0
    session.undo_stack.undo()
    assert session.document.get(Key(3, second)) is not None
    while session.undo_stack.canUndo():
        session.undo_stack.undo()
    assert session.objects == ()


def test_an_object_that_undo_takes_away_is_no_longer_selected(desk: Desk) -> None:
    desk.session.add_object()
    desk.session.undo_stack.undo()
    assert desk.session.selected is None


# Clicks


def test_a_click_makes_an_object_and_its_mask(
    desk: Desk, qtbot: QtBot, idle: Callable[[], None]
) -> None:
    session = desk.session
    session.go_to(4)
    session.click(Click(20, 25))
    idle()
    entry = session.document.get(Key(4, 1))
    assert entry == Entry(mask_at(15), Origin.CLICKED, score=0.8, clicks=(Click(20, 25),))
    assert session.state(Key(4, 1)) is State.ANCHOR


def test_the_next_click_holds_those_before_and_the_mask_so_far(
    desk: Desk, idle: Callable[[], None]
) -> None:
    desk.session.click(Click(20, 25))
    idle()
    desk.session.click(Click(30, 25, positive=False))
    idle()
    _, prompt = desk.made.fake_segmenter.prompts[-1]
    assert prompt.clicks == (Click(20, 25), Click(30, 25, positive=False))
    assert prompt.mask is not None
    desk.session.undo_stack.undo()
    entry = desk.session.document.get(Key(0, 1))
    assert entry is not None
    assert entry.clicks == (Click(20, 25),)


def test_quick_clicks_are_answered_together_and_lose_none(
    desk: Desk, idle: Callable[[], None]
) -> None:
    desk.made.fake_segmenter.gate.close()
    for x in range(10, 40, 5):
        desk.session.click(Click(x, 25))
    desk.made.fake_segmenter.gate.open()
    idle()
    entry = desk.session.document.get(Key(0, 1))
    assert entry is not None
    assert len(entry.clicks) == 6
    assert len(desk.made.fake_segmenter.prompts) <= 2


def test_a_result_already_queued_when_the_job_is_replaced_is_dropped(
    desk: Desk, idle: Callable[[], None]
) -> None:
    session, segmenter = desk.session, desk.made.fake_segmenter
    session.add_object()
    session.click(Click(20, 20))
    while not segmenter.prompts:
        time.sleep(0.01)
    time.sleep(0.2)  # the answer now waits in this thread's event queue
    session.go_to(7)
    session.click(Click(40, 20))
    idle()
    assert session.document.get(Key(0, 1)) is None
    entry = session.document.get(Key(7, 1))
    assert entry is not None
    assert entry.mask == Mask.encode(square(35, 15))
    assert entry.clicks == (Click(40, 20),)


def test_a_box_asks_for_what_is_in_it(desk: Desk, idle: Callable[[], None]) -> None:
    desk.session.set_box(Box(12, 8, 30, 30))
    idle()
    assert desk.made.fake_segmenter.prompts[-1][1].box == Box(12, 8, 30, 30)
    assert desk.session.document.get(Key(0, 1)) is not None


def test_candidates_are_cycled_within_one_undo_step(desk: Desk, idle: Callable[[], None]) -> None:
    session = desk.session
    session.add_object()
    session.click(Click(20, 25))
    idle()
    assert session.candidates == (0, 2)
    steps = session.undo_stack.count()
    session.next_candidate()
    assert session.candidates == (1, 2)
    entry = session.document.get(Key(0, 1))
    assert entry is not None
    assert entry.mask == Mask.encode(square(15, side=4))
    assert session.undo_stack.count() == steps
    session.undo_stack.undo()
    assert session.document.get(Key(0, 1)) is None
    assert session.candidates == (0, 0)


def test_a_preview_changes_nothing(desk: Desk, qtbot: QtBot) -> None:
    session = desk.session
    session.preview_click(Click(20, 25))
    qtbot.waitUntil(lambda: len(desk.ghosts) == 1)
    assert desk.ghosts[0] == (0, 0, mask_at(15))
    assert len(session.document) == 0
    assert session.undo_stack.count() == 0
    session.preview_click(None)
    assert desk.ghosts[-1] is None


def test_previews_leave_document_and_caches_bit_for_bit(desk: Desk, qtbot: QtBot) -> None:
    session = desk.session
    draw(desk, 0)
    qtbot.waitUntil(lambda: session.image(0) is not None)

    def digest() -> str:
        image = session.image(0)
        assert image is not None
        found = hashlib.sha256(image.tobytes())
        for frame, entry in session.document.of_object(1).items():
            assert entry.mask is not None
            found.update(entry.mask.decode().tobytes())
            found.update(repr((frame, replace(entry, mask=None))).encode())
        found.update(repr((session.undo_stack.count(), session.candidates)).encode())
        return found.hexdigest()

    before = digest()
    for x in range(20, 30):
        session.preview_click(Click(x, 25, positive=x % 2 == 0))
        qtbot.waitUntil(lambda: bool(desk.ghosts) and desk.ghosts[-1] is not None)
    session.preview_click(None)
    assert digest() == before


def test_missing_weights_are_reported(desk: Desk, idle: Callable[[], None]) -> None:
    desk.made.load_error = WeightsMissingError("lite is missing: maskwright models get lite")
    desk.session.click(Click(20, 25))
    idle()
    assert desk.said("maskwright models get lite")


# Edits


def test_a_drawn_mask_is_an_anchor_and_an_empty_one_means_absent(desk: Desk) -> None:
    draw(desk, 3)
    assert desk.session.state(Key(3, 1)) is State.ANCHOR
    desk.session.commit_mask(4, 1, square(10) & False, "Erase")
    assert desk.session.state(Key(4, 1)) is State.ABSENT


def test_locked_objects_are_never_touched(desk: Desk, idle: Callable[[], None]) -> None:
    session = desk.session
    draw(desk, 3)
    session.edit_object(ObjectInfo(1, "knife", (1, 2, 3), locked=True))
    before = dict(session.document.items())
    session.commit_mask(3, 1, square(30), "Brush")
    session.clear([Key(3, 1)])
    session.mark_absent([Key(4, 1)])
    session.click(Click(20, 20))
    session.delete_object(1)
    session.propagate(Direction.BOTH)
    idle()
    assert dict(session.document.items()) == before
    assert desk.said("locked")


def test_absent_occluded_approved_and_unanchored_are_undoable_states(
    desk: Desk, idle: Callable[[], None]
) -> None:
    session = desk.session
    draw(desk, 0)
    session.propagate(Direction.FORWARD)
    idle()
    session.mark_absent([Key(5, 1)])
    session.mark_occluded([Key(6, 1)])
    session.approve([Key(7, 1)])
    session.unanchor([Key(0, 1)])
    states = [session.state(Key(frame, 1)) for frame in (5, 6, 7, 0)]
    assert states == [State.ABSENT, State.OCCLUDED, State.VERIFIED, State.STALE]
    for _ in range(4):
        session.undo_stack.undo()
    assert session.state(Key(6, 1)) is State.PREDICTED
    assert session.state(Key(0, 1)) is State.ANCHOR


def test_an_edit_marks_what_depends_on_it_as_stale_in_the_same_step(
    desk: Desk, idle: Callable[[], None]
) -> None:
    session = desk.session
    draw(desk, 0)
    session.propagate(Direction.FORWARD)
    idle()
    draw(desk, 10, x=30)
    assert session.state(Key(5, 1)) is State.STALE
    assert session.state(Key(20, 1)) is State.STALE
    session.undo_stack.undo()
    assert session.state(Key(20, 1)) is State.PREDICTED


# Propagation


def test_a_propagation_is_one_undo_step(desk: Desk, idle: Callable[[], None]) -> None:
    session = desk.session
    draw(desk, 0)
    before, steps = dict(session.document.items()), session.undo_stack.count()
    session.propagate(Direction.FORWARD)
    idle()
    assert len(session.document) == FRAMES
    assert session.undo_stack.count() == steps + 1
    session.undo_stack.undo()
    assert dict(session.document.items()) == before


def test_results_are_shown_while_they_are_pending(desk: Desk, qtbot: QtBot) -> None:
    session, gate = desk.session, desk.made.fake_tracker.gate
    draw(desk, 0)
    gate.close()
    session.propagate(Direction.FORWARD)
    gate.let(5)
    qtbot.waitUntil(lambda: session.shown(4) != {})
    assert session.activity is SessionState.PROPAGATING
    assert session.document.get(Key(4, 1)) is None
    assert session.state(Key(4, 1)) is State.PREDICTED


def test_cancelling_keeps_everything_that_is_finished_at_once(desk: Desk, qtbot: QtBot) -> None:
    session, gate = desk.session, desk.made.fake_tracker.gate
    draw(desk, 0)
    gate.close()
    session.propagate(Direction.FORWARD)
    gate.let(5)
    qtbot.waitUntil(lambda: session.shown(4) != {})
    session.cancel()
    assert session.activity is SessionState.IDLE
    assert session.document.frames() == [0, 1, 2, 3, 4]
    assert desk.progress[-1] is None
    gate.open()


def test_cancelling_keeps_results_that_still_wait_in_the_event_queue(desk: Desk) -> None:
    session, gate = desk.session, desk.made.fake_tracker.gate
    draw(desk, 0)
    gate.close()
    session.propagate(Direction.FORWARD)
    gate.let(5)
    gate.wait_until_passed(5)
    assert session.shown(4) == {}
    session.cancel()
    assert session.document.frames() == [0, 1, 2, 3, 4]
    gate.open()


def test_a_failure_keeps_what_is_finished_and_is_reported(
    desk: Desk, idle: Callable[[], None]
) -> None:
    tracker = desk.made.fake_tracker
    tracker.fail_at, tracker.error = 6, DeviceMemoryError("The GPU is full.")
    draw(desk, 0)
    desk.session.propagate(Direction.FORWARD)
    idle()
    assert desk.session.document.frames() == [0, 1, 2, 3, 4, 5]
    assert desk.said("The GPU is full. 5 masks are kept.")


def test_results_of_a_propagation_that_was_replaced_are_dropped(
    desk: Desk, qtbot: QtBot, idle: Callable[[], None]
) -> None:
    session, gate = desk.session, desk.made.fake_tracker.gate
    draw(desk, 0)
    draw(desk, 0, number=2, x=40)
    gate.close()
    session.propagate(Direction.FORWARD, objects=[1])
    gate.let(5)
    qtbot.waitUntil(lambda: session.shown(4).keys() == {1})
    gate.wait_for_arrival()  # the step that the model is in comes after the replacement
    session.propagate(Direction.FORWARD, objects=[2], last=2)
    gate.open()
    idle()
    assert sorted(session.document.of_object(1)) == [0, 1, 2, 3, 4]
    assert sorted(session.document.of_object(2)) == [0, 1, 2]


def test_an_edit_outside_leaves_the_propagation_running(
    desk: Desk, qtbot: QtBot, idle: Callable[[], None]
) -> None:
    session, gate = desk.session, desk.made.fake_tracker.gate
    draw(desk, 0)
    gate.close()
    session.propagate(Direction.FORWARD, last=20)
    gate.let(5)
    qtbot.waitUntil(lambda: session.shown(4) != {})
    draw(desk, 25)
    draw(desk, 3, number=2)
    gate.open()
    idle()
    assert len(desk.made.fake_tracker.calls) == 1
    assert sorted(session.document.of_object(1)) == [*range(21), 25]


def test_an_edit_ahead_becomes_an_anchor_that_the_propagation_goes_on_over(
    desk: Desk, qtbot: QtBot, idle: Callable[[], None]
) -> None:
    session, gate = desk.session, desk.made.fake_tracker.gate
    draw(desk, 0)
    gate.close()
    session.propagate(Direction.FORWARD)
    gate.let(5)
    qtbot.waitUntil(lambda: session.shown(4) != {})
    draw(desk, 20, x=40)
    assert session.document.get(Key(4, 1)) is not None
    gate.open()
    idle()
    masks = {frame: entry.mask for frame, entry in session.document.of_object(1).items()}
    assert sorted(masks) == list(range(FRAMES))
    assert masks[20] == mask_at(40)
    assert masks[29] == mask_at(40)
    assert session.document.get(Key(20, 1)).origin is Origin.DRAWN  # type: ignore[union-attr]


def test_an_edit_behind_makes_the_propagation_go_on_from_there(
    desk: Desk, qtbot: QtBot, idle: Callable[[], None]
) -> None:
    session, gate = desk.session, desk.made.fake_tracker.gate
    draw(desk, 0)
    gate.close()
    session.propagate(Direction.FORWARD)
    gate.let(15)
    qtbot.waitUntil(lambda: session.shown(14) != {})
    draw(desk, 6, x=40)
    gate.open()
    idle()
    masks = {frame: entry.mask for frame, entry in session.document.of_object(1).items()}
    assert masks[2] == mask_at(10)
    assert masks[14] == mask_at(40)
    assert sorted(masks) == list(range(FRAMES))
    assert session.state(Key(14, 1)) is State.PREDICTED


def test_a_click_during_a_propagation_is_answered_before_it_ends(
    desk: Desk, qtbot: QtBot, idle: Callable[[], None]
) -> None:
    session, gate = desk.session, desk.made.fake_tracker.gate
    draw(desk, 0)
    second = session.add_object()
    gate.close()
    session.propagate(Direction.FORWARD, objects=[1])
    gate.wait_for_arrival()
    session.click(Click(40, 25))
    gate.let(1)
    assert second is not None
    qtbot.waitUntil(lambda: session.document.get(Key(0, second)) is not None)
    assert session.activity is SessionState.PROPAGATING
    gate.open()
    idle()
    assert len(session.document.of_object(1)) == FRAMES
    assert len(desk.made.fake_tracker.calls) == 1


def test_undoing_the_anchor_of_a_running_propagation_stops_it(desk: Desk, qtbot: QtBot) -> None:
    session, gate = desk.session, desk.made.fake_tracker.gate
    draw(desk, 0)
    gate.close()
    session.propagate(Direction.FORWARD)
    gate.let(5)
    qtbot.waitUntil(lambda: session.shown(4) != {})
    session.undo_stack.undo()
    qtbot.waitUntil(lambda: session.activity is SessionState.IDLE)
    gate.open()
    assert session.document.get(Key(0, 1)) is None


def test_nothing_to_propagate_from_is_said(desk: Desk) -> None:
    desk.session.propagate(Direction.FORWARD)
    assert desk.said("Click or draw an object first")


def test_progress_tells_frames_and_objects(desk: Desk, idle: Callable[[], None]) -> None:
    draw(desk, 0)
    desk.session.propagate(Direction.FORWARD)
    idle()
    first = desk.progress[0]
    assert first is not None
    assert (first.first, first.last, first.total, first.objects) == (0, FRAMES - 1, FRAMES, (1,))


# Accept and heal


def test_accepting_heals_both_ways_and_says_where_the_drift_was(
    desk: Desk, idle: Callable[[], None]
) -> None:
    session = desk.session
    draw(desk, 0)
    session.edit_object(ObjectInfo(1, "knife", (1, 2, 3)))
    session.propagate(Direction.FORWARD)
    idle()
    session.go_to(15)
    session.select(1)
    draw(desk, 15, x=30)
    steps = session.undo_stack.count()
    session.accept_and_heal()
    idle()
    assert session.undo_stack.count() == steps + 2  # the approval, the heal
    assert not any(entry.stale for _, entry in session.document.items())
    assert desk.said("knife: 21 frames changed, drift began 8, stopped 29")


def test_accepting_the_first_mask_fills_the_video(desk: Desk, idle: Callable[[], None]) -> None:
    session = desk.session
    session.go_to(10)
    session.click(Click(20, 25))
    idle()
    session.accept_and_heal()
    idle()
    assert session.document.frames() == list(range(FRAMES))


def test_accepting_during_a_propagation_of_another_object_finishes_both(
    desk: Desk, qtbot: QtBot, idle: Callable[[], None]
) -> None:
    session, gate = desk.session, desk.made.fake_tracker.gate
    draw(desk, 0)
    draw(desk, 12, number=2, x=40)
    gate.close()
    session.propagate(Direction.FORWARD, objects=[1])
    gate.let(5)
    qtbot.waitUntil(lambda: session.shown(4) != {})
    session.go_to(12)
    session.select(2)
    session.accept_and_heal()
    gate.open()
    idle()
    assert sorted(session.document.of_object(1)) == list(range(FRAMES))
    assert sorted(session.document.of_object(2)) == list(range(FRAMES))


# Refine


def test_a_refinement_is_a_ghost_until_it_is_accepted(desk: Desk, qtbot: QtBot) -> None:
    session = desk.session
    draw(desk, 0, x=12)
    before = session.document.get(Key(0, 1))
    session.refine()
    qtbot.waitUntil(lambda: session.has_refinement)
    assert session.document.get(Key(0, 1)) == before
    session.accept_refinement()
    entry = session.document.get(Key(0, 1))
    assert entry is not None
    assert entry.origin is Origin.REFINED
    assert entry.is_anchor
    assert not session.has_refinement


def test_refining_frames_is_one_step_that_leaves_anchors_alone(
    desk: Desk, idle: Callable[[], None]
) -> None:
    session = desk.session
    draw(desk, 0)
    session.propagate(Direction.FORWARD)
    idle()
    steps = session.undo_stack.count()
    session.refine(range(5))
    idle()
    assert session.undo_stack.count() == steps + 1
    origins = [session.document.get(Key(frame, 1)).origin for frame in range(5)]  # type: ignore[union-attr]
    assert origins == [Origin.DRAWN, *[Origin.REFINED] * 4]


def test_several_objects_are_refined_in_one_step_but_no_locked_one(
    desk: Desk, idle: Callable[[], None]
) -> None:
    session = desk.session
    for number in (1, 2, 3):
        draw(desk, 0, number)
    session.propagate(Direction.FORWARD)
    idle()
    session.edit_object(replace(session.objects[2], locked=True))
    steps = session.undo_stack.count()
    session.refine(range(5), [1, 2, 3])
    idle()
    assert session.undo_stack.count() == steps + 1
    origins = {
        number: session.document.get(Key(4, number)).origin  # type: ignore[union-attr]
        for number in (1, 2, 3)
    }
    assert origins == {1: Origin.REFINED, 2: Origin.REFINED, 3: Origin.PROPAGATED}
    assert desk.said("2 objects, 4 frames: 8 sharpened, 0 kept")


# Review


def test_the_next_issue_selects_the_object_and_goes_to_the_frame(
    desk: Desk, qtbot: QtBot, idle: Callable[[], None]
) -> None:
    session = desk.session
    desk.made.fake_tracker.drift = {20: 30}
    draw(desk, 0)
    session.propagate(Direction.FORWARD)
    idle()
    qtbot.waitUntil(lambda: session.issues != ())
    session.select(None)
    session.next_issue()
    assert session.selected == 1
    assert session.frame in {20, 21}
    session.dismiss_issue(session.issues[0])
    assert session.issues == ()


def test_issues_that_are_healed_go_away(desk: Desk, qtbot: QtBot, idle: Callable[[], None]) -> None:
    session = desk.session
    desk.made.fake_tracker.drift = {20: 30}
    draw(desk, 0)
    session.propagate(Direction.FORWARD)
    idle()
    qtbot.waitUntil(lambda: session.issues != ())
    desk.made.fake_tracker.drift = {}
    session.go_to(20)
    draw(desk, 20)
    session.accept_and_heal()
    idle()
    qtbot.waitUntil(lambda: session.issues == ())


# Ahead of time


def test_the_current_frame_is_prepared_while_nothing_runs(desk: Desk, qtbot: QtBot) -> None:
    desk.session.go_to(9)
    qtbot.waitUntil(lambda: 9 in desk.made.fake_segmenter.prepared)


def test_the_frames_beside_the_current_one_are_prepared_after_it(desk: Desk, qtbot: QtBot) -> None:
    desk.session.go_to(9)
    prepared = desk.made.fake_segmenter.prepared
    qtbot.waitUntil(lambda: prepared[-3:] == [9, 10, 8])


# Undo


def test_undo_of_a_thousand_frames_is_quick_and_exact(tmp_path: Path, qtbot: QtBot) -> None:
    desk = Desk(write_frames(tmp_path / "long", 1001, size=(24, 24)))
    desk.prepare()
    session = desk.session
    session.add_object()
    session.commit_mask(0, 1, square(3, 3, 8, size=(24, 24)), "Brush")
    before = dict(session.document.items())
    session.propagate(Direction.FORWARD)
    qtbot.waitUntil(lambda: len(session.document) == 1001, timeout=30_000)
    start = time.perf_counter()
    session.undo_stack.undo()
    assert time.perf_counter() - start < 0.5
    assert dict(session.document.items()) == before
    desk.close()
