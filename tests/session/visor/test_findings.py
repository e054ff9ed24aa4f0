"""The findings in the window: each defect at its frame and object, none of a sound file."""

import json
from pathlib import Path

import pytest

from app.errors import FormatError
from app.session.visor.validation import Finding, findings_of
from app.storage.formats.visor.importing import ImportedVisor, document_of
from app.storage.formats.visor.records import VisorFile
from tests.storage.test_visor_defects import CASES, MAKERS, Damage, Json

REFUSED = {"structure", "segments", "image", "no frames", "name", "info"}  # some, on import
NEEDS_A_MAPPING = {"mapping", "missing object", "missing frame", "missing subsequence"}


def imported(raw: Json) -> ImportedVisor:
    file = VisorFile.parse(json.dumps(raw).encode(), "it")
    return document_of(file, Path("/nowhere/P99_101.json"))


def findings(found: ImportedVisor) -> tuple[Finding, ...]:
    return findings_of(found.document, found.frames, found.attachment)


@pytest.mark.parametrize("kind", MAKERS)
def test_a_sound_file_has_no_finding(kind: str) -> None:
    assert findings(imported(MAKERS[kind]())) == ()


@pytest.mark.parametrize(
    ("kind", "rule", "damage", "record", "annotation"),
    [case for case in CASES if case[1] not in NEEDS_A_MAPPING],
)
def test_a_defect_is_found_at_its_frame_and_object_or_the_file_is_refused(
    kind: str, rule: str, damage: Damage, record: int | None, annotation: int | None
) -> None:
    raw = MAKERS[kind]()
    names = [each["image"]["name"] for each in raw["video_annotations"]]
    damage(raw)
    try:
        found = imported(raw)
    except FormatError:
        assert rule in REFUSED
        return
    of_rule = [each for each in findings(found) if each.defect.rule == rule]
    assert of_rule
    if record is None:
        return
    here = [each for each in of_rule if each.defect.frame == names[record]]
    assert here
    stem = names[record].rpartition(".")[0]
    assert all(each.frame is not None and found.frames.stem(each.frame) == stem for each in here)
    if annotation is not None:
        titles = {info.id: info.name for info in found.document.objects}
        name = raw["video_annotations"][record]["annotations"][annotation]["name"]
        assert any(str(name) in titles.get(each.object or 0, "") for each in here)
