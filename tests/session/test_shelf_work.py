"""The work on a model's weights: how far it is, how quick, and how it ends."""

import threading
from collections.abc import Callable, Iterator

import pytest

from app.session.shelf.work import Work
from models.api import ModelError
from models.weights.download import DownloadStoppedError


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that a clock shows, as a list of one, to be changed."""
    now = [100.0]
    monkeypatch.setattr("app.session.shelf.work.time.monotonic", lambda: now[0])
    return now


def done(task: Callable[[Work], str]) -> Work:
    work = Work("fetching", task)
    work.start()
    work.wait(30)
    assert work.is_over
    return work


def raising(error: Exception) -> Callable[[Work], str]:
    def task(_: Work) -> str:
        raise error

    return task


def test_the_rate_is_of_what_came_since_the_first_that_was_told(clock: list[float]) -> None:
    work = Work("fetching", lambda _: "")
    assert (work.done, work.total, work.rate) == (0, 0, 0)
    work.tell(1000, 9000)  # which a fetch before has brought
    assert (work.done, work.total, work.rate) == (1000, 9000, 0)
    clock[0] += 2
    work.tell(5000, 9000)
    assert (work.done, work.rate) == (5000, 2000)
    clock[0] += 2
    assert work.rate == 1000
    work.tell(9000, 9000)
    assert work.rate == 2000


def test_in_the_first_moment_the_rate_is_no_wild_guess(clock: list[float]) -> None:
    work = Work("fetching", lambda _: "")
    work.tell(0, 9000)
    clock[0] += 0.001
    work.tell(100, 9000)
    assert work.rate == pytest.approx(1000)


def test_what_came_of_the_work_is_said() -> None:
    work = done(lambda _: "It fits.")
    assert (work.said, work.error, work.was_stopped) == ("It fits.", "", False)


@pytest.mark.parametrize(
    ("error", "text", "stopped"),
    [
        (ModelError("no weights"), "no weights", False),
        (OSError("gone"), "gone", False),
        (MemoryError(), "There is not enough memory.", False),
        (DownloadStoppedError("stopped"), "", True),
    ],
)
def test_what_went_wrong_is_said_and_a_stop_is_no_failure(
    error: Exception, text: str, stopped: bool
) -> None:
    work = done(raising(error))
    assert (work.said, work.error, work.was_stopped) == ("", text, stopped)


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    gate = threading.Event()
    yield gate
    gate.set()


def test_work_goes_on_until_it_is_asked_to_end(gate: threading.Event) -> None:
    wanted = list[bool]()

    def task(work: Work) -> str:
        wanted.append(work.is_wanted)
        gate.wait(30)
        wanted.append(work.is_wanted)
        return ""

    work = Work("fetching", task)
    assert work.is_over
    work.start()
    work.wait(0.01)
    assert not work.is_over
    work.stop()
    gate.set()
    work.wait()
    assert work.is_over
    assert wanted == [True, False]
