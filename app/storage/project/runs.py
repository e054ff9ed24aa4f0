"""The runs that a project file keeps."""

import json
import sqlite3
import zlib
from collections.abc import Callable
from contextlib import AbstractContextManager

from app.core.block import stretches
from app.core.document import Key
from app.core.mask import Mask
from app.core.runs import Run, RunInfo, RunKind
from app.errors import ProjectError
from app.storage.project.reading import mask_of

Transaction = Callable[[], AbstractContextManager[sqlite3.Connection]]
_INFO = "name, kind, model, weights, parameters, source"


class RunStore:
    """The runs of one project file, by number. Each call is one transaction (ProjectError)."""

    def __init__(
        self, transaction: Transaction, looking: Transaction, size: tuple[int, int]
    ) -> None:
        """`looking` is held where something is only read."""
        self._transaction, self._looking, self._size = transaction, looking, size

    def infos(self) -> dict[int, RunInfo]:
        """Return what is known of each run, by its number, the oldest first; no mask is read."""
        with self._looking() as database:
            rows = database.execute(f"SELECT id, {_INFO} FROM run ORDER BY id").fetchall()
        return {number: _info(*columns) for number, *columns in rows}

    def add(self, run: Run, number: int | None = None) -> int:
        """Keep a run and return its number, by default the next one.

        Raises ValueError where a mask is of another size.
        """
        if any(mask.size != self._size for mask in run.masks.values()):
            raise ValueError(f"a mask is not of the project's size {self._size}")
        with self._transaction() as database:
            cursor = database.execute(
                f"INSERT INTO run (id, {_INFO}, objects, frames) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    number,
                    *_columns(run.info),
                    _objects_text(run),
                    json.dumps([*stretches(run.frames)]),
                ),
            )
            given = int(cursor.lastrowid or 0)
            database.executemany(
                "INSERT INTO run_mask VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    (given, *key, *mask.box, mask.bits, zlib.crc32(mask.bits))
                    for key, mask in run.masks.items()
                ),
            )
        return given

    def load(self, number: int) -> Run:
        """Read a run. Raises ProjectError where there is none of this number or it is damaged."""
        with self._looking() as database:
            row = database.execute(
                f"SELECT {_INFO}, objects, frames FROM run WHERE id = ?", (number,)
            ).fetchone()
            masks = database.execute(
                "SELECT frame, object, y0, y1, x0, x1, bits, checksum FROM run_mask WHERE run = ?",
                (number,),
            ).fetchall()
        if row is None:
            raise ProjectError(f"there is no run {number} in the project: it may be deleted.")
        *columns, objects, frames = row
        try:
            return Run(
                _info(*columns),
                {int(key): str(name) for key, name in json.loads(objects).items()},
                tuple(f for first, last in json.loads(frames) for f in range(first, last + 1)),
                dict(self._mask(*found) for found in masks),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ProjectError(
                f"the run {columns[0]} is damaged: delete it and import it again. The masks of "
                "the project itself are not touched."
            ) from error

    def describe(self, number: int, info: RunInfo) -> None:
        """Change what is known of a run, such as its name or that it is a ground truth."""
        with self._transaction() as database:
            database.execute(
                f"UPDATE run SET ({_INFO}) = (?, ?, ?, ?, ?, ?) WHERE id = ?",
                (*_columns(info), number),
            )

    def drop(self, number: int) -> None:
        """Delete a run and its masks."""
        with self._transaction() as database:
            database.execute("DELETE FROM run WHERE id = ?", (number,))

    def _mask(self, frame: int, number: int, *rest: int | bytes) -> tuple[Key, Mask]:
        *box, bits, checksum = rest
        return Key(frame, number), mask_of(box, bits, checksum, self._size)


def _info(name: str, kind: str, model: str, weights: str, parameters: str, source: str) -> RunInfo:
    return RunInfo(name, RunKind(kind), model, weights, json.loads(parameters), source)


def _columns(info: RunInfo) -> tuple[str, ...]:
    parameters = json.dumps(dict(info.parameters))
    return info.name, info.kind.value, info.model, info.weights, parameters, info.source


def _objects_text(run: Run) -> str:
    return json.dumps({str(number): name for number, name in run.objects.items()})
