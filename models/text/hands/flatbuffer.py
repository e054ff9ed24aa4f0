"""The reading of flatbuffers: tables of fields, as .tflite files hold them.

The format: https://flatbuffers.dev/internals. Only what those files need is here.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Table:
    """A table at `start` of a buffer; fields are asked for by their number in the schema.

    A file that is cut off raises struct.error or ValueError where it is read.
    """

    buffer: bytes
    start: int

    @classmethod
    def root(cls, buffer: bytes) -> "Table":
        """Return the table that a whole buffer is."""
        return cls(buffer, _unpack("I", buffer, 0))

    def number(self, field: int, kind: str = "i", default: int = 0) -> int:
        """Return a number; `kind` is its letter in `struct`."""
        at = self._at(field)
        return _unpack(kind, self.buffer, at) if at else default

    def table(self, field: int) -> "Table | None":
        """Return a table, or None where it was left out."""
        at = self._at(field)
        return Table(self.buffer, at + _unpack("I", self.buffer, at)) if at else None

    def tables(self, field: int) -> Iterator["Table"]:
        """Yield the tables of a vector."""
        start, length = self._vector(field)
        for at in range(start, start + 4 * length, 4):
            yield Table(self.buffer, at + _unpack("I", self.buffer, at))

    def array(self, field: int, dtype: str) -> NDArray[np.generic]:
        """Return a vector of numbers; of bytes, where they are to be taken as `dtype`."""
        start, length = self._vector(field)
        return np.frombuffer(self.buffer, dtype, length, start)

    def _vector(self, field: int) -> tuple[int, int]:
        at = self._at(field)
        if not at:
            return 0, 0
        start = at + _unpack("I", self.buffer, at)
        return start + 4, _unpack("I", self.buffer, start)

    def _at(self, field: int) -> int:
        """Return where a field lies, 0 where it was left out."""
        layout = self.start - _unpack("i", self.buffer, self.start)
        slot = 4 + 2 * field
        if slot >= _unpack("H", self.buffer, layout):
            return 0
        offset = _unpack("H", self.buffer, layout + slot)
        return self.start + offset if offset else 0


def _unpack(kind: str, buffer: bytes, at: int) -> int:
    number: int = struct.unpack_from(f"<{kind}", buffer, at)[0]
    return number
