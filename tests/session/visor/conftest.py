"""A session that is open on a small VISOR file."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.session.session import Session
from app.session.state.status import Report
from tests.session.visor.files import kitchen, opened, write


@pytest.fixture
def session(qtbot: QtBot, tmp_path: Path) -> Iterator[Session]:
    with opened(write(tmp_path, kitchen())) as session:
        yield session


@pytest.fixture
def reports(session: Session) -> list[Report]:
    said: list[Report] = []
    session.status.reported.connect(said.append)
    return said
