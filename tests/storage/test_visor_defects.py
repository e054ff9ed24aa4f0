"""A hundred single defects of sound files, each reported at its place under its rule."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from app.storage.formats.submission import SUBMISSION_INFO
from app.storage.formats.visor.validation.validate import validate

Json = Any
Damage = Callable[[Json], None]
VIDEO = "P99_101"
MAPPING = {f"{VIDEO}_seq_00001": {"cup", "plate"}, f"{VIDEO}_seq_00002": {"knife"}}
FRAMES = {
    f"{VIDEO}_seq_00001": [f"{VIDEO}_frame_{n:010d}" for n in (1, 11, 21)],
    f"{VIDEO}_seq_00002": [f"{VIDEO}_frame_{n:010d}" for n in (31, 41)],
}
HAND, CUP, PLATE, GLOVE = range(4)


def box(x: float, y: float, w: float = 200.5, h: float = 150.5) -> Json:
    return [[x, y], [x + w, y], [x + w, y + h], [x, y + h]]


def image(number: int, sequence: int, suffix: str = "jpg") -> Json:
    name = f"{VIDEO}_frame_{number:010d}.{suffix}"
    return {
        "image_path": f"{VIDEO}/{name}",
        "name": name,
        "subsequence": f"{VIDEO}_seq_{sequence:05d}",
        "video": VIDEO,
    }


def identity(number: int, place: int) -> str:
    return f"{number * 100 + place + 1:032x}"


def sparse_frame(number: int, sequence: int) -> Json:
    def entity(place: int, name: str, class_id: int, x: float, **more: Json) -> Json:
        return {
            "id": identity(number, place),
            "name": name,
            "class_id": class_id,
            "exhaustive": "y",
            "segments": [box(x, 600.5)],
            **more,
        }

    return {
        "image": image(number, sequence),
        "annotations": [
            entity(HAND, "left hand", 300, 100.5, in_contact_object=identity(number, CUP)),
            entity(CUP, "cup", 13, 302.5),
            entity(PLATE, "plate", 2, 800.5),
            entity(GLOVE, "left glove", 303, 1400.5, in_contact_object=None, on_which_hand=None),
        ],
    }


def sparse() -> Json:
    frames = [(1, 1), (11, 1), (21, 1), (31, 2), (41, 2)]
    info = {"Dataset Name": "VISOR", "URL": "https://epic-kitchens.github.io/VISOR"}
    return {"info": info, "video_annotations": [sparse_frame(*each) for each in frames]}


def dense() -> Json:
    records = []
    for run, (start, end) in enumerate(((1, 4), (4, 7)), start=1):
        for number in range(start, end + 1):
            about = image(number, 1, "png") | {
                "interpolation": f"{run:07d}",
                "interpolation_start_frame": image(start, 1, "png")["name"],
                "interpolation_end_frame": image(end, 1, "png")["name"],
            }
            masks = [
                {
                    "id": identity(number + 1000 * run, place),
                    "name": name,
                    "class_id": class_id,
                    "type": int(number in {start, end}),
                    "segments": [box(100 + 300 * place, 200, 100, 80)],
                }
                for place, (name, class_id) in enumerate((("cup", 13), ("plate", 2)))
            ]
            records.append({"image": about, "annotations": masks})
    info = {"Dataset Name": "VISOR", "details": "generated in 854x480 resolution"}
    return {"info": info, "video_annotations": records}


def submission() -> Json:
    records = []
    for sequence, (name, stems) in enumerate(FRAMES.items(), start=1):
        for stem in stems:
            masks = [
                {"name": each, "segments": [box(100 + 300 * place, 200, 100, 80)]}
                for place, each in enumerate(sorted(MAPPING[name]))
            ]
            about = image(int(stem[-10:]), sequence, "png")
            records.append({"image": about, "annotations": masks})
    return {"info": dict(SUBMISSION_INFO), "video_annotations": records}


MAKERS = {"sparse": sparse, "dense": dense, "submission": submission}


def check(raw: Json) -> set[tuple[str, str, str]]:
    """Return frame, annotation and rule of all that is found."""
    found = validate(raw, MAPPING, FRAMES)
    return {(each.frame, each.annotation, each.rule) for each in found}


@pytest.mark.parametrize("kind", MAKERS)
def test_a_sound_file_has_neither_defects_nor_notes(kind: str) -> None:
    assert check(MAKERS[kind]()) == set()


def put(record: int, annotation: int | None, key: str, value: Json) -> Damage:
    """Return what sets a key of an annotation, or of an image."""

    def damage(raw: Json) -> None:
        found = raw["video_annotations"][record]
        place = found["image"] if annotation is None else found["annotations"][annotation]
        place[key] = value

    return damage


def drop(record: int, annotation: int | None, key: str) -> Damage:
    def damage(raw: Json) -> None:
        found = raw["video_annotations"][record]
        place = found["image"] if annotation is None else found["annotations"][annotation]
        del place[key]

    return damage


def segments(record: int, annotation: int, *polygons: Json) -> Damage:
    return put(record, annotation, "segments", list(polygons))


def more(record: int, annotation: int, polygon: Json) -> Damage:
    def damage(raw: Json) -> None:
        raw["video_annotations"][record]["annotations"][annotation]["segments"].append(polygon)

    return damage


def without(record: int, annotation: int) -> Damage:
    def damage(raw: Json) -> None:
        del raw["video_annotations"][record]["annotations"][annotation]

    return damage


def crowd(raw: Json) -> None:
    for record in raw["video_annotations"][:3]:
        number = int(record["image"]["name"][-14:-4])
        record["annotations"] += [
            {
                "id": identity(number, 10 + place),
                "name": f"thing {place}",
                "class_id": None,
                "exhaustive": "y",
                "segments": [box(20.5 + 110 * place, 20.5, 90, 90)],
            }
            for place in range(12)
        ]


def swap(first: int, second: int) -> Damage:
    def damage(raw: Json) -> None:
        found = raw["video_annotations"]
        found[first], found[second] = found[second], found[first]

    return damage


def shrink(raw: Json) -> None:
    for record in raw["video_annotations"]:
        for annotation in record["annotations"]:
            annotation["segments"] = [
                [[x * 854 / 1920, y * 480 / 1080] for x, y in polygon]
                for polygon in annotation["segments"]
            ]


def empty(record: int) -> Damage:
    def damage(raw: Json) -> None:
        raw["video_annotations"][record]["annotations"] = []

    return damage


def other_video(raw: Json) -> None:
    text = raw["video_annotations"][4]["image"]
    for key, value in text.items():
        text[key] = value.replace(VIDEO, "P99_102")


def info(key: str, value: Json) -> Damage:
    def damage(raw: Json) -> None:
        raw["info"][key] = value

    return damage


def remove(record: int) -> Damage:
    def damage(raw: Json) -> None:
        del raw["video_annotations"][record]

    return damage


def remove_object(raw: Json) -> None:
    for record in raw["video_annotations"][:3]:
        del record["annotations"][1]


def repeat(record: int) -> Damage:
    def damage(raw: Json) -> None:
        again = copy.deepcopy(raw["video_annotations"][record])
        again["annotations"] = []
        raw["video_annotations"].insert(record + 1, again)

    return damage


def no_frames(raw: Json) -> None:
    raw["video_annotations"] = []


CLASSES: list[Json] = [305, -1, "2", 13, True, None]
OUTSIDE = [[5000, 1], [6000, 1], [1e4, 9]]
UNREADABLE: list[Json] = [None, {}, [[1]], [[[1, 2, 3]]], [[[1, "2"]]], [OUTSIDE]]
SPARSE: list[tuple[str, Damage, int | None, int | None]] = [
    ("image", drop(1, None, "image_path"), 1, None),
    ("image", put(2, None, "subsequence", 7), 2, None),
    ("image path", put(1, None, "image_path", "elsewhere.jpg"), 1, None),
    ("image path", put(4, None, "image_path", f"{VIDEO}/x.jpg"), 4, None),
    ("subsequence", put(0, None, "subsequence", f"{VIDEO}_seq_1"), 0, None),
    ("subsequence", put(4, None, "subsequence", "P01_01_seq_00002"), 4, None),
    ("subsequence", put(1, None, "subsequence", f"{VIDEO}_seq_00002"), None, None),
    ("keys", put(0, None, "colour", 1), 0, None),
    ("keys", put(3, PLATE, "colour", 1), 3, PLATE),
    ("unique id", put(1, PLATE, "id", identity(1, PLATE)), 1, PLATE),
    ("unique frame", repeat(2), 2, None),
    ("same name", put(1, PLATE, "name", "cup"), 1, PLATE),
    ("structure", put(1, None, "name", 4), None, None),
    ("no frames", no_frames, None, None),
    ("one video", other_video, None, None),
    ("coordinates", shrink, None, None),
    ("empty first frame", empty(0), 0, None),
    ("empty first frame", empty(3), 3, None),
    ("too many objects", crowd, 0, None),
    ("late object", without(0, PLATE), 1, 2),
    ("late object", without(3, PLATE), 4, 2),
    ("info", info("Dataset Name", "COCO"), None, None),
    ("info", info("Resolution", "0x5"), None, None),
    *(("id", put(0, PLATE, "id", bad), 0, None) for bad in ("", "xyz", 5, "0" * 31 + "F")),
    *(("name", put(1, PLATE, "name", bad), 1, None) for bad in ("", " plate", 5)),
    *(("class", put(2, PLATE, "class_id", bad), 2, PLATE) for bad in CLASSES),
    *(("exhaustive", put(3, CUP, "exhaustive", bad), 3, CUP) for bad in (None, "yes", True)),
    *(("segments", put(4, CUP, "segments", bad), 4, CUP) for bad in UNREADABLE),
    ("empty mask", segments(1, PLATE), 1, PLATE),
    ("empty polygon", more(1, PLATE, []), 1, PLATE),
    *(
        ("outside", more(2, PLATE, [[900.5, 1000.5], [950.5, 1000.5], [950.5, bad]]), 2, PLATE)
        for bad in (1080.5, 1300.0, -3.5)
    ),
    ("short polygon", more(1, PLATE, [[20.5, 20.5]]), 1, PLATE),
    ("short polygon", more(2, PLATE, [[20.5, 20.5], [90.5, 30.5]]), 2, PLATE),
    ("short polygon", segments(0, CUP, [[320.5, 620.5], [360.5, 650.5]]), 0, CUP),
    ("short polygon", segments(1, PLATE, [[20.5, 20.5], [50.5, 30.5], [80.5, 40.5]]), 1, PLATE),
    ("short polygon", more(2, CUP, [[310.5, 610.5]] * 3), 2, CUP),
    ("cancelled", more(1, PLATE, box(800.5, 600.5)), 1, PLATE),
    ("cancelled", more(0, CUP, box(400.5, 650.5)), 0, CUP),
    ("cancelled", more(4, PLATE, box(700.5, 550.5)), 4, PLATE),
    ("covered", segments(1, CUP, box(900.5, 650.5, 40, 40)), 1, CUP),
    ("covered", segments(2, PLATE, box(1420.5, 650.5, 60, 40)), 2, PLATE),
    ("overlap", segments(3, PLATE, box(1380.5, 620.5, 100.5, 100.5)), 3, PLATE),
    ("not touched", put(0, HAND, "in_contact_object", identity(1, PLATE)), 0, HAND),
    ("not touched", put(3, HAND, "in_contact_object", identity(31, GLOVE)), 3, HAND),
    ("not touched", put(2, GLOVE, "in_contact_object", identity(21, CUP)), 2, GLOVE),
    ("contact", drop(0, HAND, "in_contact_object"), 0, HAND),
    ("contact", drop(2, GLOVE, "in_contact_object"), 2, GLOVE),
    ("contact", drop(2, GLOVE, "on_which_hand"), 2, GLOVE),
    *(
        ("contact", put(1, HAND, "in_contact_object", bad), 1, HAND)
        for bad in (None, "f" * 32, identity(11, HAND), "nothing", "glove-not-in-contact", 4)
    ),
    ("contact", put(1, CUP, "in_contact_object", "inconclusive"), 1, CUP),
    ("worn on", put(1, HAND, "on_which_hand", None), 1, HAND),
    *(
        ("worn on", put(0, GLOVE, "on_which_hand", bad), 0, GLOVE)
        for bad in ([], "left hand", ["rigth hand"], ["left hand", "left hand"])
    ),
]  # fmt: skip
DENSE: list[tuple[str, Damage, int | None, int | None]] = [
    ("no frames", lambda raw: raw.update(video_annotations=[]), None, None),
    ("type", put(1, 0, "type", 2), 1, 0),
    ("type", drop(2, 1, "type"), 2, 1),
    ("type", put(1, 1, "type", False), 1, 1),
    ("one-sided", without(0, 0), 1, 0),
    ("one-sided", without(7, 1), 5, 1),
    ("run type", put(1, 0, "type", 1), 1, 0),
    ("run type", put(0, 1, "type", 0), 0, 1),
    ("run type", put(7, 0, "type", 0), 7, 0),
    ("run object", put(1, 0, "name", "knife"), 1, 0),
    ("run ends", put(2, None, "interpolation_end_frame", image(7, 1, "png")["name"]), 2, None),
    ("run ends", put(5, None, "interpolation_start_frame", image(1, 1, "png")["name"]), 5, None),
    ("run ends", remove(0), 1, None),
    ("run ends", remove(7), 4, None),
    ("run subsequence", put(6, None, "subsequence", f"{VIDEO}_seq_00002"), 6, None),
    ("run overlap", put(2, None, "interpolation", "0000002"), None, None),
    ("interpolation", put(1, None, "interpolation_start_frame", "start"), 1, None),
    ("interpolation", put(1, None, "interpolation_end_frame", image(1, 1, "png")["name"]), 1, None),
    ("image", drop(3, None, "interpolation_end_frame"), 3, None),
    ("image name", put(2, None, "name", f"{VIDEO}_frame_0000000003.jpg"), None, None),
    ("coordinates", segments(1, 0, box(1000, 700, 300, 200)), 1, 0),
    ("coordinates", segments(6, 1, box(300, 400, 200, 300)), 6, 1),
    ("unique frame", repeat(1), 1, None),
]
SUBMISSION: list[tuple[str, Damage, int | None, int | None]] = [
    ("version", info("Version", "0.2"), None, None),
    ("version", lambda raw: raw["info"].pop("Version"), None, None),
    ("submission info", info("Resolution", "1920x1080"), None, None),
    ("submission info", info("Challenge", "vos"), None, None),
    ("submission info", info("Team", "us"), None, None),
    ("floats", segments(1, 0, box(1.5, 2, 30, 30)), 1, 0),
    ("floats", segments(4, 0, box(1, 2.0, 30, 30)), 4, 0),
    ("covered", segments(1, 0, box(400, 200, 100, 80)), 1, 0),
    ("image name", put(0, None, "name", f"{VIDEO}_frame_0000000000.png"), None, None),
    ("order", swap(0, 1), 0, None),
    ("order", swap(2, 3), 2, None),
    ("mapping", put(1, 0, "name", "knife"), 1, 0),
    ("mapping", put(4, None, "subsequence", f"{VIDEO}_seq_00009"), 4, None),
    ("missing object", remove_object, 0, None),
    ("missing frame", remove(1), 1, None),
    ("missing frame", remove(4), 4, None),
    (
        "missing subsequence",
        lambda raw: raw.update(video_annotations=raw["video_annotations"][:3]),
        None,
        None,
    ),
    ("keys", put(0, 0, "id", "1"), 0, 0),
    ("coordinates", segments(1, 0, box(1000, 700, 300, 200)), 1, 0),
    ("image name", put(3, None, "name", f"{VIDEO}_frame_31.png"), None, None),
]
CASES = [
    *(("sparse", *case) for case in SPARSE),
    *(("dense", *case) for case in DENSE),
    *(("submission", *case) for case in SUBMISSION),
]


# What is only worth knowing; everything else is wrong.
NOTES = {
    "empty mask", "empty polygon", "keys", "late object", "not touched", "one-sided", "outside",
    "overlap", "same name",
}  # fmt: skip


def test_an_object_of_no_end_of_its_run_is_wrong_and_one_of_one_end_only_noted() -> None:
    for damage, rule in (
        (without(7, 1), "one-sided"), (put(1, 0, "name", "knife"), "run object"),
    ):  # fmt: skip
        raw = dense()
        damage(raw)
        found = [each for each in validate(raw, MAPPING, FRAMES) if each.rule == rule]
        assert found
        assert {each.harmless for each in found} == {rule == "one-sided"}


@pytest.mark.parametrize(("chosen", "harmless"), [(None, True), ("2", False), (-1, False)])
def test_a_class_that_was_not_chosen_is_only_noted(chosen: Json, harmless: bool) -> None:
    raw = sparse()
    raw["video_annotations"][0]["annotations"][CUP]["class_id"] = chosen
    found = [each for each in validate(raw, MAPPING, FRAMES) if each.rule == "class"]
    assert [each.harmless for each in found] == [harmless]


def test_there_are_a_hundred() -> None:
    assert len(CASES) >= 100


@pytest.mark.parametrize(
    ("kind", "rule", "damage", "record", "annotation"),
    CASES,
    ids=[f"{n}-{case[0]}-{case[1]}" for n, case in enumerate(CASES)],
)
def test_a_single_defect_is_reported_at_its_place(
    kind: str, rule: str, damage: Damage, record: int | None, annotation: int | None
) -> None:
    raw = MAKERS[kind]()
    names = [each["image"]["name"] for each in raw["video_annotations"]]
    damage(raw)
    found = {(frame, where) for frame, where, name in check(raw) if name == rule}
    assert found
    if rule not in {"class", "run object"}:  # which are either, as tested by themselves
        harmless = {each.harmless for each in validate(raw, MAPPING, FRAMES) if each.rule == rule}
        assert harmless == {rule in NOTES}
    if record is not None:
        assert names[record] in {frame for frame, _ in found}
    if annotation is not None and record is not None:
        raw_name = raw["video_annotations"][record]["annotations"][annotation]["name"]
        assert any(frame == names[record] and f"({raw_name})" in where for frame, where in found)
