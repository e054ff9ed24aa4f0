"""The memory inspector: asked, answered, refused."""

from pytestqt.qtbot import QtBot

from app.core.plan import Direction
from models.api import Store, Vote
from tests.session.desk import Desk, draw

_VOTES = (Vote(0, Store.ANCHOR, 0.75), Vote(3, Store.WORKING, 0.25))


def _remember(desk: Desk, asked: list[tuple[float, ...]]) -> None:
    """Give the fake tracker a memory."""

    def explain(frame: int, x: float, y: float, object_id: int | None = None) -> tuple[Vote, ...]:
        asked.append((frame, x, y, object_id or 0))
        return _VOTES

    desk.made.fake_tracker.explain = explain  # type: ignore[attr-defined]


def test_the_votes_for_a_pixel_of_the_selected_object_are_told(desk: Desk, qtbot: QtBot) -> None:
    asked: list[tuple[float, ...]] = []
    _remember(desk, asked)
    draw(desk, 0)
    desk.session.view.go_to(4)
    desk.session.inspection.memory.ask(12.0, 25.0)
    qtbot.waitUntil(lambda: bool(desk.session.inspection.memory.votes))
    assert asked == [(4, 12.0, 25.0, 1)]
    assert desk.session.inspection.memory.votes == _VOTES
    assert desk.session.inspection.memory.at == (4, 12.0, 25.0)


def test_only_the_newest_question_is_answered(desk: Desk, qtbot: QtBot) -> None:
    _remember(desk, [])
    desk.session.inspection.memory.ask(1.0, 1.0)
    desk.session.inspection.memory.ask(2.0, 2.0)
    qtbot.waitUntil(lambda: desk.session.inspection.memory.at is not None)
    assert desk.session.inspection.memory.at == (0, 2.0, 2.0)


def test_a_model_without_a_memory_says_so(desk: Desk, qtbot: QtBot) -> None:
    desk.session.inspection.memory.ask(1.0, 1.0)
    qtbot.waitUntil(lambda: desk.said("keeps no memory"))
    assert not desk.session.inspection.memory.votes


def test_nothing_is_asked_while_masks_are_made(desk: Desk, qtbot: QtBot) -> None:
    draw(desk, 0)
    desk.made.fake_tracker.gate.close()
    desk.session.jobs.propagate(Direction.FORWARD)
    desk.session.inspection.memory.ask(1.0, 1.0)
    assert desk.said("once nothing is running")


def test_nothing_remembered_is_said(desk: Desk, qtbot: QtBot) -> None:
    memory, told = desk.session.inspection.memory, list[object]()
    memory.changed.connect(lambda: told.append(memory.at))
    desk.made.fake_tracker.explain = lambda *_args: ()  # type: ignore[attr-defined]
    memory.ask(1.0, 2.0)
    qtbot.waitUntil(lambda: memory.at is not None)
    assert desk.said("Nothing is remembered of this object.")
    assert told == [(0, 1.0, 2.0)]
    _remember(desk, [])
    memory.ask(3.0, 4.0)
    qtbot.waitUntil(lambda: bool(memory.votes))
    desk.session.files.close()
    assert (memory.at, memory.votes, told[-1]) == (None, (), None)
    asked = len(told)
    memory.ask(1.0, 1.0)
    assert len(told) == asked
