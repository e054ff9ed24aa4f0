"""What is exported is read back before it takes the place of what was there."""

from pathlib import Path

import numpy as np
import pytest

from app.core.document import Document, Entry, Key, Origin
from app.core.mask import Mask
from app.errors import StorageError
from app.storage.formats.exporting import Format, export_document
from app.storage.formats.labelled import named_objects
from app.storage.formats.palette import encode_palette_png
from app.storage.formats.visor.naming import FrameList

SIZE = (40, 60)


@pytest.fixture
def document() -> Document:
    pixels = np.zeros(SIZE, np.bool_)
    pixels[5:20, 8:30] = True
    entry = Entry(Mask.encode(pixels), Origin.DRAWN)
    return Document(named_objects({1: "cup"}), {Key(frame, 1): entry for frame in (0, 2)})


def frames(folder: Path) -> FrameList:
    return FrameList(folder / "clip", ("a", "b", "c"), SIZE)


@pytest.mark.parametrize(
    ("form", "name", "broken"),
    [
        (Format.VISOR, "a.json", "app.storage.formats.visor.exporting.trace"),
        (Format.COCO, "a.json", "app.storage.formats.coco._shape"),
        (Format.DAVIS, "folder", "app.storage.formats.davis.encode_palette_png"),
    ],
)
def test_a_mask_that_does_not_come_back_is_a_failure_and_nothing_is_replaced(
    tmp_path: Path,
    document: Document,
    monkeypatch: pytest.MonkeyPatch,
    form: Format,
    name: str,
    broken: str,
) -> None:
    target = tmp_path / "out" / name
    export_document(document, frames(tmp_path), form, target)
    before = {path: path.read_bytes() for path in target.parent.rglob("*") if path.is_file()}
    wrong = {
        "trace": lambda *_: [[[9, 5], [29, 5], [29, 19], [9, 19]]],
        "_shape": lambda mask: {"segmentation": [[0, 0, 9, 0, 9, 9]], "bbox": [0, 0, 9, 9]},
        "encode_palette_png": lambda labels, palette: encode_palette_png(labels * 0, palette),
    }
    monkeypatch.setattr(broken, wrong[broken.rpartition(".")[2]])
    with pytest.raises(StorageError, match="would not come back"):
        export_document(document, frames(tmp_path), form, target)
    after = {path: path.read_bytes() for path in target.parent.rglob("*") if path.is_file()}
    assert after == before
    assert list(tmp_path.iterdir()) == [tmp_path / "out"]


@pytest.mark.parametrize("size", [(40, 60), (480, 854), (1080, 1920), (2160, 3840), (30, 30)])
def test_what_a_smaller_canvas_cannot_hold_is_no_failure(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    rng = np.random.default_rng(1)
    coarse = rng.random((4, 10, 10)) < 0.3
    rows, columns = (np.arange(side) * 10 // side for side in size)
    entries = {
        Key(frame, number): Entry(
            Mask.encode(coarse[2 * frame + number - 1][np.ix_(rows, columns)]), Origin.DRAWN
        )
        for frame in range(2)
        for number in (1, 2)
    }
    document = Document(named_objects({1: "cup", 2: "cup (2)"}), entries)
    names = FrameList(tmp_path / "clip", ("a", "b"), size)
    for resolution in ("auto", "480p"):
        from app.storage.formats.visor.exporting import Resolution

        export_document(
            document, names, Format.VISOR, tmp_path / "a.json", resolution=Resolution(resolution)
        )


def test_a_mask_that_does_not_come_back_is_found_behind_an_absence(
    tmp_path: Path, document: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    absent = Document(document.objects, {Key(1, 1): Entry(None, Origin.DRAWN)})
    absent.replace(dict(document.items()))
    monkeypatch.setattr(
        "app.storage.formats.visor.exporting.trace", lambda *_: [[[9, 5], [29, 5], [29, 19]]]
    )
    with pytest.raises(StorageError, match=r"The mask of cup on frame 0 would not come back"):
        export_document(absent, frames(tmp_path), Format.VISOR, tmp_path / "a.json")
    assert not (tmp_path / "a.json").exists()
