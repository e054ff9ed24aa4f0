"""The progress of a job: told now and then, with a pace and a time left once they are known."""

import pytest

from app.session.jobs.progress import Meter, Progress


class Clock:
    """The time, as a test wants it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr("app.session.jobs.progress.time.monotonic", lambda: self.now)

    def step(self, meter: Meter, frame: int, seconds: float) -> Progress | None:
        """Let a frame take this long."""
        self.now += seconds
        return meter.step(frame)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture
def meter(clock: Clock) -> Meter:
    return Meter("Propagate cup", range(29, 9, -1), (1, 3))


def test_a_job_is_told_from_its_first_frame_on(clock: Clock, meter: Meter) -> None:
    told = clock.step(meter, 29, 0.01)  # at once, however quick
    assert told == Progress("Propagate cup", 1, 20, None, None, 10, 29, 29, (1, 3))


def test_quick_frames_are_told_ten_times_a_second(clock: Clock, meter: Meter) -> None:
    clock.step(meter, 29, 1.0)
    told = [clock.step(meter, 28 - count, 0.03) for count in range(8)]
    assert [each.done if each else None for each in told] == [None] * 3 + [5] + [None] * 3 + [9]


def test_the_pace_leaves_out_the_first_frame_which_loads_the_model(
    clock: Clock, meter: Meter
) -> None:
    first = clock.step(meter, 29, 60.0)
    assert first is not None
    assert first.fps is None
    for frame in (28, 27):
        told = clock.step(meter, frame, 0.5)
        assert told is not None
        assert told.fps == pytest.approx(2.0)


def test_the_time_left_is_told_once_it_is_sure(clock: Clock, meter: Meter) -> None:
    told = [clock.step(meter, 29 - count, 0.5) for count in range(20)]
    left = [each.seconds_left for each in told if each]
    assert left[:9] == [None] * 9
    assert left[9:] == pytest.approx([0.5 * frames for frames in range(10, -1, -1)])


def test_the_pace_is_that_of_the_last_frames(clock: Clock) -> None:
    meter = Meter("Propagate", range(200), (1,))
    for frame in range(100):
        clock.step(meter, frame, 0.5)
    told = None
    for frame in range(100, 200):
        told = clock.step(meter, frame, 0.25)
    assert told is not None
    assert told.fps == pytest.approx(4.0, rel=0.02)
    third = Meter("Propagate", range(200), (1,))
    clock.step(third, 0, 9.0)
    clock.step(third, 1, 1.0)
    told = clock.step(third, 2, 2.0)
    assert told is not None
    assert told.fps == pytest.approx(1 / 1.5)  # of so few, each counts alike


def test_more_frames_than_were_thought_are_no_more_than_all(clock: Clock) -> None:
    meter = Meter("Heal", (4, 5), (1,))
    told = [clock.step(meter, frame, 1.0) for frame in (4, 5, 4)]
    assert [(each.done, each.total, each.at) for each in told if each] == [
        (1, 2, 4), (2, 2, 5), (2, 2, 4),
    ]  # fmt: skip
    for _ in range(9):
        last = clock.step(meter, 4, 1.0)
    assert last is not None
    assert last.seconds_left == 0.0
