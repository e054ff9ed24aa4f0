"""The VISOR file that a project was made from: its records by frame, order and subsequences."""

from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property

from app.core.document import Key
from app.errors import FormatError
from app.storage.formats.visor.annotations.contacts import SPECIAL
from app.storage.formats.visor.importing import Original, identified
from app.storage.formats.visor.naming import NamedFrames, places
from app.storage.formats.visor.records import Annotation, Record


@dataclass(frozen=True, slots=True)
class Subsequence:
    """A part of a video within which names are identities; `frames` are the annotated ones."""

    name: str
    frames: tuple[int, ...]

    @property
    def first(self) -> int:
        """The first annotated frame."""
        return self.frames[0]

    @property
    def last(self) -> int:
        """The last annotated frame."""
        return self.frames[-1]


class ImportedFile:
    """What an imported VISOR file says; read when it is first asked, as a file may be large.

    Without an `attachment`, or with a damaged one, which an export tells of, it says nothing.
    """

    def __init__(self, attachment: bytes | None, frames: NamedFrames) -> None:
        self._attachment, self._frames = attachment, frames

    @property
    def is_there(self) -> bool:
        """Whether the project was made from a VISOR file."""
        return self._attachment is not None

    @cached_property
    def original(self) -> Original | None:
        """The file and the objects that stand for its things."""
        with suppress(FormatError):
            return Original.loads(self._attachment) if self._attachment else None
        return None

    @cached_property
    def records(self) -> dict[int, Record]:
        """Frame -> its record; the first one where a dense file has several."""
        found: dict[int, Record] = {}
        if self.original is not None:
            records = self.original.file.records
            for record, frame in zip(records, places(records, self._frames), strict=True):
                if frame is not None:
                    found.setdefault(frame, record)
        return dict(sorted(found.items()))

    @cached_property
    def annotations(self) -> dict[Key, Annotation]:
        """Frame and object -> the annotation, in the drawing order of each frame."""
        original = self.original
        if original is None:
            return {}
        return {
            Key(frame, original.links[identity].object): annotation
            for frame, record in self.records.items()
            for identity, annotation in identified(record.annotations)
        }

    @cached_property
    def orders(self) -> dict[int, tuple[int, ...]]:
        """Frame -> the objects in drawing order, the lowest first."""
        found: dict[int, list[int]] = {}
        for key in self.annotations:
            found.setdefault(key.frame, []).append(key.object)
        return {frame: tuple(order) for frame, order in found.items()}

    @cached_property
    def objects(self) -> tuple[int, ...]:
        """The objects of the file, in the order that they had on import."""
        links = self.original.links if self.original else {}
        return tuple(dict.fromkeys(link.object for link in links.values()))

    @cached_property
    def subsequences(self) -> tuple[Subsequence, ...]:
        """The subsequences, in the order of time; none of a dense file, which has runs."""
        if self.original is None or self.original.file.is_dense:
            return ()
        frames: dict[str, list[int]] = {}
        for frame, record in self.records.items():
            frames.setdefault(record.subsequence, []).append(frame)
        found = (Subsequence(name, tuple(sorted(each))) for name, each in frames.items())
        return tuple(sorted(found, key=lambda each: each.first))

    def touched(self, key: Key) -> int | str | None:
        """Return what an annotation touches: an object's id, else as the file says it."""
        annotation = self.annotations.get(key)
        target = annotation.raw.get("in_contact_object") if annotation else None
        if not isinstance(target, str) or target in SPECIAL:
            return target if isinstance(target, str) else None
        numbers = (
            number
            for number in self.orders.get(key.frame, ())
            if self.annotations[Key(key.frame, number)].id == target
        )
        return next(numbers, target)
