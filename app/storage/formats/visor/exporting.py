"""The export of a document as a VISOR file: what nobody touched is written back as it was read."""

import enum
import operator
import uuid
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from app.core.attributes import SEGMENTS
from app.core.document import Document, Entry, Key, ObjectInfo, Objects
from app.core.mask import Mask
from app.errors import FormatError
from app.storage.classes import noun_classes
from app.storage.formats.visor.annotations.contacts import contact_keys, renamed, retargeted
from app.storage.formats.visor.annotations.said import applied
from app.storage.formats.visor.geometry import DENSE_SIZE, SPARSE_SIZE, Size, resized, trace
from app.storage.formats.visor.importing import (
    Link,
    Links,
    Original,
    identified,
    links_of,
    next_identity,
    original_entries,
)
from app.storage.formats.visor.naming import NamedFrames, places, video_name, visor_stems
from app.storage.formats.visor.read_back import is_same
from app.storage.formats.visor.records import Annotation, Record, VisorFile, by_path
from app.storage.formats.visor.source_text import EditedRecord, JsonObject

_URL = "https://epic-kitchens.github.io/VISOR"
_MOST_NAMED = 20
_ASPECT_TOLERANCE = 0.01  # 854x480 and 456x256 count as 16:9


Numbered = tuple[int, JsonObject]  # an annotation and the id of its object


class Resolution(enum.Enum):
    """Which size the coordinates refer to.

    AUTO: that of the imported file; without one 1920x1080, as all of VISOR's sparse files, where
    the frames are 16:9 and no larger, else the frames' own size.
    """

    AUTO = "auto"
    FULL = "1080p"
    DENSE = "480p"
    FRAMES = "frames"

    def canvas(self, frames: Size, original: Size | None) -> Size:
        """Return the (height, width) that coordinates refer to."""
        if self is Resolution.AUTO:
            return original or _natural_canvas(frames)
        fixed = {Resolution.FULL: SPARSE_SIZE, Resolution.DENSE: DENSE_SIZE}
        return fixed.get(self, frames)


@dataclass(frozen=True, slots=True)
class Export:
    """A file ready to be written, and what a person should know of it."""

    file: VisorFile
    notes: tuple[str, ...]
    names: Mapping[int, str]  # of the objects as they are written


def export_visor(document: Document, video: NamedFrames, attachment: bytes | None = None) -> bytes:
    """Return the text of a document's VISOR file; see `build_export`."""
    return build_export(document, video, attachment).file.dumps()


def build_export(
    document: Document,
    frames: NamedFrames,
    attachment: bytes | None = None,
    *,
    resolution: Resolution = Resolution.AUTO,
    subsequence: str | None = None,
    new_id: Callable[[], str] = lambda: uuid.uuid4().hex,
) -> Export:
    """Turn a document into a VISOR file.

    `attachment` is what `import_visor` gave. With it, records keep their order, annotations whose
    mask is still the imported one are the original objects, edited ones keep all but their
    polygons, deleted ones are gone and no contact refers to them, and new ones get an id from
    `new_id`. `frames` are the video, or what `import_visor` gave in its place. `subsequence` is
    that of a file of new frames only. Raises FormatError where `resolution` is not that of the
    imported file.
    """
    original = _original(attachment)
    stated = original.file.canvas if attachment else None
    canvas = resolution.canvas(frames.size, stated)
    if stated not in {None, canvas}:
        raise FormatError(
            f"The project comes from a VISOR file with {_text(original.file.canvas)} coordinates, "
            f"which are kept as they are: {_text(canvas)} is not possible. Leave out --resolution."
        )
    names = _names(document, original.links)
    reordered = is_reordered(document, original.links)
    writer = _Writer(document, names, frames, original, canvas, subsequence, new_id, reordered)
    raw: JsonObject = {**original.file.raw, "video_annotations": writer.records()}
    if not attachment:
        raw["info"] = _info(frames.size, canvas)
    return Export(VisorFile(raw, original.file.text), writer.notes(), names)


@dataclass
class _Writer:
    """The work of one export."""

    document: Document
    names: Mapping[int, str]  # under which an object is written
    frames: NamedFrames
    original: Original
    canvas: Size
    subsequence: str | None
    new_id: Callable[[], str]
    is_reordered: bool
    counts: Counter[str] = field(default_factory=Counter)
    to_review: list[str] = field(default_factory=list)  # contacts whose target is gone, named

    def records(self) -> list[JsonObject]:
        """Return all records, the new ones among the others in the order of time."""
        records = self.original.file.records
        where = places(records, self.frames)
        before = original_entries(self.original, self.frames)
        linked = _linked(records, where, self.original.links)
        written = []
        for record, frame in zip(records, where, strict=True):
            if frame is None:
                self.counts["frames that the video lacks"] += 1
                written.append(record.raw)
            else:
                # The first of a frame's records takes what is new on it.
                fresh = self._fresh(frame, linked.pop(frame, None))
                written.append(self._kept_record(record, frame, before, fresh))
        new = self._new_records(set(where))
        self.counts["new frames"] = len(new)
        return _merged(written, new)

    def notes(self) -> tuple[str, ...]:
        """Return what was done, and what was lost, in sentences."""
        counted = [f"{number} {what}" for what, number in self.counts.items() if number]
        notes = [f"Coordinates {_text(self.canvas)}: {', '.join(counted) or 'no masks'}."]
        if self.to_review:
            some = ", ".join(self.to_review[:_MOST_NAMED])
            more = len(self.to_review) - _MOST_NAMED
            and_more = f", and {more} more" if more > 0 else ""
            notes.append(
                f"What they touched is gone, so these say none-of-the-above: {some}{and_more}."
            )
        (height, width), (rows, columns) = self.frames.size, self.canvas
        if rows < height or columns < width:
            notes.append(
                f"Masks of {_text(self.frames.size)} were reduced, which loses detail. "
                "`--resolution frames` keeps it."
            )
        elif self.frames.size != self.canvas:
            notes.append(
                f"Masks of {_text(self.frames.size)} were enlarged so that sampling them down "
                "again, as VISOR does, gives them back exactly."
            )
        nameless = [info.name for info in self.document.objects if _class_of(info) is None]
        if nameless:
            notes.append(f"Without a noun class (class_id is null): {', '.join(nameless)}.")
        twins = [info for info in self.document.objects if info.name != self.names[info.id]]
        if twins:
            written = ", ".join(f"{info.name} as {self.names[info.id]}" for info in twins)
            notes.append(f"VISOR tells objects apart by name, so some are written: {written}.")
        return tuple(notes)

    def _kept_record(
        self, record: Record, frame: int, before: dict[Key, Entry], fresh: list[Numbered]
    ) -> JsonObject:
        kept: list[Numbered] = []
        gone: set[str] = set()
        seen: set[str] = set()
        depth = self._depth(frame)
        found = list(identified(record.annotations))
        if depth is not None:
            found.sort(key=lambda each: depth(self.original.links[each[0]].object))
        for identity, annotation in found:
            link = self.original.links[identity]
            key = Key(frame, link.object)
            raw = self._kept(
                annotation,
                _mask_of(before.get(key)),
                _mask_of(self.document.get(key)),
                anew=SEGMENTS in self.document.attributes.of(key),
            )
            if raw is None:
                gone.add(annotation.id)
            else:
                named = self._told_apart(self._named(raw, link), link.object, seen)
                kept.append((link.object, named))
        answered = [(number, retargeted(raw, gone)) for number, raw in kept]
        for (_, now), (_, raw) in zip(answered, kept, strict=True):
            if now is not raw:
                self.to_review.append(f"{Annotation(raw).name} on {record.name}")
        annotations = [raw for _, raw in self._finished(frame, answered + fresh)]
        own = [annotation.raw for annotation in record.annotations]
        if len(own) == len(annotations) and all(map(operator.is_, own, annotations)):
            return record.raw
        return EditedRecord(record.raw, annotations)

    def _finished(self, frame: int, every: list[Numbered]) -> list[Numbered]:
        """Return a frame's annotations with what a person said of them, in drawing order."""
        attributes = self.document.attributes
        ids = {number: Annotation(raw).id for number, raw in every}
        done = [
            (number, applied(raw, attributes.of((frame, number)), ids)) for number, raw in every
        ]
        depth = self._depth(frame)
        return done if depth is None else sorted(done, key=lambda each: depth(each[0]))

    def _depth(self, frame: int) -> Callable[[int], int] | None:
        """Return what tells how high an object lies on a frame; None where all stays as it is."""
        objects = tuple(info.id for info in self.document.objects)
        order = self.document.attributes.orders.get(frame)
        if order is None and not self.is_reordered:
            return None
        places = {
            number: place for place, number in enumerate(dict.fromkeys((*(order or ()), *objects)))
        }
        return lambda number: places.get(number, 0)

    def _kept(
        self, annotation: Annotation, before: Mask | None, now: Mask | None, *, anew: bool
    ) -> JsonObject | None:
        if now is None and before is not None:
            self.counts["deleted"] += 1
            return None
        if now is None or (is_same(before, now) and not anew):
            self.counts["unchanged"] += 1
            return annotation.raw
        self.counts["edited"] += 1
        return {**annotation.raw, "segments": self._segments(now)}

    def _named(self, raw: JsonObject, link: Link) -> JsonObject:
        try:
            info = self.document.object(link.object)
        except KeyError:  # never had a pixel, and its object is gone
            return raw
        if info.name != link.shown:
            name = self.names[info.id]
            return renamed(raw, name, _class_of(info, ignored=link.class_id))
        if info.class_id != link.class_id:
            return {**raw, "class_id": info.class_id}
        return raw

    def _told_apart(self, raw: JsonObject, number: int, seen: set[str]) -> JsonObject:
        """Return an annotation as one that a reader of the new file takes for the same object.

        The second cup of an imported frame is called as the first, and is the first to a reader
        once that is gone.
        """
        shown = next_identity(Annotation(raw).name, seen).shown
        wanted = self.names.get(number, shown)
        seen.add(wanted)
        return raw if shown == wanted else {**raw, "name": wanted}

    def _fresh(self, frame: int, linked: set[int] | None) -> list[Numbered]:
        """Return annotations of the objects that no record of the frame has."""
        if linked is None:
            return []
        entries = self.document.on_frame(frame)
        found = []
        for info in self.document.objects:
            entry = entries.get(info.id)
            if entry is not None and entry.mask is not None and info.id not in linked:
                found.append((info.id, self._annotation(info, entry.mask)))
        self.counts["new"] += len(found)
        return found

    def _annotation(self, info: ObjectInfo, mask: Mask) -> JsonObject:
        name, class_id = self.names[info.id], _class_of(info)
        raw: JsonObject = {
            "id": self.new_id(),
            "name": name,
            "class_id": class_id,
            # Nobody has said whether other things of this kind are in the picture.
            "exhaustive": "inconclusive",
            "segments": self._segments(mask),
        }
        if self.original.file.is_dense:
            raw["type"] = 0
        return raw | contact_keys(name, class_id)

    def _segments(self, mask: Mask) -> list[list[list[int]]]:
        whole = resized(mask, self.canvas)
        return [] if whole is None else trace(whole.crop(), (whole.box[2], whole.box[0]))

    def _new_records(self, annotated: set[int | None]) -> list[JsonObject]:
        records = by_path(self.original.file.records)
        video = records[0].video if records else video_name(self.frames)
        stems = visor_stems(self.frames, video)
        new: list[JsonObject] = []
        for frame in self.document.frames():
            if frame in annotated:
                continue
            fresh = self._fresh(frame, set())
            if not fresh and not self._is_empty(frame):
                continue
            image = self._image(stems[frame], video, records)
            finished = self._finished(frame, fresh)
            new.append({"image": image, "annotations": [raw for _, raw in finished]})
        return sorted(new, key=lambda raw: Record(raw).path)

    def _is_empty(self, frame: int) -> bool:
        """Whether it is known that no object is on a frame, rather than nothing."""
        entries = self.document.on_frame(frame)
        found = [entries.get(info.id) for info in self.document.objects]
        return all(entry is not None and entry.mask is None for entry in found)

    def _image(self, stem: str, video: str, records: list[Record]) -> JsonObject:
        """Describe a new frame as the record before it in time is described."""
        name = f"{stem}.jpg"
        if not records:
            subsequence = self.subsequence or f"{video}_seq_00001"
            return {
                "image_path": f"{video}/{name}",
                "name": name,
                "subsequence": subsequence,
                "video": video,
            }
        place = bisect_right(records, f"{video}/{name}", key=lambda record: record.path)
        like = records[max(place - 1, 0)]
        name = f"{stem}.{like.name.rpartition('.')[2]}"
        return {**like.image, "image_path": f"{video}/{name}", "name": name}


def written_names(document: Document, attachment: bytes | None) -> dict[int, str]:
    """Return object id -> the name in the file, where names are identities: no two are the same."""
    return _names(document, links_of(attachment) if attachment else {})


def is_reordered(document: Document, links: Links) -> bool:
    """Whether the objects of a file lie in another order than on import."""
    imported = tuple(dict.fromkeys(link.object for link in links.values()))
    return is_reordered_among(document.objects, imported)


def is_reordered_among(objects: Objects, imported: Sequence[int]) -> bool:
    """Whether those of the `objects` that were imported lie in another order than then."""
    present = {info.id for info in objects}.intersection(imported)
    now = [info.id for info in objects if info.id in present]
    return now != [number for number in imported if number in present]


def frame_orders(
    document: Document, frames: NamedFrames, attachment: bytes | None
) -> Mapping[int, tuple[int, ...]]:
    """Return frame -> objects as the imported file draws them, the lowest first.

    Where a person has ordered a frame, that holds. Frames that the file does not have, and all
    where a person has reordered the objects, are in the order of the document and left out.
    Raises FormatError where the attachment is damaged.
    """
    own = dict(document.attributes.orders)
    if not attachment:
        return own
    if is_reordered(document, links_of(attachment)):
        return own
    original = Original.loads(attachment)
    orders: dict[int, tuple[int, ...]] = {}
    records = original.file.records
    for record, frame in zip(records, places(records, frames), strict=True):
        if frame is not None and frame not in orders:
            found = (original.links[each].object for each, _ in identified(record.annotations))
            orders[frame] = tuple(dict.fromkeys(found))
    return orders | own


def _names(document: Document, links: Links) -> dict[int, str]:
    # What was imported and has not been renamed since comes first to its name.
    imported = {(link.object, link.shown) for link in links.values()}
    names: dict[int, str] = {}
    for info in sorted(document.objects, key=lambda o: ((o.id, o.name) not in imported, o.id)):
        names[info.id] = next_identity(info.name, set(names.values())).shown
    return names


def _original(attachment: bytes | None) -> Original:
    if attachment:
        return Original.loads(attachment)
    return Original(VisorFile({"info": {}, "video_annotations": []}), {})


def _linked(records: list[Record], where: list[int | None], links: Links) -> dict[int, set[int]]:
    """Return frame -> the objects that some record of the frame has an annotation of."""
    linked: dict[int, set[int]] = {}
    for record, frame in zip(records, where, strict=True):
        if frame is not None:
            found = (links[identity].object for identity, _ in identified(record.annotations))
            linked.setdefault(frame, set()).update(found)
    return linked


def _merged(old: list[JsonObject], new: list[JsonObject]) -> list[JsonObject]:
    """Put the new records at their place in time; after the others where those are not sorted."""
    paths = [Record(raw).path for raw in old]
    if paths != sorted(paths):
        return old + new
    return sorted(old + new, key=lambda raw: Record(raw).path)


def _mask_of(entry: Entry | None) -> Mask | None:
    return entry.mask if entry else None


def _class_of(info: ObjectInfo, ignored: int | None = None) -> int | None:
    """Return the object's class, or that of its name where none was chosen."""
    if info.class_id is not None and info.class_id != ignored:
        return info.class_id
    found = noun_classes().of_name(info.name)
    return found.id if found else info.class_id


def _natural_canvas(frames: Size) -> Size:
    height, width = frames
    full_height, full_width = SPARSE_SIZE
    off = abs(width * full_height / (height * full_width) - 1)
    fits = off < _ASPECT_TOLERANCE and height <= full_height and width <= full_width
    return SPARSE_SIZE if fits else frames


def _info(frames: Size, canvas: Size) -> JsonObject:
    return {
        "Dataset Name": "VISOR",
        "URL": _URL,
        "Details": "VISOR format, by Maskwright. Coordinates are in pixels of `Resolution`.",
        "Resolution": _text(canvas),
        "Frame Size": [frames[1], frames[0]],
    }


def _text(size: Size) -> str:
    return f"{size[1]}x{size[0]}"
