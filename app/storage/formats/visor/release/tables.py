"""The tables that come with VISOR: objects of subsequences, lists of them, corrections, frames."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from app.errors import FormatError
from app.storage.formats.labelled import LabelledVideo, named_objects
from app.storage.formats.visor.annotations.contacts import CONTACT
from app.storage.formats.visor.records import VisorFile, as_object, read_json
from app.storage.formats.visor.source_text import JsonObject, SpannedObject

_CONTACT = re.compile(rb'("in_contact_object"\s*:\s*)"[^"]*"')
Objects = Mapping[str, Mapping[int, str]]  # subsequence -> id -> name


def read_mapping(path: Path) -> dict[str, dict[int, str]]:
    """Return subsequence -> id -> name of a `*_data_mapping.json`. Raises FormatError.

    Both forms are read: `{"1": "cup"}`, which the conversion writes, and `{"cup": 1}`.
    """
    raw = read_json(path)
    try:
        return {
            sequence: dict(_numbered(*pair) for pair in objects.items())
            for sequence, objects in _tables(raw).items()
        }
    except (TypeError, ValueError, FormatError) as error:
        raise FormatError(
            f"{path} does not say which objects each subsequence has. Give val_data_mapping.json."
        ) from error


def names_in(mapping: Objects) -> dict[str, frozenset[str]]:
    """Return subsequence -> the names of its objects."""
    return {sequence: frozenset(objects.values()) for sequence, objects in mapping.items()}


def read_list(path: Path) -> frozenset[str]:
    """Return the names in a list such as those of ImageSets, one a line. Raises FormatError."""
    try:
        names = frozenset(path.read_text(encoding="utf-8").split())
    except (OSError, UnicodeDecodeError) as error:
        raise FormatError(f"{path} cannot be read as a list of names ({error}).") from error
    if not names:
        raise FormatError(f"{path} names nothing. Give a list of subsequences, one a line.")
    return names


def chosen(videos: Iterable[LabelledVideo], path: Path | None) -> list[LabelledVideo]:
    """Return the videos that the list at `path` names, all without one.

    Raises FormatError where it names none of them.
    """
    found = list(videos)
    if path is None:
        return found
    names = read_list(path)
    kept = [each for each in found if each.name in names]
    if not kept:
        raise FormatError(f"{path} names none of the subsequences. Give the list of this split.")
    return kept


def renamed(videos: Iterable[LabelledVideo], mapping: Objects) -> list[LabelledVideo]:
    """Return videos whose objects have the names of a mapping.

    Raises FormatError where it lacks a subsequence or an object that has masks.
    """
    return [_renamed(video, mapping) for video in videos]


def corrected(file: VisorFile, path: Path) -> tuple[VisorFile, int]:
    """Return a file with the authors' corrections at `path` in its contacts, and their number.

    They say, for a frame, which mask each hand touches; all else stays as it stands. Raises
    FormatError.
    """
    raw = read_json(path)
    if not isinstance(raw, dict) or not all(isinstance(each, dict) for each in raw.values()):
        raise FormatError(f"{path} is no list of corrected contacts. Give VISOR's correct.json.")
    content, edits = file.dumps(), []
    for record in file.records:
        hands = raw.get(record.name, {})
        for annotation in record.annotations:
            wanted, found = hands.get(annotation.name), annotation.raw
            now = found.get(CONTACT)
            is_edit = isinstance(wanted, str) and isinstance(now, str) and now != wanted
            if is_edit and isinstance(found, SpannedObject):
                edits.append((found.span.start, found.span.end, wanted))
    for start, end, wanted in sorted(edits, reverse=True):
        text = _CONTACT.sub(rb"\g<1>" + json.dumps(wanted).encode(), content[start:end])
        content = content[:start] + text + content[end:]
    return VisorFile.parse(content, str(path)), len(edits)


def read_frame_mapping(path: Path) -> dict[str, dict[str, str]]:
    """Return video -> VISOR's name of a frame -> EPIC-KITCHENS' own. Raises FormatError."""
    raw = read_json(path)
    if not isinstance(raw, dict) or not all(isinstance(each, dict) for each in raw.values()):
        raise FormatError(f"{path} does not map frames' names. Give VISOR's frame_mapping.json.")
    return raw


def _renamed(video: LabelledVideo, mapping: Objects) -> LabelledVideo:
    if video.name not in mapping:
        raise FormatError(f"The mapping has no {video.name}. Give that of the right split.")
    names = mapping[video.name]
    shown = {number for frame in video.frames for number, _ in frame.masks}
    if unknown := sorted(shown - names.keys()):
        raise FormatError(
            f"{video.name} has masks of object {unknown[0]}, and the mapping only of "
            f"{', '.join(map(str, sorted(names)))}. Give the mapping that the masks were made by."
        )
    return replace(video, objects=named_objects(names))


def _tables(raw: object) -> dict[str, JsonObject]:
    return {key: as_object(value, f"{key} of it") for key, value in as_object(raw, "it").items()}


def _numbered(key: str, value: object) -> tuple[int, str]:
    return (int(key), value) if isinstance(value, str) else (_whole(value), key)


def _whole(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError
    return value
