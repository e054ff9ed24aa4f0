"""The masks of a video, frame by frame in painting order: what all exchange formats share."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from app.core.document import Document, Entry, Key, ObjectInfo, Objects, Origin
from app.core.mask import Mask
from app.errors import FormatError
from app.storage.classes import noun_classes
from app.storage.files.writing import check_file_name
from app.storage.formats.palette import VOID, WHITE_FROM, Labels, davis_palette
from app.storage.formats.visor.geometry import placed
from app.storage.formats.visor.naming import FrameList, NamedFrames

Size = tuple[int, int]  # (height, width)
Painted = tuple[tuple[int, Mask], ...]  # object id and mask; later ones lie on top


@dataclass(frozen=True, slots=True)
class LabelledFrame:
    """One frame: the stem of its files, and what is on it."""

    stem: str
    masks: Painted

    def labels(self, size: Size) -> Labels:
        """Return the label map, (H, W)."""
        labels = np.zeros(size, np.uint8)
        for number, mask in self.masks:
            y0, y1, x0, x1 = mask.box
            labels[y0:y1, x0:x1][mask.crop()] = number
        return labels


@dataclass(frozen=True, slots=True)
class LabelledVideo:
    """The masks of one video, or of one VISOR subsequence of `video`, all of one size."""

    name: str
    video: str
    size: Size
    objects: Objects
    frames: tuple[LabelledFrame, ...]
    notes: tuple[str, ...] = field(default=(), compare=False)  # what a person should know of it
    folder: str = field(default="", compare=False)  # of the images, as the masks' file tells it

    def document(self) -> Document:
        """Return the masks as imported entries; several masks of an object become one.

        A frame without any says that no object is there.
        """
        entries: dict[Key, Entry | None] = {}
        for index, frame in enumerate(self.frames):
            for number, mask in frame.masks:
                key = Key(index, number)
                before = entries.get(key)
                whole = united(before.mask, mask) if before and before.mask else mask
                entries[key] = Entry(whole, Origin.IMPORTED)
            if not frame.masks:
                absent = Entry(None, Origin.IMPORTED)
                entries |= {Key(index, info.id): absent for info in self.objects}
        return Document(self.objects, entries)

    def frame_list(self, folder: Path) -> FrameList:
        """Return the names of the frames, as those of a video in `folder`."""
        return FrameList(folder / self.name, tuple(f.stem for f in self.frames), self.size)


def labelled(
    document: Document,
    frames: NamedFrames,
    name: str,
    orders: Mapping[int, Sequence[int]] = MappingProxyType({}),
) -> LabelledVideo:
    """Return a document's frames that have entries.

    Masks are in the order of the objects, but where `orders` tells a frame's own one, of some
    objects or all.
    The objects have the numbers of `numbers_of`. Raises FormatError where there are too many.
    """
    order = [info.id for info in document.objects]
    numbers = numbers_of(document.objects)
    return LabelledVideo(
        name,
        name,
        frames.size,
        tuple(replace(info, id=numbers[info.id]) for info in document.objects),
        tuple(
            LabelledFrame(
                frames.stem(index),
                tuple(
                    (numbers[n], mask)
                    for n, mask in painted(
                        document.on_frame(index), dict.fromkeys((*orders.get(index, ()), *order))
                    )
                ),
            )
            for index in document.frames()
        ),
    )


def numbers_of(objects: Objects) -> dict[int, int]:
    """Return object id -> its number in a label map, 1 to 254: its own id where that is one.

    Raises FormatError where there are more objects than numbers.
    """
    if len(objects) >= VOID:
        raise FormatError(
            f"There are {len(objects)} objects, and a label map holds {VOID - 1}. Delete some, or "
            "export as VISOR."
        )
    own = {info.id for info in objects if info.id < VOID}
    free = (number for number in range(1, VOID) if number not in own)
    return {info.id: info.id if info.id in own else next(free) for info in objects}


def check_names(videos: Iterable[LabelledVideo]) -> None:
    """Raise FormatError where a video or a frame has a name that no file can have."""
    for video in videos:
        check_file_name(video.name, "A video")
        for frame in video.frames:
            check_file_name(frame.stem, f"A frame of {video.name}")


def painted(entries: Mapping[int, Entry], order: Iterable[int]) -> Painted:
    """Return the masks of one frame's entries in drawing order."""
    found = ((number, entries[number].mask) for number in order if number in entries)
    return tuple((number, mask) for number, mask in found if mask is not None)


def split_labels(labels: Labels) -> Painted:
    """Return the mask of every value of a label map but 0; void (255) too."""
    numbers = np.flatnonzero(np.bincount(labels.ravel(), minlength=VOID + 1))
    masks = ((int(number), Mask.encode(labels == number)) for number in numbers if number)
    return tuple((number, mask) for number, mask in masks if mask is not None)


def named_objects(names: Mapping[int, str]) -> Objects:
    """Return objects with these ids and names, coloured as DAVIS and classed by name."""
    classes, colors = noun_classes(), davis_palette()
    found = {number: classes.of_name(name) for number, name in names.items()}
    return tuple(
        ObjectInfo(
            number, name, colors[number % len(colors)], noun.id if (noun := found[number]) else None
        )
        for number, name in sorted(names.items())
    )


def united(first: Mask, second: Mask) -> Mask:
    """Return the pixels of either mask, of frames of one size."""
    boxes = np.array([first.box, second.box])
    (y0, x0), (y1, x1) = boxes[:, ::2].min(axis=0).tolist(), boxes[:, 1::2].max(axis=0).tolist()
    pixels = np.zeros((y1 - y0, x1 - x0), np.bool_)
    for mask in (first, second):
        top, bottom, left, right = mask.box
        pixels[top - y0 : bottom - y0, left - x0 : right - x0] |= mask.crop()
    whole = placed(pixels, (y0, x0), first.size)
    assert whole is not None
    return whole


def white_masks(masks: Painted) -> Painted:
    """Return what `white_as_one` gives, of the masks of each value."""
    white = [mask for value, mask in masks if value >= WHITE_FROM]
    return ((1, reduce(united, white)),) if white else ()


def area_counts(frames: Iterable[Painted], pixels: int) -> NDArray[np.int64]:
    """Return `counts_of` for frames of so many pixels, of the masks of each value."""
    counts = np.zeros(VOID + 1, np.int64)
    for masks in frames:
        areas = [(value, mask.area) for value, mask in masks]
        for value, area in areas:
            counts[value] += area
        counts[0] += pixels - sum(area for _, area in areas)
    return counts
