"""VISOR's benchmark on the command line: mappings, lists, corrections, and what is submitted."""

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from app.cli.main import run
from tests.storage.visor_vectors import SPARSE, SUBMISSION, load

SEQUENCE = "P99_101_seq_00001"
OBJECTS = ["cup", "left hand", "plate", "right hand"]


def maskwright(*words: object) -> int:
    return run([str(word) for word in words])


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    """The mapping that the conversion of the sparse vector writes."""
    return converted(tmp_path) / "val_data_mapping.json"


def converted(folder: Path) -> Path:
    root = folder / "benchmark"
    if not root.exists():
        assert maskwright("convert", SPARSE, root, "--from", "visor", "--to", "davis") == 0
    return root


def rewritten(path: Path, names: list[str]) -> None:
    """Write a mapping the other way round, as the authors' sample is, with these names."""
    numbers = {name: number for number, name in enumerate(names, start=1)}
    path.write_text(json.dumps({SEQUENCE: numbers, "P99_101_seq_00002": {"tap": 1}}))


def test_results_without_names_become_a_submission_by_the_mapping(
    tmp_path: Path, mapping: Path
) -> None:
    results = tmp_path / "results"
    shutil.copytree(tmp_path / "benchmark" / "Annotations" / "480p", results)
    out = tmp_path / "val.json"
    words = ("convert", results, out, "--from", "davis", "--to", "submission", "--mapping", mapping)
    assert maskwright(*words) == 0
    named = {each["name"] for r in load(out)["video_annotations"] for each in r["annotations"]}
    assert named == set(OBJECTS)
    assert maskwright("validate", out, "--mapping", mapping) == 0


def test_a_submission_that_the_mapping_does_not_know_is_not_written(
    tmp_path: Path, mapping: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "val.json"
    out.write_text("before")
    rewritten(mapping, ["cup", "left hand", "bowl", "right hand"])
    words = ("convert", SPARSE, out, "--from", "visor", "--to", "submission", "--mapping", mapping)
    assert maskwright(*words) != 0
    assert "plate is not an object of" in capsys.readouterr().err
    assert out.read_text() == "before"
    rewritten(mapping, OBJECTS)
    assert maskwright(*words) == 0
    assert "P99_101_seq_00002 is missing" in capsys.readouterr().err


def test_a_project_is_compared_with_the_mapping_before_it_is_submitted(
    tmp_path: Path, mapping: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project, out = tmp_path / "p.maskwright", tmp_path / "val.json"
    assert maskwright("import", SPARSE, project) == 0
    words = ("export", project, "--format", "submission", "--out", out, "--mapping", mapping)
    assert maskwright(*words) == 0
    out.unlink()
    rewritten(mapping, ["cup"])
    assert maskwright(*words) != 0
    assert not out.exists()
    assert "not written" in capsys.readouterr().err


def test_masks_of_an_object_that_the_mapping_lacks_are_refused(
    tmp_path: Path, mapping: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = converted(tmp_path)
    rewritten(mapping, OBJECTS[:3])
    other = shutil.move(mapping, tmp_path / "other.json")
    words = ("--from", "davis", "--to", "coco", "--mapping", other)
    assert maskwright("convert", root, tmp_path / "out.json", *words) != 0
    assert "has masks of object 4" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["[]", "5", '{"a": 1}', '{"a": {"b": null}}', '{"a": {"b": "c"}}'])
def test_what_is_no_mapping_is_said_to_be_none(
    tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mapping.json"
    path.write_text(text)
    assert maskwright("validate", SUBMISSION, "--mapping", path) != 0
    assert "val_data_mapping.json" in capsys.readouterr().err


def test_a_list_says_which_subsequences_are_converted_and_scored(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = converted(tmp_path)
    names = tmp_path / "list.txt"
    names.write_text(SEQUENCE)
    truth = root / "Annotations" / "480p"
    shutil.copytree(truth / SEQUENCE, truth / "another")
    words = ("evaluate", "--gt", truth, "--pred", truth, "--protocol", "visor", "--list", names)
    assert maskwright(*words) == 0
    said = capsys.readouterr().out
    assert SEQUENCE in said
    assert "another" not in said
    convert = ("--from", "visor", "--to", "submission", "--list", names)
    assert maskwright("convert", SPARSE, tmp_path / "val.json", *convert) == 0
    names.write_text("P01_01_seq_00001")
    assert maskwright("convert", SPARSE, tmp_path / "val.json", *convert) != 0
    assert maskwright(*words) != 0


def test_frames_are_found_by_the_names_that_epic_kitchens_has(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    numbers = {101: 102, 151: 151, 251: 249}
    images = tmp_path / "images" / "P99_101"
    images.mkdir(parents=True)
    for number in numbers.values():
        file = images / f"frame_{number:010d}.jpg"
        cv2.imwrite(str(file), np.full((54, 96, 3), number, np.uint8))
    table = tmp_path / "frame_mapping.json"
    names = {f"P99_101_frame_{n:010d}.jpg": f"frame_{e:010d}.jpg" for n, e in numbers.items()}
    table.write_text(json.dumps({"P99_101": names}))
    words = ("convert", SPARSE, tmp_path / "out", "--from", "visor", "--to", "davis")
    given = ("--images", images.parent)
    assert maskwright(*words, *given) != 0
    assert maskwright(*words, *given, "--frame-mapping", table) == 0
    written = tmp_path / "out" / "JPEGImages" / "480p" / SEQUENCE / "P99_101_frame_0000000251.jpg"
    picture = cv2.imread(str(written))
    assert picture is not None
    assert abs(float(picture.mean()) - 249) <= 1


def test_the_authors_corrections_change_contacts_and_nothing_else(tmp_path: Path) -> None:
    table = tmp_path / "correct.json"
    frame = "P99_101_frame_0000000101.jpg"
    wanted = "0" * 31 + "2"
    table.write_text(json.dumps({frame: {"right hand": wanted}, "other.jpg": {"left hand": "x"}}))
    project, out = tmp_path / "p.maskwright", tmp_path / "out.json"
    assert maskwright("import", SPARSE, project, "--corrections", table) == 0
    assert maskwright("export", project, "--format", "visor", "--out", out) == 0
    before = SPARSE.read_text()
    hand = before.index('"right hand"')
    old = f'"in_contact_object": "{"0" * 31}1"'
    place = before.index(old, before.rindex("{", 0, hand))
    assert (
        out.read_text()
        == before[:place] + old.replace(f"{'0' * 31}1", wanted) + before[place + len(old) :]
    )


def test_the_frames_of_a_submission_are_compared_with_the_folders(
    tmp_path: Path, mapping: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "val.json"
    convert = ("convert", SPARSE, out, "--from", "visor", "--to", "submission")
    assert maskwright(*convert) == 0
    frames = tmp_path / "benchmark" / "Annotations" / "480p"
    words = ("validate", out, "--mapping", mapping, "--frames", frames)
    assert maskwright(*words) == 0
    raw = load(out)
    del raw["video_annotations"][-1]
    out.write_text(json.dumps(raw))
    assert maskwright(*words) == 1
    assert "P99_101_frame_0000000251.png: missing frame" in capsys.readouterr().out
    assert maskwright("validate", out, "--frames", frames) == 2
