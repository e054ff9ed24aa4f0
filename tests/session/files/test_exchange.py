"""The exchange of masks with other programs."""

import json
import threading
from pathlib import Path
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from app.core.document import Document, Entry, Key, ObjectInfo, Origin
from app.core.mask import Mask
from app.errors import MaskwrightError, UsageError
from app.session.files import exchange
from app.session.session import Session
from app.session.state.status import Report, SessionState
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
    done_at_once: None,
) -> None:  # fmt: skip
    session.files.open(clip)
    session.objects.add("cup")
    session.edit.draw_mask(0, 1, square(10), "Brush")
    session.files.exchange.export("coco", tmp_path / "coco.json")
    qtbot.waitUntil(lambda: any("Exported" in report.text for report in reports))
    assert "Exported" in reports[-1].text


def test_exports_are_written_one_after_the_other(
    session: Session, clip: Path, tmp_path: Path, qtbot: QtBot, reports: list[Report],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    session.files.open(clip)
    draw(session, 3)
    gate, begun, write = threading.Event(), list[Path](), exchange.write

    def waiting(*given: Any) -> tuple[str, ...]:  # noqa: ANN401 - passed on
        begun.append(given[3])
        gate.wait(30)
        return write(*given)

    monkeypatch.setattr(exchange, "write", waiting)
    paths = [tmp_path / name for name in ("one.json", "two.json")]
    for path in paths:
        session.files.exchange.export("visor", path)
    qtbot.waitUntil(lambda: begun == paths[:1])
    qtbot.wait(20)
    assert begun == paths[:1]
    gate.set()
    qtbot.waitUntil(lambda: len([each for each in reports if "Exported" in each.text]) == 2)
    assert begun == paths
    assert [each.text for each in reports[:2]] == [f"Exporting to {path}" for path in paths]


def test_an_export_while_masks_are_made_says_that_it_is_not_all(
    session: Session, clip: Path, tmp_path: Path, qtbot: QtBot, reports: list[Report]
) -> None:
    session.files.open(clip)
    draw(session, 0)
    session.status.enter(SessionState.PROPAGATING)
    session.files.exchange.export("visor", tmp_path / "visor.json")
    (warned,) = (each for each in reports if "what is finished so far" in each.text)
    assert warned.level == "warning"
    session.status.enter(SessionState.IDLE)
    qtbot.waitUntil(lambda: any("Exported" in report.text for report in reports))


def test_without_a_video_there_is_nothing_to_export_or_to_import_onto(
    session: Session, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="nothing to export"):
        session.files.exchange.export("visor", tmp_path / "x.json")
    with pytest.raises(UsageError, match="Open one first"):
        session.files.exchange.import_masks(tmp_path)


def test_an_import_says_how_much_it_was_and_keeps_the_objects_there_are(
    session: Session, clip: Path, tmp_path: Path, reports: list[Report]
) -> None:
    session.files.open(clip)
    draw(session, 0)
    (tmp_path / "masks").mkdir()
    for frame in (4, 5):
        labels = square(10).astype("uint8") + 2 * square(40).astype("uint8")
        write_palette_png(tmp_path / "masks" / f"{frame:05d}.png", labels)
    session.files.exchange.import_masks(tmp_path / "masks")
    assert reports[-1].text.startswith("4 masks on 2 frames imported.")
    assert session.masks.objects[0].name == "knife"
    assert [info.id for info in session.masks.objects] == [1, 2]
    assert session.history.stack.undoText() == "Import masks"


def test_what_is_read_back_is_compared_mask_by_mask() -> None:
    def document(name: str, **masks: int) -> Document:
        entries = {
            Key(int(frame[1:]), 1): Entry(Mask.encode(square(x)), Origin.DRAWN)
            for frame, x in masks.items()
        }
        return Document((ObjectInfo(1, name, (0, 0, 0)),), entries)

    own = document("cup", f3=10, f5=10)
    names = {1: "cup (2)"}
    whole = document("cup (2)", f3=10, f5=10)
    assert exchange.compared(own, names, whole) == "Read back: worst IoU 1.0000."
    moved = document("cup (2)", f3=11, f5=15)
    assert exchange.compared(own, names, moved) == (
        "Read back: worst IoU 0.3333 (cup (2), frame 5)."
    )
    assert exchange.compared(own, names, document("cup (2)", f3=10)) == (
        "Read back: worst IoU 0.0000 (cup (2), frame 5)."
    )
    assert exchange.compared(own, names, document("plate", f3=10, f5=10)).endswith(
        "0.0000 (cup (2), frame 3)."
    )
    assert exchange.compared(own, {}, document("plate")) == "Read back: worst IoU 1.0000."
    own.replace({Key(5, 1): Entry(None, Origin.DRAWN)})
    assert exchange.compared(own, names, document("cup (2)", f3=10)) == (
        "Read back: worst IoU 1.0000."
    )
    own.replace({Key(3, 1): Entry(None, Origin.DRAWN)})
    own.replace({Key(4, 2): Entry(Mask.encode(square(10)), Origin.DRAWN)})  # of no name
    own.replace({Key(5, 1): Entry(Mask.encode(square(10)), Origin.DRAWN)})
    assert exchange.compared(own, names, document("cup (2)", f5=15)) == (
        "Read back: worst IoU 0.3333 (cup (2), frame 5)."
    )
