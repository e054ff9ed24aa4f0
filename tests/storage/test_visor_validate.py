"""Every defect of a VISOR file is found and named; sound files have none."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.storage.formats.visor.validation.defect import Defect
from app.storage.formats.visor.validation.validate import validate
from tests.storage.visor_vectors import DENSE, SPARSE, SUBMISSION, load

Json = Any


def defects(raw: Json) -> list[Defect]:
    return [defect for defect in validate(raw) if not defect.harmless]


@pytest.mark.parametrize("path", [SPARSE, DENSE, SUBMISSION])
def test_sound_files_have_no_defects(path: Path) -> None:
    assert defects(load(path)) == []


def test_what_every_reader_must_bear_is_only_noted() -> None:
    assert {defect.rule for defect in validate(load(SPARSE))} == {
        "outside",
        "empty polygon",
        "late object",
        "not touched",
    }


def first(raw: Json, annotation: int = 0, record: int = 0) -> Json:
    return raw["video_annotations"][record]["annotations"][annotation]


def setting(key: str, value: Json, annotation: int = 0) -> Callable[[Json], None]:
    def change(raw: Json) -> None:
        first(raw, annotation)[key] = value

    return change


def removing(key: str, annotation: int = 0) -> Callable[[Json], None]:
    def change(raw: Json) -> None:
        del first(raw, annotation)[key]

    return change


def image(key: str, value: Json) -> Callable[[Json], None]:
    def change(raw: Json) -> None:
        raw["video_annotations"][0]["image"][key] = value

    return change


def repeat_record(raw: Json) -> None:
    again = copy.deepcopy(raw["video_annotations"][0])
    for number, annotation in enumerate(again["annotations"]):
        annotation["id"] = f"{number:032x}".replace("0", "e")
        annotation.pop("in_contact_object", None)
    again["annotations"] = again["annotations"][:2]
    raw["video_annotations"].append(again)


def repeat_id(raw: Json) -> None:
    first(raw, 1)["id"] = first(raw, 0, 1)["id"]


def mix_subsequences(raw: Json) -> None:
    raw["video_annotations"][1]["image"]["subsequence"] = "P99_101_seq_00002"


@pytest.mark.parametrize(
    ("damage", "rule"),
    [
        (lambda raw: raw.pop("info"), "structure"),
        (lambda raw: raw["info"].update({"Dataset Name": "COCO"}), "info"),
        (lambda raw: raw.update(video_annotations={}), "structure"),
        (lambda raw: raw["video_annotations"].append(5), "structure"),
        (lambda raw: raw["video_annotations"][0].pop("annotations"), "structure"),
        (image("name", "frame_101.jpg"), "image name"),
        (image("name", "P99_101_frame_0000000101.png"), "image name"),
        (image("image_path", "P99_101_frame_0000000101.jpg"), "image path"),
        (image("subsequence", "P99_101_seq_1"), "subsequence"),
        (image("subsequence", 1), "image"),
        (image("video", "P01_01"), "image name"),
        (mix_subsequences, "subsequence"),
        (repeat_record, "unique frame"),
        (repeat_id, "unique id"),
        (setting("id", "XYZ"), "id"),
        (setting("id", "0" * 31 + "A"), "id"),
        (removing("id"), "id"),
        (setting("name", " plate"), "name"),
        (removing("name"), "name"),
        (setting("class_id", 305), "class"),
        (setting("class_id", -1), "class"),
        (setting("class_id", "2"), "class"),
        (setting("class_id", 13), "class"),
        (removing("class_id"), "class"),
        (setting("exhaustive", "yes"), "exhaustive"),
        (removing("exhaustive"), "exhaustive"),
        (removing("segments"), "segments"),
        (setting("segments", [[[1, 2, 3]]]), "segments"),
        (setting("segments", [[1, 2, 3, 4]]), "segments"),
        (setting("segments", [[[1, float("nan")]]]), "segments"),
        (setting("segments", [[[5000, 1], [6000, 1], [6000, 9]]]), "segments"),
        (removing("in_contact_object", 3), "contact"),
        (setting("in_contact_object", "f" * 32, 3), "contact"),
        (setting("in_contact_object", "0" * 31 + "4", 3), "contact"),
        (setting("in_contact_object", "nothing", 3), "contact"),
        (setting("in_contact_object", "glove-not-in-contact", 3), "contact"),
        (setting("in_contact_object", None, 3), "contact"),
        (setting("in_contact_object", "inconclusive", 0), "contact"),
        (setting("on_which_hand", None, 3), "worn on"),
    ],
)
def test_each_defect_is_found_under_its_rule(damage: Callable[[Json], None], rule: str) -> None:
    raw = load(SPARSE)
    damage(raw)
    assert rule in {defect.rule for defect in defects(raw)}


@pytest.mark.parametrize(
    ("worn", "sound"),
    [
        (None, True),
        ("inconclusive", True),
        (["left hand"], True),
        (["left hand", "right hand"], True),
        (["left hand", "rigth hand"], False),
        ("left hand", False),
        ([], False),
        (["left hand", "left hand"], False),
    ],
)
def test_a_glove_says_on_which_hand_it_is(worn: Json, sound: bool) -> None:
    raw = load(SPARSE)
    first(raw, 1, 3)["on_which_hand"] = worn
    assert bool(defects(raw)) != sound


def test_a_left_or_right_glove_must_have_both_keys() -> None:
    raw = load(SPARSE)
    del first(raw, 1, 3)["on_which_hand"]
    del first(raw, 3, 3)["on_which_hand"]  # a glove of class 60 need not
    assert [(d.rule, d.annotation[-13:]) for d in defects(raw)] == [("contact", "(right glove)")]


def test_a_defect_names_its_frame_and_annotation() -> None:
    raw = load(SPARSE)
    first(raw, 1)["exhaustive"] = "maybe"
    assert str(defects(raw)[0]) == (
        "defect: P99_101_frame_0000000101.jpg, 00000000000000000000000000000002 (cup): "
        "exhaustive: 'maybe' is not y, n or inconclusive"
    )


def test_a_dense_frame_must_lie_within_its_run_and_tell_its_type() -> None:
    raw = load(DENSE)
    raw["video_annotations"][1]["image"]["interpolation_end_frame"] = "P99_101_frame_0000000101.png"
    first(raw)["type"] = 2
    assert {defect.rule for defect in defects(raw)} == {"interpolation", "type", "run ends"}


def test_a_picture_covered_by_a_polygon_with_corners_outside_is_sound() -> None:
    raw = load(SPARSE)
    first(raw)["segments"] = [[[-9, -9], [2000, -9], [2000, 1100], [-9, 1100]]]
    assert defects(raw) == []
