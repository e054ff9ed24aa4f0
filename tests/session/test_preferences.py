"""The settings in use."""

from dataclasses import replace
from pathlib import Path

import shiboken6
from pytestqt.qtbot import QtBot

from app.session.session import Session
from app.session.state.preferences import choice_of
from app.storage.settings import Settings, load
from app.storage.video.frames import FrameCache
from models.api import Quality
from tests.fakes import FakeModels


def test_only_what_a_person_changes_is_kept_of_the_settings(tmp_path: Path, qtbot: QtBot) -> None:
    file = tmp_path / "settings.toml"
    session = Session(Settings(device="cpu"), settings_file=file)
    session.preferences.apply(replace(session.preferences.settings, undo_limit=77))
    kept = load(file)
    assert (kept.undo_limit, kept.device) == (77, "auto")
    shiboken6.delete(session)


def test_other_models_are_loaded_when_the_settings_name_them(clip: Path, qtbot: QtBot) -> None:
    loaded: list[str] = []

    def loader(frames: FrameCache, settings: Settings) -> FakeModels:
        loaded.append(settings.segmenter)
        return FakeModels(frames)

    session = Session(loader=loader)
    session.files.open(clip)
    qtbot.waitUntil(lambda: loaded == [""])
    session.preferences.apply(replace(session.preferences.settings, segmenter="mobile-sam"))
    session.view.go_to(3)
    qtbot.waitUntil(lambda: loaded == ["", "mobile-sam"])
    session.files.close()
    shiboken6.delete(session)


def test_the_gate_of_a_sharpener_counts_only_where_there_is_one() -> None:
    assert choice_of(Settings(iou_gate=0.4)) == choice_of(Settings())
    chosen = choice_of(Settings(sharpener="hq-sam-large", iou_gate=0.4))
    assert (chosen.sharpener, chosen.gate) == ("hq-sam-large", 0.4)


def test_the_quality_that_was_chosen_is_the_trackers() -> None:
    assert choice_of(Settings()).options.quality is Quality.NORMAL
    assert choice_of(Settings(quality="fine")).options.quality is Quality.FINE
