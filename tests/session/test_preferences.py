"""The settings in use."""

from dataclasses import replace
from pathlib import Path

import shiboken6
from pytestqt.qtbot import QtBot

from app.core.heal import Rules
from app.session.session import Session
from app.session.state.preferences import cache_bytes, choice_of, rules_of
from app.session.state.status import Report
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


def test_settings_that_cannot_be_kept_hold_for_this_run_and_that_is_said(
    tmp_path: Path, qtbot: QtBot
) -> None:
    (tmp_path / "file").write_bytes(b"")
    session = Session(settings_file=tmp_path / "file" / "settings.toml")
    said, told = list[Report](), list[int]()
    session.status.reported.connect(said.append)
    session.preferences.changed.connect(
        lambda: told.append(session.preferences.settings.undo_limit)
    )
    session.preferences.apply(replace(session.preferences.settings, undo_limit=77))
    (report,) = said
    assert report.level == "warning"
    assert report.text.startswith("The settings could not be kept: ")
    assert told == [77]
    shiboken6.delete(session)


def test_other_models_are_told_before_the_change_and_only_where_the_person_agrees(
    qtbot: QtBot,
) -> None:
    session = Session()
    preferences, told = session.preferences, list[str]()
    preferences.models_changed.connect(lambda: told.append(preferences.settings.segmenter))
    preferences.changed.connect(lambda: told.append("changed"))
    asked, agrees = list[bool](), False

    def ask() -> bool:
        asked.append(True)
        return agrees

    preferences.ask_before_models(ask)
    preferences.apply(replace(preferences.settings, segmenter="mobile-sam"))
    assert (preferences.settings.segmenter, told, asked) == ("", ["changed"], [True])
    preferences.apply(replace(preferences.settings, undo_limit=77))  # needs no other model
    assert (preferences.settings.undo_limit, told, asked) == (77, ["changed"] * 2, [True])
    agrees = True
    preferences.apply(replace(preferences.settings, segmenter="mobile-sam"))
    assert told[2:] == ["mobile-sam", "changed"]
    assert len(asked) == 2
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


def test_the_rules_of_a_heal_and_the_memory_for_frames_are_those_that_were_chosen() -> None:
    chosen = Settings(
        heal_iou=0.8, heal_boundary=0.7, heal_area=0.2, heal_patience=3, conflict=0.4, cache_mib=3
    )
    assert rules_of(chosen) == Rules(iou=0.8, boundary=0.7, area=0.2, patience=3, conflict=0.4)
    assert cache_bytes(chosen) == 3 * 1024 * 1024


def test_models_are_loaded_as_the_settings_say() -> None:
    options = choice_of(Settings(device="cpu", threads=2, size=360)).options
    assert (options.device, options.threads, options.size) == ("cpu", 2, 360)
    assert choice_of(Settings(size=0)).options.size is None
    chosen = choice_of(Settings(tracker="lite", segmenter="mobile-sam", refiner="hq-sam-tiny"))
    assert (chosen.tracker, chosen.segmenter, chosen.refiner, chosen.sharpener) == (
        "lite", "mobile-sam", "hq-sam-tiny", "",
    )  # fmt: skip
