"""What is done in the background: taken once, in the thread that asked, while it is wanted."""

import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError
from functools import partial

import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from app.errors import StorageError
from app.session.state.background import Background


@pytest.fixture
def background(qtbot: QtBot) -> Iterator[Background]:
    parent = QObject()
    background = Background("test", parent)
    yield background
    background.stop()


def test_each_result_is_taken_in_the_thread_that_asked_in_the_order_asked(
    background: Background, qtbot: QtBot
) -> None:
    taken = list[tuple[int, int]]()
    for number in range(5):
        background.do(
            partial(abs, number), lambda found: taken.append((found, threading.get_ident()))
        )
    qtbot.waitUntil(lambda: len(taken) == 5)
    assert taken == [(number, threading.get_ident()) for number in range(5)]


@pytest.mark.usefixtures("done_at_once")
def test_who_asks_goes_on_before_the_answer_comes(background: Background, qtbot: QtBot) -> None:
    order = list[str]()
    background.do(lambda: "answer", order.append)
    order.append("asked")
    qtbot.waitUntil(lambda: len(order) == 2)
    assert order == ["asked", "answer"]


def test_what_was_asked_before_a_stop_is_dropped_and_what_is_asked_after_it_is_not(
    background: Background, qtbot: QtBot
) -> None:
    taken = list[str]()
    background.do(lambda: "before", taken.append)
    progress = background.relay(taken.append)
    background.stop()
    progress("late")
    background.do(lambda: "after", taken.append)
    qtbot.waitUntil(lambda: bool(taken))
    assert taken == ["after"]


def test_what_is_forgotten_is_dropped_also_where_it_fails(
    background: Background, qtbot: QtBot
) -> None:
    def fail() -> str:
        raise StorageError("The disk is full.")

    told = list[str]()
    background.failed.connect(told.append)
    background.do(fail, told.append)
    background.do(lambda: "before", told.append)
    background.forget()
    background.do(lambda: "after", told.append)
    qtbot.waitUntil(lambda: bool(told))
    assert told == ["after"]


def test_a_stop_has_what_is_under_way_give_up(background: Background, qtbot: QtBot) -> None:
    begun, gave_up = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        try:
            while True:
                background.check()
        except CancelledError:
            gave_up.set()
            raise

    background.do(work, lambda _: None)
    assert begun.wait(10)
    background.stop()
    assert gave_up.is_set()


def test_what_finishes_is_still_taken(background: Background, qtbot: QtBot) -> None:
    taken = list[int]()
    for number in range(3):
        background.do(partial(abs, number), taken.append)
    background.finish()
    qtbot.waitUntil(lambda: taken == [0, 1, 2])


def test_a_failure_is_told_and_the_next_thing_is_done(background: Background, qtbot: QtBot) -> None:
    def fail(error: Exception) -> str:
        raise error

    told = list[str]()
    background.failed.connect(told.append)
    background.do(partial(fail, StorageError("The disk is full.")), told.append)
    background.do(partial(fail, MemoryError()), told.append)
    background.do(lambda: "next", told.append)
    qtbot.waitUntil(lambda: len(told) == 3)
    assert told[0] == "The disk is full."
    assert "not enough memory" in told[1]
    assert told[2] == "next"


def test_a_fault_of_the_program_is_not_swallowed(background: Background, qtbot: QtBot) -> None:
    done = list[float]()
    background.do(lambda: 1 / 0, done.append)
    background.do(lambda: 1.0, done.append)
    with qtbot.captureExceptions() as faults:
        qtbot.waitUntil(lambda: bool(done))
    assert [kind for kind, *_ in faults] == [ZeroDivisionError]
