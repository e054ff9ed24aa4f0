"""What a person is told of an export as VISOR."""

from dataclasses import replace

import pytest

from app.core.document import Entry, Key, ObjectInfo, Origin
from app.storage.formats.visor.exporting import build_export
from app.storage.formats.visor.importing import ImportedVisor, import_visor
from tests.storage.visor_edits import block, object_named, video_of
from tests.storage.visor_vectors import SPARSE, load


def notes(imported: ImportedVisor) -> tuple[str, ...]:
    return build_export(imported.document, imported.frames, imported.attachment).notes


def touching() -> list[tuple[int, str, str, str]]:
    """Return frame, its image, a hand and the mask that it touches.

    Hands that are touched themselves are left out.
    """
    found = list[tuple[int, str, str, str]]()
    for frame, record in enumerate(load(SPARSE)["video_annotations"]):
        names = {each["id"]: each["name"] for each in record["annotations"]}
        found += [
            (frame, record["image"]["name"], each["name"], names[each["in_contact_object"]])
            for each in record["annotations"]
            if each.get("in_contact_object") in names
        ]
    touched = {(frame, name) for frame, _, _, name in found}
    return [each for each in found if (each[0], each[2]) not in touched]


def test_contacts_whose_mask_is_gone_are_named() -> None:
    imported = import_visor(SPARSE)
    assert touching(), "no hand of the file touches anything"
    assert not any("is gone" in note for note in notes(imported))
    for frame, _, _, touched in touching():
        imported.document.replace({Key(frame, object_named(imported, touched)): None})
    (note,) = [each for each in notes(imported) if "is gone" in each]
    named = ", ".join(f"{hand} on {image}" for _, image, hand, _ in touching())
    assert note == f"What they touched is gone, so these say none-of-the-above: {named}."


@pytest.mark.parametrize("most", [1, 0])
def test_of_many_contacts_some_are_named(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    count = len(touching())
    monkeypatch.setattr("app.storage.formats.visor.exporting._MOST_NAMED", count - 1 + most)
    imported = import_visor(SPARSE)
    for frame, _, _, touched in touching():
        imported.document.replace({Key(frame, object_named(imported, touched)): None})
    (note,) = [each for each in notes(imported) if "is gone" in each]
    assert note.endswith(", and 1 more.") is (most == 0)
    assert note.count(" on P99_101_frame_") == count - 1 + most


def test_an_untouched_file_is_told_to_be_as_it_was_and_what_is_new_is_counted() -> None:
    imported = import_visor(SPARSE)
    (before,) = [each for each in notes(imported) if each.startswith("Coordinates")]
    assert "new" not in before
    frames = video_of(range(1, 400))
    imported = import_visor(SPARSE, frames)
    document, number = imported.document, imported.document.objects[0].id
    shown = set(document.frames())
    free = [frame for frame in range(len(frames)) if frame not in shown][:3]
    mask = Entry(block(frames.size), Origin.DRAWN)
    document.replace({Key(frame, number): mask for frame in free[:2]})
    document.replace({Key(free[2], number): Entry(None, Origin.DRAWN)})
    (told,) = [each for each in notes(imported) if each.startswith("Coordinates")]
    assert "2 new frames" in told
    everything = {Key(free[2], info.id): Entry(None, Origin.DRAWN) for info in document.objects}
    document.replace(everything)
    (told,) = [each for each in notes(imported) if each.startswith("Coordinates")]
    assert "3 new frames" in told  # on which it is known now that nothing is there


def test_frames_that_the_video_lacks_are_counted() -> None:
    imported = import_visor(SPARSE)
    last = imported.document.frames()[-1]
    fewer = replace(imported.frames, stems=tuple(  # type: ignore[type-var]
        imported.frames.stem(n) for n in range(len(imported.frames)) if n != last))  # fmt: skip
    again = import_visor(SPARSE, fewer)
    (told,) = [each for each in notes(again) if each.startswith("Coordinates")]
    assert "1 frames that the video lacks" in told


def test_names_without_a_class_and_namesakes_are_told() -> None:
    imported = import_visor(SPARSE)
    first = imported.document.objects[0]
    twin = ObjectInfo(imported.document.next_id, first.name, (1, 2, 3), first.class_id)
    odd = ObjectInfo(twin.id + 1, "xyzzy", (1, 2, 3))
    imported.document.replace_objects((*imported.document.objects, twin, odd))
    told = " ".join(notes(imported))
    assert "Without a noun class (class_id is null): xyzzy." in told
    assert f"so some are written: {first.name} as " in told
