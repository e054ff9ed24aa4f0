"""The tables that come with VISOR: what each says is taken, and what is none is refused."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import FormatError, UsageError
from app.storage.formats.importing import MaskSource, read_videos
from app.storage.formats.importing import Source as Form
from app.storage.formats.labelled import LabelledVideo
from app.storage.formats.palette import write_palette_png
from app.storage.formats.visor.records import VisorFile
from app.storage.formats.visor.release.tables import (
    chosen,
    corrected,
    names_in,
    read_frame_mapping,
    read_mapping,
    renamed,
)
from tests.storage.visor_vectors import SPARSE, SUBMISSION, load

NAMES = st.text("abc ", min_size=1, max_size=4)
TABLES = st.dictionaries(
    st.sampled_from(["P01_01_seq_00001", "P01_01_seq_00002"]),
    st.dictionaries(st.integers(1, 9), NAMES, max_size=4).filter(
        lambda names: len(set(names.values())) == len(names)
    ),
)


def written(folder: Path, raw: object) -> Path:
    path = folder / "table.json"
    path.write_text(json.dumps(raw))
    return path


@given(TABLES)
def test_both_forms_of_a_mapping_say_the_same(
    tmp_path_factory: pytest.TempPathFactory, table: dict[str, dict[int, str]]
) -> None:
    folder = tmp_path_factory.mktemp("tables")
    numbers_first = {key: {str(n): name for n, name in own.items()} for key, own in table.items()}
    names_first = {key: {name: n for n, name in own.items()} for key, own in table.items()}
    assert read_mapping(written(folder, numbers_first)) == table
    assert read_mapping(written(folder, names_first)) == table
    assert names_in(table) == {key: frozenset(own.values()) for key, own in table.items()}


WRONG_MAPPINGS = [[], {"a": []}, {"a": {"cup": 1.5}}, {"a": {"cup": None}}, {"a": {"cup": "mug"}}]


@pytest.mark.parametrize("raw", WRONG_MAPPINGS)
def test_what_is_no_mapping_of_objects_is_refused(tmp_path: Path, raw: object) -> None:
    with pytest.raises(FormatError, match="does not say which objects each subsequence has"):
        read_mapping(written(tmp_path, raw))


def test_a_mapping_of_frames_is_read_as_it_stands(tmp_path: Path) -> None:
    raw = {"P01_01": {"a.jpg": "b.jpg"}, "P01_02": {}}
    assert read_frame_mapping(written(tmp_path, raw)) == raw


@pytest.mark.parametrize("raw", [[], 3, {"P01_01": 3}, {"P01_01": {}, "P01_02": "a"}])
def test_what_is_no_table_of_frames_or_of_contacts_is_refused(tmp_path: Path, raw: object) -> None:
    with pytest.raises(FormatError, match="does not map frames' names"):
        read_frame_mapping(written(tmp_path, raw))
    with pytest.raises(FormatError, match="is no list of corrected contacts"):
        corrected(VisorFile.read(SPARSE), written(tmp_path, raw))


def contacts(raw: Any) -> dict[tuple[str, str], object]:  # noqa: ANN401 - JSON
    """Return what each annotation of a frame touches."""
    return {
        (record["image"]["name"], each["name"]): each["in_contact_object"]
        for record in raw["video_annotations"]
        for each in record["annotations"]
        if "in_contact_object" in each
    }


def test_corrections_change_the_contacts_that_they_name_and_nothing_else(tmp_path: Path) -> None:
    raw = load(SPARSE)
    said = {key: value for key, value in contacts(raw).items() if isinstance(value, str)}
    assert len(said) > 1, "the file has too few contacts to tell"
    (first, second) = list(said)[:2]
    table: dict[str, dict[str, object]] = {"no such frame.jpg": {"right hand": "x"}}
    table.setdefault(first[0], {})[first[1]] = "f" * 40
    table.setdefault(second[0], {})[second[1]] = said[second]  # is so already
    table.setdefault(second[0], {})["nobody"] = "f" * 32
    file, count = corrected(VisorFile.read(SPARSE), written(tmp_path, table))
    assert count == 1
    assert contacts(json.loads(file.dumps())) == {**contacts(raw), first: "f" * 40}
    wanted = SPARSE.read_bytes().decode()
    spelled = json.dumps(said[first])
    at = [n for n in range(len(wanted)) if wanted.startswith(spelled, n)]
    possible = {wanted[:n] + json.dumps("f" * 40) + wanted[n + len(spelled) :] for n in at}
    assert file.dumps().decode() in possible


def test_all_contacts_of_a_file_can_be_corrected_at_once(tmp_path: Path) -> None:
    said = {key: value for key, value in contacts(load(SPARSE)).items() if isinstance(value, str)}
    table: dict[str, dict[str, str]] = {}
    for number, (frame, hand) in enumerate(said):
        table.setdefault(frame, {})[hand] = "e" * (number + 1)
    source = MaskSource(SPARSE)
    assert source.correct(written(tmp_path, table)) == len(said)
    found = source.document().attachment
    assert found is not None
    file, _ = corrected(VisorFile.read(SPARSE), written(tmp_path, table))
    now = contacts(json.loads(file.dumps()))
    assert {key: now[key] for key in said} == {
        key: "e" * (number + 1) for number, key in enumerate(said)
    }


def test_what_is_no_text_corrects_nothing(tmp_path: Path) -> None:
    said = contacts(load(SPARSE))
    table: dict[str, dict[str, object]] = {}
    for frame, hand in said:
        table.setdefault(frame, {})[hand] = None
    file, count = corrected(VisorFile.read(SPARSE), written(tmp_path, table))
    assert count == 0
    assert file.dumps() == SPARSE.read_bytes()


def test_corrections_are_for_a_visor_json_alone(tmp_path: Path) -> None:
    (tmp_path / "masks").mkdir()
    write_palette_png(tmp_path / "masks" / "0.png", np.ones((9, 16), np.uint8))
    with pytest.raises(FormatError, match="no VISOR JSON, which --corrections are for"):
        MaskSource(tmp_path / "masks").correct(written(tmp_path, {}))


@pytest.fixture
def submitted() -> list[LabelledVideo]:
    return list(read_videos(SUBMISSION, Form.SUBMISSION))


def numbers_of(video: LabelledVideo) -> set[int]:
    return {number for frame in video.frames for number, _ in frame.masks}


def test_objects_are_called_as_the_mapping_says(submitted: list[LabelledVideo]) -> None:
    names = {each.name: {n: f"thing {n}" for n in numbers_of(each)} for each in submitted}
    for before, now in zip(submitted, renamed(submitted, names), strict=True):
        assert now.frames == before.frames
        assert {info.id: info.name for info in now.objects} == names[before.name]


def test_a_mapping_of_another_split_is_refused(submitted: list[LabelledVideo]) -> None:
    first = submitted[0]
    with pytest.raises(FormatError, match=f"The mapping has no {first.name}"):
        renamed(submitted, {"P00_00_seq_00001": {1: "cup"}})
    lacks = max(numbers_of(first))
    fewer = {n: "thing" + "s" * n for n in {*numbers_of(first), 77, 78} if n != lacks}
    told = ", ".join(map(str, sorted(fewer)))
    with pytest.raises(FormatError, match=f"has masks of object {lacks}, and .* only of {told}"):
        renamed([first], {first.name: fewer})


def test_a_list_keeps_what_it_names_in_its_order(
    tmp_path: Path, submitted: list[LabelledVideo]
) -> None:
    assert chosen(iter(submitted), None) == submitted
    path = tmp_path / "list.txt"
    path.write_text(f"{submitted[0].name}\nP00_00_seq_00001\n")
    assert chosen(submitted, path) == submitted[:1]
    path.write_text("P00_00_seq_00001\n")
    with pytest.raises(FormatError, match="names none of the subsequences"):
        chosen(submitted, path)
    path.write_text(" \n")
    with pytest.raises(FormatError, match="names nothing"):
        chosen(submitted, path)
    with pytest.raises(FormatError, match="cannot be read as a list of names"):
        chosen(submitted, tmp_path / "none.txt")


@pytest.mark.parametrize(
    ("count", "told"),
    [(2, "a0, a1"), (5, "a0, a1, a2, a3, a4"), (6, "a0, a1, a2, a3, a4, ...")],
)
def test_of_several_videos_one_is_to_be_picked(tmp_path: Path, count: int, told: str) -> None:
    images = [{"id": n, "file_name": f"a{n}/0.png", "width": 9, "height": 9} for n in range(count)]
    boxes = [
        {"id": n + 1, "image_id": n, "category_id": 1, "bbox": [1, 1, 3, 3], "area": 9,
         "iscrowd": 0, "segmentation": [[1, 1, 4, 1, 4, 4, 1, 4]]}
        for n in range(count)
    ]  # fmt: skip
    raw = {"images": images, "annotations": boxes, "categories": [{"id": 1, "name": "cup"}]}
    masks = MaskSource(written(tmp_path, raw))
    assert masks.names == [f"a{n}" for n in range(count)]
    for name in (None, "b"):
        with pytest.raises(UsageError) as refused:
            masks.document(name=name)
        assert f"holds {count} videos ({told})." in str(refused.value)
    assert len(masks.document(name="a1").document) == 1
