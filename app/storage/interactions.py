"""The log of a person's interactions with one video: JSON lines, without any image.

The first line is the head: what was open and chosen, and the masks that stood there. Each line
after it is one interaction. The last one is the end: what the masks were like then.
"""

import hashlib
import itertools
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

from app.core.block import Block
from app.core.document import Document, Entry, Key, ObjectInfo
from app.core.effort import Answer, Interaction, Plain
from app.core.mask import Mask
from app.core.plan import Direction
from app.errors import FormatError
from app.storage.settings import Settings, field_of
from models.api import BoolMask, Box, Click, Seen

FORMAT = "maskwright interactions 1"
SUFFIX = ".jsonl"

_Runs = tuple[tuple[str, int, int], ...]  # kind, request, how many of these follow each other


@dataclass(frozen=True, slots=True)
class Head:
    """What stood there when a log began."""

    video: Path
    frames: int
    size: tuple[int, int]  # (height, width)
    settings: Settings
    document: Document
    seen: Seen = field(default_factory=dict)  # what models had seen of frames


class End(NamedTuple):
    """What stood there when a log ended, and the answers that came after the last interaction."""

    masks: int
    digest: str
    after: tuple[Answer, ...] = ()


@dataclass(frozen=True, slots=True)
class Log:
    """A log that was read; `end` is None where it was cut off."""

    head: Head
    interactions: tuple[Interaction, ...]
    end: End | None


class _HeadLine(msgspec.Struct, frozen=True):
    format: str
    video: str
    frames: int
    size: tuple[int, int]
    settings: dict[str, str | bool | int | float]
    objects: tuple[ObjectInfo, ...]
    next_id: int
    masks: tuple[tuple[int, int, Entry], ...]
    seen: Seen = {}


class _Line(msgspec.Struct, frozen=True, omit_defaults=True):
    seconds: float
    what: str
    given: dict[str, object]
    frame: int
    object: int | None
    clicks: int = 0
    after: _Runs = ()
    within: _Runs = ()


class _EndLine(msgspec.Struct, frozen=True):
    masks: int
    digest: str
    after: _Runs = ()


def digest(document: Document) -> str:
    """Return a fingerprint of all masks, bit for bit, and of where they stand (SHA-256)."""
    found = hashlib.sha256()
    for key, entry in sorted(document.items(), key=lambda item: item[0]):
        found.update(f"{key.frame},{key.object},{entry.is_anchor};".encode())
        if entry.mask is not None:
            found.update(f"{entry.mask.box}".encode() + zlib.decompress(entry.mask.bits))
    return found.hexdigest()


def end_of(document: Document, after: tuple[Answer, ...] = ()) -> End:
    """Return how a log ends that ends now."""
    return End(len(document), digest(document), after)


def head_line(head: Head) -> bytes:
    """Return the first line of a log."""
    document = head.document
    masks = tuple((*key, entry) for key, entry in document.items())
    line = _HeadLine(
        FORMAT,
        str(head.video),
        head.frames,
        head.size,
        _chosen(head.settings),
        document.objects,
        document.next_id,
        masks,
        head.seen,
    )
    return msgspec.json.encode(line)


def line_of(made: Interaction) -> bytes:
    """Return the line of an interaction."""
    line = _Line(
        round(made.seconds, 3),
        made.what,
        dict(made.given),
        made.frame,
        made.object,
        made.clicks,
        _runs(made.after),
        _runs(made.within),
    )
    return msgspec.json.encode(line)


def end_line(end: End) -> bytes:
    """Return the last line of a log."""
    return msgspec.json.encode(_EndLine(end.masks, end.digest, _runs(end.after)))


def read_log(path: Path) -> Log:
    """Read a log. Raises FormatError where it is none, OSError."""
    first, *lines = path.read_bytes().splitlines() or [b""]
    try:
        head = _head(msgspec.json.decode(first, type=_HeadLine))
        end = None
        if lines and lines[-1].startswith(b'{"masks"'):
            last = msgspec.json.decode(lines.pop(), type=_EndLine)
            end = End(last.masks, last.digest, _answers(last.after))
        made = tuple(_interaction(msgspec.json.decode(line, type=_Line)) for line in lines)
    except (msgspec.MsgspecError, ValueError) as error:
        raise FormatError(
            f"{path} is no log of interactions of this version ({error}). Give one that this "
            "version of Maskwright has written."
        ) from error
    return Log(head, made, end)


def encode(value: object) -> Plain:
    """Return an argument as JSON takes it. Raises TypeError for what has no form there."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.generic):
        return _number(value)
    stored = _stored(value)
    for kind, type_ in _KINDS.items():
        if isinstance(stored, type_):
            found: Plain = {kind: msgspec.to_builtins(stored, enc_hook=_number)}
            return found
    if isinstance(value, Iterable):
        return [encode(each) for each in value]
    raise TypeError(f"{type(value).__name__} has no form in a log")


def _number(value: object) -> int | float:
    """Return a number of NumPy's as Python's. Raises TypeError for anything else."""
    if isinstance(value, np.generic) and isinstance(number := value.item(), int | float):
        return number
    raise TypeError(f"{type(value).__name__} has no form in a log")


def _stored(value: object) -> object:
    """Return what stands for a value in a log: mostly itself."""
    if isinstance(value, Mapping):
        return _Changes(tuple((*key, entry) for key, entry in value.items()))
    if isinstance(value, range):
        return _Span(value.start, value.stop)
    if isinstance(value, Block):
        return _Block(value.objects, value.frames.start, value.frames.stop)
    if isinstance(value, Settings):
        return _Settings(_chosen(value))
    if isinstance(value, np.ndarray):
        return _Pixels((value.shape[0], value.shape[1]), Mask.encode(value))
    return value


def decode(given: object) -> object:
    """Return an argument that was encoded. Raises FormatError where it was not."""
    if isinstance(given, list):
        return [decode(each) for each in given]
    if not isinstance(given, dict):
        return given
    try:
        ((kind, plain),) = given.items()
        value: object = msgspec.convert(plain, _KINDS[kind])
    except (msgspec.MsgspecError, ValueError, KeyError) as error:
        raise FormatError(f"The log says {given!r:.80}, which is no argument.") from error
    return value.read() if isinstance(value, _Stored) else value


class _Stored(msgspec.Struct, frozen=True, array_like=True):
    """What stands for a value that JSON has no form for."""

    def read(self) -> object:
        """Return the value."""
        raise NotImplementedError


class _Changes(_Stored, frozen=True, array_like=True):
    entries: tuple[tuple[int, int, Entry | None], ...]

    def read(self) -> dict[Key, Entry | None]:
        return {Key(frame, number): entry for frame, number, entry in self.entries}


class _Span(_Stored, frozen=True, array_like=True):
    start: int
    stop: int

    def read(self) -> range:
        return range(self.start, self.stop)


class _Block(_Stored, frozen=True, array_like=True):
    objects: tuple[int, ...]
    start: int
    stop: int

    def read(self) -> Block:
        return Block(self.objects, range(self.start, self.stop))


class _Settings(_Stored, frozen=True, array_like=True):
    chosen: dict[str, str | bool | int | float]

    def read(self) -> Settings:
        return _settings(self.chosen)


class _Pixels(_Stored, frozen=True, array_like=True):
    size: tuple[int, int]
    mask: Mask | None

    def read(self) -> BoolMask:
        return np.zeros(self.size, np.bool_) if self.mask is None else self.mask.decode()


_KINDS: Mapping[str, type] = {
    "key": Key,
    "click": Click,
    "box": Box,
    "direction": Direction,
    "object": ObjectInfo,
    "changes": _Changes,
    "range": _Span,
    "block": _Block,
    "settings": _Settings,
    "pixels": _Pixels,
}


def _chosen(settings: Settings) -> dict[str, str | bool | int | float]:
    """Return what differs from the defaults."""
    default = Settings()
    given = {each.name: getattr(settings, each.name) for each in fields(Settings)}
    return {name: value for name, value in given.items() if value != getattr(default, name)}


def _settings(chosen: Mapping[str, str | bool | int | float]) -> Settings:
    """Return settings; what only another version knows is left out."""
    known = {each.name for each in fields(Settings)} & chosen.keys()
    held = {name: chosen[name] for name in known if field_of(name).accepts(chosen[name])}
    return Settings(**held)  # type: ignore[arg-type]


def _head(line: _HeadLine) -> Head:
    if line.format != FORMAT:
        raise ValueError(f"it begins with {line.format!r}")
    entries = {Key(frame, number): entry for frame, number, entry in line.masks}
    document = Document(line.objects, entries, next_id=line.next_id)
    settings = _settings(line.settings)
    return Head(Path(line.video), line.frames, line.size, settings, document, line.seen)


def _interaction(line: _Line) -> Interaction:
    return Interaction(
        line.what,
        line.frame,
        line.object,
        line.seconds,
        line.clicks,
        line.given,  # type: ignore[arg-type]
        _answers(line.after),
        _answers(line.within),
    )


def _runs(answers: Iterable[Answer]) -> _Runs:
    """Return equal answers that follow each other as one, with their number."""
    return tuple((*answer, len(list(equal))) for answer, equal in itertools.groupby(answers))


def _answers(runs: _Runs) -> tuple[Answer, ...]:
    return tuple(Answer(kind, request) for kind, request, count in runs for _ in range(count))
