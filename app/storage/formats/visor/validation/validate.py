"""The defects of a VISOR JSON, each with its frame, annotation and rule."""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence

from app.errors import FormatError
from app.storage.classes import noun_classes
from app.storage.formats.visor.annotations.contacts import (
    CONTACT,
    GLOVE_ANSWERS,
    HAND_ANSWERS,
    HAND_NAMES,
    INCONCLUSIVE,
    WORN_ON,
    is_glove,
    is_hand,
    must_say_where,
)
from app.storage.formats.visor.geometry import SPARSE_SIZE, Size, rasterise
from app.storage.formats.visor.records import (
    FRAME_NAME,
    Annotation,
    Record,
    VisorFile,
    by_path,
    is_polygon,
)
from app.storage.formats.visor.source_text import JsonObject
from app.storage.formats.visor.validation.defect import Defect, Kind, place_of
from app.storage.formats.visor.validation.masks import (
    Problem,
    contact_problems,
    hidden_problems,
    polygon_problems,
    shapes,
)
from app.storage.formats.visor.validation.runs import run_defects
from app.storage.formats.visor.validation.sequences import file_defects, sequence_defects
from app.storage.formats.visor.validation.submission import (
    Mapped,
    mapping_defects,
    submission_defects,
)

_ID = re.compile(r"[0-9a-f]{32}")
_FRAME_FILE = re.compile(FRAME_NAME.pattern + r"\.(?P<suffix>jpg|png)")
_TOP_KEYS = {"info", "video_annotations"}
_RECORD_KEYS = {"image", "annotations"}
_IMAGE_KEYS = {"image_path", "name", "subsequence", "video"}
_DENSE_KEYS = {"interpolation", "interpolation_start_frame", "interpolation_end_frame"}
_ANNOTATION_KEYS = {"id", "name", "class_id", "exhaustive", "segments", CONTACT, WORN_ON}
_SUBMISSION_KEYS = {"name", "segments"}
_EXHAUSTIVE = ("y", "n", "inconclusive")


def validate(
    raw: object, mapping: Mapped | None = None, frames: Mapping[str, Collection[str]] | None = None
) -> list[Defect]:
    """Return all defects of a parsed VISOR JSON, sparse, dense or a submission.

    Its segments may be bytes still, as `VisorFile` leaves them: a large file takes less memory.

    A submission is compared with the `mapping` of subsequences to names, and with the stems of
    each one's `frames`, where they are given.
    """
    if not isinstance(raw, dict):
        return [Defect("", "", "structure", "the file is not a JSON object")]
    defects = list(_of_top(raw))
    items = raw.get("video_annotations")
    if not isinstance(items, list):
        return [*defects, Defect("", "", "structure", "`video_annotations` is not a list")]
    records = []
    for place, item in enumerate(items):
        found = list(_of_structure(item, f"record {place}"))
        defects += found
        if not found:
            records.append(Record(item))
    file = VisorFile({**raw, "video_annotations": [record.raw for record in records]})
    try:
        canvas = file.canvas
    except FormatError:
        text = f"`Resolution` {file.info.get('Resolution')} is no picture's size"
        defects.append(Defect("", "", "info", text))
        canvas = SPARSE_SIZE
    kind = Kind(file.is_dense, "Challenge" in file.info, canvas)
    for record in records:
        defects += _of_image(record, kind)
        defects += _of_annotations(record, kind)
    defects += file_defects(records, kind, states_size="Resolution" in file.info)
    defects += _of_uniqueness(records, kind)
    if kind.dense:
        defects += run_defects(records)
    elif kind.submission:
        defects += submission_defects(file.info, records)
        defects += mapping_defects(records, mapping, frames) if mapping is not None else ()
    else:
        defects += sequence_defects(records)
    return [*defects, *_of_subsequences(records)]


def _of_top(raw: JsonObject) -> Iterator[Defect]:
    for key in sorted(_TOP_KEYS - raw.keys()):
        yield Defect("", "", "structure", f"the key `{key}` is missing")
    for key in sorted(raw.keys() - _TOP_KEYS):
        yield Defect("", "", "keys", f"the key `{key}` is not known", harmless=True)
    info = raw.get("info", {})
    if not isinstance(info, dict):
        yield Defect("", "", "info", "`info` is not an object")
    elif "info" in raw and info.get("Dataset Name") != "VISOR":
        yield Defect("", "", "info", '`Dataset Name` is not "VISOR"')


def _of_structure(item: object, where: str) -> Iterator[Defect]:
    """Yield what makes a record unreadable."""
    if not isinstance(item, dict):
        yield Defect(where, "", "structure", "it is not an object")
        return
    image, annotations = item.get("image"), item.get("annotations")
    if not isinstance(image, dict) or not isinstance(image.get("name"), str):
        yield Defect(where, "", "structure", "there is no `image` object with a `name`")
    else:
        where = image["name"]
    if not isinstance(annotations, list) or not all(isinstance(a, dict) for a in annotations):
        yield Defect(where, "", "structure", "`annotations` is not a list of objects")


def _of_image(record: Record, kind: Kind) -> Iterator[Defect]:
    def defect(rule: str, text: str, *, harmless: bool = False) -> Defect:
        return Defect(record.name, "", rule, text, harmless)

    image = record.image
    needed = (_IMAGE_KEYS - {"subsequence"} | _DENSE_KEYS) if kind.dense else _IMAGE_KEYS
    for key in sorted(needed):
        if not isinstance(image.get(key), str):
            yield defect("image", f"`{key}` is missing or not a string")
    for key in sorted(
        (image.keys() - _IMAGE_KEYS - _DENSE_KEYS) | (record.raw.keys() - _RECORD_KEYS)
    ):
        yield defect("keys", f"the key `{key}` is not known", harmless=True)
    match = _FRAME_FILE.fullmatch(record.name)
    suffix = "png" if kind.dense or kind.submission else "jpg"
    if not match or match["suffix"] != suffix:
        yield defect("image name", f"it is not <video>_frame_<10 digits>.{suffix}")
    elif record.number == 0:
        yield defect("image name", "frames are counted from 1")
    elif match["video"] != record.video:
        yield defect("image name", f"it is of another video than `video` {record.video}")
    if isinstance(image.get("image_path"), str) and record.path != f"{record.video}/{record.name}":
        yield defect("image path", f"{record.path} is not {record.video}/{record.name}")
    sequence = image.get("subsequence")
    if isinstance(sequence, str) and not re.fullmatch(
        re.escape(record.video) + r"_seq_\d{5}", sequence
    ):
        yield defect("subsequence", f"{sequence} is not {record.video}_seq_<5 digits>")
    if kind.dense:
        yield from _of_run(record)


def _of_run(record: Record) -> Iterator[Defect]:
    image = record.image
    ends = [image.get("interpolation_start_frame"), image.get("interpolation_end_frame")]
    numbers = []
    for name in ends:
        match = _FRAME_FILE.fullmatch(name) if isinstance(name, str) else None
        numbers.append(int(match["number"]) if match else None)
        if isinstance(name, str) and not match:
            yield Defect(record.name, "", "interpolation", f"{name} is not a frame's name")
    start, end = numbers
    if start is None or end is None or record.number is None:
        return
    if not start <= record.number <= end:
        yield Defect(record.name, "", "interpolation", f"it lies outside of its run {start}-{end}")


def _of_annotations(record: Record, kind: Kind) -> Iterator[Defect]:
    ids = {annotation.id for annotation in record.annotations if annotation.id}
    names: Counter[str] = Counter()
    for place, annotation in enumerate(record.annotations):
        name = annotation.raw.get("name")
        known = name if isinstance(name, str) else ""
        where = place_of(annotation, place)
        names[known] += 1
        for rule, text, harmless in _problems(annotation, known, kind, ids):
            yield Defect(record.name, where, rule, text, harmless)
        if known and names[known] == 2:
            text = f"{known} is there more than once; label maps merge them"
            yield Defect(record.name, where, "same name", text, harmless=True)
    if kind.dense:
        return
    drawn = shapes(record.annotations, kind.canvas)
    for place, (rule, text, harmless) in (*hidden_problems(drawn), *contact_problems(drawn)):
        where = place_of(record.annotations[place], place)
        yield Defect(record.name, where, rule, text, harmless)


def _problems(annotation: Annotation, name: str, kind: Kind, ids: set[str]) -> Iterator[Problem]:
    raw = annotation.raw
    if not name.strip() or name != name.strip() or "\0" in name:
        yield "name", "`name` is missing, empty, has space round it, or a zero", False
    yield from _of_segments(annotation.segments, kind.canvas)
    yield from polygon_problems(annotation, kind)
    if kind.submission:
        for key in sorted(raw.keys() - _SUBMISSION_KEYS):
            yield "keys", f"the key `{key}` is not of a submission", True
        return
    yield from _of_id(raw, kind)
    yield from _of_class(raw, name, kind)
    yield from _of_flags(raw, kind)
    yield from _of_contact(annotation, name, ids, kind)
    for key in sorted(raw.keys() - _ANNOTATION_KEYS - ({"key", "type"} if kind.dense else set())):
        yield "keys", f"the key `{key}` is not known", True


def _of_id(raw: JsonObject, kind: Kind) -> Iterator[Problem]:
    found = raw.get("id", raw.get("key") if kind.dense else None)
    if not isinstance(found, str) or not _ID.fullmatch(found):
        yield "id", f"{found!r} is not 32 lower-case hexadecimal digits", False


def _of_class(raw: JsonObject, name: str, kind: Kind) -> Iterator[Problem]:
    if "class_id" not in raw:
        if not kind.dense:
            yield "class", "`class_id` is missing", False
        return
    class_id = raw["class_id"]
    if class_id is None:
        yield "class", "no noun class is chosen", True
    elif not isinstance(class_id, int) or isinstance(class_id, bool):
        yield "class", f"class_id {class_id!r} is not a whole number", False
    elif not len(noun_classes()):
        yield "class", "the list of noun classes is not installed: not checked", True
    elif class_id not in noun_classes():
        yield "class", f"class_id {class_id} is not one of 0 to {len(noun_classes()) - 1}", False
    elif (of_name := noun_classes().all_of_name(name)) and class_id not in {c.id for c in of_name}:
        right = " or ".join(f"{noun.id} ({noun.name})" for noun in of_name)
        yield "class", f"class_id {class_id} does not belong to {name}: it is {right}", False


def _of_flags(raw: JsonObject, kind: Kind) -> Iterator[Problem]:
    if ("exhaustive" in raw or not kind.dense) and raw.get("exhaustive") not in _EXHAUSTIVE:
        yield "exhaustive", f"{raw.get('exhaustive')!r} is not y, n or inconclusive", False
    if kind.dense and (isinstance(raw.get("type"), bool) or raw.get("type") not in (0, 1)):
        yield "type", f"{raw.get('type')!r} is not 0 (interpolated) or 1 (drawn)", False


def _of_segments(segments: object, canvas: Size) -> Iterator[Problem]:
    if not isinstance(segments, list):
        yield "segments", "`segments` is missing or not a list", False
        return
    for place, polygon in enumerate(segments):
        if not is_polygon(polygon):
            yield "segments", f"polygon {place} is not a list of [x, y] numbers", False
        elif not polygon:
            yield "empty polygon", f"polygon {place} has no points", True
    if not segments:
        yield "empty mask", "there are no polygons", True
    points = [point for polygon in segments if is_polygon(polygon) for point in polygon]
    height, width = canvas
    outside = sum(not (0 <= x < width and 0 <= y < height) for x, y in points)
    if outside:
        text = f"{outside} of {len(points)} points lie outside of the {width}x{height} picture"
        yield "outside", text, True
    if points and outside == len(points) and not rasterise(segments, canvas).any():
        yield "segments", "the whole mask lies outside of the picture", False


def _of_contact(annotation: Annotation, name: str, ids: set[str], kind: Kind) -> Iterator[Problem]:
    raw, class_id = annotation.raw, annotation.class_id
    hand, glove = is_hand(name, class_id), is_glove(name, class_id)
    if not hand and not glove:
        for key in (CONTACT, WORN_ON):
            if key in raw:
                yield "contact", f"`{key}` is for hands and gloves only", False
        return
    if hand and WORN_ON in raw:
        yield "worn on", f"`{WORN_ON}` is for gloves only", False
    if not kind.dense:
        needed = (CONTACT,) if hand else (CONTACT, WORN_ON) if must_say_where(class_id) else ()
        for key in needed:
            if key not in raw:
                yield "contact", f"`{key}` is missing", False
    if CONTACT in raw:
        yield from _of_target(raw[CONTACT], annotation.id, ids, hand=hand)
    if glove and WORN_ON in raw:
        yield from _of_worn(raw[WORN_ON])


def _of_target(target: object, own: str, ids: set[str], *, hand: bool) -> Iterator[Problem]:
    answers = HAND_ANSWERS if hand else GLOVE_ANSWERS
    if target is None and not hand:
        return
    if not isinstance(target, str):
        yield "contact", f"{target!r} is neither an id nor an answer", False
    elif target == own and own:
        yield "contact", "it touches itself", False
    elif target not in answers and target not in ids:
        what = "no mask of this frame has the id" if _ID.fullmatch(target) else "not an answer:"
        yield "contact", f"{what} {target}", False


def _of_worn(worn: object) -> Iterator[Problem]:
    if worn is None or worn == INCONCLUSIVE:
        return
    if not isinstance(worn, list) or not worn or not set(map(str, worn)) <= HAND_NAMES:
        yield "worn on", f'{worn!r} is not a list of "left hand" and "right hand"', False
    elif len(set(worn)) != len(worn):
        yield "worn on", f"{worn!r} names a hand twice", False


def _of_uniqueness(records: Sequence[Record], kind: Kind) -> Iterator[Defect]:
    names: Counter[tuple[str, str]] = Counter()
    ids: Counter[str] = Counter()
    for record in records:
        # Runs of a dense file share their boundary frames; a submission's sequences never do.
        frame = (record.name, str(record.image.get("interpolation")) if kind.dense else "")
        names[frame] += 1
        if names[frame] == 2:
            yield Defect(record.name, "", "unique frame", "the frame is there more than once")
        for annotation in record.annotations:
            found = annotation.id
            ids[found] += 1
            if found and ids[found] == 2:
                where = f"{found} ({annotation.raw.get('name')})"
                yield Defect(record.name, where, "unique id", "the id is there more than once")


def _of_subsequences(records: Sequence[Record]) -> Iterator[Defect]:
    """The frames of a subsequence follow one another, but in dense files."""
    over: set[str] = set()
    current = ""
    for record in by_path(record for record in records if "interpolation" not in record.image):
        found = record.subsequence
        if found in over and found != current:
            yield Defect(record.name, "", "subsequence", f"frames of others lie within {found}")
        over.add(found)
        current = found
