"""The models that are loaded before a video is open."""

import subprocess
import sys

import pytest

from app.engine.ahead import load_ahead
from app.engine.inference import Choice
from models import registry
from models.api import LoadOptions, UnknownModelError

_PROGRAM = """
import sys
from app.engine.ahead import load_ahead
from app.engine.inference import Choice
assert "torch" not in sys.modules
thread = load_ahead(Choice("lite", "lite"))
"""


def loaded(monkeypatch: pytest.MonkeyPatch, choice: Choice) -> list[str]:
    names = list[str]()

    def take(name: str, _: LoadOptions) -> None:
        names.append(name)
        if name == "nameless":
            raise UnknownModelError("There is no model named 'nameless'.")

    monkeypatch.setattr(registry, "load_ahead", take)
    load_ahead(choice).join()
    return names


def test_the_models_that_were_chosen_are_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    assert loaded(monkeypatch, Choice("cutie-base", "mobile-sam")) == ["mobile-sam", "cutie-base"]


def test_the_best_ones_are_loaded_where_none_was_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "default_tracker", lambda _: "hiera-depth")
    monkeypatch.setattr(registry, "default_segmenter", lambda _: "classic")
    assert loaded(monkeypatch, Choice()) == ["classic", "hiera-depth"]


def test_one_that_is_not_there_keeps_no_other_from_being_loaded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert loaded(monkeypatch, Choice("lite", "nameless")) == ["nameless", "lite"]


def test_a_program_that_ends_meanwhile_waits_for_it() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM + 'sys.stdout.write("ended")'],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "ended", "")


def test_lite_is_there_once_it_is_loaded() -> None:
    told = 'thread.join()\nsys.stdout.write(str("models.cutie.loader" in sys.modules))'
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM + told],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "True"
