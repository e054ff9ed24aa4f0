"""What nobody edited is written back byte for byte."""

import json
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from app.cli.main import run
from app.core.document import Entry, Key, Origin
from app.core.mask import Mask
from app.storage.formats.exporting import Format, export_document
from app.storage.formats.visor.exporting import export_visor
from app.storage.formats.visor.geometry import DENSE_SIZE, Size
from app.storage.formats.visor.importing import Original, import_visor
from app.storage.formats.visor.naming import FrameList
from app.storage.formats.visor.read_back import check_read_back
from app.storage.formats.visor.records import VisorFile, read_raw
from app.storage.formats.visor.validation.validate import validate
from tests.storage.visor_vectors import DENSE, SPARSE, SUBMISSION, load


def spelled(path: Path, how: str) -> bytes:
    """Return a file of the same content in another spelling."""
    raw = load(path)
    raw["info"]["Note"] = "caf\u00e9 \U0001f944"
    spellings = {
        "plain": json.dumps(raw).encode(),
        "indented": json.dumps(raw, indent=2).encode() + b"\n",
        "tabs, crlf": json.dumps(raw, indent="\t").replace("\n", "\r\n").encode(),
        "compact": json.dumps(raw, separators=(",", ":")).encode(),
        "utf-8": json.dumps(raw, ensure_ascii=False).encode(),
        "with a mark": b"\xef\xbb\xbf" + json.dumps(raw, ensure_ascii=False).encode(),
        "sorted": json.dumps(raw, sort_keys=True, indent=1).encode(),
        "long numbers": json.dumps(raw).replace(".0", ".000").encode(),
        "spaced": b"  \n" + json.dumps(raw, separators=(" , ", " : ")).encode() + b"\n\n",
    }
    return spellings[how]


SPELLINGS = ["plain", "indented", "tabs, crlf", "compact", "utf-8", "with a mark", "sorted",
             "long numbers", "spaced"]  # fmt: skip


@pytest.mark.parametrize("how", SPELLINGS)
@pytest.mark.parametrize("path", [SPARSE, DENSE, SUBMISSION])
def test_a_file_that_is_not_edited_comes_back_byte_for_byte(
    tmp_path: Path, path: Path, how: str
) -> None:
    source, out = tmp_path / "a.json", tmp_path / "out.json"
    source.write_bytes(spelled(path, how))
    project = tmp_path / "p.maskwright"
    assert run(["import", str(source), str(project)]) == 0
    assert run(["export", str(project), "--format", "visor", "--out", str(out)]) == 0
    assert out.read_bytes() == source.read_bytes()


def annotation_texts(content: bytes) -> dict[str, bytes]:
    """Return each annotation's text, found without the code under test."""
    text = content.decode("utf-8-sig")
    decoder, found, at = json.JSONDecoder(), dict[str, bytes](), 0
    while (at := text.find("{", at)) >= 0:
        try:
            value, end = decoder.raw_decode(text, at)
        except ValueError:
            at += 1
            continue
        if isinstance(value, dict) and "segments" in value:
            found[value["id"]] = text[at:end].encode()
            at = end
        else:
            at += 1
    return found


@pytest.mark.parametrize("how", SPELLINGS)
def test_an_edit_keeps_the_bytes_of_all_other_annotations(tmp_path: Path, how: str) -> None:
    source = tmp_path / "a.json"
    source.write_bytes(spelled(SPARSE, how))
    imported = import_visor(source)
    pixels = np.zeros((1080, 1920), np.bool_)
    pixels[5:50, 6:90] = True
    document = imported.document
    keys = [key for key, _ in document.items()]
    edited, deleted = keys[1], keys[-1]
    drawn = Entry(Mask.encode(pixels), Origin.DRAWN)
    absent = next(
        Key(edited.frame, info.id)
        for info in document.objects
        if document.get(Key(edited.frame, info.id)) is None
    )
    document.replace({edited: drawn, deleted: None, absent: drawn})
    content = export_visor(document, imported.frames, imported.attachment)
    before, after = annotation_texts(source.read_bytes()), annotation_texts(content)
    changed = {number for number in before if after.get(number) != before[number]}
    assert len(changed) <= 4  # the edited one, the deleted one, and hands that touched that
    assert len(after.keys() - before.keys()) == 1
    again = tmp_path / "again.json"
    again.write_bytes(content)
    back = import_visor(again, imported.frames).document
    assert {key: entry.mask for key, entry in back.items() if entry.mask} == {
        key: entry.mask for key, entry in document.items() if entry.mask
    }


def test_records_of_new_frames_leave_the_others_as_they_stand(tmp_path: Path) -> None:
    source = tmp_path / "a.json"
    source.write_bytes(spelled(SPARSE, "indented"))
    imported = import_visor(source)
    document = imported.document
    for key in [key for key, _ in document.items() if key.frame == 1]:
        document.replace({key: None})
    content = export_visor(document, imported.frames, imported.attachment)
    before, after = (file.decode().split("\n") for file in (source.read_bytes(), content))
    assert json.loads(content)["video_annotations"][0] == load(source)["video_annotations"][0]
    assert before[:20] == after[:20]
    assert before[-20:] == after[-20:]


def test_projects_of_before_still_export(tmp_path: Path) -> None:
    import zlib

    imported = import_visor(SPARSE)
    original = Original.loads(imported.attachment)
    links = [[*identity, each.object, each.shown, each.class_id]
             for identity, each in original.links.items()]  # fmt: skip
    old = zlib.compress(json.dumps({"links": links, "file": load(SPARSE)}).encode())
    assert json.loads(export_visor(imported.document, imported.frames, old)) == load(SPARSE)


@pytest.mark.parametrize("path", [SPARSE, DENSE, SUBMISSION])
def test_the_text_of_a_file_that_nobody_edited_is_not_copied(path: Path) -> None:
    content = path.read_bytes()
    assert VisorFile.parse(content, "the file").dumps() is content


def test_the_proof_of_an_export_asks_for_the_canvas_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = 0

    def counted(_file: VisorFile) -> Size:
        nonlocal asked
        asked += 1
        return DENSE_SIZE

    imported = import_visor(DENSE)
    content = Original.loads(imported.attachment).file.dumps()
    names = {info.id: info.name for info in imported.document.objects}
    monkeypatch.setattr(VisorFile, "canvas", property(counted))
    check_read_back(content, imported.document, names, imported.frames)
    assert asked < 5 < len(imported.document)


def large_file(path: Path) -> int:
    """Write a dense file of some megabytes, nearly all of it points, and return its bytes."""
    raw = load(DENSE)
    turn = np.linspace(0, 2 * np.pi, 6000, endpoint=False)
    points = np.stack([427 + 200 * np.cos(turn), 240 + 150 * np.sin(turn)], axis=1).round(1)
    for record in raw["video_annotations"]:
        for annotation in record["annotations"]:
            annotation["segments"] = [points.tolist()]
    path.write_text(json.dumps(raw))
    return path.stat().st_size


def test_an_export_takes_three_times_the_file_at_most(tmp_path: Path) -> None:
    length = large_file(tmp_path / "a.json")
    found = import_visor(tmp_path / "a.json")
    assert isinstance(found.frames, FrameList)
    key, entry = next(iter(found.document.items()))
    assert entry.mask is not None
    moved = Mask.encode(np.roll(entry.mask.decode(), 9, axis=0))
    found.document.replace({key: Entry(moved, Origin.DRAWN)})
    tracemalloc.start()
    try:
        export_document(
            found.document, found.frames, Format.VISOR, tmp_path / "b.json",
            attachment=found.attachment,
        )  # fmt: skip
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert length > 5e5
    assert most < 3 * length


def test_a_check_by_the_rules_takes_three_times_the_file_at_most(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    large_file(path)
    raw = load(path)
    raw["video_annotations"] *= 6
    path.write_text(json.dumps(raw))
    tracemalloc.start()
    try:
        found = validate(read_raw(path))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert {each.rule for each in found if not each.harmless} >= {"unique frame", "unique id"}
    assert most < 3 * path.stat().st_size
