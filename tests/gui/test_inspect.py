"""The inspection of runs in the window: views, curves, failures and figures."""

from collections.abc import Collection, Generator, Sequence
from pathlib import Path

import av
import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QLabel, QMenu

from app.core.document import Key
from app.core.inspection.failures import Failure
from app.core.mask import Mask
from app.core.runs import Run, RunInfo, RunKind
from app.gui.inspect.curves.curves import Curve
from app.gui.inspect.frames.drawing import errors_layer, masks_layer
from app.gui.inspect.frames.pane import Pane
from app.gui.inspect.frames.views import Arrangement
from app.gui.inspect.inspection import InspectionPanels
from app.gui.inspect.palette import EXTRA, MISSING, RIGHT
from app.storage.formats.palette import encode_palette_png
from models.api import Anchors, BoolMask, Place, Store, Tracked, Vote
from tests.fakes import SIZE, square
from tests.gui.conftest import FRAMES, Desk

_LOST = range(10, 16)  # frames on which the prediction misses the object


def _write(folder: Path, frames: range = range(FRAMES), lost: range = range(0)) -> Path:
    folder.mkdir()
    for frame in frames:
        shown = square(10 + frame // 2, size=SIZE) & (frame not in lost)
        png = encode_palette_png(shown.astype(np.uint8))
        (folder / f"{frame:05d}.png").write_bytes(png)
    return folder


def _import(desk: Desk, action: str, folder: Path) -> None:
    before = len(desk.session.inspection.runs.infos)
    desk.ask.answer = folder
    desk.do(action)
    desk.qtbot.waitUntil(lambda: len(desk.session.inspection.runs.infos) == before + 1)


def said(desk: Desk, words: str) -> bool:
    return any(words in text for text in desk.window.messages.texts)


def _inspection(desk: Desk) -> InspectionPanels:
    return desk.window._parts.inspection


@pytest.fixture
def inspected(opened: Desk, tmp_path: Path) -> Desk:
    """A window in the layout for inspection, with a prediction that was measured."""
    opened.do("inspect")
    _import(opened, "import_run", _write(tmp_path / "prediction", lost=_LOST))
    _import(opened, "import_truth", _write(tmp_path / "truth"))
    opened.qtbot.waitUntil(lambda: bool(opened.session.inspection.runs.results))
    opened.settle()
    return opened


def test_f3_shows_the_views_and_f2_the_picture_again(opened: Desk) -> None:
    opened.press(Qt.Key.Key_F3)
    assert _inspection(opened).views.isVisible()
    assert not opened.window.canvas.isVisible()
    opened.press(Qt.Key.Key_F2)
    assert opened.window.canvas.isVisible()


def test_an_imported_prediction_is_no_anchor(inspected: Desk) -> None:
    assert not len(inspected.session.masks.document)


def test_a_failure_that_is_clicked_is_gone_to(inspected: Desk) -> None:
    tree = _inspection(inspected).episodes.view
    row = tree.model().index(0, 0)
    assert row.data() == Failure.MISS.value
    QTest.mouseClick(tree.viewport(), Qt.MouseButton.LeftButton, pos=tree.visualRect(row).center())
    assert inspected.session.view.frame in _LOST
    assert inspected.session.inspection.runs.object == 1


def test_a_click_on_the_curves_goes_there_and_a_drag_marks_in_to_out(inspected: Desk) -> None:
    plot = _inspection(inspected).curves.plot
    assert plot is not None
    plot.frame_asked.emit(12)
    assert inspected.session.view.frame == 12
    widget, box = plot._widget, plot._item.getViewBox()

    def place(frame: float) -> QPoint:
        return QPoint(widget.mapFromScene(box.mapViewToScene(QPointF(frame, 0.5))))

    target, left = widget.viewport(), Qt.MouseButton.LeftButton
    QTest.mouseClick(target, left, pos=place(20))
    assert inspected.session.view.frame == 20
    QTest.mousePress(target, left, pos=place(5))
    for frame in (7, 9, 11, 13):
        QTest.mouseMove(target, place(frame))
        inspected.settle()
    QTest.mouseRelease(target, left, pos=place(13))
    assert (inspected.session.view.in_point, inspected.session.view.out_point) == (5, 13)


def test_a_sparse_ground_truth_is_drawn_as_dots(opened: Desk, tmp_path: Path) -> None:
    opened.do("inspect")
    _import(opened, "import_run", _write(tmp_path / "prediction"))
    _import(opened, "import_truth", _write(tmp_path / "truth", range(0, FRAMES, 7)))
    opened.qtbot.waitUntil(lambda: bool(opened.session.inspection.runs.results))
    (series,) = _inspection(opened).curves.series()
    assert series.sparse
    assert series.frames.tolist() == [*range(7, FRAMES, 7)]


def test_a_dense_one_is_a_curve(inspected: Desk) -> None:
    (series,) = _inspection(inspected).curves.series()
    assert not series.sparse
    lost = np.isin(series.frames, np.array(_LOST))
    assert series.values[lost].tolist() == [0.0] * len(_LOST)
    assert series.values[~lost].min() == 1.0


def test_the_disagreement_of_two_runs_needs_no_ground_truth(opened: Desk, tmp_path: Path) -> None:
    opened.do("inspect")
    _import(opened, "import_run", _write(tmp_path / "forward"))
    _import(opened, "import_run", _write(tmp_path / "backward", lost=_LOST))
    curves = _inspection(opened).curves
    combo = curves.findChild(QComboBox)
    assert isinstance(combo, QComboBox)
    combo.setCurrentIndex(combo.findData(Curve.APART))
    opened.qtbot.waitUntil(lambda: bool(curves.series()))
    (series,) = curves.series()
    assert series.name == "forward"
    lost = np.isin(series.frames, np.array(_LOST))
    assert series.values[lost].tolist() == [1.0] * len(_LOST)
    assert not series.values[~lost].any()


def test_all_objects_of_a_run_are_drawn_at_once(opened: Desk, tmp_path: Path) -> None:
    for name, lost in (("truth", range(0)), ("prediction", _LOST)):
        (tmp_path / name).mkdir()
        for frame in range(FRAMES):
            labels = square(10, size=SIZE).astype(np.uint8)
            labels[square(40, size=SIZE)] = 2 * (frame not in lost)
            path = tmp_path / name / f"{frame:05d}.png"
            path.write_bytes(encode_palette_png(labels))
    opened.do("inspect")
    _import(opened, "import_run", tmp_path / "prediction")
    _import(opened, "import_truth", tmp_path / "truth")
    opened.qtbot.waitUntil(lambda: bool(opened.session.inspection.runs.results))
    opened.settle()
    curves = _inspection(opened).curves
    assert len(curves.series()) == 1
    objects = curves.findChildren(QComboBox)[1]
    objects.setCurrentIndex(objects.count() - 1)
    objects.activated.emit(objects.count() - 1)
    names = {each.name: each.values.min() for each in curves.series()}
    assert sorted(names.values()) == [0.0, 1.0]
    objects.activated.emit(1)
    assert opened.session.inspection.runs.object == 2
    assert len(curves.series()) == 1


def test_the_panes_zoom_together(inspected: Desk) -> None:
    panes = _inspection(inspected).views.findChildren(Pane)
    lens, before = panes[0]._lens, panes[0]._lens.scale(panes[0].size())
    at = QPointF(30, 20)
    fixed = lens.transform(panes[0].size()).inverted()[0].map(at)
    lens.zoom(2, at, panes[0].size())
    assert lens.scale(panes[3].size()) == pytest.approx(before * 1.25**2)
    kept = lens.transform(panes[0].size()).inverted()[0].map(at)
    assert (kept - fixed).manhattanLength() < 1e-6


def test_a_wipe_shows_one_pane(inspected: Desk) -> None:
    views = _inspection(inspected).views
    assert sum(pane.isVisible() for pane in views.findChildren(Pane)) == 4
    views.set_arrangement(Arrangement.WIPE)
    assert sum(pane.isVisible() for pane in views.findChildren(Pane)) == 1


def test_the_figure_of_the_worst_failure_is_saved(inspected: Desk, tmp_path: Path) -> None:
    inspected.ask.answer = tmp_path / "worst"
    inspected.do("save_episode")
    path = tmp_path / "worst.svg"
    inspected.qtbot.waitUntil(path.exists)
    assert "miss" in path.read_text()


def test_a_video_side_by_side_is_saved_from_in_to_out(inspected: Desk, tmp_path: Path) -> None:
    inspected.session.view.set_range(8, 13)
    inspected.ask.answer = tmp_path / "film.mp4"
    inspected.do("save_video")
    inspected.qtbot.waitUntil(lambda: said(inspected, "Saved"))
    with av.open(str(tmp_path / "film.mp4")) as container:
        pictures = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert len(pictures) == 6
    assert pictures[0].shape[1] == 2 * SIZE[1]


def test_without_a_measured_run_there_is_nothing_to_save(opened: Desk) -> None:
    action = opened.window.actions_by_name["save_episode"]
    assert not action.isEnabled()
    assert "No failure was measured" in action.toolTip()


def test_taking_over_makes_anchors_of_the_range(inspected: Desk) -> None:
    inspected.session.view.set_range(2, 4)
    inspected.do("take_over")
    assert inspected.session.masks.document.frames() == [2, 3, 4]


def test_a_run_becomes_the_ground_truth_and_is_deleted(inspected: Desk) -> None:
    panel = _inspection(inspected).runs
    menu = panel.menu(1)
    assert isinstance(menu, QMenu)
    _, kind, _, delete = menu.actions()
    kind.trigger()
    assert inspected.session.inspection.runs.infos[1].kind is RunKind.GROUND_TRUTH
    assert inspected.session.inspection.runs.truth == 1
    inspected.ask.agrees = False
    delete.trigger()
    assert 1 in inspected.session.inspection.runs.infos
    inspected.ask.agrees = True
    delete.trigger()
    assert 1 not in inspected.session.inspection.runs.infos


def test_a_run_is_renamed_in_the_list(inspected: Desk) -> None:
    model = _inspection(inspected).runs.view.model()
    model.setData(model.index(0, 0), "mine")
    assert inspected.session.inspection.runs.infos[1].name == "mine"


def test_the_error_map_tells_right_from_too_much_and_missing() -> None:
    truth, prediction = square(10, size=SIZE), square(15, size=SIZE)
    grey = np.full((*SIZE, 3), 128, np.uint8)
    image = errors_layer("", grey, truth, prediction).image
    assert image is not None
    for x, color in ((12, MISSING), (17, RIGHT), (22, EXTRA)):
        seen = image.pixelColor(x, 25).getRgb()[:3]  # type: ignore[index]
        assert all(abs(a - b) < 45 for a, b in zip(seen, color, strict=True)), x
    assert image.pixelColor(40, 25).saturation() == 0


def test_masks_are_tinted_where_they_are() -> None:
    run = Run(RunInfo("one"), {1: "cup"}, (0,), {Key(0, 1): packed(square(10, size=SIZE))})
    grey = np.full((*SIZE, 3), 128, np.uint8)
    layer = masks_layer("", grey, run, 0, 1, {1: (255, 0, 0)})
    assert layer.image is not None
    assert layer.image.pixelColor(12, 25).red() > layer.image.pixelColor(12, 25).green() + 50
    assert layer.image.pixelColor(30, 25).saturation() == 0
    assert len(layer.outlines) == 1
    assert (grey == 128).all(), "the frame is shared with others"


def packed(pixels: BoolMask) -> Mask:
    mask = Mask.encode(pixels)
    assert mask is not None
    return mask


def test_a_remembered_frame_shows_where_it_was_read_and_can_be_left_out(opened: Desk) -> None:
    opened.draw(0)
    opened.draw(20, x=30)
    tracker = opened.model.fake_tracker
    asked: list[tuple[int, ...]] = []
    votes = (Vote(20, Store.ANCHOR, 0.9, (Place(35.0, 25.0, 0.9),)), Vote(0, Store.ANCHOR, 0.1))

    def track_without(
        left_out: Collection[int], anchors: Anchors, frames: Sequence[int]
    ) -> Generator[Tracked, None, None]:
        asked.append(tuple(left_out))
        return tracker.track(anchors, frames)

    tracker.explain = lambda *_: votes  # type: ignore[attr-defined]
    tracker.track_without = track_without  # type: ignore[attr-defined]
    assert not opened.window.actions_by_name["run_without"].isEnabled()
    opened.do("inspect")
    opened.session.inspection.memory.ask(35.0, 25.0)
    opened.qtbot.waitUntil(lambda: bool(opened.session.inspection.memory.votes))
    opened.settle()
    items = _inspection(opened).memory.view
    title = _inspection(opened).memory.findChild(QLabel)
    assert title is not None
    assert "last propagation" in title.text()
    opened.qtbot.waitUntil(lambda: not items.item(0).icon().isNull())
    image = items.item(0).icon().pixmap(128, 84).toImage()
    scale = image.width() / SIZE[1]
    lit, dark = (image.pixelColor(round(x * scale), round(25 * scale)) for x in (35, 8))
    assert lit.lightness() > dark.lightness() + 60
    before = dict(opened.session.masks.document.items())
    opened.do("run_without")
    opened.qtbot.waitUntil(lambda: bool(opened.session.inspection.runs.infos))
    assert asked == [(20,)]
    assert dict(opened.session.masks.document.items()) == before
