"""Dense VISOR files: which masks stand in which run, and how each of them is written."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.core.densify import Run
from app.core.document import Document, Entry, Key, ObjectInfo, Origin
from app.core.mask import Mask
from app.errors import UsageError
from app.storage.formats.exporting import Format, export_document
from app.storage.formats.visor.geometry import DENSE_SIZE, rasterise
from app.storage.formats.visor.importing import import_visor
from app.storage.formats.visor.naming import FrameList
from app.storage.formats.visor.records import VisorFile
from app.storage.formats.visor.release.dense import dense_file
from models.api import BoolMask

VIDEO = "P99_101"
KNIFE = ObjectInfo(1, "knife", (255, 0, 0), class_id=4)
CUP = ObjectInfo(2, "cup", (0, 255, 0), class_id=13)
RUNS = [Run(0, 5, (1, 2), ()), Run(5, 10, (1, 2), ()), Run(10, 15, (1,), ())]


def stem(frame: int) -> str:
    return f"{VIDEO}_frame_{frame + 1:010d}"


def names(count: int = 16, size: tuple[int, int] = DENSE_SIZE) -> FrameList:
    return FrameList(Path(VIDEO), tuple(stem(frame) for frame in range(count)), size)


def sparse(sequences: dict[int, int], *, annotated: bool = False) -> dict[str, Any]:
    """Return a sparse file of these frames, each with the number of its subsequence."""
    square = [[[40.0, 30.0], [90.0, 30.0], [90.0, 70.0], [40.0, 70.0]]]
    things = [
        {"id": f"{number:032x}", "name": name, "class_id": number, "segments": square}
        for number, name in ((4, "knife"), (13, "cup"))
    ]
    records = [
        {
            "image": {
                "image_path": f"{VIDEO}/{stem(frame)}.jpg",
                "name": f"{stem(frame)}.jpg",
                "subsequence": f"{VIDEO}_seq_{sequence:05d}",
                "video": VIDEO,
            },
            "annotations": things if annotated else [],
        }
        for frame, sequence in sequences.items()
    ]
    return {"info": {}, "video_annotations": records}


def parsed(raw: dict[str, Any]) -> VisorFile:
    return VisorFile.parse(json.dumps(raw).encode(), "sparse.json")


def mask(x: int, size: tuple[int, int] = DENSE_SIZE) -> Mask:
    pixels = np.zeros(size, np.bool_)
    pixels[20:60, x : x + 50] = True
    found = Mask.encode(pixels)
    assert found is not None
    return found


def filled() -> Document:
    """Return a document of three runs: the second has the knife alone, the third nothing sure."""
    drawn = {Key(f, n): Entry(mask(100 * n), Origin.DRAWN) for f in (0, 5, 10) for n in (1, 2)}
    drawn[Key(15, 1)] = Entry(mask(100), Origin.DRAWN)
    made = {
        Key(2, 1): Entry(mask(102), Origin.PROPAGATED),
        Key(2, 2): Entry(mask(202), Origin.PROPAGATED),
        Key(3, 2): Entry(mask(203), Origin.PROPAGATED),
        Key(4, 2): Entry(None, Origin.PROPAGATED),
        Key(7, 1): Entry(mask(107), Origin.PROPAGATED),
        Key(8, 2): Entry(mask(208), Origin.PROPAGATED, conflict=True),
        Key(12, 1): Entry(mask(112), Origin.PROPAGATED, conflict=True),
    }
    return Document((KNIFE, CUP), {**drawn, **made})


def shape(raw: dict[str, Any]) -> list[tuple[str, int, list[tuple[str, int]]]]:
    """Return a dense file's records: run, frame, and the name and type of each mask."""
    return [
        (
            each["image"]["interpolation"],
            int(each["image"]["name"].removesuffix(".png")[-10:]) - 1,
            [(mask["name"], mask["type"]) for mask in each["annotations"]],
        )
        for each in raw["video_annotations"]
    ]


def test_a_run_has_its_ends_and_what_is_sure_between_them() -> None:
    file = dense_file(filled(), names(), RUNS, parsed(sparse({0: 1, 5: 1, 10: 2, 15: 2})))
    first, second = f"{VIDEO}_00001", f"{VIDEO}_00002"
    assert shape(json.loads(file.dumps())) == [
        (first, 0, [("knife", 1), ("cup", 1)]),
        (first, 2, [("knife", 0), ("cup", 0)]),
        (first, 3, [("cup", 0)]),
        (first, 5, [("knife", 1), ("cup", 1)]),
        (second, 5, [("knife", 1)]),
        (second, 7, [("knife", 0)]),
        (second, 10, [("knife", 1)]),
    ]


def test_an_image_tells_its_video_its_run_and_the_subsequence_that_both_ends_have() -> None:
    file = dense_file(filled(), names(), RUNS, parsed(sparse({0: 1, 5: 1, 10: 2, 15: 2})))
    images = {(run, frame): file.records[n].image for n, (run, frame, _) in enumerate(shape(
        json.loads(file.dumps())))}  # fmt: skip
    assert images[f"{VIDEO}_00001", 2] == {
        "image_path": f"{VIDEO}/{stem(2)}.png",
        "name": f"{stem(2)}.png",
        "subsequence": f"{VIDEO}_seq_00001",
        "video": VIDEO,
        "interpolation": f"{VIDEO}_00001",
        "interpolation_start_frame": f"{stem(0)}.png",
        "interpolation_end_frame": f"{stem(5)}.png",
    }
    assert "subsequence" not in images[f"{VIDEO}_00002", 7]


def test_a_mask_has_its_class_its_points_and_an_id_of_its_own_that_is_the_same_each_time() -> None:
    made = [dense_file(filled(), names(), RUNS, parsed(sparse({0: 1, 5: 1}))) for _ in range(2)]
    found = [each.raw for record in made[0].records for each in record.annotations]
    assert [each["class_id"] for each in found] == [
        4 if each["name"] == "knife" else 13 for each in found
    ]
    ids = [str(each["id"]) for each in found]
    assert all(len(each) == 32 and int(each, 16) >= 0 for each in ids)
    assert len(set(ids)) == len(ids)
    assert made[0].dumps() == made[1].dumps()


def test_without_a_sparse_record_a_run_has_no_video_to_name() -> None:
    file = dense_file(filled(), names(), RUNS[:1], VisorFile({"video_annotations": []}))
    assert {record.image["interpolation"] for record in file.records} == {"_00001"}
    assert all("subsequence" not in record.image for record in file.records)


def _lines(length: int, wanted: int, *, larger: bool) -> list[int]:
    """Return the line of a picture that each line of one of another size shows."""
    if larger:
        return [line * length // wanted for line in range(wanted)]
    return [min(length - 1, -(-line * length // wanted)) for line in range(wanted)]


@pytest.mark.parametrize(
    ("size", "larger"),
    [
        (DENSE_SIZE, True), ((1080, 1920), True), ((480, 1920), True), ((1080, 854), True),
        ((240, 427), False), ((1080, 427), False), ((240, 1920), False), ((480, 400), False),
    ],
)  # fmt: skip
def test_a_mask_is_sampled_as_the_official_code_does_and_enlarged_so_that_it_comes_back(
    size: tuple[int, int],
    larger: bool,
) -> None:
    pixels: BoolMask = np.random.default_rng(0).random(size) < 0.0005
    pixels[100:150, 50:130] = True
    shown = Mask.encode(pixels)
    document = Document((KNIFE,), {Key(f, 1): Entry(shown, Origin.DRAWN) for f in range(3)})
    file = dense_file(document, names(3, size), [Run(0, 2, (1,), ())], parsed(sparse({0: 1})))
    rows = _lines(size[0], DENSE_SIZE[0], larger=larger)
    columns = _lines(size[1], DENSE_SIZE[1], larger=larger)
    wanted = pixels[np.ix_(rows, columns)]
    for record in file.records:
        written = rasterise(record.annotations[0].polygons, DENSE_SIZE)
        np.testing.assert_array_equal(written, wanted)


def test_a_mask_of_which_no_pixel_is_left_is_not_written() -> None:
    pixels = np.zeros((1080, 1920), np.bool_)
    pixels[1, 1] = True
    speck, large = Mask.encode(pixels), mask(100, (1080, 1920))
    entries = {Key(f, 1): Entry(speck, Origin.DRAWN) for f in range(3)}
    entries |= {Key(f, 2): Entry(large, Origin.DRAWN) for f in range(3)}
    document = Document((KNIFE, CUP), entries)
    frames, run = names(3, (1080, 1920)), Run(0, 2, (1, 2), ())
    file = dense_file(document, frames, [run], parsed(sparse({0: 1})))
    assert [masks for _, _, masks in shape(json.loads(file.dumps()))] == [
        [("cup", kind)] for kind in (1, 0, 1)
    ]


def test_the_export_of_a_project_is_its_dense_file_and_says_how_much_it_holds(
    tmp_path: Path,
) -> None:
    source, out = tmp_path / "sparse.json", tmp_path / "dense.json"
    source.write_text(json.dumps(sparse({0: 1, 5: 1, 10: 1}, annotated=True)))
    frames = names(11, (1080, 1920))
    imported = import_visor(source, frames)
    document = imported.document
    knife, cup = (info.id for info in document.objects)
    for frame, number in ((1, knife), (2, knife), (7, knife), (7, cup)):
        large = Entry(mask(100 * number, (1080, 1920)), Origin.PROPAGATED)
        document.replace({Key(frame, number): large})
    said = export_document(
        document, frames, Format.VISOR_DENSE, out, attachment=imported.attachment
    )
    assert said == ("2 runs, 4 masks between annotated frames.",)
    written = VisorFile.read(out)
    assert [(run[-1], frame) for run, frame, _ in shape(json.loads(written.dumps()))] == [
        ("1", 0), ("1", 1), ("1", 2), ("1", 5), ("2", 5), ("2", 7), ("2", 10),
    ]  # fmt: skip
    back = import_visor(out)
    with pytest.raises(UsageError, match="make the project from a sparse VISOR JSON first"):
        export_document(back.document, frames, Format.VISOR_DENSE, out, attachment=back.attachment)


@pytest.mark.parametrize("doubted", [False, True])
def test_a_dense_file_of_nothing_sure_is_refused_and_not_written(
    tmp_path: Path,
    doubted: bool,
) -> None:
    source, out = tmp_path / "sparse.json", tmp_path / "dense.json"
    source.write_text(json.dumps(sparse({0: 1, 5: 1}, annotated=True)))
    frames = names(6, (1080, 1920))
    imported = import_visor(source, frames)
    if doubted:
        entry = Entry(mask(100, (1080, 1920)), Origin.PROPAGATED, conflict=True)
        imported.document.replace({Key(2, imported.document.objects[0].id): entry})
    attachment = imported.attachment
    with pytest.raises(UsageError, match="densify first, or accept runs"):
        export_document(imported.document, frames, Format.VISOR_DENSE, out, attachment=attachment)
    assert not out.exists()
