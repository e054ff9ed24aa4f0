"""What models saw of frames, kept with a project: a later pass sees them so again, see models.api.

It only spares work: what is unsound of it is left out, and nothing is lost without it.
"""

import msgspec

from app.storage.project.project import Project
from models.api import Part, Seen

_SEEN = "seen"  # the attachment


def load_seen(project: Project) -> Seen:
    """Return what models saw of a project's frames, as far as it is known. Raises ProjectError."""
    content = project.get_attachment(_SEEN)
    try:
        known = msgspec.json.decode(content or b"{}", type=Seen)
    except (msgspec.MsgspecError, ValueError):
        return {}
    return {
        number: {
            frame: part
            for frame, part in parts.items()
            if 0 <= frame < project.frame_count and _lies_in(part, project.size)
        }
        for number, parts in known.items()
    }


def keep_seen(project: Project, seen: Seen) -> None:
    """Write what models saw of a project's frames, where that differs. Raises ProjectError."""
    content = msgspec.json.encode(seen)
    if content != (project.get_attachment(_SEEN) or b"{}"):
        project.set_attachment(_SEEN, content)


def _lies_in(part: Part, size: tuple[int, int]) -> bool:
    """Whether a part is one of a frame of this size (height, width)."""
    top, left, height, width = part
    inside = top >= 0 and left >= 0 and top + height <= size[0] and left + width <= size[1]
    return inside and height > 0 and width > 0
