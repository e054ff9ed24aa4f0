"""VISOR into a document and back: untouched is unchanged, edited is exact."""

import json
from pathlib import Path

import numpy as np
import pytest

from app.core.document import Document, Entry, Key, ObjectInfo, Origin
from app.core.mask import Mask
from app.errors import FormatError
from app.storage.formats.visor.exporting import Resolution, build_export, export_visor
from app.storage.formats.visor.geometry import DENSE_SIZE, SPARSE_SIZE, rasterise
from app.storage.formats.visor.importing import ImportedVisor, import_visor
from app.storage.formats.visor.naming import FrameList
from app.storage.formats.visor.records import read_raw
from app.storage.formats.visor.validation.validate import validate
from tests.storage.visor_edits import (
    annotations,
    block,
    edited,
    object_named,
    read_back,
    video_of,
)
from tests.storage.visor_vectors import DENSE, SPARSE, SUBMISSION, load

SIZES = [(1080, 1920), (480, 854), (720, 1280), (360, 640), (256, 456), (480, 720), (1200, 1200)]


@pytest.mark.parametrize("path", [SPARSE, DENSE, SUBMISSION])
def test_without_edits_the_export_is_the_import(path: Path) -> None:
    _, raw = edited(lambda imported: None, path)
    assert raw == load(path)


def test_unknown_keys_record_order_and_odd_numbers_are_kept(tmp_path: Path) -> None:
    raw = load(SPARSE)
    raw["video_annotations"].reverse()
    raw["more"] = {"kept": [1.10, 1e-7, None]}
    raw["video_annotations"][0]["annotations"][0] |= {"seen by": "someone", "segments": []}
    raw["video_annotations"][1]["image"]["camera"] = 0.30000000000000004
    path = tmp_path / "odd.json"
    path.write_text(json.dumps(raw))
    assert edited(lambda imported: None, path)[1] == raw


def test_what_people_drew_is_imported_and_what_was_interpolated_is_propagated() -> None:
    assert {entry.origin for _, entry in import_visor(SPARSE).document.items()} == {Origin.IMPORTED}
    by_frame = [entry.origin for _, entry in import_visor(DENSE).document.items()]
    drawn, made = Origin.IMPORTED, Origin.PROPAGATED
    assert by_frame == [drawn, made, drawn, made, made, drawn]


def test_a_mask_is_what_the_official_reader_rasterises() -> None:
    imported = import_visor(SPARSE)
    entry = imported.document.get(Key(0, object_named(imported, "plate")))
    assert entry is not None
    assert entry.mask is not None
    segments = annotations(load(SPARSE), 0)["plate"]["segments"]
    assert np.array_equal(entry.mask.decode(), rasterise(segments, SPARSE_SIZE))


def test_an_edited_mask_keeps_its_id_and_flags_and_is_exact() -> None:
    def edit(imported: ImportedVisor) -> None:
        key = Key(1, object_named(imported, "right hand"))
        imported.document.replace({key: Entry(block(SPARSE_SIZE), Origin.DRAWN)})

    _, raw = edited(edit)
    before, after = annotations(load(SPARSE), 1), annotations(raw, 1)
    hand = after.pop("right hand")
    assert {**hand, "segments": None} == {**before.pop("right hand"), "segments": None}
    assert np.array_equal(rasterise(hand["segments"], SPARSE_SIZE), block(SPARSE_SIZE).decode())
    assert all(isinstance(n, int) for polygon in hand["segments"] for p in polygon for n in p)
    assert after == before


def test_a_deleted_mask_is_gone_and_no_hand_refers_to_it() -> None:
    def delete(imported: ImportedVisor) -> None:
        imported.document.replace({Key(0, object_named(imported, "plate")): None})

    _, raw = edited(delete)
    found = annotations(raw, 0)
    assert "plate" not in found
    assert found["right hand"]["in_contact_object"] == "none-of-the-above"
    assert annotations(raw, 1) == annotations(load(SPARSE), 1)


def test_an_absent_object_is_not_written() -> None:
    def mark_absent(imported: ImportedVisor) -> None:
        key = Key(0, object_named(imported, "cup"))
        imported.document.replace({key: Entry(None, Origin.DRAWN)})

    assert "cup" not in annotations(edited(mark_absent)[1], 0)


def test_a_new_mask_gets_an_id_a_class_and_the_keys_of_a_hand_or_glove() -> None:
    def add(imported: ImportedVisor) -> None:
        for place, name in enumerate(("left hand", "right glove", "knife")):
            key = Key(4, object_named(imported, name))
            # Side by side: what others hide is a defect of its own.
            pixels = np.roll(block(SPARSE_SIZE).decode(), 400 * place, axis=1)
            imported.document.replace({key: Entry(Mask.encode(pixels), Origin.CLICKED)})

    _, raw = edited(add)
    found = annotations(raw, 4)
    assert len({annotation["id"] for annotation in found.values()}) == 4
    assert found["left hand"]["in_contact_object"] == "inconclusive"
    assert found["right glove"]["in_contact_object"] is None
    assert found["right glove"]["on_which_hand"] is None
    assert "in_contact_object" not in found["knife"]
    assert (found["knife"]["class_id"], found["left hand"]["class_id"]) == (4, 300)
    assert not [defect for defect in validate(raw) if not defect.harmless]


def test_a_renamed_object_takes_the_class_of_its_new_name() -> None:
    def rename(imported: ImportedVisor) -> None:
        imported.document.replace_objects(
            tuple(
                ObjectInfo(
                    o.id, "chopping board" if o.name == "plate" else o.name, o.color, o.class_id
                )
                for o in imported.document.objects
            )
        )

    _, raw = edited(rename)
    board = annotations(raw, 0)["chopping board"]
    assert board["class_id"] == 18
    assert board["segments"] == annotations(load(SPARSE), 0)["plate"]["segments"]


def test_masks_land_on_the_frames_of_the_video_that_bear_their_names() -> None:
    imported = import_visor(SPARSE, video_of(range(1, 402)))
    assert imported.document.frames() == [100, 150, 200, 250, 400]


@pytest.mark.parametrize("form", ["frame_{:010d}", "{:010d}", "other_frame_{:010d}"])
def test_masks_land_by_number_where_names_differ(form: str) -> None:
    stems = tuple(form.format(number) for number in range(101, 152))
    frames = FrameList(Path("extracted"), stems, SPARSE_SIZE)
    imported = import_visor(SPARSE, frames)
    assert imported.document.frames() == [0, 50]
    assert imported.notes == ("3 frames are not in the video.",)
    text = export_visor(imported.document, frames, imported.attachment)
    assert json.loads(text) == load(SPARSE)


def test_a_video_that_the_file_is_not_about_is_refused() -> None:
    with pytest.raises(FormatError, match="Give the video"):
        import_visor(SPARSE, video_of(range(5000, 5010)))


def test_new_frames_stand_at_their_place_in_time_within_their_subsequence() -> None:
    frames = video_of(range(1, 402))
    imported = import_visor(SPARSE, frames)
    plate = object_named(imported, "plate")
    new = {Key(frame, plate): Entry(block(SPARSE_SIZE), Origin.PROPAGATED) for frame in (120, 399)}
    imported.document.replace(new)
    raw = json.loads(export_visor(imported.document, frames, imported.attachment))
    paths = [record["image"]["image_path"] for record in raw["video_annotations"]]
    assert paths == sorted(paths)
    assert raw["video_annotations"][1]["image"] == {
        "image_path": "P99_101/P99_101_frame_0000000121.jpg",
        "name": "P99_101_frame_0000000121.jpg",
        "subsequence": "P99_101_seq_00001",
        "video": "P99_101",
    }
    kept = [r for r in raw["video_annotations"] if r in load(SPARSE)["video_annotations"]]
    assert kept == load(SPARSE)["video_annotations"]


def test_a_smaller_video_gets_sampled_masks_and_its_edits_are_exact(tmp_path: Path) -> None:
    frames = video_of(range(1, 402), DENSE_SIZE)
    imported = import_visor(SPARSE, frames)
    cup = object_named(imported, "cup")
    imported.document.replace({Key(100, cup): Entry(block(DENSE_SIZE), Origin.DRAWN)})
    raw = json.loads(export_visor(imported.document, frames, imported.attachment))
    assert annotations(raw, 1) == annotations(load(SPARSE), 1)
    assert annotations(raw, 0)["cup"] != annotations(load(SPARSE), 0)["cup"]
    again = read_back(raw, frames, tmp_path / "again.json")
    assert again.get(Key(100, cup)) == Entry(block(DENSE_SIZE), Origin.IMPORTED)


@pytest.mark.parametrize("size", SIZES)
def test_masks_of_an_ordinary_video_come_back_exactly(
    size: tuple[int, int], tmp_path: Path
) -> None:
    frames = FrameList(Path("film.mp4"), ("000000", "000001", "000002"), size)
    objects = (ObjectInfo(3, "cup", (1, 2, 3), 13), ObjectInfo(7, "my dog", (4, 5, 6)))
    entries: dict[Key, Entry | None] = {
        Key(0, 3): Entry(block(size), Origin.DRAWN),
        Key(2, 3): Entry(block(size, 60), Origin.PROPAGATED),
        Key(2, 7): Entry(block(size, 90, 40), Origin.PROPAGATED),
    }
    made = [entry.mask for entry in entries.values() if entry]
    export = build_export(Document(objects, entries), frames)
    raw = json.loads(export.file.dumps())
    assert [r["image"]["name"] for r in raw["video_annotations"]] == [
        "film_frame_0000000001.jpg",
        "film_frame_0000000003.jpg",
    ]
    assert annotations(raw, 1)["my dog"]["class_id"] is None
    assert any("my dog" in note for note in export.notes)
    again = read_back(raw, frames, tmp_path / "again.json")
    assert [entry.mask for _, entry in again.items()] == made
    alone = read_back(raw, None, tmp_path / "again.json")  # the file itself knows the frames' size
    assert [entry.mask for _, entry in alone.items()] == made
    assert not [defect for defect in validate(raw) if not defect.harmless]


@pytest.mark.parametrize(
    ("size", "resolution", "coordinates"),
    [
        ((480, 854), Resolution.AUTO, "1920x1080"),
        ((480, 720), Resolution.AUTO, "720x480"),
        ((2160, 3840), Resolution.AUTO, "3840x2160"),
        ((480, 854), Resolution.FRAMES, "854x480"),
        ((1080, 1920), Resolution.DENSE, "854x480"),
        ((480, 720), Resolution.FULL, "1920x1080"),
    ],
)
def test_the_file_says_which_size_its_coordinates_refer_to(
    size: tuple[int, int], resolution: Resolution, coordinates: str
) -> None:
    frames = FrameList(Path("film"), ("00000",), size)
    document = Document(
        (ObjectInfo(1, "cup", (0, 0, 0)),), {Key(0, 1): Entry(block(size), Origin.DRAWN)}
    )
    export = build_export(document, frames, resolution=resolution)
    assert export.file.info["Resolution"] == coordinates
    assert export.notes[0].startswith(f"Coordinates {coordinates}: 1 new")


def test_an_imported_files_polygons_are_not_written_at_another_resolution() -> None:
    imported = import_visor(SPARSE)
    with pytest.raises(FormatError, match="Leave out"):
        build_export(
            imported.document, imported.frames, imported.attachment, resolution=Resolution.DENSE
        )


def test_overlapping_masks_are_written_whole_in_object_order() -> None:
    frames = FrameList(Path("film"), ("00000",), SPARSE_SIZE)
    objects = tuple(ObjectInfo(number, f"thing {number}", (0, 0, 0)) for number in (2, 1))
    entry = Entry(block(SPARSE_SIZE), Origin.DRAWN)
    raw = json.loads(export_visor(Document(objects, {Key(0, 1): entry, Key(0, 2): entry}), frames))
    found = raw["video_annotations"][0]["annotations"]
    assert [annotation["name"] for annotation in found] == ["thing 2", "thing 1"]
    assert found[0]["segments"] == found[1]["segments"]


def test_editing_a_shared_frame_of_two_dense_runs_edits_both() -> None:
    def edit(imported: ImportedVisor) -> None:
        imported.document.replace({Key(2, 1): Entry(block(DENSE_SIZE), Origin.DRAWN)})

    _, raw = edited(edit, DENSE)
    twice = [annotations(raw, record)["plate"] for record in (2, 3)]
    assert twice[0]["segments"] == twice[1]["segments"]
    assert [annotation["id"][-2:] for annotation in twice] == ["67", "68"]


def test_a_new_mask_on_a_shared_frame_of_two_dense_runs_is_written_once() -> None:
    def add(imported: ImportedVisor) -> None:
        cup = ObjectInfo(9, "cup", (1, 2, 3))
        imported.document.replace_objects((*imported.document.objects, cup))
        imported.document.replace({Key(2, 9): Entry(block(DENSE_SIZE), Origin.DRAWN)})

    _, raw = edited(add, DENSE)
    assert [sorted(annotations(raw, record)) for record in (2, 3)] == [["cup", "plate"], ["plate"]]
    assert annotations(raw, 2)["cup"]["type"] == 0


def test_where_dense_runs_differ_on_their_shared_frame_the_first_counts(tmp_path: Path) -> None:
    raw = load(DENSE)
    raw["video_annotations"][3]["annotations"][0]["segments"] = [[[0, 0], [9, 0], [9, 9]]]
    path = tmp_path / "differ.json"
    path.write_text(json.dumps(raw))
    entry = import_visor(path).document.get(Key(2, 1))
    assert entry == import_visor(DENSE).document.get(Key(2, 1))
    assert edited(lambda imported: None, path)[1] == raw


def test_a_file_of_three_hundred_things_is_refused_with_advice(tmp_path: Path) -> None:
    raw = load(SPARSE)
    given = raw["video_annotations"][0]["annotations"][0]
    many = [{**given, "name": f"thing {n}", "id": f"{n}"} for n in range(300)]
    raw["video_annotations"][0]["annotations"] = many
    path = tmp_path / "many.json"
    path.write_text(json.dumps(raw))
    with pytest.raises(FormatError, match=r"names 3\d\d things.* 254 objects.*Split"):
        import_visor(path)


def test_broken_files_are_named_and_explained(tmp_path: Path) -> None:
    path = tmp_path / "cut.json"
    path.write_bytes(SPARSE.read_bytes()[:3000])
    with pytest.raises(FormatError, match=r"cut\.json is not whole JSON, line \d+"):
        import_visor(path)
    path.write_text('{"images": []}')
    with pytest.raises(FormatError, match="not a VISOR JSON"):
        import_visor(path)
    raw = load(SPARSE)
    raw["video_annotations"][2]["annotations"][0]["segments"] = [[[1, "two"]]]
    path.write_text(json.dumps(raw))
    with pytest.raises(FormatError, match="segments of knife"):
        import_visor(path)
    path.write_text(path.read_text().replace('"two"', "1e999"))
    with pytest.raises(FormatError, match="segments of knife"):
        import_visor(path)
    assert [each.rule for each in validate(read_raw(path)) if not each.harmless] == ["segments"]
    with pytest.raises(FormatError, match="damaged"):
        export_visor(Document(), video_of(range(1, 3)), b"no attachment")
