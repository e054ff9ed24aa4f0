"""Writes small .tflite files, so that the reader of such files can be tried without a model."""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

Field = "int | Table | bytes | list[Table]"


@dataclass
class Table:
    """A table: its fields by number; a number, bytes (a vector), a table, or a list of tables."""

    fields: Mapping[int, object] = field(default_factory=dict)


def ints(*numbers: int) -> bytes:
    """Return a vector of 32-bit numbers; `written` adds the count of its bytes or numbers."""
    return struct.pack(f"<{len(numbers)}i", *numbers)


def tflite(
    codes: Sequence[int],
    tensors: Sequence[tuple[Sequence[int], np.ndarray | None]],
    operators: Sequence[tuple[int, Sequence[int], int, Mapping[int, int]]],
    outputs: Sequence[int],
) -> bytes:
    """Return a network: operator codes, tensors (shape, content), and operators (code's number,
    inputs, output, options); tensor 0 is the input.
    """
    kinds = {np.dtype("f4"): 0, np.dtype("f2"): 1, np.dtype("i4"): 2}
    buffers = [Table()]
    described = []
    for shape, content in tensors:
        described.append(
            Table(
                {
                    0: ("ints", ints(*shape)),
                    1: kinds[content.dtype] if content is not None else 0,
                    2: len(buffers) if content is not None else 0,
                }
            )
        )
        if content is not None:
            buffers.append(Table({0: ("bytes", content.tobytes())}))
    steps = [
        Table({0: code, 1: ("ints", ints(*inputs)), 2: ("ints", ints(output)), 4: Table(options)})
        for code, inputs, output, options in operators
    ]
    graph = Table({0: described, 1: ("ints", ints(0)), 2: ("ints", ints(*outputs)), 3: steps})
    model = Table({1: [Table({3: code}) for code in codes], 2: [graph], 4: buffers})
    written = bytearray(b"\0\0\0\0TFL3")
    struct.pack_into("<I", written, 0, _put(written, model))
    return bytes(written)


def _put(written: bytearray, item: object) -> int:
    """Append an item and all that it refers to; return where it starts."""
    _align(written)
    if isinstance(item, Table):
        return _put_table(written, item)
    if isinstance(item, list):
        start = len(written)
        written += struct.pack(f"<I{len(item)}I", len(item), *[0] * len(item))
        for index, each in enumerate(item):
            at = start + 4 + 4 * index
            struct.pack_into("<I", written, at, _put(written, each) - at)
        return start
    assert isinstance(item, tuple)
    kind, content = item
    start = len(written)
    written += struct.pack("<I", len(content) // 4 if kind == "ints" else len(content)) + content
    return start


def _put_table(written: bytearray, table: Table) -> int:
    count = max(table.fields, default=-1) + 1
    layout = len(written)
    places = {number: 4 + 4 * k for k, number in enumerate(sorted(table.fields))}
    sizes = [4 + 2 * count, 4 + 4 * len(places), *(places.get(k, 0) for k in range(count))]
    written += struct.pack(f"<{len(sizes)}H", *sizes)
    _align(written)
    start = len(written)
    written += struct.pack("<i", start - layout) + bytes(4 * len(places))
    for number, place in places.items():
        value = table.fields[number]
        at = start + place
        number_or_offset = value if isinstance(value, int) else _put(written, value) - at
        struct.pack_into("<i", written, at, number_or_offset)
    return start


def _align(written: bytearray) -> None:
    written += bytes(-len(written) % 4)
