"""The import of a VISOR file as a document, with all that writing it again unchanged needs."""

import io
import itertools
import json
import zlib
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from app.core.document import Document, Entry, Key, ObjectInfo, Origin
from app.core.mask import Mask
from app.errors import FormatError
from app.storage.classes import noun_classes
from app.storage.formats.palette import davis_palette
from app.storage.formats.visor.geometry import Size, filled
from app.storage.formats.visor.naming import FrameList, NamedFrames, places
from app.storage.formats.visor.records import Annotation, VisorFile, by_path, checked_size

ATTACHMENT = "visor"  # the attachment's name in a project
_MOST_OBJECTS = 254
_HEAD_BYTES, _PIECE_BYTES = 1 << 14, 1 << 20
_DAMAGED = (zlib.error, ValueError, KeyError, TypeError, RecursionError)
_LONGEST_NAME = 1 << 15  # a project holds no longer text
_LARGEST_CLASS = (1 << 31) - 1  # unknown classes go through a project, but not any number fits in


class Identity(NamedTuple):
    """What an annotation is an instance of: the name, and which of that name on its frame."""

    name: str
    ordinal: int  # 0 but where a frame has several annotations of one name

    @property
    def shown(self) -> str:
        """What the object is called: `cup (2)` for the second cup, also where a file says that."""
        return f"{self.name} ({self.ordinal + 1})" if self.ordinal else self.name


@dataclass(frozen=True, slots=True)
class Link:
    """The object that stands for an identity, and how it was named and classed on import."""

    object: int
    shown: str
    class_id: int | None


Links = dict[Identity, Link]


@dataclass(frozen=True, slots=True)
class Original:
    """The imported file, and what became of it."""

    file: VisorFile
    links: Links

    def dumps(self) -> bytes:
        """Return what a project keeps as its attachment: the links, then the file's text."""
        links = [
            [*identity, link.object, link.shown, link.class_id]
            for identity, link in self.links.items()
        ]
        head = json.dumps({"links": links}).encode()
        packed = zlib.compressobj(level=1)  # piece by piece: a file may be large
        return b"".join(
            [packed.compress(head + b"\n"), packed.compress(self.file.dumps()), packed.flush()]
        )

    @classmethod
    def loads(cls, attachment: bytes) -> "Original":
        """Read an attachment. Raises FormatError where it is damaged."""
        try:
            head, text = _unpacked(attachment)
            raw = json.loads(head)
            links = _links(raw)
            if "file" in raw:  # as older projects keep it
                return cls(VisorFile.of(raw["file"], "the attachment"), links)
            return cls(VisorFile.parse(text, "the attachment"), links)
        except _DAMAGED as error:
            raise _damaged() from error

    def renumbered(self, ids: Mapping[int, int]) -> "Original":
        """Return the same with other ids of the objects that stand for the identities."""
        links = {
            identity: replace(link, object=ids[link.object])
            for identity, link in self.links.items()
        }
        return Original(self.file, links)


@dataclass(frozen=True, slots=True)
class ImportedVisor:
    """A document made from a VISOR file.

    `attachment` belongs into the project under the name `ATTACHMENT`, for the export. `frames` are
    the video's, or the file's own where no video was given. `notes` are for a person to read.
    """

    document: Document
    attachment: bytes
    frames: NamedFrames
    notes: tuple[str, ...]


def import_visor(path: Path, video: NamedFrames | None = None) -> ImportedVisor:
    """Read a sparse or dense VISOR JSON into a document at the video's size.

    Without a video, the file's own frames in the order of time stand for one. What people drew
    becomes Origin.IMPORTED; what the authors interpolated (`type` 0) Origin.PROPAGATED. Raises
    FormatError where the file cannot be read, or no frame of the video is in it.
    """
    return document_of(VisorFile.read(path), path, video)


def links_of(attachment: bytes) -> Links:
    """Return which objects an attachment's identities are, without its file.

    Raises FormatError where it is damaged.
    """
    try:
        return _links(json.loads(_head(zlib.decompressobj(), attachment)[0]))
    except _DAMAGED as error:
        raise _damaged() from error


def _links(raw: Mapping[str, Any]) -> Links:
    return {
        Identity(name, ordinal): Link(number, shown, class_id)
        for name, ordinal, number, shown, class_id in raw["links"]
    }


def _unpacked(attachment: bytes) -> tuple[bytes, bytes]:
    """Return the first line of what is packed, and the rest; a file may be large: no copy more."""
    packed = zlib.decompressobj()
    head, first = _head(packed, attachment)
    rest = io.BytesIO()
    rest.write(first)
    while packed.unconsumed_tail:
        rest.write(packed.decompress(packed.unconsumed_tail, _PIECE_BYTES))
    rest.write(packed.flush())
    if not packed.eof:
        raise ValueError("it is cut off")
    return head, rest.getvalue()


def _head(packed: "zlib._Decompress", attachment: bytes) -> tuple[bytes, bytes]:
    """Return the first line, and what was unpacked behind it; older ones are one line."""
    found = packed.decompress(attachment, _HEAD_BYTES)
    while b"\n" not in found and packed.unconsumed_tail:
        found += packed.decompress(packed.unconsumed_tail, _PIECE_BYTES)
    head, _, behind = found.partition(b"\n")
    return head, behind


def _damaged() -> FormatError:
    return FormatError(
        "What the project keeps of its VISOR file is damaged. "
        "Import the VISOR file into a new project."
    )


def read_document(file: VisorFile, frames: NamedFrames) -> Document:
    """Return the masks of a file on frames, and nothing to write it back by."""
    original = Original(file, link(file))
    return Document(objects_of(original.links), original_entries(original, frames))


def document_of(file: VisorFile, path: Path, video: NamedFrames | None = None) -> ImportedVisor:
    """Return what `import_visor` does of a file that has been read from `path` already."""
    try:
        frames = video or own_frames(file, path.parent)
        return _imported(Original(file, link(file)), frames, path)
    except FormatError as error:
        raise FormatError(f"{path}: {error}") from error


def _imported(original: Original, frames: NamedFrames, path: Path) -> ImportedVisor:
    file = original.file
    if not file.records:
        raise FormatError("there is not a single frame in it. Give another file.")
    where = places(file.records, frames)
    found = sum(place is not None for place in where)
    if where and not found:
        raise FormatError(
            f"no frame of {frames.source} is named in {path.name} "
            f"(it begins with {file.records[0].name}). Give the video that the masks belong to."
        )
    notes = [] if found == len(where) else [f"{len(where) - found} frames are not in the video."]
    document = Document(objects_of(original.links), original_entries(original, frames))
    if lost := _without_a_pixel(original, where, document):
        notes.append(f"{lost} annotations have no pixel in the picture: there is nothing to see.")
    return ImportedVisor(document, original.dumps(), frames, tuple(notes))


def _without_a_pixel(original: Original, where: Sequence[int | None], document: Document) -> int:
    """Return how many annotations on frames of the video gave no mask."""
    return sum(
        (entry := document.get(Key(frame, original.links[identity].object))) is None
        or entry.mask is None
        for record, frame in zip(original.file.records, where, strict=True)
        if frame is not None
        for identity, _ in identified(record.annotations)
    )


def own_frames(file: VisorFile, folder: Path) -> FrameList:
    """Return the frames that a file names, in the order of time."""
    records = by_path(file.records)
    video = records[0].video if records else folder.name
    return FrameList(
        folder / video, tuple(dict.fromkeys(record.stem for record in records)), frame_size(file)
    )


def frame_size(file: VisorFile) -> Size:
    """Return the (height, width) of the frames that a file was made for."""
    stated = file.info.get("Frame Size")
    if isinstance(stated, list) and len(stated) == 2 and all(type(n) is int for n in stated):
        return checked_size(stated[1], stated[0])
    return file.canvas


def link(file: VisorFile) -> Links:
    """Give every identity of a file an object, in the order of their first appearance.

    Identities that are shown alike are one object.
    """
    links: Links = {}
    by_name: dict[str, Link] = {}
    for record in by_path(file.records):
        for identity, annotation in identified(record.annotations):
            if identity not in links:
                _check_name(identity.shown)
                new = Link(len(by_name) + 1, identity.shown, _class_of(annotation))
                links[identity] = by_name.setdefault(identity.shown, new)
    if len(by_name) > _MOST_OBJECTS:
        raise FormatError(
            f"it names {len(by_name)} things, and a project holds {_MOST_OBJECTS} objects. "
            "Split the file by subsequence."
        )
    return links


def _check_name(name: str) -> None:
    """Raise FormatError where no object can be called so."""
    if "\0" in name or len(name) > _LONGEST_NAME:
        raise FormatError(
            f"it names something {name[:40]!r}, which cannot be the name of an object. Correct it; "
            "`maskwright validate FILE` lists all that is wrong."
        )


def identified(annotations: Iterable[Annotation]) -> Iterator[tuple[Identity, Annotation]]:
    """Yield a record's annotations with their identities, no two of which are shown alike."""
    seen: set[str] = set()
    for annotation in annotations:
        identity = next_identity(annotation.name, seen)
        seen.add(identity.shown)
        yield identity, annotation


def next_identity(name: str, seen: Container[str]) -> Identity:
    """Return what an annotation of this name is where others are shown as `seen` says."""
    return next(
        identity
        for ordinal in itertools.count()
        if (identity := Identity(name, ordinal)).shown not in seen
    )


def objects_of(links: Links) -> tuple[ObjectInfo, ...]:
    """Return the objects as they are on import."""
    colors = davis_palette()
    return tuple(
        ObjectInfo(item.object, item.shown, colors[item.object], item.class_id)
        for item in dict.fromkeys(links.values())
    )


def original_entries(original: Original, frames: NamedFrames) -> dict[Key, Entry]:
    """Return the entries that a file has on the frames of a video.

    Where dense runs share a frame, the first run's masks stand for it. A frame without any, but of
    a dense file, which leaves out what was interpolated badly, says that no object is there.
    """
    records = original.file.records
    placed = zip(records, places(records, frames), strict=True)
    canvas = original.file.canvas
    is_dense = original.file.is_dense
    entries: dict[Key, Entry] = {}
    for record, frame in sorted(placed, key=lambda item: item[0].path):
        if frame is None:
            continue
        if not record.annotations and not is_dense:
            absent = Entry(None, Origin.IMPORTED)
            numbers = {link.object for link in original.links.values()}
            entries |= {Key(frame, n): absent for n in numbers if Key(frame, n) not in entries}
        for identity, annotation in identified(record.annotations):
            key = Key(frame, original.links[identity].object)
            if key not in entries and (mask := _mask(annotation, canvas, frames.size)):
                entries[key] = Entry(mask, _origin(annotation))
    return entries


def _mask(annotation: Annotation, canvas: Size, size: Size) -> Mask | None:
    return filled(annotation.polygons, canvas, size)


def _origin(annotation: Annotation) -> Origin:
    return Origin.PROPAGATED if annotation.raw.get("type") == 0 else Origin.IMPORTED


def _class_of(annotation: Annotation) -> int | None:
    """Return the stated class, or that of the name: submissions state none."""
    if annotation.class_id is not None:
        if abs(annotation.class_id) > _LARGEST_CLASS:
            raise FormatError(
                f"the class_id of {annotation.name} ({annotation.id}) is too large a number for a "
                "class. Correct it; `maskwright validate FILE` lists all that is wrong."
            )
        return annotation.class_id
    found = noun_classes().of_name(annotation.name)
    return found.id if found else None
