"""The COCO format: one image a frame, one annotation a mask, run-length coded to keep holes.

Source: Lin et al., "Microsoft COCO" (ECCV 2014), and the run-length code of its public tools.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Never

import numpy as np
from numpy.typing import NDArray

from app.core.mask import Mask
from app.errors import FormatError
from app.storage.formats.labelled import (
    LabelledFrame,
    LabelledVideo,
    Size,
    named_objects,
)
from app.storage.video.folder import natural_order
from models.api import BoolMask

JsonObject = dict[str, object]

_MOST_OBJECTS = 254
_FARTHEST = 1e9  # in pixels, as for VISOR; turns away NaN and infinity, which Python's JSON has
_LONGEST_SIDE = 1 << 16


def run_lengths(pixels: BoolMask) -> list[int]:
    """Return the lengths of the runs of 0, 1, 0, ... down the columns, the first possibly 0."""
    flat = pixels.ravel(order="F")
    changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    edges = np.concatenate([[0], changes, [flat.size]])
    lengths: list[int] = np.diff(edges).tolist()
    return [0, *lengths] if flat.size and flat[0] else lengths


def from_run_lengths(lengths: Sequence[int], size: Size) -> BoolMask:
    """Undo `run_lengths` for a frame of `size`. Raises FormatError where the lengths do not fit."""
    # Asked of Python's numbers: a file may hold some that numpy cannot.
    area = size[0] * size[1]
    if not all(isinstance(n, int) and 0 <= n <= area for n in lengths) or sum(lengths) != area:
        _refuse(f"a run-length code does not cover its {size[1]}x{size[0]} image")
    values = np.arange(len(lengths)) % 2 == 1
    return np.ascontiguousarray(np.repeat(values, lengths).reshape(size, order="F"))


def compress(lengths: Sequence[int]) -> str:
    """Return COCO's text of run lengths: from the third on, differences to the one two before.

    Each number is cut into groups of five bits, lowest first, a sixth bit saying that more follow.
    """
    characters: list[str] = []
    for place, length in enumerate(lengths):
        rest = length - lengths[place - 2] if place > 2 else length
        more = True
        while more:
            group, rest = rest & 31, rest >> 5
            more = rest != (-1 if group & 16 else 0)
            characters.append(chr((group | 32 if more else group) + 48))
    return "".join(characters)


def decompress(text: str) -> list[int]:
    """Undo `compress`. Raises FormatError where the text ends within a number."""
    lengths: list[int] = []
    value = shift = 0
    for character in text:
        group = ord(character) - 48
        value |= (group & 31) << shift
        shift += 5
        if not group & 32:
            value -= (1 << shift) if group & 16 else 0
            lengths.append(value + lengths[-2] if len(lengths) > 2 else value)
            value = shift = 0
    if shift:
        _refuse("a compressed run-length code is cut short")
    return lengths


def coco_json(videos: Iterable[LabelledVideo]) -> bytes:
    """Return the text of a COCO file of these videos.

    Besides COCO's own keys an image tells its `video` and `frame`, an annotation its object's
    `track_id`, a category its noun class (`class_id`), so that `read_coco` gives the videos back.
    """
    categories: dict[str, JsonObject] = {}
    images: list[JsonObject] = []
    annotations: list[JsonObject] = []
    for video in videos:
        for info in video.objects:
            number = len(categories) + 1
            categories.setdefault(
                info.name, {"id": number, "name": info.name, "class_id": info.class_id}
            )
        names = {info.id: info.name for info in video.objects}
        for place, frame in enumerate(video.frames):
            image = _image(len(images) + 1, video, frame, place)
            images.append(image)
            for number, mask in frame.masks:
                category = categories[names[number]]["id"]
                own = {"id": len(annotations) + 1, "image_id": image["id"]}
                annotations.append(
                    own | {"category_id": category, "track_id": number} | _shape(mask)
                )
    return json.dumps(
        {
            "info": {"description": "Masks by Maskwright, run-length coded"},
            "images": images,
            "annotations": annotations,
            "categories": list(categories.values()),
        }
    ).encode()


def read_coco(raw: object) -> list[LabelledVideo]:
    """Return the videos of a parsed COCO JSON.

    Images belong to the `video` that they tell, or else to the folder of their file; frames are in
    natural order of their names. An object is a `track_id`, or else a category. Polygons are
    united, as COCO has it, so that they cannot have holes. Raises FormatError.
    """
    try:
        return _videos(raw)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        if isinstance(error, FormatError):
            raise
        _refuse(f"something is missing or of another kind ({error!r})")


@dataclass(frozen=True, slots=True)
class _Picture:
    video: str
    stem: str
    size: Size


def _videos(raw: object) -> list[LabelledVideo]:
    if not isinstance(raw, dict) or not {"images", "annotations"} <= raw.keys():
        _refuse("there are no images and annotations")
    names = {item["id"]: item["name"] for item in raw.get("categories", [])}
    pictures = {item["id"]: _picture(item) for item in raw["images"]}
    of_picture: dict[object, list[Mapping[str, object]]] = {number: [] for number in pictures}
    for item in raw["annotations"]:
        of_picture[item["image_id"]].append(item)
    videos: dict[str, list[object]] = {}
    for number, picture in pictures.items():
        videos.setdefault(picture.video, []).append(number)
    return [
        _video(name, {number: pictures[number] for number in numbers}, of_picture, names)
        for name, numbers in sorted(videos.items())
    ]


def _video(
    name: str,
    pictures: Mapping[object, _Picture],
    annotations: Mapping[object, Sequence[Mapping[str, object]]],
    names: Mapping[object, str],
) -> LabelledVideo:
    sizes = {picture.size for picture in pictures.values()}
    if len(sizes) > 1:
        _refuse(f"the images of {name or 'the file'} are of {len(sizes)} sizes; a video has one")
    order = sorted(pictures, key=lambda number: natural_order(pictures[number].stem))
    ids: dict[tuple[bool, object], int] = {}
    shown: dict[int, str] = {}
    frames = []
    for number in order:
        masks = []
        for item in annotations[number]:
            tracked = "track_id" in item
            identity = (tracked, item["track_id" if tracked else "category_id"])
            own = ids.setdefault(identity, _free_id(identity, ids))
            shown.setdefault(own, names.get(item["category_id"], f"object {own}"))
            if mask := _mask(item, pictures[number]):
                masks.append((own, mask))
        frames.append(LabelledFrame(pictures[number].stem, tuple(masks)))
    return LabelledVideo(name, name, sizes.pop(), named_objects(shown), tuple(frames))


def _free_id(identity: tuple[bool, object], ids: Mapping[tuple[bool, object], int]) -> int:
    """Keep a track's own number where a project can have it, or else count."""
    tracked, number = identity
    taken = set(ids.values())
    if tracked and isinstance(number, int) and 1 <= number <= _MOST_OBJECTS and number not in taken:
        return number
    free = next((n for n in range(1, _MOST_OBJECTS + 1) if n not in taken), None)
    return free or _refuse(f"a video has more than {_MOST_OBJECTS} objects")


def _picture(item: Mapping[str, object]) -> _Picture:
    path = PurePosixPath(str(item["file_name"]).replace("\\", "/"))
    height, width = item["height"], item["width"]
    sides = [side for side in (height, width) if isinstance(side, int)]
    if len(sides) < 2 or not 1 <= min(sides) <= max(sides) <= _LONGEST_SIDE:
        _refuse(f"the image {path} has no size, or none that an image can have")
    video = item.get("video", path.parent.name)
    return _Picture(str(video), path.stem, (sides[0], sides[1]))


def _image(number: int, video: LabelledVideo, frame: LabelledFrame, place: int) -> JsonObject:
    height, width = video.size
    return {
        "id": number, "file_name": f"{video.name}/{frame.stem}.jpg", "width": width,
        "height": height, "video": video.name, "frame": place,
    }  # fmt: skip


def _shape(mask: Mask) -> JsonObject:
    y0, y1, x0, x1 = mask.box
    code = {"size": list(mask.size), "counts": compress(run_lengths(mask.decode()))}
    return {
        "segmentation": code, "area": mask.area, "bbox": [x0, y0, x1 - x0, y1 - y0], "iscrowd": 0,
    }  # fmt: skip


def _mask(item: Mapping[str, object], picture: _Picture) -> Mask | None:
    where = f"Annotation {item.get('id', 'without id')} on {picture.stem}"
    try:
        return Mask.encode(_pixels(item["segmentation"], picture.size))
    except FormatError as error:
        raise FormatError(f"{where}: {error}") from error
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise FormatError(
            f"{where}: its segmentation cannot be read ({error!r}). Export the file again."
        ) from error


def _pixels(segmentation: object, size: Size) -> BoolMask:
    if isinstance(segmentation, dict):
        counts = segmentation["counts"]
        if tuple(segmentation["size"]) != size:
            _refuse(f"a run-length code is not of its image's size {size[1]}x{size[0]}")
        return from_run_lengths(decompress(counts) if isinstance(counts, str) else counts, size)
    if not isinstance(segmentation, list):
        _refuse("a segmentation is neither polygons nor a run-length code")
    pixels = np.zeros(size, np.bool_)
    for polygon in segmentation:
        corners = np.asarray(polygon, np.float64).reshape(-1, 2)
        if not (np.abs(corners) < _FARTHEST).all():
            _refuse("a polygon has a corner that lies nowhere")
        pixels |= _filled(corners, size)
    return pixels


def _filled(corners: NDArray[np.float64], size: Size) -> BoolMask:
    """Fill one polygon; coordinates are of pixel corners, a pixel is in where its centre is."""
    height, width = size
    switches = np.zeros((height, width + 1), np.bool_)  # where a row goes in or out
    for (x0, y0), (x1, y1) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        top, bottom = np.ceil(np.clip([min(y0, y1) - 0.5, max(y0, y1) - 0.5], 0, height)).astype(
            int
        )
        rows = np.arange(top, bottom)
        if rows.size:
            crossings = x0 + (rows + 0.5 - y0) * (x1 - x0) / (y1 - y0)
            columns = np.ceil(np.clip(crossings - 0.5, 0, width)).astype(int)
            switches[rows, columns] ^= True
    return np.logical_xor.accumulate(switches, axis=1)[:, :width]


def _refuse(what: str) -> Never:
    raise FormatError(f"Not a usable COCO file: {what}. Export it again.")
