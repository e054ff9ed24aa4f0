"""The text of a VISOR file beside what it says: what is not edited is written back as it stands.

The points of a mask are most of a file. They stay bytes until somebody asks for them, and each
record and annotation knows its place in the text.
"""

import itertools
import json
from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np

JsonObject = dict[str, object]
Text = bytes | memoryview

RECORDS, ANNOTATIONS, SEGMENTS = "video_annotations", "annotations", "segments"
_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_LIST = msgspec.json.Decoder(list[msgspec.Raw])
_BOM = b"\xef\xbb\xbf"


class Span(NamedTuple):
    """The place of something in a text."""

    start: int
    end: int


class SpannedObject(JsonObject):
    """A JSON object that knows its place in the text."""

    span: Span


class SpannedRecord(SpannedObject):
    """A frame's record that also knows where the list of its annotations stands."""

    array: Span


class EditedRecord(JsonObject):
    """A record with other annotations than that which it was made from."""

    def __init__(self, origin: JsonObject, annotations: Sequence[JsonObject]) -> None:
        super().__init__({**origin, ANNOTATIONS: list(annotations)})
        self.origin = origin


class SourceText:
    """The bytes of a file, parsed so far that each record and annotation is known."""

    def __init__(self, content: bytes) -> None:
        """Parse `content`. Raises ValueError where it is not such a file, or odd JSON."""
        self.content = content
        self._base = _address(memoryview(content))
        try:
            top = _OBJECT.decode(memoryview(content)[len(_BOM) * content.startswith(_BOM) :])
            records = [self._record(raw) for raw in _LIST.decode(top[RECORDS])]
            values = {key: _value(raw) for key, raw in top.items() if key != RECORDS}
        except (msgspec.MsgspecError, KeyError, UnicodeDecodeError, RecursionError) as error:
            raise ValueError(str(error)) from error
        self._records: Sequence[SpannedObject] = records
        self._array = self._span(top[RECORDS])
        self.raw: JsonObject = {key: values.get(key, records) for key in top}

    def written(self, records: Sequence[JsonObject]) -> bytes:
        """Return the text with `records` in place of its own; what is its own as it stands."""
        if records is self._records:
            return self.content
        texts = [self._text_of(record) for record in records]
        joined = self._joined(self._array, self._records, records, texts)
        view = memoryview(self.content)  # a file may be large: no copy is made but the last
        return b"".join([view[: self._array.start], *joined, view[self._array.end :]])

    def _record(self, raw: msgspec.Raw) -> SpannedRecord:
        parts = _OBJECT.decode(raw)
        annotations = [self._annotation(each) for each in _LIST.decode(parts[ANNOTATIONS])]
        record = SpannedRecord(
            {key: annotations if key == ANNOTATIONS else _value(parts[key]) for key in parts}
        )
        record.span, record.array = self._span(raw), self._span(parts[ANNOTATIONS])
        return record

    def _annotation(self, raw: msgspec.Raw) -> SpannedObject:
        parts = _OBJECT.decode(raw)
        found = SpannedObject(
            {key: part if key == SEGMENTS else _value(part) for key, part in parts.items()}
        )
        found.span = self._span(raw)
        return found

    def _text_of(self, record: JsonObject) -> Text:
        if isinstance(record, SpannedRecord):
            return self._slice(record.span)
        annotations = record[ANNOTATIONS]
        assert isinstance(annotations, list)
        texts = [
            self._slice(each.span) if isinstance(each, SpannedObject) else encoded(each)
            for each in annotations
        ]
        origin = record.origin if isinstance(record, EditedRecord) else None
        if not isinstance(origin, SpannedRecord):
            return encoded({**record, ANNOTATIONS: msgspec.Raw(b"[" + b", ".join(texts) + b"]")})
        before = origin[ANNOTATIONS]
        assert isinstance(before, list)
        array = self._joined(origin.array, before, annotations, texts)
        head = self._slice(Span(origin.span.start, origin.array.start))
        return b"".join([head, *array, self._slice(Span(origin.array.end, origin.span.end))])

    def _joined(
        self,
        array: Span,
        before: Sequence[JsonObject],
        now: Sequence[JsonObject],
        texts: Sequence[Text],
    ) -> list[Text]:
        """Return the parts of a list's text: what stood between two neighbours still does."""
        spans = [each.span for each in before if isinstance(each, SpannedObject)]
        if not spans or not texts:
            return [self._slice(array) if not texts and not spans else _listed(texts)]
        follows = dict(itertools.pairwise(spans))
        usual: Text = self._slice(Span(spans[0].end, spans[1].start)) if follows else b", "
        places = [_place_of(each) for each in now]
        parts: list[Text] = [self._slice(Span(array.start, spans[0].start)), texts[0]]
        for place, left, text in zip(places[1:], places, texts[1:], strict=False):
            is_beside = left and place and follows.get(left) == place
            between = self._slice(Span(left.end, place.start)) if left and place else usual
            parts += [between if is_beside else usual, text]
        return [*parts, self._slice(Span(spans[-1].end, array.end))]

    def _slice(self, span: Span) -> memoryview:
        return memoryview(self.content)[span.start : span.end]

    def _span(self, raw: msgspec.Raw) -> Span:
        view = memoryview(raw)
        start = _address(view) - self._base
        return Span(start, start + len(view))


def encoded(value: JsonObject) -> bytes:
    """Return an object's text; points that are still bytes are written as they are."""
    parts = [json.dumps(key).encode() + b": " + _text(each) for key, each in value.items()]
    return b"{" + b", ".join(parts) + b"}"


def decoded(segments: object) -> object:
    """Return segments as JSON values where they are still bytes; None where they are no JSON."""
    if not isinstance(segments, msgspec.Raw):
        return segments
    try:
        return _value(segments)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        pass  # numbers that are out of range, or nesting, which Python's JSON may still read
    try:
        value: object = json.loads(bytes(segments))
    except (ValueError, RecursionError):
        return None
    return value


def _text(value: object) -> bytes:
    return bytes(value) if isinstance(value, msgspec.Raw) else json.dumps(value).encode()


def _listed(texts: Sequence[Text]) -> bytes:
    return b"[" + b", ".join(texts) + b"]"


def _place_of(value: JsonObject) -> Span | None:
    origin = value.origin if isinstance(value, EditedRecord) else value
    return origin.span if isinstance(origin, SpannedObject) else None


def _value(raw: msgspec.Raw) -> object:
    return msgspec.json.decode(raw)


def _address(view: memoryview) -> int:
    return np.frombuffer(view, np.uint8).ctypes.data if len(view) else 0
