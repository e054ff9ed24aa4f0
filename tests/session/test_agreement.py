"""How far the shown run is from the others, worked out meanwhile."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from app.core.runs import RunKind
from app.session.session import Session
from app.storage.formats.palette import encode_palette_png
from tests.fakes import SIZE, square
from tests.session.desk import Desk


def write(folder: Path, x: int, frames: range) -> Path:
    """Write an object at x, and on the last frame none."""
    folder.mkdir()
    for frame in frames:
        labels = square(x, size=SIZE).astype(np.uint8) * np.uint8(frame != frames[-1])
        (folder / f"{frame:05d}.png").write_bytes(encode_palette_png(labels))
    return folder


@pytest.fixture
def runs(desk: Desk, qtbot: QtBot, tmp_path: Path) -> Callable[..., int]:
    """Bring a run in and wait until it is kept; returns its number."""

    def call(name: str, x: int, frames: range, kind: RunKind = RunKind.PREDICTION) -> int:
        found = desk.session.inspection.runs
        before = set(found.infos)
        found.import_run(write(tmp_path / name, x, frames), kind)
        qtbot.waitUntil(lambda: set(found.infos) != before)
        return max(found.infos)

    return call


def known(session: Session, qtbot: QtBot, count: int) -> dict[int, tuple[list[int], list[float]]]:
    agreement = session.inspection.agreement
    qtbot.waitUntil(lambda: len(agreement.of_shown()) == count)
    return {
        number: (apart.frames.tolist(), apart.values.tolist())
        for number, apart in agreement.of_shown().items()
    }


def test_two_runs_are_compared_where_both_speak_and_the_truth_is_left_out(
    desk: Desk, qtbot: QtBot, runs: Callable[..., int]
) -> None:
    session, told = desk.session, list[int]()
    assert session.inspection.agreement.of_shown() == {}
    runs("truth", 10, range(6), RunKind.GROUND_TRUTH)
    first = runs("first", 10, range(2, 8))
    session.inspection.agreement.changed.connect(
        lambda: told.append(len(session.inspection.agreement.of_shown()))
    )
    assert session.inspection.agreement.of_shown() == {}
    second = runs("second", 15, range(4, 8))
    apart = 1 - 5 / 15
    found = known(session, qtbot, 1)
    assert list(found) == [first]
    assert found[first][0] == [4, 5, 6, 7]
    assert found[first][1] == pytest.approx([apart] * 3 + [0.0])  # neither has it on the last
    assert told == [1]
    session.inspection.runs.show(first)
    assert known(session, qtbot, 1)[second][1] == pytest.approx([apart] * 3 + [0.0])
    third = runs("third", 10, range(2, 9))
    found = known(session, qtbot, 2)
    assert found.keys() == {first, second}
    assert found[first][1] == pytest.approx([0.0] * 5 + [1.0])
    assert third not in found


def test_of_another_video_nothing_is_known(
    desk: Desk, qtbot: QtBot, runs: Callable[..., int]
) -> None:
    runs("first", 10, range(4))
    runs("second", 15, range(4))
    known(desk.session, qtbot, 1)
    desk.session.files.close()
    assert desk.session.inspection.agreement.of_shown() == {}


def test_a_truth_alone_is_compared_with_nothing(
    desk: Desk, qtbot: QtBot, runs: Callable[..., int]
) -> None:
    runs("truth", 10, range(6), RunKind.GROUND_TRUTH)
    agreement = desk.session.inspection.agreement
    assert agreement.of_shown() == {}
    runs("first", 10, range(6))
    qtbot.wait(20)
    assert agreement.of_shown() == {}
