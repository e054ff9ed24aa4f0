"""What is wrong with the runs of a dense file."""

import itertools
from collections.abc import Container, Iterator, Sequence

from app.storage.formats.visor.annotations.contacts import HAND_NAMES
from app.storage.formats.visor.records import FRAME_NAME, Record
from app.storage.formats.visor.validation.defect import Defect, place_of

_START, _END = "interpolation_start_frame", "interpolation_end_frame"
_DRAWN = 1


def run_defects(records: Sequence[Record]) -> Iterator[Defect]:
    """Yield what is wrong with runs: their ends, the kind of their masks, and their order."""
    runs: dict[str, list[Record]] = {}
    for record in records:
        name = record.image.get("interpolation")
        if isinstance(name, str) and record.number is not None:
            runs.setdefault(name, []).append(record)
    bounds: list[tuple[str, int, int, str, str]] = []
    for name, found in runs.items():
        ordered = sorted(found, key=lambda record: record.number or 0)
        yield from _of_ends(name, ordered)
        yield from _of_masks(name, ordered)
        start, end = ordered[0].number or 0, ordered[-1].number or 0
        bounds.append((ordered[0].video, start, end, name, ordered[0].name))
    for one, other in itertools.pairwise(sorted(bounds)):
        if one[0] == other[0] and other[1] < one[2]:
            text = f"the runs {one[3]} and {other[3]} lie on each other: they may share one frame"
            yield Defect(other[4], "", "run overlap", text)


def _of_ends(name: str, frames: Sequence[Record]) -> Iterator[Defect]:
    first = frames[0]
    for record in frames[1:]:
        for key in (_START, _END):
            if record.image.get(key) != first.image.get(key):
                text = f"`{key}` is not that of the other frames of run {name}"
                yield Defect(record.name, "", "run ends", text)
        if record.subsequence != first.subsequence:
            text = f"`subsequence` is not that of the other frames of run {name}"
            yield Defect(record.name, "", "run subsequence", text)
    numbers = {record.number for record in frames}
    start, end = _number(first.image.get(_START)), _number(first.image.get(_END))
    if start is not None and end is not None and start >= end:
        yield Defect(first.name, "", "run ends", f"run {name} ends where it starts, or before")
        return
    for number, key in ((start, _START), (end, _END)):
        if number is not None and number not in numbers:
            yield Defect(first.name, "", "run ends", f"the `{key}` of run {name} is not there")


def _of_masks(name: str, frames: Sequence[Record]) -> Iterator[Defect]:
    """The ends are drawn, what lies between is not; and nothing is between that is on no end.

    Only hands are followed from one end.
    """
    ends = (frames[0].image.get(_START), frames[0].image.get(_END))
    drawn = [
        {annotation.raw.get("name") for annotation in record.annotations}
        for record in frames
        if record.name in ends
    ]
    for record in frames:
        is_end = record.name in ends
        for place, annotation in enumerate(record.annotations):
            where, kind = place_of(annotation, place), annotation.raw.get("type")
            if kind in (0, 1) and (kind == _DRAWN) != is_end:
                what = "an end of" if is_end else "within"
                text = f"type {kind} on a frame {what} run {name}: ends have 1, the others 0"
                yield Defect(record.name, where, "run type", text)
            if not is_end and drawn:
                yield from _of_object(name, record, where, annotation.raw.get("name"), drawn)


def _of_object(
    run: str, record: Record, where: str, name: object, drawn: Sequence[Container[object]]
) -> Iterator[Defect]:
    """Yield what is wrong with a mask within a run by the names that are `drawn` on its ends."""
    on = sum(name in end for end in drawn)
    if not on:
        text = f"neither end of run {run} has a mask of this name"
        yield Defect(record.name, where, "run object", text)
    elif on < len(drawn) and name not in HAND_NAMES:
        text = f"one end of run {run} has no mask of this name, and it is no hand"
        yield Defect(record.name, where, "one-sided", text, harmless=True)


def _number(name: object) -> int | None:
    match = FRAME_NAME.fullmatch(name.rpartition(".")[0]) if isinstance(name, str) else None
    return int(match["number"]) if match else None
