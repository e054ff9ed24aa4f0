"""The draw order of VISOR: that of each frame's annotations, until a person changes it."""

from collections.abc import Mapping

from app.core.document import Document
from app.storage.formats.visor.importing import Links, Original, identified
from app.storage.formats.visor.naming import NamedFrames, places


def is_reordered(document: Document, links: Links) -> bool:
    """Whether the objects of a file lie in another order than on import."""
    imported = list(dict.fromkeys(link.object for link in links.values()))
    present = [info.id for info in document.objects if info.id in imported]
    return present != [number for number in imported if number in set(present)]


def frame_orders(
    document: Document, frames: NamedFrames, attachment: bytes | None
) -> Mapping[int, tuple[int, ...]]:
    """Return frame -> objects as the imported file draws them, the lowest first.

    Frames that it does not have, and all where a person has reordered the objects, are in the
    order of the document and left out. Raises FormatError where the attachment is damaged.
    """
    if not attachment:
        return {}
    original = Original.loads(attachment)
    if is_reordered(document, original.links):
        return {}
    orders: dict[int, tuple[int, ...]] = {}
    records = original.file.records
    for record, frame in zip(records, places(records, frames), strict=True):
        if frame is not None and frame not in orders:
            found = (original.links[each].object for each, _ in identified(record.annotations))
            orders[frame] = tuple(dict.fromkeys(found))
    return orders
