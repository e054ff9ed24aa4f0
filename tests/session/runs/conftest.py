"""A session with runs of its video."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.core.runs import RunKind
from app.session.session import Session
from tests.session.desk import Desk
from tests.session.runs.masks import PREDICTION, TRUTH, predicted, true, write_run


@pytest.fixture
def truth(tmp_path: Path) -> Path:
    return write_run(tmp_path / "truth", true)


@pytest.fixture
def prediction(tmp_path: Path) -> Path:
    return write_run(tmp_path / "prediction", predicted)


@pytest.fixture
def import_run(desk: Desk, qtbot: QtBot) -> Callable[[Path, RunKind], int]:
    """Import a run and wait until it is kept; returns its number."""

    def call(source: Path, kind: RunKind) -> int:
        before = set(desk.session.inspection.runs.infos)
        desk.session.inspection.runs.import_run(source, kind)
        qtbot.waitUntil(lambda: set(desk.session.inspection.runs.infos) != before)
        return max(desk.session.inspection.runs.infos)

    return call


@pytest.fixture
def measured(
    desk: Desk,
    qtbot: QtBot,
    import_run: Callable[[Path, RunKind], int],
    truth: Path,
    prediction: Path,
) -> Session:
    """A session with a ground truth and a prediction that was measured."""
    import_run(truth, TRUTH)
    import_run(prediction, PREDICTION)
    qtbot.waitUntil(lambda: len(desk.session.inspection.runs.results) == 1)
    return desk.session
