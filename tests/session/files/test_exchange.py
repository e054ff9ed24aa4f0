"""The exchange of masks with other programs."""

import json
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.core.document import Key, Origin
from app.core.mask import Mask
from app.errors import MaskwrightError
from app.session.session import Session
from app.session.state.status import Report
from app.storage.formats.palette import write_palette_png
from tests.fakes import square
from tests.session.files.strokes import draw


def test_an_export_is_read_back_and_the_worst_mask_is_told(
    session: Session, clip: Path, tmp_path: Path, qtbot: QtBot, reports: list[Report]
) -> None:
    session.files.open(clip)
    draw(session, 3)
    session.files.exchange.export("visor", tmp_path / "visor.json")
    draw(session, 4)
    qtbot.waitUntil(lambda: any("worst IoU" in report.text for report in reports))
    assert "worst IoU 1.0000" in reports[-1].text
    frames = json.loads((tmp_path / "visor.json").read_text())["video_annotations"]
    assert len([frame for frame in frames if frame["annotations"]]) == 1


def test_objects_of_one_name_are_read_back_each_as_itself(
    session: Session, clip: Path, tmp_path: Path, qtbot: QtBot, reports: list[Report]
) -> None:
    session.files.open(clip)
    for number in (1, 2):
        session.objects.add("cup")
        session.edit.draw_mask(0, number, square(10 * number), "Brush")
    session.edit.draw_mask(1, 2, square(10), "Brush")
    session.files.exchange.export("visor", tmp_path / "visor.json")
    qtbot.waitUntil(lambda: any("worst IoU" in report.text for report in reports))
    assert "worst IoU 1.0000." in reports[-1].text


def test_an_export_that_fails_is_reported(
    session: Session, clip: Path, tmp_path: Path, qtbot: QtBot, reports: list[Report]
) -> None:
    session.files.open(clip)
    draw(session, 3)
    (tmp_path / "file").write_text("in the way")
    session.files.exchange.export("visor", tmp_path / "file" / "visor.json")
    qtbot.waitUntil(lambda: any(report.level == "error" for report in reports))


def test_an_unknown_format_is_refused(session: Session, clip: Path, tmp_path: Path) -> None:
    session.files.open(clip)
    with pytest.raises(MaskwrightError, match="nonsense"):
        session.files.exchange.export("nonsense", tmp_path / "x")


def test_masks_are_imported_as_anchors_in_one_step(
    session: Session, clip: Path, tmp_path: Path
) -> None:
    session.files.open(clip)
    labels = square(10).astype("uint8") + 2 * square(40).astype("uint8")
    (tmp_path / "masks").mkdir()
    write_palette_png(tmp_path / "masks" / "00004.png", labels)
    session.files.exchange.import_masks(tmp_path / "masks")
    assert {info.id for info in session.masks.objects} == {1, 2}
    entry = session.masks.document.get(Key(4, 2))
    assert entry is not None
    assert (entry.mask, entry.origin) == (Mask.encode(square(40)), Origin.IMPORTED)
    assert session.history.stack.count() == 1
    session.history.stack.undo()
    assert (session.masks.objects, len(session.masks.document)) == ((), 0)


def test_how_an_export_went_is_said_last_however_soon_it_ends(
    session: Session, clip: Path, tmp_path: Path, qtbot: QtBot, reports: list[Report],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    class AtOnce:
        """Works in the thread that asks, as a thread that is quicker than it does."""

        def submit(self, work: Callable[..., object], *given: object) -> Future[object]:
            done: Future[object] = Future()
            done.set_result(work(*given))
            return done

        def shutdown(self) -> None:
            pass

    monkeypatch.setattr("app.session.files.exchange.ThreadPoolExecutor", lambda *_args: AtOnce())
    session.files.open(clip)
    session.objects.add("cup")
    session.edit.draw_mask(0, 1, square(10), "Brush")
    session.files.exchange.export("coco", tmp_path / "coco.json")
    qtbot.waitUntil(lambda: any("Exported" in report.text for report in reports))
    assert "Exported" in reports[-1].text
