"""The conversion to the benchmark beside the official steps, over files with every odd thing."""

import json
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from app.storage.formats.visor.geometry import DENSE_SIZE, SPARSE_SIZE
from app.storage.formats.visor.records import VisorFile
from app.storage.formats.visor.release.benchmark import Split, benchmark_videos

Json = Any
DOCUMENTS = 27  # each is converted for both splits
NAMES = ("cup", "Scissors", "left hand", "oven/door", "salt & pepper", "right hand", "rigth hand")
VIDEO = "P99_101"


def blob(rng: np.random.Generator) -> Json:
    """Return an upright rectangle: polygons with slanted edges differ between OpenCV releases."""
    x, y = rng.integers(-60, 1900), rng.integers(-60, 1060)
    w, h = rng.integers(1, 500), rng.integers(1, 300)
    corners = np.array([[x, y], [x + w, y], [x + w, y + h], [x, y + h]], float)
    return (corners + rng.choice([0.0, 0.7, 0.2])).tolist()  # coordinates are truncated


def segments(rng: np.random.Generator) -> Json:
    """Return polygons: a hole, two that cancel, empty ones, one or two points, none at all."""
    outer = blob(rng)
    (x0, y0), (x1, y1) = outer[0], outer[2]
    hole = [[x0 + 9, y0 + 9], [x1 - 9, y0 + 9], [x1 - 9, y1 - 9], [x0 + 9, y1 - 9]]
    far = [[5000, 5000], [5100, 5000], [5100, 5100]]
    choices: list[Json] = [
        [outer], [outer, hole], [outer, outer], [outer, []], [[]], [], [outer[:1]], [outer[:2]],
        [outer, blob(rng)], [far],
    ]  # fmt: skip
    return choices[rng.integers(len(choices))]


def document(seed: int) -> Json:
    """Return a file of three subsequences, its records in no order, names twice on a frame."""
    rng = np.random.default_rng(seed)
    records = []
    for number in range(1, 13):
        name = f"{VIDEO}_frame_{100 + number:010d}.jpg"
        image = {"image_path": f"{VIDEO}/{name}", "name": name, "video": VIDEO,
                 "subsequence": f"{VIDEO}_seq_{(number - 1) // 4 + 1:05d}"}  # fmt: skip
        annotations = [
            {"id": f"{number * 100 + place:032x}", "name": str(rng.choice(NAMES)), "class_id": 0,
             "exhaustive": "y", "segments": segments(rng)}
            for place in range(rng.integers(0, 6))
        ]  # fmt: skip
        records.append({"image": image, "annotations": annotations})
    rng.shuffle(records)
    return {"info": {"Dataset Name": "VISOR"}, "video_annotations": records}


def official(raw: Json, split: Split) -> tuple[Json, dict[str, dict[str, NDArray[np.uint8]]]]:
    """Return mapping and label maps at 480p as the official converter's steps make them."""
    mapping: Json = {}
    kept: dict[str, dict[str, NDArray[np.uint8]]] = {}
    groups: dict[str, list[Json]] = {}
    for record in sorted(raw["video_annotations"], key=lambda each: each["image"]["image_path"]):
        groups.setdefault(record["image"]["subsequence"], []).append(record)
    for sequence, records in groups.items():
        counted = records[:1] if split is Split.VAL else records
        names = {a["name"] for r in counted for a in r["annotations"] if len(a["segments"]) > 0}
        numbers = {name: number for number, name in enumerate(sorted(names), start=1)}
        mapping[sequence] = {str(number): name for name, number in numbers.items()}
        maps = {}
        for record in records:
            labels = np.zeros((1080, 1920), np.uint8)
            for each in record["annotations"]:
                if each["name"] in numbers:
                    polygons = [polygon or [[0, 0]] for polygon in each["segments"]]
                    points = [np.array(polygon).astype(np.int32) for polygon in polygons]
                    cv2.fillPoly(labels, points, numbers[each["name"]])
            if labels.any():
                rows = np.arange(480) * 1080 // 480
                maps[record["image"]["name"].replace(".jpg", "")] = labels[rows][
                    :, np.arange(854) * 1920 // 854
                ]
        if len(maps) >= (2 if split is Split.VAL else 3):
            kept[sequence] = maps
    return mapping, kept


@pytest.mark.parametrize("split", Split)
@pytest.mark.parametrize("seed", range(DOCUMENTS))
def test_a_conversion_is_that_of_the_official_steps(seed: int, split: Split) -> None:
    raw = document(seed)
    mapping, kept = official(raw, split)
    file = VisorFile.parse(json.dumps(raw).encode(), "it")
    videos = benchmark_videos(file, split, DENSE_SIZE)
    assert {v.name: {str(o.id): o.name for o in v.objects} for v in videos} == mapping
    made = {video.name: video for video in videos if split.keeps(video)}
    assert list(made) == list(kept)
    assert file.canvas == SPARSE_SIZE
    for name, maps in kept.items():
        assert [frame.stem for frame in made[name].frames] == list(maps)
        for frame in made[name].frames:
            assert np.array_equal(frame.labels(DENSE_SIZE), maps[frame.stem])
