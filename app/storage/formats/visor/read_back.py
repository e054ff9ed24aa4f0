"""The proof of an export: what was written is read again, and every mask is the one it was."""

from collections.abc import Mapping

from app.core.document import Document, Entry, Key
from app.core.mask import Mask
from app.errors import StorageError
from app.storage.formats.visor.geometry import Size, resized, sample
from app.storage.formats.visor.importing import read_document
from app.storage.formats.visor.naming import NamedFrames
from app.storage.formats.visor.records import VisorFile


def check_read_back(
    content: bytes, document: Document, names: Mapping[int, str], frames: NamedFrames
) -> None:
    """Raise StorageError where a mask of `document` does not come back from a file's content.

    `names` are those under which its objects are written.
    """
    file = VisorFile.parse(content, "the export")
    written = read_document(file, frames) if file.records else Document()
    numbers = {info.name: info.id for info in written.objects}
    canvas = file.canvas  # asks all records: not once more for each mask
    for key, entry in document.items():
        if entry.mask is None or key.object not in names:
            continue
        number = numbers.get(names[key.object], 0)
        if not is_same(kept(entry.mask, canvas), _mask_of(written.get(Key(key.frame, number)))):
            raise StorageError(
                f"The mask of {names[key.object]} on frame {key.frame} would not come back from "
                "the file as it is. Nothing was written; please report this with the project."
            )


def kept(mask: Mask, canvas: Size) -> Mask | None:
    """Return what polygons on a canvas keep of a mask: all of it, but where it is smaller."""
    if mask.size == canvas:
        return mask
    written = resized(mask, canvas)
    return None if written is None else Mask.encode(sample(written.decode(), mask.size))


def is_same(first: Mask | None, second: Mask | None) -> bool:
    """Whether two masks have the same pixels."""
    if first is None or second is None:
        return first is second
    # By pixels: another release of zlib may deflate equal pixels to other bytes.
    return first == second or (
        first.box == second.box and bool((first.crop() == second.crop()).all())
    )


def _mask_of(entry: Entry | None) -> Mask | None:
    return entry.mask if entry else None
