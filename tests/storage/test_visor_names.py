"""VISOR's names and order: several objects of one name, and which mask lies on top."""

import json
from pathlib import Path

from app.core.document import Document, Entry, Key, ObjectInfo, Origin
from app.storage.formats.coco import read_coco
from app.storage.formats.davis import read_davis
from app.storage.formats.exporting import Format, export_document
from app.storage.formats.visor.exporting import build_export, export_visor
from app.storage.formats.visor.geometry import SPARSE_SIZE
from app.storage.formats.visor.importing import ImportedVisor, import_visor
from app.storage.formats.visor.naming import FrameList
from app.storage.formats.visor.release.benchmark import Split, benchmark_videos
from app.storage.formats.visor.validation.validate import validate
from tests.storage.visor_edits import (
    annotations,
    block,
    edited,
    masks,
    named_masks,
    object_named,
    read_back,
)
from tests.storage.visor_vectors import SPARSE, load


def test_same_named_masks_of_a_frame_are_kept_apart(tmp_path: Path) -> None:
    path = file_with_two_cups(tmp_path)
    first, *_, twin = load(path)["video_annotations"][0]["annotations"][1:]

    def edit(imported: ImportedVisor) -> None:
        key = Key(0, object_named(imported, "cup (2)"))
        assert imported.document.get(key) is not None
        imported.document.replace({key: Entry(block(SPARSE_SIZE), Origin.DRAWN)})

    _, written = edited(edit, path)
    cups = [a for a in written["video_annotations"][0]["annotations"] if a["name"] == "cup"]
    assert cups[0] == first
    assert cups[1]["id"] == "f" * 32
    assert cups[1]["segments"] != twin["segments"]


def file_with_two_cups(folder: Path) -> Path:
    raw = load(SPARSE)
    first = raw["video_annotations"][0]["annotations"]
    first.append({**first[1], "id": "f" * 32, "segments": [[[10, 10], [90, 10], [90, 90]]]})
    path = folder / "twins.json"
    path.write_text(json.dumps(raw))
    return path


def test_a_second_object_of_a_name_is_told_apart_on_new_frames(tmp_path: Path) -> None:
    drawn = Entry(block(SPARSE_SIZE), Origin.DRAWN)

    def add(imported: ImportedVisor) -> None:
        first, second = (object_named(imported, name) for name in ("cup", "cup (2)"))
        imported.document.replace_objects(tuple(reversed(imported.document.objects)))
        imported.document.replace({Key(2, second): drawn, Key(3, second): drawn})
        imported.document.replace({Key(3, first): Entry(block(SPARSE_SIZE, 90), Origin.DRAWN)})

    imported, raw = edited(add, file_with_two_cups(tmp_path))
    before, after = (file["video_annotations"][0] for file in (load(tmp_path / "twins.json"), raw))
    assert after["image"] == before["image"]
    before["annotations"][-1]["name"] = "cup (2)"  # comes before the first one now
    order = [info.name for info in imported.document.objects]
    before["annotations"].sort(key=lambda each: order.index(each["name"]))
    assert after["annotations"] == before["annotations"]
    again = read_back(raw, None, tmp_path / "again.json")
    assert named_masks(again) == named_masks(imported.document)


def test_a_second_object_of_a_name_stays_itself_where_the_first_is_deleted(tmp_path: Path) -> None:
    def delete(imported: ImportedVisor) -> None:
        imported.document.replace({Key(0, object_named(imported, "cup")): None})

    imported, raw = edited(delete, file_with_two_cups(tmp_path))
    left = annotations(raw, 0)["cup (2)"]
    assert (left["id"], left["class_id"]) == ("f" * 32, 13)
    assert left["segments"] == [[[10, 10], [90, 10], [90, 90]]]
    again = read_back(raw, None, tmp_path / "again.json")
    assert named_masks(again) == named_masks(imported.document)


def test_a_thing_that_a_file_calls_as_a_second_one_is_shown_is_kept_apart(tmp_path: Path) -> None:
    path = file_with_two_cups(tmp_path)
    raw = load(path)
    first = raw["video_annotations"][0]["annotations"]
    first.append({**first[1], "id": "e" * 32, "name": "cup (2)"})
    path.write_text(json.dumps(raw))
    imported, written = edited(lambda imported: None, path)
    shown = [info.name for info in imported.document.objects if info.name.startswith("cup")]
    assert len(shown) == len(set(shown)) == 3
    assert written == raw


def test_objects_of_one_name_come_back_as_themselves(tmp_path: Path) -> None:
    frames = FrameList(Path("film"), ("000000", "000001", "000002"), SPARSE_SIZE)
    objects = tuple(ObjectInfo(number, "cup", (0, 0, number)) for number in (1, 2, 3))
    entries: dict[Key, Entry | None] = {
        Key(frame, number): Entry(block(SPARSE_SIZE, 30 * number, 20 * frame), Origin.DRAWN)
        for frame, number in ((0, 1), (0, 2), (1, 2), (1, 3), (2, 3), (2, 1))
    }
    document = Document(objects, entries)
    export = build_export(document, frames)
    raw = json.loads(export.file.dumps())
    again = read_back(raw, frames, tmp_path / "again.json")
    assert masks(again) == masks(document)
    assert [(info.name, info.class_id) for info in again.objects] == [
        ("cup", 13),
        ("cup (2)", 13),
        ("cup (3)", 13),
    ]
    assert any("cup as cup (2), cup as cup (3)" in note for note in export.notes)
    assert {defect.rule for defect in validate(raw)} == {"late object"}  # the third cup
    (official,) = benchmark_videos(export.file, Split.TRAIN, SPARSE_SIZE)
    assert [len(frame.masks) for frame in official.frames] == [2, 2, 2]


def frames_of(imported: ImportedVisor) -> FrameList:
    assert isinstance(imported.frames, FrameList)
    return imported.frames


def crossing(path: Path) -> Path:
    """Write a file of two frames on which cup and plate lie over each other the other way round."""
    square = [[[10, 10], [60, 10], [60, 60], [10, 60]]]
    other = [[[40, 40], [90, 40], [90, 90], [40, 90]]]
    records = []
    for number, order in ((1, ("cup", "plate")), (2, ("plate", "cup"))):
        name = f"P99_101_frame_{number:010}.jpg"
        annotations = [
            {"id": f"{number}{len(entity):031}", "name": entity, "class_id": 0,
             "exhaustive": "y", "segments": square if entity == "cup" else other}
            for entity in order
        ]  # fmt: skip
        image = {"image_path": f"P99_101/{name}", "name": name, "video": "P99_101",
                 "subsequence": "P99_101_seq_00001"}  # fmt: skip
        records.append({"image": image, "annotations": annotations})
    raw = {"info": {"Dataset Name": "VISOR"}, "video_annotations": records}
    path.write_text(json.dumps(raw))
    return path


def test_masks_lie_over_each_other_as_each_frame_says(tmp_path: Path) -> None:
    imported = import_visor(crossing(tmp_path / "a.json"))
    for form in (Format.DAVIS, Format.COCO):
        export_document(
            imported.document, frames_of(imported), form, tmp_path / form.value,
            attachment=imported.attachment,
        )  # fmt: skip
    video = next(read_davis(tmp_path / "davis"))
    tops = [int(frame.labels(video.size)[50, 50]) for frame in video.frames]
    assert tops == [2, 1]
    (coco,) = read_coco(json.loads((tmp_path / "coco").read_bytes()))
    assert [[n for n, _ in frame.masks] for frame in coco.frames] == [[1, 2], [2, 1]]


def test_an_edit_of_the_order_is_written_on_every_frame(tmp_path: Path) -> None:
    imported = import_visor(crossing(tmp_path / "a.json"))
    document, attachment = imported.document, imported.attachment
    document.replace_objects(document.objects[::-1])
    content = export_visor(document, imported.frames, attachment)
    written = json.loads(content)["video_annotations"]
    names = [[each["name"] for each in record["annotations"]] for record in written]
    assert names == [["plate", "cup"], ["plate", "cup"]]
    before = load(tmp_path / "a.json")["video_annotations"]
    assert written[0]["annotations"] == before[0]["annotations"][::-1]
    assert written[1] == before[1]
    export_document(
        document, frames_of(imported), Format.DAVIS, tmp_path / "d", attachment=attachment
    )
    video = next(read_davis(tmp_path / "d"))
    assert [int(frame.labels(video.size)[50, 50]) for frame in video.frames] == [1, 1]


def test_an_object_that_is_new_or_gone_is_no_edit_of_the_order(tmp_path: Path) -> None:
    imported = import_visor(crossing(tmp_path / "a.json"))
    document = imported.document
    document.replace_objects((*document.objects, ObjectInfo(9, "fork", (1, 2, 3))))
    content = export_visor(document, imported.frames, imported.attachment)
    assert json.loads(content) == load(tmp_path / "a.json")
