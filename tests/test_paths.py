"""Where things lie."""

from pathlib import Path

import pytest

from app import paths
from models.weights import store as weights


def test_everything_of_the_person_is_under_the_chosen_home(home: Path) -> None:
    for place in (
        paths.data_folder(),
        paths.weights_folder(),
        paths.projects_folder(),
        paths.cache_folder(),
        paths.log_folder(),
        paths.settings_file(),
    ):
        assert place.is_relative_to(home)
    assert list(home.iterdir()) == []  # asking makes nothing


def test_without_a_chosen_home_the_platform_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MASKWRIGHT_HOME")
    for place in (paths.data_folder(), paths.log_folder(), paths.settings_file().parent):
        assert place.is_absolute()
        assert "maskwright" in place.parts


def test_the_window_and_the_models_agree_on_the_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    assert paths.weights_folder() == weights.folder()
    monkeypatch.delenv("MASKWRIGHT_HOME")
    assert paths.weights_folder() == weights.folder()


def test_the_shipped_files_are_there() -> None:
    assert (paths.resources() / "app.qss").is_file()
