"""What is wrong with a submission to VISOR's challenge, of itself and against the mapping."""

import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence

from app.errors import FormatError
from app.storage.formats.submission import SUBMISSION_INFO
from app.storage.formats.visor.records import Record, VisorFile, by_subsequence
from app.storage.formats.visor.source_text import JsonObject
from app.storage.formats.visor.validation.defect import Defect, place_of

_MISSING = {"missing object", "missing subsequence"}
Mapped = Mapping[str, Collection[str]]  # subsequence -> names of its objects


def check_submission(content: bytes, mapping: Mapped) -> tuple[str, ...]:
    """Return what a person should know of a submission's text, before it is written.

    Raises FormatError where it has what the mapping does not know, so that it would be refused.
    """
    file = VisorFile.parse(content, "the submission")
    found = [*submission_defects(file.info, file.records), *mapping_defects(file.records, mapping)]
    wrong = [each for each in found if each.rule not in _MISSING]
    if wrong:
        raise FormatError(
            f"The submission is not written: {wrong[0]} ({len(wrong)} in all). Give the mapping "
            "that the masks were made by, or correct the names."
        )
    return tuple(f"{each.rule}: {each.text}" for each in found)


def submission_defects(info: JsonObject, records: Sequence[Record]) -> Iterator[Defect]:
    """Yield what is wrong with a submission of itself: what it says it is, numbers, order."""
    for key, wanted in SUBMISSION_INFO.items():
        if info.get(key) != wanted:
            rule = "version" if key == "Version" else "submission info"
            yield Defect("", "", rule, f"`{key}` is {info.get(key)!r}, and must be {wanted!r}")
    for key in sorted(info.keys() - SUBMISSION_INFO.keys()):
        yield Defect("", "", "submission info", f"the key `{key}` is not of a submission")
    for one, other in itertools.pairwise(records):
        if (one.subsequence, one.name) > (other.subsequence, other.name):
            text = "subsequences, and the frames of each, are to be in the order of their names"
            yield Defect(other.name, "", "order", text)
    for record in records:
        for place, annotation in enumerate(record.annotations):
            if _has_floats(annotation.segments):
                where = place_of(annotation, place)
                yield Defect(record.name, where, "floats", "coordinates must be whole numbers")


def mapping_defects(
    records: Sequence[Record], mapping: Mapped, frames: Mapping[str, Collection[str]] | None = None
) -> Iterator[Defect]:
    """Yield where a submission is not of the subsequences, objects and frames that are asked for.

    `frames` are the stems of each subsequence's frames, where they are known; without them a
    subsequence that is missing is only noted: the benchmark leaves short ones out.
    """
    found = dict(by_subsequence(records))
    for sequence, here in found.items():
        if sequence not in mapping:
            yield Defect(here[0].name, "", "mapping", f"{sequence} is not in the mapping")
            continue
        yield from _of_names(here, mapping[sequence])
        named = [each.raw.get("name") for record in here for each in record.annotations]
        for name in sorted(set(mapping[sequence]) - set(map(str, named))):
            text = f"{name} of {sequence} is on none of its frames"
            yield Defect(here[0].name, "", "missing object", text)
    for sequence in sorted((set(mapping) if frames is None else set(frames)) - found.keys()):
        text = f"{sequence} is missing"
        yield Defect("", "", "missing subsequence", text, harmless=frames is None)
    for sequence, here in found.items():
        stems = {record.stem for record in here}
        # The first frame is given, and need not be there.
        for stem in sorted((frames or {}).get(sequence, ()))[1:]:
            if stem not in stems:
                yield Defect(f"{stem}.png", "", "missing frame", f"it is of {sequence}")


def _of_names(records: Sequence[Record], names: Collection[str]) -> Iterator[Defect]:
    for record in records:
        for place, annotation in enumerate(record.annotations):
            name = annotation.raw.get("name")
            if isinstance(name, str) and name not in names:
                text = f"{name} is not an object of {record.subsequence} in the mapping"
                yield Defect(record.name, place_of(annotation, place), "mapping", text)


def _has_floats(segments: object) -> bool:
    if not isinstance(segments, list):
        return False
    return any(
        isinstance(value, float)
        for polygon in segments
        if isinstance(polygon, list)
        for point in polygon
        if isinstance(point, list)
        for value in point
    )
