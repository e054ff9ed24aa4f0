"""What is loaded before anybody asks for it."""

import os
import shutil
import threading
from pathlib import Path

import pytest
from torch import Tensor

from app import paths
from models import registry
from models.api import LoadOptions, Tracker
from models.cutie import loader
from models.runtime.ahead import Ahead
from models.weights.checkpoint import read_state
from tests.fakes import FakeFrames


def test_what_was_loaded_ahead_is_taken_once() -> None:
    ahead = Ahead[str]()
    ahead.load("lite", lambda: "ahead")
    assert [ahead.take("lite", lambda: "anew") for _ in range(2)] == ["ahead", "anew"]


def test_what_nobody_asked_for_is_let_go() -> None:
    ahead = Ahead[str]()
    ahead.load("lite", lambda: "ahead")
    assert ahead.take("another", lambda: "another") == "another"
    assert ahead.take("lite", lambda: "anew") == "anew"


def test_what_is_being_loaded_ahead_is_waited_for() -> None:
    ahead = Ahead[str]()
    begun, may_end = threading.Event(), threading.Event()

    def load() -> str:
        begun.set()
        assert may_end.wait(timeout=30)
        return "ahead"

    loading = threading.Thread(target=ahead.load, args=("lite", load))
    loading.start()
    assert begun.wait(timeout=30)
    threading.Timer(0.05, may_end.set).start()
    assert ahead.take("lite", lambda: "anew") == "ahead"
    loading.join()


def test_nothing_is_kept_where_loading_ahead_failed() -> None:
    ahead = Ahead[str]()
    ahead.load("lite", lambda: "before")

    def fail() -> str:
        raise OSError

    with pytest.raises(OSError):  # noqa: PT011 - raised above
        ahead.load("lite", fail)
    assert ahead.take("lite", lambda: "anew") == "anew"


class Reads:
    """The weights files that were read."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        read = read_state

        def counted(path: Path) -> dict[str, Tensor]:
            self.count += 1
            return read(path)

        monkeypatch.setattr(loader, "read_state", counted)


def load(options: LoadOptions) -> Tracker:
    return registry.load_tracker("lite", FakeFrames(), options)


def test_lite_that_was_loaded_ahead_is_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    reads, options = Reads(monkeypatch), LoadOptions(device="cpu")
    registry.load_ahead("lite", options)
    assert reads.count == 2
    first, _ = load(options), registry.load_segmenter("lite", FakeFrames(), options)
    assert reads.count == 2
    assert load(options) is not first
    assert reads.count == 3


def test_a_file_that_was_written_since_is_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    weights = tmp_path / "mine.safetensors"
    shutil.copy(paths.resources() / "weights" / "lite.safetensors", weights)
    reads, options = Reads(monkeypatch), LoadOptions(device="cpu", weights=weights)
    registry.load_ahead("lite", options)
    os.utime(weights, (0, 0))
    load(options)
    assert reads.count == 3
