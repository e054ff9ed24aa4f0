"""Filling: what a tracker says becomes entries, frame by frame."""

import subprocess
import sys

import numpy as np
import pytest

from app.batch.passes.fill import fill
from app.batch.passes.predict import UnpackedAnchors
from app.core.document import Document, Entry, Key, ObjectInfo, Origin
from app.core.mask import Mask
from app.core.plan import Direction, plan
from app.errors import FrameReadError
from tests.fakes import SIZE, FakeFrames, FakeTracker, square

INFO = ObjectInfo(1, "knife", (1, 2, 3))


def mask_at(x: int, side: int = 10) -> Mask:
    mask = Mask.encode(square(x, side=side))
    assert mask is not None
    return mask


def test_tracking_yields_an_entry_for_every_free_frame() -> None:
    document = Document((INFO,), {Key(3, 1): Entry(mask_at(10), Origin.DRAWN)})
    passes = plan(
        document,
        [1],
        first=0,
        last=9,
        direction=Direction.BOTH,
        from_frame=3,
        to_nearest_anchor=True,
    )
    tracker = FakeTracker(FakeFrames())
    entries: dict[Key, Entry] = {}
    for step in fill(tracker, passes, SIZE):
        entries.update(step.entries)
    assert sorted(key.frame for key in entries) == [0, 1, 2, 4, 5, 6, 7, 8, 9]
    assert entries[Key(4, 1)] == Entry(mask_at(10), Origin.PROPAGATED, score=0.9)


def test_an_absent_anchor_is_an_empty_mask() -> None:
    anchors = UnpackedAnchors({3: {1: None, 2: mask_at(10)}}, SIZE)
    assert not anchors[3][1].any()
    np.testing.assert_array_equal(anchors[3][2], square(10))


def test_the_tracker_is_closed_when_the_steps_are() -> None:
    document = Document((INFO,), {Key(0, 1): Entry(mask_at(10), Origin.DRAWN)})
    passes = plan(
        document,
        [1],
        first=0,
        last=9,
        direction=Direction.FORWARD,
        from_frame=0,
        to_nearest_anchor=True,
    )
    tracker = FakeTracker(FakeFrames())
    steps = fill(tracker, passes, SIZE)
    next(steps)
    steps.close()
    assert tracker.closed == 1


def test_a_frame_that_cannot_be_read_ends_the_steps_after_those_before_it() -> None:
    document = Document((INFO,), {Key(0, 1): Entry(mask_at(10), Origin.DRAWN)})
    passes = plan(
        document,
        [1],
        first=0,
        last=9,
        direction=Direction.FORWARD,
        from_frame=0,
        to_nearest_anchor=True,
    )
    tracker = FakeTracker(FakeFrames())
    tracker.fail_at, tracker.error = 5, FrameReadError("Frame 5 cannot be read.")
    seen: list[int] = []

    def work() -> None:
        seen.extend(step.frame for step in fill(tracker, passes, SIZE))

    with pytest.raises(FrameReadError, match="Frame 5"):
        work()
    assert seen == [0, 1, 2, 3, 4]


_IMPORTS_ALL = """
import importlib, pkgutil, sys, app.batch
for module in pkgutil.iter_modules(app.batch.__path__, "app.batch."):
    importlib.import_module(module.name)
sys.exit("PySide6" in sys.modules)
"""


def test_work_is_carried_out_without_qt() -> None:
    assert subprocess.run([sys.executable, "-c", _IMPORTS_ALL], check=False).returncode == 0
