"""The defect: one thing that is wrong with a file, and where."""

from dataclasses import dataclass

from app.storage.formats.visor.geometry import Size
from app.storage.formats.visor.records import Annotation


@dataclass(frozen=True, slots=True)
class Defect:
    """One thing that is wrong, or, where it is `harmless`, only worth knowing.

    Harmless is what the authors' own files have and every reader must bear: empty polygons, points
    outside of the picture, two annotations of one name, keys that are not known.
    """

    frame: str  # the image's name, empty for the file as a whole
    annotation: str  # the mask's id and name, empty for the frame as a whole
    rule: str
    text: str
    harmless: bool = False

    def __str__(self) -> str:
        where = ", ".join(part for part in (self.frame, self.annotation) if part) or "file"
        return f"{'note' if self.harmless else 'defect'}: {where}: {self.rule}: {self.text}"


@dataclass(frozen=True, slots=True)
class Kind:
    """What kind of file it is, which decides what may be missing."""

    dense: bool
    submission: bool
    canvas: Size


def place_of(annotation: Annotation, place: int) -> str:
    """Return how an annotation is called in a defect: its id, or its place, and its name."""
    name = annotation.raw.get("name")
    return f"{annotation.id or f'annotation {place}'} ({name if name else 'no name'})"
