"""A session on a short video with fake models, as the tests of this package use it."""

from collections.abc import Collection
from pathlib import Path

import shiboken6
from pytestqt.qtbot import QtBot

from app.core.mask import Mask
from app.core.plan import Direction
from app.session.jobs.progress import Progress
from app.session.session import Session
from app.session.state.status import Report
from app.storage.settings import Settings
from app.storage.video.frames import FrameCache
from tests.fakes import FakeModels, square
from tests.session.mirrors import check, follow

FRAMES = 30


class Desk:
    """A session on a short video, its fake models and what it told."""

    def __init__(self, source: Path) -> None:
        self.models: list[FakeModels] = []
        self.session = Session(loader=self._load)
        self._mirrors = follow(self.session)
        self.reports: list[Report] = []
        self.progress: list[Progress | None] = []
        self.ghosts: list[tuple[int, int, Mask | None] | None] = []
        self.session.status.reported.connect(self.reports.append)
        self.session.jobs.progress_changed.connect(self.progress.append)
        self.session.clicks.preview_changed.connect(self.ghosts.append)
        self.session.correction.preview_changed.connect(self.ghosts.append)
        self.session.files.open(source)

    def _load(self, frames: FrameCache, settings: Settings) -> FakeModels:
        self.models.append(self.made)
        return self.made

    def prepare(self) -> None:
        opened = self.session.video.now
        assert opened is not None, "no video is open"
        self.made = FakeModels(opened.video)

    def close(self) -> None:
        self.made.fake_tracker.gate.open()
        self.made.fake_segmenter.gate.open()
        check(self._mirrors)
        self.session.files.close()
        # Sessions are cycles: one that Python finds later may be freed in another's thread.
        shiboken6.delete(self.session)

    def said(self, words: str) -> bool:
        return any(words in report.text for report in self.reports)


def draw(desk: Desk, frame: int, number: int = 1, x: int = 10) -> None:
    """Draw a square; the object is made if it is not there."""
    if number not in {info.id for info in desk.session.masks.objects}:
        desk.session.objects.add()
    desk.session.edit.draw_mask(frame, number, square(x), "Brush")


def begin_propagation(
    desk: Desk,
    qtbot: QtBot,
    steps: int = 5,
    *,
    objects: Collection[int] | None = None,
    last: int | None = None,
) -> None:
    """Propagate forward from frame 0 and stand still once so many frames are shown."""
    gate, masks = desk.made.fake_tracker.gate, desk.session.masks
    gate.close()
    desk.session.jobs.propagate(Direction.FORWARD, objects=objects, last=last)
    gate.let(steps)
    followed = masks.shown(0).keys() if objects is None else set(objects)
    qtbot.waitUntil(lambda: followed <= masks.shown(steps - 1).keys())


def mask_at(x: int) -> Mask | None:
    return Mask.encode(square(x))
