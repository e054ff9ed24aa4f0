"""The status: a state is told once, a report as it is."""

from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from app.session.state.status import Report, SessionState, Status


def test_a_state_is_told_when_it_changes_and_only_then(qtbot: QtBot) -> None:
    parent = QObject()
    status = Status(parent)
    told: list[SessionState] = []
    status.state_changed.connect(told.append)
    for state in (SessionState.IDLE, SessionState.REFINING, SessionState.REFINING):
        status.enter(state)
    assert told == [SessionState.REFINING]
    assert status.state is SessionState.REFINING


def test_a_report_carries_its_level(qtbot: QtBot) -> None:
    parent = QObject()
    status = Status(parent)
    said: list[Report] = []
    status.reported.connect(said.append)
    status.report("warning", "The disk is full.")
    assert said == [Report("warning", "The disk is full.")]
