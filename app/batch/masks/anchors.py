"""The masks in a folder, and the frames and objects that they belong to."""

import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from app.core.mask import Mask
from app.core.passes import PackedAnchors
from app.errors import UsageError
from app.storage.formats.davis import mask_files
from app.storage.formats.importing import placed_stems
from app.storage.formats.palette import (
    VOID,
    Labels,
    counts_of,
    is_white_on_black,
    note_of,
    read_labels,
    white_as_one,
)
from app.storage.video.opening import Video


def read_anchors(folder: Path, video: Video, first_number: int | None = None) -> dict[int, Labels]:
    """Return frame -> label map of every PNG in the folder, white on black as object 1.

    A PNG is named as its frame's image or by the frame's index in six digits; where images are
    named by numbers, too, all PNGs are named in one of the ways. `first_number` is
    that of the first frame where those of a video file are numbered. Raises UsageError or
    FormatError.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder. Give the folder of anchor PNGs.")
    files = mask_files(folder)
    if not files:
        raise UsageError(f"{folder} holds no PNG. Put at least one anchor mask there.")
    places, told = placed_stems([file.stem for file in files], video, first_number)
    by_index = {f"{index:06}": index for index in range(len(video))}
    if any(place is not None for place in places) and video.stem(0).isdecimal():
        by_index = {}  # a number is a name here, and is not to mean both
    given: dict[int, Labels] = {}
    for file, place in zip(files, places, strict=True):
        frame = by_index.get(file.stem) if place is None else place
        if frame is None:
            raise UsageError(
                f"{file} belongs to no frame of {video.source}. Name it as its frame is "
                f"({video.stem(0)}.png), or by the frame's index (000000.png)."
            )
        if frame in given:
            raise UsageError(f"{file} is a second mask of frame {frame}. Leave one of them.")
        given[frame] = read_labels(file, video.size)
    counts = counts_of(given.values())
    if is_white_on_black(counts):
        told = (*told, *note_of(counts))
        given = {frame: white_as_one(labels) for frame, labels in given.items()}
    sys.stderr.writelines(f"{note}\n" for note in told)
    return given


def anchors_of(given: Mapping[int, Labels], folder: Path) -> PackedAnchors:
    """Return the anchors that label maps hold; `folder` is where they were read.

    An id that a map lacks is not said to be absent, since partial maps are common; an empty map
    says that nothing is there. Raises UsageError where no map has an object.
    """
    ids = object_ids(given, folder)
    known = sorted({number for found in ids.values() for number in found})
    return {
        frame: {number: Mask.encode(labels == number) for number in ids[frame] or known}
        for frame, labels in sorted(given.items())
    }


def object_ids(given: Mapping[int, Labels], folder: Path) -> dict[int, list[int]]:
    """Return which objects each map has; raises UsageError where none has any."""
    ids = {frame: ids_in(labels) for frame, labels in given.items()}
    if not any(ids.values()):
        raise UsageError(
            f"The masks in {folder} hold no object: only 0 (background) or 255 (ignored). "
            "Paint objects with the values 1 to 254."
        )
    return ids


def ids_in(labels: Labels) -> list[int]:
    """Return the ids of the objects in a label map, rising."""
    return [int(number) for number in np.unique(labels) if number not in {0, VOID}]
