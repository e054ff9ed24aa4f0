"""A session with nothing open, beside a short clip."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import shiboken6
from pytestqt.qtbot import QtBot

from app.session.session import Session
from app.session.state.status import Report
from tests.fakes import FakeModels, write_frames
from tests.session.files.strokes import FRAMES
from tests.session.mirrors import check, follow


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_frames(tmp_path / "clip", FRAMES)


@pytest.fixture
def session(qtbot: QtBot) -> Iterator[Session]:
    session = Session(loader=lambda frames, settings: FakeModels(frames))
    mirrors = follow(session)
    yield session
    check(mirrors)
    session.files.close()
    shiboken6.delete(session)


@pytest.fixture
def reports(session: Session) -> list[Report]:
    said: list[Report] = []
    session.status.reported.connect(said.append)
    return said
