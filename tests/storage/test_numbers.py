"""The numbers of objects in label maps, whatever their ids in a project are."""

from pathlib import Path

import numpy as np
import pytest

from app.core.document import Document, Entry, Key, ObjectInfo, Origin
from app.core.mask import Mask
from app.errors import FormatError
from app.storage.formats.coco import read_coco
from app.storage.formats.exporting import Format, export_document
from app.storage.formats.importing import MaskSource
from app.storage.formats.labelled import numbers_of
from app.storage.formats.palette import read_palette_png
from app.storage.formats.visor.naming import FrameList
from app.storage.formats.visor.records import read_json

SIZE = (20, 30)
FRAMES = FrameList(Path("clip"), ("00000", "00001"), SIZE)


def strip(place: int) -> Mask:
    pixels = np.zeros(SIZE, np.bool_)
    pixels[:, 3 * place : 3 * place + 3] = True
    mask = Mask.encode(pixels)
    assert mask is not None
    return mask


def document(*ids: int) -> Document:
    return Document(
        tuple(ObjectInfo(number, f"thing {number}", (1, 2, 3)) for number in ids),
        {Key(0, n): Entry(strip(place), Origin.DRAWN) for place, n in enumerate(ids)},
    )


def test_ids_that_no_byte_can_hold_get_free_numbers() -> None:
    assert numbers_of(document(7, 254, 255, 300, 1).objects) == {
        7: 7, 254: 254, 255: 2, 300: 3, 1: 1,
    }  # fmt: skip


def test_more_objects_than_numbers_are_refused() -> None:
    objects = tuple(ObjectInfo(number, "", (0, 0, 0)) for number in range(300, 554))
    assert sorted(numbers_of(objects).values()) == list(range(1, 255))
    with pytest.raises(FormatError, match="254"):
        numbers_of((*objects, ObjectInfo(1, "", (0, 0, 0))))


def test_davis_masks_and_their_names_come_back(tmp_path: Path) -> None:
    root = tmp_path / "davis"
    export_document(document(2, 300, 70_000), FRAMES, Format.DAVIS, root)
    labels = read_palette_png(next(root.rglob("00000.png")))
    assert [labels[0, 1], labels[0, 4], labels[0, 7]] == [2, 1, 3]
    back = MaskSource(root).document().document
    names = {info.id: info.name for info in back.objects}
    assert names == {1: "thing 300", 2: "thing 2", 3: "thing 70000"}
    assert back.on_frame(0)[3].mask == strip(2)


def test_coco_and_visor_keep_objects_apart(tmp_path: Path) -> None:
    for form, name in ((Format.COCO, "a.json"), (Format.VISOR, "b.json")):
        export_document(document(2, 300, 70_000), FRAMES, form, tmp_path / name)
    (video,) = read_coco(read_json(tmp_path / "a.json"))
    assert [info.name for info in video.objects] == ["thing 300", "thing 2", "thing 70000"]
    back = MaskSource(tmp_path / "b.json").document().document
    masks = {info.name: back.on_frame(0)[info.id].mask for info in back.objects}
    assert masks["thing 70000"] == strip(2)
