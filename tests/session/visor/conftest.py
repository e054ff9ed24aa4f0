"""A session that is open on a small VISOR file."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import shiboken6
from pytestqt.qtbot import QtBot

from app.session.session import Session
from app.session.state.status import Report
from tests.fakes import FakeModels
from tests.session.visor.files import kitchen, write


@pytest.fixture
def session(qtbot: QtBot, tmp_path: Path) -> Iterator[Session]:
    session = Session(loader=lambda frames, settings: FakeModels(frames))
    session.files.open(write(tmp_path, kitchen()))
    yield session
    session.files.close()
    shiboken6.delete(session)


@pytest.fixture
def reports(session: Session) -> list[Report]:
    said: list[Report] = []
    session.status.reported.connect(said.append)
    return said
