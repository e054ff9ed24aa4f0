"""What goes into a format comes out of it, and through a project."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.document import Document, Entry, Key, Origin
from app.core.mask import Mask
from app.storage.formats.coco import coco_json, read_coco
from app.storage.formats.exporting import Format, export_document
from app.storage.formats.importing import MaskSource
from app.storage.formats.labelled import named_objects
from app.storage.formats.visor.naming import FrameList

SIZE = (24, 32)
NAMES = ("cup", "cup (2)", "left hand", "caf\u00e9/\u00fc", "\U0001f944", "a b:c")
FORMATS = {Format.VISOR: "a.json", Format.COCO: "a.json", Format.DAVIS: "folder"}


@st.composite
def documents(draw: st.DrawFn, *, overlapping: bool) -> Document:
    """Draw a document with empty frames, absences, holes and, where asked for, overlaps."""
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    count = draw(st.integers(1, 4))
    entries: dict[Key, Entry | None] = {}
    for frame in range(draw(st.integers(1, 5))):
        labels = rng.integers(0, count + 1, SIZE) * (rng.random(SIZE) < 0.7)
        is_empty = draw(st.booleans())
        for number in range(1, count + 1):
            pixels = rng.random(SIZE) < 0.4 if overlapping else labels == number
            mask = None if is_empty else Mask.encode(pixels)
            if is_empty or mask is not None:
                entries[Key(frame, number)] = Entry(mask, Origin.IMPORTED)
    names = draw(st.permutations(NAMES))
    return Document(named_objects(dict(enumerate(names[:count], start=1))), entries)


def frames(folder: Path) -> FrameList:
    return FrameList(folder / "P99_01", tuple(f"P99_01_frame_{n:010}" for n in range(9)), SIZE)


def shown(document: Document, names: FrameList) -> dict[str, dict[str, Mask]]:
    """Return frame -> object's name -> mask, of all frames that something is known of."""
    called = {info.id: info.name for info in document.objects}
    return {
        names.stem(frame): {
            called[number]: entry.mask
            for number, entry in document.on_frame(frame).items()
            if entry.mask is not None
        }
        for frame in document.frames()
    }


@pytest.mark.parametrize("form", FORMATS)
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_a_document_comes_back_from_every_format(
    tmp_path_factory: pytest.TempPathFactory, form: Format, data: st.DataObject
) -> None:
    document = data.draw(documents(overlapping=form is not Format.DAVIS))
    if not any(entry.mask for _, entry in document.items()):
        return  # no format can name an object that is nowhere
    folder = tmp_path_factory.mktemp("trip")
    export_document(document, frames(folder), form, folder / FORMATS[form])
    back = MaskSource(folder / FORMATS[form]).document()
    assert isinstance(back.frames, FrameList)
    assert shown(back.document, back.frames) == shown(document, frames(folder))


def test_three_hundred_objects_are_refused_by_name_or_come_back(tmp_path: Path) -> None:
    rows = {n: np.arange(SIZE[0] * SIZE[1]).reshape(SIZE) % 254 == n - 1 for n in range(1, 255)}
    entries = {Key(0, n): Entry(Mask.encode(pixels), Origin.DRAWN) for n, pixels in rows.items()}
    document = Document(named_objects({n: f"thing {n}" for n in rows}), dict(entries))
    for form, name in FORMATS.items():
        export_document(document, frames(tmp_path), form, tmp_path / name)
        back = MaskSource(tmp_path / name).document()
        assert isinstance(back.frames, FrameList)
        assert shown(back.document, back.frames) == shown(document, frames(tmp_path))


def test_an_image_without_annotations_says_that_nothing_is_there() -> None:
    raw = {
        "images": [{"id": n, "file_name": f"a/{n}.jpg", "height": 9, "width": 9} for n in (1, 2)],
        "annotations": [
            {"id": 1, "image_id": 1, "category_id": 1, "segmentation": [[1, 1, 5, 1, 5, 5]]}
        ],
        "categories": [{"id": 1, "name": "cup"}],
    }
    assert read_coco(json.loads(coco_json(read_coco(raw)))) == read_coco(raw)
    document = read_coco(raw)[0].document()
    entry = document.get(Key(1, 1))
    assert entry is not None
    assert entry.mask is None
    assert entry.is_anchor
