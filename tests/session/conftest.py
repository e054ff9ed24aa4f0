"""A session that is open on a short video."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future
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


class _AtOnce:
    """Works in the thread that asks, as one that is done before who asked looks."""

    def submit(self, work: Callable[[], object]) -> Future[object]:
        done = Future[object]()
        try:
            done.set_result(work())
        except Exception as error:  # noqa: BLE001
            done.set_exception(error)
        return done

    def shutdown(self, *, cancel_futures: bool) -> None:
        pass


@pytest.fixture
def done_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have what is asked of the background done before who asked goes on."""
    monkeypatch.setattr("app.session.state.background.ThreadPoolExecutor", lambda *_args: _AtOnce())
