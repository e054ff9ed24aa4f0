"""A session that is open on a short video."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.session.state.status import SessionState
from tests.fakes import write_frames
from tests.session.desk import FRAMES, Desk


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_frames(tmp_path / "clip", FRAMES)


@pytest.fixture
def desk(clip: Path, qtbot: QtBot) -> Iterator[Desk]:
    desk = Desk(clip)
    desk.prepare()
    yield desk
    desk.close()


@pytest.fixture
def idle(desk: Desk, qtbot: QtBot) -> Callable[[], None]:
    """Wait until the session is idle."""
    return lambda: qtbot.waitUntil(lambda: desk.session.status.state is SessionState.IDLE)
