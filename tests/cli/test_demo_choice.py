"""The model of the demo: by how long it would take."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from app.cli.demo import choice
from app.storage.video.opening import Video, open_video
from models.api import Anchors, LoadOptions, Prediction, Tracked
from tests.cli.frames import write_video


class Clock:
    """A clock that goes on as the tracker says."""

    now = 0.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("app.cli.demo.choice.time.perf_counter", lambda: clock.now)
    return clock


@pytest.fixture
def video(tmp_path: Path) -> Video:
    return open_video(write_video(tmp_path / "video"))


def tracker_that_takes(seconds: float, clock: Clock) -> type:
    class Tracker:
        def __init__(self, *_: object) -> None:
            pass

        def track(
            self, anchors: Anchors, frames: Sequence[int], *, probabilities: bool = False
        ) -> Iterator[Tracked]:
            mask = anchors[0][1]
            for frame in frames:
                clock.now += 60 if frame == 0 else seconds  # the first one does not count
                yield frame, {1: Prediction(mask, 1.0)}

    return Tracker


@pytest.mark.parametrize(("seconds", "model"), [(0.1, "lite"), (9.0, "classic")])
def test_lite_is_taken_where_it_is_quick_enough(
    video: Video, clock: Clock, monkeypatch: pytest.MonkeyPatch, seconds: float, model: str
) -> None:
    monkeypatch.setattr(choice, "load_tracker", tracker_that_takes(seconds, clock))
    chosen = choice.choose(video, {1: np.ones(video.size, np.bool_)}, LoadOptions())
    assert chosen.model == model
    assert chosen.reason.startswith("lite would take 4 minutes" if model == "classic" else "")
    assert bool(chosen.reason) == (model == "classic")


def test_classic_is_taken_where_lite_cannot_be_loaded(
    video: Video, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choice, "available", lambda _name: "torch is not installed.")
    chosen = choice.choose(video, {1: np.ones(video.size, np.bool_)}, LoadOptions())
    assert chosen == ("classic", "lite cannot be loaded: torch is not installed.")
