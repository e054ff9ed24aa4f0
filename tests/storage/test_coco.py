"""COCO: run-length codes, files there and back."""

import json
import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pycocotools import mask as coco_mask

from app.core.document import Key
from app.core.mask import Mask
from app.errors import FormatError
from app.storage.formats.coco import (
    coco_json,
    compress,
    decompress,
    lengths_of,
    mask_of,
    read_coco,
)
from app.storage.formats.labelled import LabelledFrame, LabelledVideo, named_objects, split_labels
from models.api import BoolMask

masks = st.tuples(st.integers(1, 40), st.integers(1, 40)).flatmap(
    lambda shape: arrays(np.bool_, shape)
)


def run_lengths(pixels: BoolMask) -> list[int]:
    mask = Mask.encode(pixels)
    return [pixels.size] if mask is None else lengths_of(mask)


def from_run_lengths(lengths: list[int], size: tuple[int, int]) -> BoolMask:
    mask = mask_of(lengths, size)
    return np.zeros(size, np.bool_) if mask is None else mask.decode()


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


def coco(files: list[str], *annotations: dict[str, object]) -> dict[str, object]:
    """Return a file of images 10 by 12, whose ids count from 1, and annotations of a square."""
    square = [[3, 2, 9, 2, 9, 6, 3, 6]]
    return {
        "images": [
            {"id": n, "file_name": file, "height": 10, "width": 12}
            for n, file in enumerate(files, start=1)
        ],
        "annotations": [
            {"id": n, "category_id": 7, "segmentation": square} | given
            for n, given in enumerate(annotations, start=1)
        ],
        "categories": [{"id": 7, "name": "plate"}, {"id": 8, "name": "cup"}],
    }


@pytest.mark.parametrize(
    ("files", "names"),
    [
        (["sceneA/images/0.jpg", "sceneB/images/0.jpg"], ["sceneA_images", "sceneB_images"]),
        (["a/b/c/0.jpg", "a/x/c/0.jpg", "a/x/d/0.jpg"], ["b_c", "x_c", "x_d"]),
        (["one/0.jpg", "two/0.jpg"], ["one", "two"]),
        (["0.jpg", "images/0.jpg"], ["", "images"]),
        (["a\\images\\0.jpg", "b/images/0.jpg"], ["a_images", "b_images"]),
    ],
)
def test_videos_are_told_apart_by_their_whole_folder(files: list[str], names: list[str]) -> None:
    videos = read_coco(coco(files, *[dict[str, object](image_id=n + 1) for n in range(len(files))]))
    assert [video.name for video in videos] == names
    assert [len(video.frames[0].masks) for video in videos] == [1] * len(files)


def test_a_video_id_tells_which_video_an_image_is_of() -> None:
    raw = coco(["0.jpg", "1.jpg", "2.jpg"])
    raw["videos"] = [{"id": 1, "name": "morning"}, {"id": 2, "name": "evening"}]
    for image, video in zip(raw["images"], (1, 2, 1), strict=True):  # type: ignore[call-overload]
        image["video_id"] = video
    found = {video.name: [frame.stem for frame in video.frames] for video in read_coco(raw)}
    assert found == {"morning": ["0", "2"], "evening": ["1"]}


@pytest.mark.parametrize("files", [["a/0.jpg", "a/0.png"], ["0.JPG", "0.jpg"], ["x/1.a", "x/1.b"]])
def test_two_images_of_one_frame_are_refused(files: list[str]) -> None:
    with pytest.raises(FormatError, match=r"the same frame of .* twice"):
        read_coco(coco(files))


def test_two_images_of_one_id_are_refused() -> None:
    raw = coco(["a/0.jpg", "a/1.jpg"])
    raw["images"][1]["id"] = 1  # type: ignore[index]
    with pytest.raises(FormatError, match="same id"):
        read_coco(raw)


@pytest.mark.parametrize("where", ["track_id", "attributes"])
def test_a_track_is_followed_wherever_it_is_told(where: str) -> None:
    def told(track: int) -> dict[str, object]:
        return {"track_id": track} if where == "track_id" else {"attributes": {"track_id": track}}

    raw = coco(
        ["a/0.jpg", "a/1.jpg"],
        {"image_id": 1, **told(5)},
        {"image_id": 1, **told(3)},
        {"image_id": 2, **told(3)},
    )
    (video,) = read_coco(raw)
    assert [[number for number, _ in frame.masks] for frame in video.frames] == [[5, 3], [3]]


def test_things_without_a_track_are_not_merged_and_it_is_said() -> None:
    odd: list[str] = []
    raw = coco(
        ["a/0.jpg", "a/1.jpg"],
        {"image_id": 1},
        {"image_id": 1, "category_id": 8},
        {"image_id": 1},
        {"image_id": 2},
    )
    (video,) = read_coco(raw, odd)
    assert [info.name for info in video.objects] == ["plate", "cup", "plate (2)"]
    assert [[number for number, _ in frame.masks] for frame in video.frames] == [[1, 2, 3], [1]]
    assert "1 images have several annotations of one category without a track_id" in odd[0]


def test_a_track_may_be_written_as_text_or_as_a_number() -> None:
    raw = coco(
        ["a/0.jpg", "a/1.jpg", "a/2.jpg"],
        {"image_id": 1, "track_id": "7"},
        {"image_id": 2, "track_id": 7},
        {"image_id": 3, "attributes": {"track_id": 7.0}},
    )
    (video,) = read_coco(raw)
    assert [info.id for info in video.objects] == [7]
    assert [[number for number, _ in frame.masks] for frame in video.frames] == [[7]] * 3


def test_parts_of_one_track_on_an_image_are_one_mask_and_it_is_said() -> None:
    odd: list[str] = []
    other = [[0, 0, 3, 0, 3, 2, 0, 2]]
    raw = coco(
        ["a/0.jpg"],
        {"image_id": 1, "track_id": 5},
        {"image_id": 1, "track_id": 5, "segmentation": other},
    )
    (video,) = read_coco(raw, odd)
    assert len(odd) == 1
    assert "Annotation 2 on 0" in odd[0]
    assert "one mask" in odd[0]
    entry = video.document().get(Key(0, 5))
    assert entry is not None
    assert entry.mask is not None
    assert entry.mask.area == 24 + 6


def test_a_file_of_which_nothing_can_be_read_is_refused() -> None:
    with pytest.raises(FormatError, match=r"Annotation 1: .*image '1'"):
        read_coco(coco(["a/0.jpg"], {"image_id": "1"}), [])


@pytest.mark.parametrize(
    ("images", "words"),
    [
        ([], "no images"),
        ([{"id": 1, "file_name": "a/0.jpg"}], "a/0.jpg has no size"),
        ([{"id": 1, "file_name": "a/0.jpg", "height": "x", "width": "12"}], "a/0.jpg has no size"),
        ([{"id": 1, "height": 10, "width": 12}], "'file_name' is missing"),
        ([{"file_name": "a/0.jpg", "height": 10, "width": 12}], "'id' is missing"),
        (None, "images are no list"),
    ],
)
def test_what_is_wrong_with_the_images_is_said_in_words(images: object, words: str) -> None:
    with pytest.raises(FormatError, match=words):
        read_coco({**coco([]), "images": images}, [])


def test_sizes_may_be_written_as_fractions_that_are_whole() -> None:
    raw = coco(["a/0.jpg"], {"image_id": 1})
    raw["images"][0] |= {"height": 10.0, "width": 12.0}  # type: ignore[index]
    (video,) = read_coco(raw)
    assert video.size == (10, 12)


@pytest.mark.parametrize("name", [None, "", 5, {"a": 1}])
def test_a_category_without_a_name_is_an_object_by_its_number(name: object) -> None:
    raw = coco(["a/0.jpg"], {"image_id": 1})
    raw["categories"] = [{"id": 7, "name": name}]
    (video,) = read_coco(raw)
    assert [info.name for info in video.objects] == ["5" if name == 5 else "object 1"]


def test_what_is_said_of_an_annotation_is_said_once() -> None:
    odd: list[str] = []
    wrong = {"image_id": 1, "segmentation": {"size": [10, 12], "counts": [5, 3]}}
    read_coco(coco(["a/0.jpg"], {"image_id": 1}, wrong), odd)
    assert odd == [
        "Annotation 2 on 0: a run-length code does not cover its 12x10 image. It was left out."
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        {"image_id": 99},
        {"image_id": 1, "segmentation": {"size": [10, 12], "counts": [5, 3]}},
        {"image_id": 1, "segmentation": None},
        {"image_id": 1, "segmentation": [[1, 2, 3]]},
        {"image_id": 1, "category_id": [1]},
    ],
)
def test_one_odd_annotation_is_reported_and_the_others_are_read(wrong: dict[str, object]) -> None:
    odd: list[str] = []
    (video,) = read_coco(coco(["a/0.jpg"], {"image_id": 1}, wrong), odd)
    assert len(video.frames[0].masks) == 1
    assert len(odd) == 1
    assert "Annotation 2" in odd[0]
    assert "left out" in odd[0]


def polygon(seed: int) -> list[float]:
    rng = np.random.default_rng(seed)
    corners = rng.uniform(-15, 75, (int(rng.integers(3, 12)), 2))
    return (corners.round() if seed % 3 == 0 else corners).ravel().tolist()


def test_polygons_are_filled_as_cocos_own_tools_do() -> None:
    size = (50, 60)
    for seed in range(200):
        polygons = [polygon(seed), polygon(seed + 1000)]
        raw = coco(["a/0.jpg"], {"image_id": 1, "segmentation": polygons})
        raw["images"][0] |= {"height": size[0], "width": size[1]}  # type: ignore[index]
        codes = coco_mask.frPyObjects(polygons, *size)
        counts = coco_mask.merge(codes)["counts"].decode()
        whole = from_run_lengths(decompress(counts), size)
        if whole.any():
            assert np.array_equal(read_coco(raw)[0].frames[0].labels(size) > 0, whole), seed


@settings(max_examples=100, deadline=None)
@given(masks)
def test_the_run_length_code_is_that_of_pycocotools(pixels: BoolMask) -> None:
    code = coco_mask.encode(np.asfortranarray(pixels.astype(np.uint8)))
    assert code["counts"].decode() == compress(run_lengths(pixels))
    assert code["size"] == list(pixels.shape)


def test_a_polygon_that_goes_far_away_takes_no_time() -> None:
    far = [[-1e8, -1e8, 1e8, -1e8, 1e8, 1e8, -1e8, 1e8]]
    (video,) = read_coco(coco(["a/0.jpg"], {"image_id": 1, "segmentation": far}))
    assert video.frames[0].labels((10, 12)).all()


def test_frames_follow_each_other_as_the_file_tells() -> None:
    """By `frame`, as this program writes it, or `frame_id`, as others do, whatever the names."""
    video = overlapping()
    stems = ("b_2", "a_10", "9", "b_1")
    frames = tuple(LabelledFrame(stem, video.frames[0].masks) for stem in stems)
    raw = json.loads(coco_json([replace(video, frames=frames)]))
    assert [frame.stem for frame in read_coco(raw)[0].frames] == list(stems)
    for image in raw["images"]:
        image["frame_id"] = image.pop("frame") + 1
    assert [frame.stem for frame in read_coco(raw)[0].frames] == list(stems)
    raw["images"][0]["frame_id"] = 4  # twice: it tells nothing
    assert [frame.stem for frame in read_coco(raw)[0].frames] == ["9", "a_10", "b_1", "b_2"]


@pytest.mark.parametrize("shape", ["polygon", "runs"])
def test_a_small_mask_on_a_huge_picture_takes_no_time(shape: str) -> None:
    side = 1 << 14
    raw = coco(["a/0.jpg"], {"image_id": 1, "segmentation": [[5, 5, 900, 5, 900, 700, 5, 700]] * 9})
    raw["images"][0] |= {"height": side, "width": side}  # type: ignore[index]
    began = time.process_time()
    videos = read_coco(raw)
    if shape == "runs":
        assert read_coco(json.loads(coco_json(videos)))[0].frames == videos[0].frames
    assert time.process_time() - began < 3
    assert videos[0].frames[0].masks[0][1].area == 895 * 695
    raw["images"][0] |= {"height": side, "width": side + 1}  # type: ignore[index]
    with pytest.raises(FormatError, match="size"):
        read_coco(raw)


def numbered_tracks(*tracks: int) -> dict[str, Any]:
    """Return a file of one image with a box for each track."""
    return {
        "images": [{"id": 1, "file_name": "a.jpg", "width": 64, "height": 48, "video": "v"}],
        "annotations": [
            {"id": n, "image_id": 1, "category_id": 1, "track_id": track, "iscrowd": 0,
             "area": 16, "bbox": [5 * n, 1, 4, 4],
             "segmentation": [[5 * n, 1, 5 * n + 4, 1, 5 * n + 4, 5, 5 * n, 5]]}
            for n, track in enumerate(tracks, start=1)
        ],
        "categories": [{"id": 1, "name": "cup"}],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("tracks", "ids"),
    [
        ((7, 3), [7, 3]), ((1, 254), [1, 254]), ((0, 255), [1, 2]), ((300, 1, 2), [1, 2, 3]),
        ((2, 900, 901), [2, 1, 3]),
    ],
)  # fmt: skip
def test_a_track_keeps_its_number_where_a_project_can_have_it(
    tracks: tuple[int, ...], ids: list[int]
) -> None:
    (video,) = read_coco(numbered_tracks(*tracks), [])
    lefts = {mask.box[2]: number for number, mask in video.frames[0].masks}
    assert [lefts[left] for left in sorted(lefts)] == ids


def test_folders_are_called_by_as_much_of_their_paths_as_tells_them_apart() -> None:
    def names(*folders: str) -> list[str]:
        raw = numbered_tracks()
        raw["images"] = [
            {"id": n, "file_name": f"{folder}/0.jpg", "width": 64, "height": 48}
            for n, folder in enumerate(folders, start=1)
        ]
        return [video.name for video in read_coco(raw, [])]

    assert names("a/images", "b/masks") == ["images", "masks"]
    assert names("a/images", "b/images") == ["a_images", "b_images"]
    assert names("x/c", "y/c", "y_c") == ["x_c_1", "y_c_2", "y_c_3"]


@pytest.mark.parametrize(
    ("segmentation", "words"),
    [
        ({"size": [10, 12], "counts": "6`"}, "a compressed run-length code is cut short"),
        ({"size": [12, 10], "counts": [120]}, "is not of its image's size 12x10"),
        ([[3, 2, 9]], "a polygon is no list of x and y"),
        ([5], "a polygon is no list of x and y"),
        ("polygon", "neither polygons nor a run-length code"),
        ([[1e300, 2, 9, 2, 9, 6]], "has a corner that lies nowhere"),
    ],
)
def test_what_is_wrong_with_a_mask_is_said_in_words(segmentation: object, words: str) -> None:
    with pytest.raises(FormatError) as refused:
        read_coco(plain(segmentation))
    assert words in str(refused.value)
