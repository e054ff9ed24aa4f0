"""Edits of imported VISOR files, and what an export of them holds."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from app.core.document import Document, Key
from app.core.mask import Mask
from app.storage.formats.visor.exporting import export_visor
from app.storage.formats.visor.geometry import SPARSE_SIZE
from app.storage.formats.visor.importing import ImportedVisor, import_visor
from app.storage.formats.visor.naming import FrameList
from tests.storage.visor_vectors import SPARSE


def block(size: tuple[int, int], x: int = 20, y: int = 10, *, hole: bool = True) -> Mask:
    pixels = np.zeros(size, np.bool_)
    pixels[y : y + 60, x : x + 80] = True
    if hole:
        pixels[y + 20 : y + 30, x + 20 : x + 30] = False
    pixels[0, 0] = True
    found = Mask.encode(pixels)
    assert found is not None
    return found


def object_named(imported: ImportedVisor, name: str) -> int:
    return next(info.id for info in imported.document.objects if info.name == name)


def edited(
    change: Callable[[ImportedVisor], None], path: Path = SPARSE
) -> tuple[ImportedVisor, Any]:
    imported = import_visor(path)
    change(imported)
    text = export_visor(imported.document, imported.frames, imported.attachment)
    return imported, json.loads(text)


def annotations(raw: Any, frame: int) -> dict[str, Any]:  # noqa: ANN401 - JSON
    record = raw["video_annotations"][frame]
    return {annotation["name"]: annotation for annotation in record["annotations"]}


def masks(document: Document) -> dict[Key, Mask | None]:
    return {key: entry.mask for key, entry in document.items()}


def named_masks(document: Document) -> dict[tuple[int, str], Mask | None]:
    return {
        (key.frame, document.object(key.object).name): entry.mask for key, entry in document.items()
    }


def read_back(raw: Any, frames: FrameList | None, path: Path) -> Document:  # noqa: ANN401 - JSON
    path.write_text(json.dumps(raw))
    return import_visor(path, frames).document


def video_of(numbers: range, size: tuple[int, int] = SPARSE_SIZE) -> FrameList:
    stems = tuple(f"P99_101_frame_{number:010d}" for number in numbers)
    return FrameList(Path("P99_101"), stems, size)
