"""What is wrong with a file as a whole, and with its subsequences as the benchmark takes them."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from app.storage.formats.visor.geometry import DENSE_SIZE, SPARSE_SIZE
from app.storage.formats.visor.records import (
    Annotation,
    Record,
    by_path,
    by_subsequence,
    is_polygon,
)
from app.storage.formats.visor.validation.defect import Defect, Kind, place_of

_MOST_OBJECTS = 15  # that the benchmark's own loader has room for
_BEYOND = 1.05  # of the picture, from which on coordinates are of another size


def file_defects(records: Sequence[Record], kind: Kind, *, states_size: bool) -> Iterator[Defect]:
    """Yield what is wrong with a file as a whole: no frames, several videos, another size.

    Where the file `states_size`, small coordinates are what it says they are.
    """
    if not records:
        yield Defect("", "", "no frames", "there is not a single frame in it")
        return
    videos = list(dict.fromkeys(record.video for record in by_path(records)))
    if len(videos) > 1 and not kind.submission:
        other = next(record for record in by_path(records) if record.video != videos[0])
        text = f"it is of {other.video}, and the file of {videos[0]}: a file holds one video"
        yield Defect(other.name, "", "one video", text)
    if kind.dense or kind.submission:
        yield from _too_large(records, kind)
    elif kind.canvas == SPARSE_SIZE and not states_size:
        yield from _too_small(records)


def sequence_defects(records: Sequence[Record]) -> Iterator[Defect]:
    """Yield what is wrong with the subsequences of a sparse file."""
    for name, frames in by_subsequence(records):
        first = {each.name for each in _named(frames[0]) if each.segments}
        if not first:
            text = f"the first frame of {name} has no mask: the benchmark has no object to follow"
            yield Defect(frames[0].name, "", "empty first frame", text)
            continue
        if len(first) > _MOST_OBJECTS:
            text = f"{len(first)} objects begin {name}, and the benchmark takes {_MOST_OBJECTS}"
            yield Defect(frames[0].name, "", "too many objects", text)
        seen = set(first)
        for record in frames[1:]:
            for place, annotation in enumerate(record.annotations):
                if _has_name(annotation) and annotation.name not in seen:
                    seen.add(annotation.name)
                    text = f"{annotation.name} is not on the first frame of {name}"
                    where = place_of(annotation, place)
                    yield Defect(record.name, where, "late object", text, harmless=True)


def _too_small(records: Sequence[Record]) -> Iterator[Defect]:
    """A sparse file none of whose points lies beyond the size of dense ones."""
    points = [_points(each) for record in records for each in record.annotations]
    every = np.concatenate(points) if points else np.zeros((0, 2))
    height, width = DENSE_SIZE
    # A few small things in a corner may lie there by chance.
    corner = every.max(axis=0) if len(every) else np.zeros(2)
    if (corner <= (width, height)).all() and (corner > (width / 2, height / 2)).all():
        text = "all points lie within 854x480; sparse files have those of 1920x1080"
        yield Defect("", "", "coordinates", text)


def _too_large(records: Sequence[Record], kind: Kind) -> Iterator[Defect]:
    height, width = kind.canvas
    for record in records:
        for place, annotation in enumerate(record.annotations):
            points = _points(annotation)
            if len(points) and (points.max(axis=0) > (_BEYOND * width, _BEYOND * height)).any():
                text = f"points lie far outside of {width}x{height}: they are of another size"
                yield Defect(record.name, place_of(annotation, place), "coordinates", text)


def _points(annotation: Annotation) -> NDArray[np.float64]:
    segments = annotation.segments
    polygons = [each for each in segments if is_polygon(each)] if isinstance(segments, list) else []
    return np.array([point for each in polygons for point in each], np.float64).reshape(-1, 2)


def _named(record: Record) -> list[Annotation]:
    return [each for each in record.annotations if _has_name(each)]


def _has_name(annotation: Annotation) -> bool:
    return isinstance(annotation.raw.get("name"), str)
