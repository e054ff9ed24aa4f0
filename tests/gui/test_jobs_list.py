"""The jobs in the window: the list of those that wait, Esc, and a change of models."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QToolBar, QToolButton

from app.gui.actions.verbs.spans import jobs as job_verbs
from app.gui.window.status import StatusBar
from app.session.state.status import SessionState
from tests.gui.conftest import Desk

ESC = Qt.Key.Key_Escape


@pytest.fixture
def busy(opened: Desk) -> Desk:
    """A propagation of one object runs, that of another waits."""
    opened.draw(number=1)
    opened.draw(number=2, x=40)
    opened.model.fake_tracker.gate.close()
    bar = opened.window.findChild(QToolBar, "propagate_bar")
    assert bar is not None
    bar.findChildren(QComboBox)[0].setCurrentIndex(1)
    for number in (1, 2):
        opened.session.view.select(number)
        opened.do("forward")
    return opened


def status_of(desk: Desk) -> StatusBar:
    bar = desk.window.findChild(StatusBar)
    assert bar is not None
    return bar


def press(desk: Desk, name: str, nth: int = 0) -> None:
    """Press one of the buttons of the list."""
    buttons = status_of(desk).jobs.list.findChildren(QToolButton)
    [button for button in buttons if button.accessibleName().startswith(name)][nth].click()
    desk.settle()


def is_idle(desk: Desk) -> bool:
    return desk.session.status.state is SessionState.IDLE


def test_the_status_bar_says_how_many_jobs_wait(busy: Desk) -> None:
    button = status_of(busy).jobs
    assert (button.isVisible(), button.text()) == (True, "1 waiting")
    assert button.list.titles == [
        "Propagate object 1, frames 0-29",
        "Propagate object 2, frames 0-29",
    ]
    busy.model.fake_tracker.gate.open()
    busy.qtbot.waitUntil(lambda: not button.isVisible())


@pytest.mark.qt_log_ignore("This plugin does not support")
def test_the_list_orders_stops_and_drops(busy: Desk) -> None:
    listed = status_of(busy).jobs.list
    busy.do("jobs")
    press(busy, "Run earlier")
    assert listed.titles[0] == "Propagate object 2, frames 0-29"
    press(busy, "Do not run")
    assert listed.titles == ["Propagate object 2, frames 0-29"]
    press(busy, "Stop")
    assert listed.titles == []
    assert is_idle(busy)


def test_escape_asks_before_it_ends_what_has_run_for_a_while(
    busy: Desk, said: Callable[[str], bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_verbs, "_YOUNG_S", 0.0)
    busy.press(ESC)
    assert said("Press Esc again to stop: Propagate object 1")
    assert not is_idle(busy)
    busy.press(ESC)
    assert is_idle(busy)
    assert said("1 waiting job will not run")
    assert not said("Press Esc again")


def test_other_models_end_a_job_only_where_the_person_agrees(
    busy: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    preferences = busy.session.preferences
    before = preferences.settings
    busy.ask.agrees = False
    preferences.apply(replace(before, tracker="classic"))
    assert "is under way" in busy.ask.asked[-1]
    assert (preferences.settings, is_idle(busy)) == (before, False)

    def agree(*_: str) -> bool:
        busy.model.fake_tracker.gate.open()  # the step that the model is in comes to its end
        return True

    monkeypatch.setattr(busy.ask, "confirm", agree)
    preferences.apply(replace(before, tracker="classic"))
    assert (preferences.settings.tracker, is_idle(busy)) == ("classic", True)


def test_what_is_no_model_is_changed_without_a_question(busy: Desk) -> None:
    preferences = busy.session.preferences
    preferences.apply(replace(preferences.settings, overlay_opacity=0.3))
    assert (busy.ask.asked, is_idle(busy)) == ([], False)
