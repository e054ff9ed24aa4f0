"""The clicks and boxes: their masks, candidates and previews."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from pytestqt.qtbot import QtBot

from app.core.document import Entry, Key, Origin, State
from app.core.mask import Mask
from app.session.edits.prompts import Question
from models.api import Box, Click, Prediction, Prompt, WeightsMissingError
from tests.fakes import square
from tests.session.desk import Desk, draw, mask_at


def test_a_click_makes_an_object_and_its_mask(
    desk: Desk, qtbot: QtBot, idle: Callable[[], None]
) -> None:
    session = desk.session
    session.view.go_to(4)
    session.clicks.click(Click(20, 25))
    idle()
    entry = session.masks.document.get(Key(4, 1))
    assert entry == Entry(mask_at(15), Origin.CLICKED, score=0.8, clicks=(Click(20, 25),))
    assert session.masks.state(Key(4, 1)) is State.ANCHOR


def test_the_next_click_holds_those_before_and_the_mask_so_far(
    desk: Desk, idle: Callable[[], None]
) -> None:
    desk.session.clicks.click(Click(20, 25))
    idle()
    desk.session.clicks.click(Click(30, 25, positive=False))
    idle()
    _, prompt = desk.made.fake_segmenter.prompts[-1]
    assert prompt.clicks == (Click(20, 25), Click(30, 25, positive=False))
    assert prompt.mask is not None
    desk.session.history.stack.undo()
    entry = desk.session.masks.document.get(Key(0, 1))
    assert entry is not None
    assert entry.clicks == (Click(20, 25),)


def test_quick_clicks_are_answered_in_turn_and_lose_none(
    desk: Desk, idle: Callable[[], None]
) -> None:
    desk.made.fake_segmenter.gate.close()
    for x in range(10, 40, 5):
        desk.session.clicks.click(Click(x, 25))
    desk.made.fake_segmenter.gate.open()
    idle()
    entry = desk.session.masks.document.get(Key(0, 1))
    assert entry is not None
    assert len(entry.clicks) == 6
    assert len(desk.made.fake_segmenter.prompts) == 6


def test_three_quick_clicks_are_what_three_slow_ones_are(
    desk: Desk, idle: Callable[[], None]
) -> None:
    session, segmenter = desk.session, desk.made.fake_segmenter
    session.objects.add()
    steps = session.history.stack.count()
    slow = []
    for x in (20, 30, 40):
        session.clicks.click(Click(x, 25))
        idle()
        slow.append(session.masks.document.get(Key(0, 1)))
    for _ in slow:
        session.history.undo()
    assert session.masks.document.get(Key(0, 1)) is None
    segmenter.gate.close()
    for x in (20, 30, 40):
        session.clicks.click(Click(x, 25))
    segmenter.gate.open()
    idle()
    assert session.history.stack.count() == steps + 3
    for entry in reversed(slow):
        assert session.masks.document.get(Key(0, 1)) == entry
        session.history.undo()
    assert session.masks.document.get(Key(0, 1)) is None


def test_an_answer_already_queued_when_the_next_click_is_made_counts(
    desk: Desk, idle: Callable[[], None]
) -> None:
    session, segmenter = desk.session, desk.made.fake_segmenter
    session.objects.add()
    session.clicks.click(Click(20, 20))
    while not segmenter.prompts:
        time.sleep(0.01)
    time.sleep(0.2)  # the answer now waits in this thread's event queue
    steps = session.history.stack.count()
    session.clicks.click(Click(40, 20))
    idle()
    assert session.history.stack.count() == steps + 2
    entry = session.masks.document.get(Key(0, 1))
    assert entry is not None
    assert entry.mask == Mask.encode(square(35, 15) | square(20, 20, side=1))
    assert entry.clicks == (Click(20, 20), Click(40, 20))


def test_an_answer_already_queued_when_its_click_is_taken_back_is_dropped(
    desk: Desk, qtbot: QtBot
) -> None:
    session, segmenter = desk.session, desk.made.fake_segmenter
    session.objects.add()
    session.clicks.click(Click(20, 20))
    while not segmenter.prompts:
        time.sleep(0.01)
    time.sleep(0.2)
    session.history.undo()
    qtbot.wait(100)
    assert not len(session.masks.document)


def test_clicks_on_other_frames_and_objects_wait_in_their_turn(
    desk: Desk, idle: Callable[[], None]
) -> None:
    session, segmenter = desk.session, desk.made.fake_segmenter
    segmenter.gate.close()
    session.clicks.click(Click(20, 20))
    session.objects.add()
    session.clicks.click(Click(40, 20))
    session.view.go_to(7)
    session.clicks.click(Click(30, 20))
    segmenter.gate.open()
    idle()
    masks = {key: entry.mask for key, entry in session.masks.document.items()}
    assert masks == {
        Key(0, 1): Mask.encode(square(15, 15)),
        Key(0, 2): Mask.encode(square(35, 15)),
        Key(7, 2): Mask.encode(square(25, 15)),
    }


def test_a_click_that_takes_away_needs_something_to_take_from(desk: Desk) -> None:
    desk.session.clicks.click(Click(40, 20, positive=False))
    assert desk.session.masks.objects == ()
    assert desk.said("Click on the object first")


def test_the_answer_for_an_object_that_is_gone_is_dropped_without_a_word(
    desk: Desk, qtbot: QtBot, idle: Callable[[], None]
) -> None:
    session, segmenter = desk.session, desk.made.fake_segmenter
    settled = list[tuple[Key, bool]]()
    session.clicks.settled.connect(lambda key, answered: settled.append((key, answered)))
    segmenter.gate.close()
    session.clicks.click(Click(20, 20))
    session.clicks.click(Click(24, 20))
    session.objects.add()
    session.clicks.click(Click(40, 20))
    session.objects.delete(1)
    assert settled == [(Key(0, 1), False)]
    assert session.clicks.asked == "Click object 2, frame 0"
    segmenter.gate.open()
    idle()
    assert settled == [(Key(0, 1), False), (Key(0, 2), True)]
    assert {key.object for key, _ in session.masks.document.items()} == {2}
    assert not desk.reports


def test_a_click_that_finds_nothing_is_said_and_the_next_one_asked(
    desk: Desk, idle: Callable[[], None]
) -> None:
    session, segmenter = desk.session, desk.made.fake_segmenter
    settled, segment = list[tuple[Key, bool]](), segmenter.segment
    session.clicks.settled.connect(lambda key, answered: settled.append((key, answered)))

    def nothing_left_of_the_middle(frame: int, prompt: Prompt) -> tuple[Prediction, ...]:
        found = segment(frame, prompt)
        if prompt.clicks[-1].x > 30:
            return found
        return tuple(replace(each, mask=np.zeros_like(each.mask)) for each in found)

    segmenter.segment = nothing_left_of_the_middle  # type: ignore[method-assign]
    segmenter.gate.close()
    session.clicks.click(Click(20, 25))
    session.clicks.click(Click(40, 25))
    segmenter.gate.open()
    idle()
    assert [report.text for report in desk.reports] == [
        "Nothing found there for object 1. Click elsewhere."
    ]
    entry = session.masks.document.get(Key(0, 1))
    assert entry is not None
    assert (entry.mask, entry.clicks) == (mask_at(35), (Click(40, 25),))
    assert settled == [(Key(0, 1), False), (Key(0, 1), True)]


def test_a_box_asks_for_what_is_in_it(desk: Desk, idle: Callable[[], None]) -> None:
    desk.session.clicks.set_box(Box(12, 8, 30, 30))
    idle()
    assert desk.made.fake_segmenter.prompts[-1][1].box == Box(12, 8, 30, 30)
    assert desk.session.masks.document.get(Key(0, 1)) is not None


def test_candidates_are_cycled_within_one_undo_step(desk: Desk, idle: Callable[[], None]) -> None:
    session = desk.session
    session.objects.add()
    session.clicks.click(Click(20, 25))
    idle()
    assert session.clicks.candidates == (0, 2)
    steps = session.history.stack.count()
    session.clicks.next_candidate()
    assert session.clicks.candidates == (1, 2)
    entry = session.masks.document.get(Key(0, 1))
    assert entry is not None
    assert entry.mask == Mask.encode(square(15, side=4))
    assert session.history.stack.count() == steps
    session.history.stack.undo()
    assert session.masks.document.get(Key(0, 1)) is None
    assert session.clicks.candidates == (0, 0)


def test_candidates_are_offered_where_the_click_was_and_nowhere_else(
    desk: Desk, idle: Callable[[], None]
) -> None:
    session = desk.session
    session.clicks.click(Click(20, 25))
    idle()
    clicked = dict(session.masks.document.items())
    session.view.go_to(5)
    assert session.clicks.candidates == (0, 0)
    session.clicks.next_candidate()
    assert dict(session.masks.document.items()) == clicked
    session.view.go_to(0)
    assert session.clicks.candidates == (0, 2)


def test_a_preview_changes_nothing(desk: Desk, qtbot: QtBot) -> None:
    session = desk.session
    session.clicks.preview(Click(20, 25))
    qtbot.waitUntil(lambda: len(desk.ghosts) == 1)
    assert desk.ghosts[0] == (0, 0, mask_at(15))
    assert len(session.masks.document) == 0
    assert session.history.stack.count() == 0
    session.clicks.preview(None)
    assert desk.ghosts[-1] is None


def test_previews_leave_document_and_caches_bit_for_bit(desk: Desk, qtbot: QtBot) -> None:
    session = desk.session
    draw(desk, 0)
    qtbot.waitUntil(lambda: session.video.image(0) is not None)

    def digest() -> str:
        image = session.video.image(0)
        assert image is not None
        found = hashlib.sha256(image.tobytes())
        for frame, entry in session.masks.document.of_object(1).items():
            assert entry.mask is not None
            found.update(entry.mask.decode().tobytes())
            found.update(repr((frame, replace(entry, mask=None))).encode())
        found.update(repr((session.history.stack.count(), session.clicks.candidates)).encode())
        return found.hexdigest()

    before = digest()
    for x in range(20, 30):
        session.clicks.preview(Click(x, 25, positive=x % 2 == 0))
        qtbot.waitUntil(lambda: bool(desk.ghosts) and desk.ghosts[-1] is not None)
    session.clicks.preview(None)
    assert digest() == before


def test_a_pointer_that_moves_faster_than_the_model_answers_has_previews(
    desk: Desk, qtbot: QtBot
) -> None:
    gate = desk.made.fake_segmenter.gate
    gate.close()
    desk.session.clicks.preview(Click(20, 25))
    assert gate.wait_for_arrival()
    desk.session.clicks.preview(Click(25, 25))
    gate.let(2)  # the frame is prepared, the first preview answered
    qtbot.waitUntil(lambda: desk.ghosts == [(0, 0, mask_at(15))])
    gate.open()
    qtbot.waitUntil(lambda: desk.ghosts[-1] == (0, 0, mask_at(20)))


def test_a_preview_for_another_frame_is_not_shown(desk: Desk, qtbot: QtBot) -> None:
    gate = desk.made.fake_segmenter.gate
    gate.close()
    desk.session.clicks.preview(Click(20, 25))
    assert gate.wait_for_arrival()
    desk.session.view.go_to(1)
    desk.session.clicks.preview(Click(25, 25))
    gate.open()
    qtbot.waitUntil(lambda: bool(desk.ghosts) and desk.ghosts[-1] == (1, 0, mask_at(20)))
    assert all(ghost is None or ghost[0] == 1 for ghost in desk.ghosts)


def test_missing_weights_are_reported(desk: Desk, idle: Callable[[], None]) -> None:
    desk.made.load_error = WeightsMissingError("lite is missing: maskwright models get lite")
    desk.session.clicks.click(Click(20, 25))
    idle()
    assert desk.said("maskwright models get lite")


def test_clicks_that_wait_are_told_until_they_are_answered(
    desk: Desk, idle: Callable[[], None]
) -> None:
    session, gate = desk.session, desk.made.fake_segmenter.gate
    told: list[tuple[Question, ...]] = []
    session.clicks.waiting_changed.connect(told.append)
    gate.close()
    session.clicks.click(Click(20, 25))
    session.clicks.click(Click(30, 25))
    assert [question.click for question in told[-1]] == [Click(20, 25), Click(30, 25)]
    gate.open()
    idle()
    assert told[-1] == ()


def test_that_other_candidates_are_offered_is_told(desk: Desk, idle: Callable[[], None]) -> None:
    session, told = desk.session, list[tuple[int, int]]()
    session.clicks.candidates_changed.connect(lambda: told.append(session.clicks.candidates))
    session.objects.add()
    first = session.objects.add()
    session.view.go_to(3)
    assert told == []  # nothing was offered anywhere
    session.clicks.click(Click(20, 25))
    idle()
    assert told == [(0, 2)]
    session.clicks.next_candidate()
    assert told == [(0, 2), (1, 2)]
    session.view.select(1)
    session.view.select(first)
    session.view.go_to(4)
    session.view.go_to(3)
    assert told[2:] == [(0, 0), (1, 2), (0, 0), (1, 2)]
    session.history.undo()
    assert told[-1] == (0, 0)


def test_a_preview_is_taken_away_once(desk: Desk, qtbot: QtBot) -> None:
    session = desk.session
    session.objects.add()
    session.clicks.preview(None)
    assert desk.ghosts == []
    session.clicks.preview(Click(20, 25))
    qtbot.waitUntil(lambda: bool(desk.ghosts))
    session.clicks.preview(None)
    session.clicks.preview(None)
    assert desk.ghosts == [(0, 1, mask_at(15)), None]


def test_a_click_that_is_taken_back_is_named_and_no_longer_waited_for(
    desk: Desk, qtbot: QtBot
) -> None:
    session, gate = desk.session, desk.made.fake_segmenter.gate
    settled, waiting = list[tuple[Key, bool]](), list[int]()
    session.clicks.settled.connect(lambda key, answered: settled.append((key, answered)))
    session.clicks.waiting_changed.connect(lambda questions: waiting.append(len(questions)))
    session.clicks.take_back()
    assert (session.clicks.asked, waiting) == ("", [])
    gate.close()
    for x in (20, 30):
        session.clicks.click(Click(x, 25))
    assert session.clicks.asked == "Click object 1, frame 0"
    session.clicks.take_back()
    assert desk.said("Click object 1, frame 0: taken back.")
    assert session.clicks.waits_at(Key(0, 1))
    session.clicks.take_back()
    assert not session.clicks.waits_at(Key(0, 1))
    assert waiting == [1, 2, 1, 0]
    assert settled == [(Key(0, 1), False)] * 2
    gate.open()
    qtbot.wait(50)
    assert len(session.masks.document) == 0


def test_a_click_that_ends_with_its_video_is_settled_without_an_answer(desk: Desk) -> None:
    session, settled = desk.session, list[tuple[Key, bool]]()
    session.clicks.settled.connect(lambda key, answered: settled.append((key, answered)))
    desk.made.fake_segmenter.gate.close()
    session.clicks.click(Click(20, 20))
    session.clicks.click(Click(24, 20))
    desk.made.fake_segmenter.gate.open()
    session.clicks.drop()
    assert settled == [(Key(0, 1), False)]
    assert session.clicks.asked == ""
    assert desk.said("Click object 1, frame 0: dropped, as it is not answered yet.")
