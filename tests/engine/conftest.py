"""An inference thread with fake models, and what it answers."""

from collections.abc import Iterator

import pytest
from pytestqt.qtbot import QtBot

from app.engine.inference import InferenceThread
from tests.engine.answers import Answers
from tests.fakes import FakeFrames, FakeModels


@pytest.fixture
def models() -> FakeModels:
    return FakeModels(FakeFrames(50))


@pytest.fixture
def thread(models: FakeModels, qtbot: QtBot) -> Iterator[InferenceThread]:
    thread = InferenceThread(lambda: models)
    thread.start()
    yield thread
    models.fake_tracker.gate.open()
    models.fake_segmenter.gate.open()
    thread.close()
    assert thread.isFinished()


@pytest.fixture
def answers(thread: InferenceThread) -> Answers:
    return Answers(thread)
