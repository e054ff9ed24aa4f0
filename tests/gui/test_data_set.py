"""The window of a data set: opened, looked through, gone into, written out."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QTreeView

from app.core.inspection.failures import Failure
from app.core.runs import RunKind
from app.gui.inspect.dataset.heat_map import HeatMap, heat
from app.gui.inspect.dataset.window import DataSetWindow
from app.storage.formats.palette import write_palette_png
from tests.fakes import SIZE, square
from tests.gui.conftest import Desk

_COUNT = 20
_LOST = {"one": range(0), "two": range(8, 14), "three": range(5, 8)}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A ground truth with images, a prediction `bad` that loses objects, and a `good` one."""
    for name, lost in _LOST.items():
        images = tmp_path / "gt" / "JPEGImages" / name
        images.mkdir(parents=True)
        for frame in range(_COUNT):
            shown = square(8 + frame, size=SIZE).astype(np.uint8)
            cv2.imwrite(str(images / f"{frame:05d}.jpg"), np.repeat(shown[..., None], 3, 2) * 200)
            for folder, mask in (
                (tmp_path / "gt" / "Annotations", shown),
                (tmp_path / "bad", shown * (frame not in lost)),
                (tmp_path / "good", shown),
            ):
                write_palette_png(folder / name / f"{frame:05d}.png", mask.astype(np.uint8))
    return tmp_path


def _open(desk: Desk, root: Path, *predictions: str) -> DataSetWindow:
    """Open the data set as with the key, and compare with what comes second."""
    desk.ask.folders = [root / "gt", *(root / name for name in predictions)]
    desk.do("data_set")
    data = desk.session.inspection.data_set
    desk.qtbot.waitUntil(lambda: bool(data.results))
    for _ in predictions[1:]:
        _window(desk).compare_asked.emit()
        desk.qtbot.waitUntil(lambda: len(data.results) == 2)
    desk.settle()
    return _window(desk)


def _window(desk: Desk) -> DataSetWindow:
    (window,) = desk.ask.parent.findChildren(DataSetWindow)
    return window


def _worst(window: DataSetWindow) -> QTreeView:
    view = window.worst_view
    assert isinstance(view, QTreeView)
    return view


def _columns(window: DataSetWindow, row: int) -> list[str]:
    model = _worst(window).model()
    return [str(model.index(row, column).data()) for column in range(model.columnCount())]


def test_two_folders_show_the_worst_of_all_sequences(desk: Desk, root: Path) -> None:
    window = _open(desk, root, "bad")
    assert not desk.session.video.is_open
    assert _columns(window, 0)[:3] == [Failure.MISS.value, "two", "00008-00013"]
    assert _columns(window, 1)[:2] == [Failure.MISS.value, "three"]
    assert "3 sequences, 54 scored frames" in window.summary
    ranked = window.current()
    assert ranked is not None
    assert ranked.result.sequence == "two"


def test_the_heat_map_shows_every_object_of_every_video(desk: Desk, root: Path) -> None:
    window = _open(desk, root, "bad", "good")
    (heats,) = window.findChildren(HeatMap)
    heats.resize(600, heats.sizeHint().height())
    cells = heats._cells
    assert {(cell.run, cell.sequence) for cell in cells.values()} == {
        (run, name) for run in (0, 1) for name in _LOST
    }
    first = heats.cell_at(QPointF(110, 5))
    assert first is not None
    assert (first.run, first.sequence) == (0, "two")
    assert first.jf == pytest.approx(12 / 18)
    image = heats.grab().toImage()
    assert image.pixelColor(115, 6).rgb() == heat(first.jf).rgb()
    assert heats.cell_at(QPointF(110, heats.height() - 3)) is None
    with desk.qtbot.waitSignal(heats.entered) as entered:
        QTest.mouseDClick(heats, Qt.MouseButton.LeftButton, pos=QPointF(110, 5).toPoint())
    assert entered.args[0] == first


def test_a_second_prediction_is_compared_with_the_first(desk: Desk, root: Path) -> None:
    window = _open(desk, root, "bad", "good")
    assert "B minus A: +0.167 (95 % between" in window.summary
    assert _columns(window, 0)[2] == "A"


def test_going_into_a_sequence_brings_its_runs_and_no_anchor(desk: Desk, root: Path) -> None:
    window = _open(desk, root, "bad", "good")
    window.enter_asked.emit("two", window.current())
    runs = desk.session.inspection.runs
    desk.qtbot.waitUntil(lambda: len(runs.infos) == 3 and len(runs.results) == 2)
    assert desk.session.video.title == "two"
    assert not window.isVisible()
    assert desk.window._parts.inspection.views.isVisible()
    kinds = [info.kind for info in runs.infos.values()]
    assert kinds.count(RunKind.GROUND_TRUTH) == 1
    assert runs.infos[runs.shown or 0].name == "bad"
    assert desk.session.view.frame in _LOST["two"]
    assert not len(desk.session.masks.document)
    desk.do("data_set")
    assert window.isVisible()
    window.enter_asked.emit("two", None)
    desk.settle()
    desk.idle()
    assert len(runs.infos) == 3, "they are brought once"


def test_the_figure_of_the_worst_is_saved_with_a_key(desk: Desk, root: Path) -> None:
    window = _open(desk, root, "bad")
    desk.ask.answer = root / "worst"
    keys = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    desk.qtbot.keyClick(window, Qt.Key.Key_E, keys)
    desk.qtbot.waitUntil((root / "worst.svg").exists)
    text = (root / "worst.svg").read_text(encoding="utf-8")
    assert "two, object 1: miss. Run A (bad); onset on frame 00008" in text


def test_a_report_is_saved(desk: Desk, root: Path) -> None:
    window = _open(desk, root, "bad")
    desk.ask.answer = root / "report"
    window.report_asked.emit(2)
    desk.qtbot.waitUntil((root / "report" / "index.html").exists)
    assert len([*(root / "report" / "figures").glob("*.svg")]) == 4


def test_sequences_without_images_say_that_they_cannot_be_shown(desk: Desk, root: Path) -> None:
    (root / "gt" / "JPEGImages").rename(root / "elsewhere")
    window = _open(desk, root, "bad")
    with desk.qtbot.waitSignal(desk.session.inspection.data_set.told) as told:
        window.enter_asked.emit("two", None)
    assert "no frames of two" in told.args[0]
    assert not desk.session.video.is_open


def test_what_cannot_be_read_is_said_and_nothing_is_shown(desk: Desk, root: Path) -> None:
    (root / "bad" / "two").rename(root / "two")
    desk.ask.folders = [root / "gt", root / "bad"]
    with desk.qtbot.waitSignal(
        desk.session.inspection.data_set.told,
        check_params_cb=lambda text: "no masks for two" in text,
    ):
        desk.do("data_set")
    assert not desk.session.inspection.data_set.results


def test_scoring_can_be_stopped(desk: Desk, root: Path) -> None:
    desk.ask.folders = [root / "gt", root / "bad"]
    desk.do("data_set")
    desk.session.inspection.data_set.stop()
    desk.settle()
    assert not desk.session.inspection.data_set.results
