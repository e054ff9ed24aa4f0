"""What models saw of frames: it outlives them, and the sitting."""

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from app.core.plan import Direction
from app.session.replay import Replay
from app.session.session import Session
from app.storage.interactions import read_log
from app.storage.project.project import Project
from app.storage.settings import Settings
from app.storage.video.frames import FrameCache
from models.api import Anchors, Seen, Tracked
from tests.fakes import FakeModels, FakeTracker
from tests.session.desk import FRAMES, Desk, draw

Idle = Callable[[], None]


class NotingTracker(FakeTracker):
    """Notes that it sees the whole of each frame, and looks at what was noted before."""

    seen: Seen

    def track(
        self, anchors: Anchors, frames: Sequence[int], *, probabilities: bool = False
    ) -> Generator[Tracked, None, None]:
        for frame, found in super().track(anchors, frames, probabilities=probabilities):
            for number in found:
                self.seen.setdefault(number, {})[frame] = (0, 0, *self._frames.size)
            yield frame, found


class NotingModels(FakeModels):
    def __init__(self, frames: FrameCache) -> None:
        super().__init__(frames)
        self.fake_tracker = self._noting = NotingTracker(frames)

    def keep_seen(self, seen: Seen) -> None:
        self.seen = self._noting.seen = seen


@pytest.fixture
def made(desk: Desk, clip: Path, monkeypatch: pytest.MonkeyPatch) -> list[NotingModels]:
    """The models that were made since then, of a session that is opened anew with them."""
    found: list[NotingModels] = []

    def load(frames: FrameCache, settings: Settings) -> NotingModels:
        found.append(NotingModels(frames))
        return found[-1]

    monkeypatch.setattr(desk.session, "_loader", load)
    reopen(desk.session, clip)
    return found


def reopen(session: Session, clip: Path) -> None:
    session.files.close()
    session.files.open(clip)


def propagate(desk: Desk, idle: Idle, numbers: Sequence[int] = (1,)) -> None:
    desk.session.jobs.propagate(Direction.FORWARD, objects=numbers)
    idle()


def test_what_was_seen_is_known_to_models_that_are_loaded_anew(
    desk: Desk, clip: Path, made: list[NotingModels], idle: Idle
) -> None:
    session = desk.session
    draw(desk, 0)
    propagate(desk, idle)
    whole = dict.fromkeys(range(FRAMES), (0, 0, *session.video.size))
    assert made[-1].seen == {1: whole}
    settings = session.preferences.settings
    session.preferences.apply(replace(settings, device="cpu"))  # others are loaded
    draw(desk, 4)
    propagate(desk, idle)
    assert made[-1].seen is made[0].seen
    reopen(session, clip)
    draw(desk, 0, number=2, x=40)
    propagate(desk, idle, [2])
    assert made[-1].seen == {1: whole, 2: whole}
    assert made[-1].seen is not made[0].seen


def test_of_an_object_that_is_gone_nothing_is_kept(
    desk: Desk, clip: Path, made: list[NotingModels], idle: Idle
) -> None:
    session = desk.session
    draw(desk, 0)
    draw(desk, 0, number=2, x=40)
    propagate(desk, idle, [1, 2])
    session.objects.delete(1)
    reopen(session, clip)
    propagate(desk, idle, [2])
    assert made[-1].seen.keys() == {2}


def test_a_project_in_which_no_model_has_seen_anything_says_nothing_of_it(desk: Desk) -> None:
    path = desk.session.files.project_path
    assert path is not None
    draw(desk, 0)
    desk.session.files.close()
    with closing(Project.open(path)) as project:
        assert project.get_attachment("seen") is None


def test_a_replay_begins_with_what_was_seen(
    desk: Desk,
    clip: Path,
    made: list[NotingModels],
    idle: Idle,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MASKWRIGHT_HOME", str(tmp_path / "home"))
    session = desk.session
    draw(desk, 0)
    propagate(desk, idle)
    session.preferences.apply(replace(session.preferences.settings, interaction_log=True))
    reopen(session, clip)
    path = session.files.log.path
    assert path is not None
    session.files.close()
    log = read_log(path)
    with closing(
        Replay(log, tmp_path, None, lambda cache, _settings: NotingModels(cache))
    ) as replay:
        opened = replay.session.video.now
        assert opened is not None
        assert opened.seen == made[0].seen
