"""What a VISOR file says beside its masks, said in a project that was made from something else."""

from collections.abc import Collection, Mapping

from app.core.attributes import CONTACT, EXHAUSTIVE, WORN_ON, Value
from app.core.document import Key
from app.session.state.imported import ImportedFile
from app.session.state.masks import Masks
from app.session.state.video import CurrentVideo
from app.session.visor.attributes import AttributeEdits
from app.storage.formats.visor.annotations.contacts import INCONCLUSIVE, SPECIAL


def take_over(
    imported: ImportedFile,
    own: Mapping[int, int],
    frames: Collection[int],
    attributes: AttributeEdits,
    masks: Masks,
    video: CurrentVideo,
) -> None:
    """Say of the masks on `frames` what an imported file does, as one undo step.

    `own` are the objects of the project that stand for those of the file. What is said so already
    is left alone, and so are masks that were not taken over.
    """
    now = before = masks.document.attributes
    for key, annotation in imported.annotations.items():
        here = Key(key.frame, own.get(key.object, 0))
        entry = masks.document.get(here)
        if key.frame not in frames or entry is None or entry.mask is None:
            continue
        for name in {EXHAUSTIVE, CONTACT, WORN_ON} & annotation.raw.keys():
            value = _value(imported, key, name, own)
            if attributes.value(here, name) != value:
                now = now.saying(here, name, value)
    for frame in imported.orders.keys() & set(frames):
        order = [own[number] for number in imported.orders[frame] if number in own]
        there = [info.id for info in video.ordered(frame)]
        if [number for number in there if number in order] != order:
            now = now.ordered(frame, [*(n for n in there if n not in order), *order])
    if now != before:
        attributes.change(now, "Import attributes")


def _value(imported: ImportedFile, key: Key, name: str, own: Mapping[int, int]) -> Value:
    if name == CONTACT:
        touched = imported.touched(key)
        if isinstance(touched, int):
            return own.get(touched, INCONCLUSIVE)
        # An id that no mask of the frame has says nothing.
        return touched if touched is None or touched in SPECIAL else INCONCLUSIVE
    found = imported.annotations[key].raw[name]
    if isinstance(found, list):
        return tuple(str(each) for each in found)
    return found if isinstance(found, str) else None
