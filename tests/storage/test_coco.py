"""COCO: run-length codes, files there and back."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from app.errors import FormatError
from app.storage.formats.coco import (
    coco_json,
    compress,
    decompress,
    from_run_lengths,
    read_coco,
    run_lengths,
)
from app.storage.formats.labelled import LabelledFrame, LabelledVideo, named_objects, split_labels
from models.api import BoolMask

masks = st.tuples(st.integers(1, 40), st.integers(1, 40)).flatmap(
    lambda shape: arrays(np.bool_, shape)
)


@settings(max_examples=150, deadline=None)
@given(masks)
def test_run_length_codes_come_back_exactly(pixels: BoolMask) -> None:
    lengths = decompress(compress(run_lengths(pixels)))
    assert np.array_equal(from_run_lengths(lengths, (pixels.shape[0], pixels.shape[1])), pixels)


def test_the_code_is_that_of_cocos_own_tools() -> None:
    pixels = np.zeros((4, 6), np.bool_)
    pixels[1:3, 1:5] = True
    pixels[3, 2] = True
    assert run_lengths(pixels) == [5, 2, 2, 3, 1, 2, 2, 2, 5]
    assert compress(run_lengths(pixels)) == "5221OO103"
    assert decompress("PPYo1") == [2073600]  # an empty frame of 1920x1080
    assert run_lengths(np.ones((2, 2), np.bool_)) == [0, 4]


def overlapping() -> LabelledVideo:
    below = np.zeros((20, 30), np.bool_)
    below[2:18, 3:20] = True
    below[8:11, 8:11] = False
    labels = split_labels(np.where(below, np.uint8(4), np.uint8(0)))
    above = split_labels(np.full((20, 30), 9, np.uint8))
    frames = (LabelledFrame("00002", labels + above), LabelledFrame("00010", ()))
    return LabelledVideo("film", "film", (20, 30), named_objects({4: "cup", 9: "cup"}), frames)


def test_a_file_comes_back_with_holes_overlaps_tracks_and_empty_frames() -> None:
    assert read_coco(json.loads(coco_json([overlapping()]))) == [overlapping()]


def test_a_file_has_what_coco_asks_for() -> None:
    raw = json.loads(coco_json([overlapping()]))
    assert raw["categories"] == [{"id": 1, "name": "cup", "class_id": 13}]
    assert raw["images"][1]["file_name"] == "film/00010.jpg"
    found = raw["annotations"][0]
    assert found["area"] == 16 * 17 - 9
    assert found["bbox"] == [3, 2, 17, 16]
    assert found["segmentation"]["size"] == [20, 30]
    assert (found["iscrowd"], found["category_id"], found["track_id"]) == (0, 1, 4)


def plain(segmentation: object) -> dict[str, object]:
    return {
        "images": [{"id": 5, "file_name": "dir/a.jpg", "height": 10, "width": 12}],
        "annotations": [
            {"id": 1, "image_id": 5, "category_id": 7, "segmentation": segmentation},
        ],
        "categories": [{"id": 7, "name": "plate"}],
    }


def test_polygons_and_open_run_lengths_are_read() -> None:
    box = np.zeros((10, 12), np.bool_)
    box[2:6, 3:9] = True
    for segmentation in (
        [[3, 2, 9, 2, 9, 6, 3, 6]],
        {"size": [10, 12], "counts": run_lengths(box)},
    ):
        video = read_coco(plain(segmentation))[0]
        assert video.name == "dir"
        assert [info.name for info in video.objects] == ["plate"]
        assert np.array_equal(video.frames[0].labels((10, 12)) > 0, box)


def test_polygons_of_one_annotation_are_united_and_may_leave_the_picture() -> None:
    square = [-5, -5, 6, -5, 6, 6, -5, 6]
    video = read_coco(plain([square, square, [20, 0, 4, 0, 4, 4, 20, 4]]))[0]
    wanted = np.zeros((10, 12), np.bool_)
    wanted[:6, :6] = True
    wanted[:4, 4:] = True
    assert np.array_equal(video.frames[0].labels((10, 12)) > 0, wanted)


INFINITY = float("inf")


@pytest.mark.parametrize(
    "segmentation",
    [
        [[INFINITY, 2, 9, 2, 9, 6]],
        [[3, 2, 9, -INFINITY, 9, 6]],
        [[3, 2, 9, float("nan"), 9, 6]],
        [[3, 2, 9]],
        [[10**400, 2, 9, 2, 9, 6]],
        {"size": [10, 12], "counts": [INFINITY, 3]},
        {"size": [10, 12], "counts": [10**30, 120 - 10**30]},
        {"size": [10, 12], "counts": "~~~~~~~~~~~~~~~~~~~~~~0"},
        {"size": [10, 12], "counts": 120},
        {"size": [10, 12]},
        {"size": [10, 12], "counts": [5, 3]},
        [5],
        None,
    ],
)
def test_the_annotation_that_cannot_be_read_is_named(segmentation: object) -> None:
    with pytest.raises(FormatError, match=r"Annotation 1 on a: .*Export"):
        read_coco(plain(segmentation))


@pytest.mark.parametrize(
    "raw",
    [
        [],
        {"images": []},
        plain({"size": [10, 12], "counts": [5, 3]}),
        plain({"size": [10, 12], "counts": "6`"}),
        plain({"size": [12, 10], "counts": [120]}),
        plain("polygon"),
        {**plain([]), "images": [{"id": 5, "file_name": "a.jpg"}]},
        {**plain([]), "images": []},
        {**plain([]), "images": [{"id": 5, "file_name": "a.jpg", "height": 10**30, "width": 9}]},
    ],
)
def test_what_is_no_coco_file_is_refused(raw: object) -> None:
    with pytest.raises(FormatError, match="Not a usable COCO file"):
        read_coco(raw)
