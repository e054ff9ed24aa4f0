"""The COCO format: one image a frame, one annotation a mask, run-length coded to keep holes.

Source: Lin et al., "Microsoft COCO" (ECCV 2014), and the run-length code of its public tools.
"""

import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import reduce
from pathlib import PurePosixPath
from typing import NamedTuple, Never

import numpy as np
from numpy.typing import NDArray

from app.core.mask import Mask
from app.errors import FormatError, StorageError
from app.storage.formats.labelled import (
    LabelledFrame,
    LabelledVideo,
    Size,
    named_objects,
    united,
)
from app.storage.formats.visor.geometry import placed
from app.storage.video.folder import natural_order

JsonObject = dict[str, object]

_MOST_OBJECTS = 254
_FARTHEST = 1e9  # in pixels, as for VISOR; turns away NaN and infinity, which Python's JSON has
_FAR = 1 << 15  # its tools walk along each edge, however far it goes
_MOST_PIXELS = 1 << 28  # of a picture, as for VISOR


def _check_lengths(lengths: Sequence[int], size: Size) -> None:
    # Asked of Python's numbers: a file may hold some that numpy cannot.
    area = size[0] * size[1]
    if not all(isinstance(n, int) and 0 <= n <= area for n in lengths) or sum(lengths) != area:
        _refuse(f"a run-length code does not cover its {size[1]}x{size[0]} image")


def lengths_of(mask: Mask) -> list[int]:
    """Return the lengths of the runs of 0, 1, 0, ... down the columns, the first possibly 0.

    Only the mask's box is gone through: a picture may be large.
    """
    (y0, _, x0, _), (height, width) = mask.box, mask.size
    edges = np.diff(np.pad(mask.crop(), ((1, 1), (0, 0))).astype(np.int8), axis=0).T
    columns, rows = np.nonzero(edges == 1)
    starts = (columns + x0) * height + rows + y0
    columns, rows = np.nonzero(edges == -1)
    ends = (columns + x0) * height + rows + y0
    apart = starts[1:] != ends[:-1]  # a run goes on in the next column
    starts, ends = starts[np.r_[True, apart]], ends[np.r_[apart, True]]
    changes = np.stack([starts, ends], axis=1).ravel()
    lengths: list[int] = np.diff(changes, prepend=0, append=height * width).tolist()
    return lengths if lengths[-1] else lengths[:-1]


def mask_of(lengths: Sequence[int], size: Size) -> Mask | None:
    """Undo `lengths_of`; None where no pixel is set. Raises FormatError where they do not fit."""
    _check_lengths(lengths, size)
    changes = np.cumsum(np.asarray(lengths, np.int64))
    starts, ends = changes[:-1:2], changes[1::2]
    is_run = starts[: len(ends)] < ends
    if not is_run.any():
        return None
    height = size[0]
    first = int(starts[: len(ends)][is_run][0]) // height
    last = (int(ends[is_run][-1]) - 1) // height + 1
    # Only the columns that hold a pixel are laid out.
    inside = np.diff(changes.clip(first * height, last * height), prepend=first * height)
    values = np.arange(len(lengths)) % 2 == 1
    pixels = np.repeat(values, inside).reshape((height, last - first), order="F")
    return placed(np.ascontiguousarray(pixels), (0, first), size)


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
    Raises StorageError where it would not.
    """
    categories: dict[str, JsonObject] = {}
    images: list[JsonObject] = []
    annotations: list[JsonObject] = []
    written = list(videos)
    for video in written:
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
    content = json.dumps(
        {
            "info": {"description": "Masks by Maskwright, run-length coded"},
            "images": images,
            "annotations": annotations,
            "categories": list(categories.values()),
        }
    ).encode()
    _check_read_back(content, written)
    return content


def read_coco(raw: object, odd: list[str] | None = None) -> list[LabelledVideo]:
    """Return the videos of a parsed COCO JSON.

    Images belong to the `video` or `video_id` that they tell, or else to the folder of their file;
    they follow each other as their `frame` or `frame_id` tells, or else in natural order of their
    names. An object is a `track_id` (or that of the `attributes`), or else a category; several of
    one category on an image are several objects. Polygons are filled as COCO's own tools do. Raises
    FormatError; an annotation that cannot be read is told to `odd` instead, where that is given.
    """
    try:
        return _Reader(raw, odd).videos()
    except (_CocoError, KeyError, TypeError, AttributeError, ValueError) as error:
        _refuse(_reason(error))


class _CocoError(FormatError):
    """What is wrong with a file, as a sentence; `reason` is a clause of it."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"Not a usable COCO file: {reason}. Export it again.")
        self.reason = reason


def _reason(error: Exception) -> str:
    match error:
        case _CocoError():
            return error.reason
        case KeyError():
            return f"{error.args[0]!r} is missing"
    return f"something is of another kind ({error})"


@dataclass(frozen=True, slots=True)
class _Picture:
    video: str | None  # the name that is told
    stem: str
    file: PurePosixPath
    size: Size
    place: object = None  # among the frames of its video, where that is told

    @property
    def folder(self) -> PurePosixPath:
        """The folder of the image, by which its video is known where none is told."""
        return self.file.parent


class _Identity(NamedTuple):
    """What an annotation is an instance of."""

    is_track: bool
    number: object  # of the track, or of the category
    ordinal: int = 0  # which of its category on the image, where no track is told


class _Reader:
    """The reading of one file."""

    def __init__(self, raw: object, odd: list[str] | None) -> None:
        if not isinstance(raw, dict) or not {"images", "annotations"} <= raw.keys():
            _refuse("there are no images and annotations")
        for key in ("images", "annotations"):
            if not isinstance(raw[key], list):
                _refuse(f"the {key} are no list")
        if not raw["images"]:
            _refuse("there are no images in it")
        named = ((item["id"], item.get("name")) for item in raw.get("categories", []))
        self._names = {number: str(name) for number, name in named if _is_name(name)}
        videos = {item["id"]: str(item["name"]) for item in raw.get("videos", [])}
        pictures = [(item["id"], _picture(item, videos)) for item in raw["images"]]
        self._pictures = dict(pictures)
        if len(self._pictures) < len(pictures):
            _refuse("two images have the same id")
        self._odd = odd
        self._unreadable: list[str] = []
        self._items: dict[object, list[Mapping[str, object]]] = {n: [] for n in self._pictures}
        for item in raw["annotations"]:
            with self._telling(f"Annotation {_id_of(item)}"):
                if item["image_id"] not in self._items:
                    _refuse(f"it is of the image {item['image_id']!r}, which is not there")
                self._items[item["image_id"]].append(item)
        self._untracked = 0

    def videos(self) -> list[LabelledVideo]:
        """Return all videos, sorted by name."""
        untold = (p.folder for p in self._pictures.values() if p.video is None)
        short = _short_names(dict.fromkeys(untold))
        by_video: dict[str, list[object]] = {}
        for number, picture in self._pictures.items():
            name = short[picture.folder] if picture.video is None else picture.video
            by_video.setdefault(name, []).append(number)
        found = [self._video(name, numbers) for name, numbers in by_video.items()]
        if self._untracked:
            self._note(
                f"{self._untracked} images have several annotations of one category without a "
                "track_id: they are told apart by their order on the image. Check who is who."
            )
        has_annotations = self._unreadable or any(self._items.values())
        if has_annotations and not any(f.masks for v in found for f in v.frames):
            _refuse(self._unreadable[0] if self._unreadable else "no annotation has a pixel")
        return sorted(found, key=lambda video: video.name)

    def _video(self, name: str, numbers: Sequence[object]) -> LabelledVideo:
        pictures = {number: self._pictures[number] for number in numbers}
        sizes = {picture.size for picture in pictures.values()}
        if len(sizes) > 1:
            _refuse(
                f"the images of {name or 'the file'} are of {len(sizes)} sizes; a video has one"
            )
        ids: dict[_Identity, int] = {}
        shown: dict[int, str] = {}
        frames: dict[str, LabelledFrame] = {}
        for number in _in_order(pictures):
            picture = pictures[number]
            if picture.stem in frames:
                _refuse(f"{picture.file} and another image are the same frame of {name} twice")
            frames[picture.stem] = self._frame(number, picture, ids, shown)
        folder = str(next(iter(pictures.values())).folder)
        objects = named_objects(shown)
        return LabelledVideo(
            name, name, sizes.pop(), objects, tuple(frames.values()), folder=folder
        )

    def _frame(
        self, number: object, picture: _Picture, ids: dict[_Identity, int], shown: dict[int, str]
    ) -> LabelledFrame:
        masks: list[tuple[int, Mask]] = []
        seen: Counter[object] = Counter()
        for item in self._items[number]:
            where = f"Annotation {_id_of(item)} on {picture.stem}"
            with self._telling(where):
                mask = _mask(item["segmentation"], picture.size)
                identity = _identity(item, seen)
                own = ids.setdefault(identity, _free_id(identity, ids))
                name = self._names.get(item.get("category_id"), f"object {own}")
                more = f" ({identity.ordinal + 1})" if identity.ordinal else ""
                shown.setdefault(own, f"{name}{more}")
                if mask and any(number == own for number, _ in masks):
                    self._note(f"{where} is of a track that is there already: both are one mask.")
                if mask:
                    masks.append((own, mask))
        self._untracked += any(count > 1 for count in seen.values())
        return LabelledFrame(picture.stem, tuple(masks))

    @contextmanager
    def _telling(self, where: str) -> Iterator[None]:
        """Tell of an annotation that cannot be read, or raise FormatError where nobody listens."""
        try:
            yield
        except (_CocoError, KeyError, TypeError, ValueError, OverflowError) as error:
            reason = f"{where}: {_reason(error)}"
            if self._odd is None:
                _refuse(reason)
            self._unreadable.append(reason)
            self._note(f"{reason}. It was left out.")

    def _note(self, text: str) -> None:
        if self._odd is not None:
            self._odd.append(text)


def _identity(item: Mapping[str, object], seen: Counter[object]) -> _Identity:
    attributes = item.get("attributes")
    track = item.get("track_id")
    if track is None and isinstance(attributes, dict):
        track = attributes.get("track_id")
    if track is not None:
        return _Identity(is_track=True, number=_whole(track))
    category = item["category_id"]
    seen[category] += 1
    return _Identity(is_track=False, number=category, ordinal=seen[category] - 1)


def _whole(value: object) -> object:
    """Return a whole number that is written as a fraction or as text as the number."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    is_number = isinstance(value, str) and value.isdecimal() and str(int(value)) == value
    return int(value) if is_number else value  # type: ignore[call-overload]


def _is_name(name: object) -> bool:
    return isinstance(name, str | int) and name != ""


def _id_of(item: object) -> object:
    return item.get("id", "without id") if isinstance(item, dict) else "without id"


def _in_order(pictures: Mapping[object, _Picture]) -> list[object]:
    """Return the images as their frames follow each other: as all tell, or else by their names."""
    told = {number: picture.place for number, picture in pictures.items()}
    if all(isinstance(place, int) for place in told.values()) and len(set(told.values())) == len(
        told
    ):
        return sorted(told, key=told.__getitem__)  # type: ignore[arg-type]
    return sorted(pictures, key=lambda number: natural_order(pictures[number].stem))


def _short_names(folders: Iterable[PurePosixPath]) -> dict[PurePosixPath, str]:
    """Return a name for each folder: the end of its path, as much as tells it from the others."""
    names: dict[PurePosixPath, str] = {}
    parts = {folder: folder.parts or ("",) for folder in folders}
    for length in range(1, max(map(len, parts.values()), default=1) + 1):
        names = {folder: "_".join(each[-length:]) for folder, each in parts.items()}
        if len(set(names.values())) == len(names):
            return names
    return {folder: f"{name}_{n}" for n, (folder, name) in enumerate(names.items(), start=1)}


def _free_id(identity: _Identity, ids: Mapping[_Identity, int]) -> int:
    """Keep a track's own number where a project can have it, or else count."""
    number = identity.number if identity.is_track else None
    taken = set(ids.values())
    if isinstance(number, int) and 1 <= number <= _MOST_OBJECTS and number not in taken:
        return int(number)
    free = next((n for n in range(1, _MOST_OBJECTS + 1) if n not in taken), None)
    return free or _refuse(f"a video has more than {_MOST_OBJECTS} objects")


def _picture(item: Mapping[str, object], videos: Mapping[object, str]) -> _Picture:
    path = PurePosixPath(str(item["file_name"]).replace("\\", "/"))
    sides = [side for key in ("height", "width") if isinstance(side := _whole(item.get(key)), int)]
    if len(sides) < 2 or min(sides) < 1 or math.prod(sides) > _MOST_PIXELS:
        _refuse(f"the image {path} has no size, or none that an image can have")
    video = item.get("video", videos.get(item.get("video_id")))
    name = None if video is None else str(video)
    place = _whole(item.get("frame", item.get("frame_id")))
    return _Picture(name, path.stem, path, (sides[0], sides[1]), place)


def _image(number: int, video: LabelledVideo, frame: LabelledFrame, place: int) -> JsonObject:
    height, width = video.size
    return {
        "id": number, "file_name": f"{video.name}/{frame.stem}.jpg", "width": width,
        "height": height, "video": video.name, "frame": place,
    }  # fmt: skip


def _shape(mask: Mask) -> JsonObject:
    y0, y1, x0, x1 = mask.box
    code = {"size": list(mask.size), "counts": compress(lengths_of(mask))}
    return {
        "segmentation": code, "area": mask.area, "bbox": [x0, y0, x1 - x0, y1 - y0], "iscrowd": 0,
    }  # fmt: skip


def _mask(segmentation: object, size: Size) -> Mask | None:
    if isinstance(segmentation, dict):
        counts = segmentation["counts"]
        if tuple(segmentation["size"]) != size:
            _refuse(f"a run-length code is not of its image's size {size[1]}x{size[0]}")
        return mask_of(decompress(counts) if isinstance(counts, str) else counts, size)
    if not isinstance(segmentation, list):
        _refuse("a segmentation is neither polygons nor a run-length code")
    masks: list[Mask] = []
    for polygon in segmentation:
        numbers = np.asarray(polygon, np.float64)
        if not numbers.ndim or numbers.size % 2:
            _refuse("a polygon is no list of x and y")
        corners = numbers.reshape(-1, 2)
        if not (np.abs(corners) < _FARTHEST).all():
            _refuse("a polygon has a corner that lies nowhere")
        if len(corners) > 2 and (filled := _filled(corners, size)) is not None:
            masks.append(filled)
    return reduce(united, masks) if masks else None


def _filled(corners: NDArray[np.float64], size: Size) -> Mask | None:
    """Fill one polygon as COCO's own tools do."""
    from pycocotools import mask as coco_mask  # noqa: PLC0415 - for files with polygons only

    points = corners.clip(-_FAR, _FAR).ravel().tolist()
    (code,) = coco_mask.frPyObjects([points], *size)
    return mask_of(decompress(code["counts"].decode()), size)


def _check_read_back(content: bytes, videos: Sequence[LabelledVideo]) -> None:
    found = {video.name: video.frames for video in read_coco(json.loads(content))}
    for video in videos:
        if found.get(video.name) != video.frames:
            raise StorageError(
                f"The masks of {video.name or 'the video'} would not come back from a COCO file as "
                "they are. Nothing was written; please report this with the project."
            )


def _refuse(what: str) -> Never:
    raise _CocoError(what)
