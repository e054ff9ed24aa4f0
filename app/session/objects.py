"""Edits to the objects: each is one undo step."""

from app.core.classes import Match
from app.core.document import Key, ObjectInfo
from app.session.jobs import Jobs
from app.session.viewing import Viewing
from app.session.workspace import Workspace
from app.storage.classes import noun_classes

_MOST = 254  # 0 is the background and 255 is ignored in palette images
# Okabe and Ito's palette, which people with colour-blindness can tell apart, then others.
_COLORS = (
    (230, 159, 0),
    (86, 180, 233),
    (0, 158, 115),
    (240, 228, 66),
    (0, 114, 178),
    (213, 94, 0),
    (204, 121, 167),
    (148, 103, 189),
    (140, 86, 75),
    (188, 189, 34),
)
_SAFE = _COLORS[:7]


class ObjectEdits:
    """Add, change, delete and order the objects."""

    def __init__(self, workspace: Workspace, viewing: Viewing, jobs: Jobs) -> None:
        self._workspace, self._viewing, self._jobs = workspace, viewing, jobs

    def add(self, name: str | None = None, class_id: int | None = None) -> int | None:
        """Add an object on top, select it and return its id; None where there is no room."""
        workspace = self._workspace
        used = {info.id for info in workspace.document.objects}
        number = next((n for n in range(1, _MOST + 1) if n not in used), None)
        if number is None or workspace.video is None:
            workspace.report("warning", f"There is room for {_MOST} objects. Delete one first.")
            return None
        if name is None:
            name = noun_classes()[class_id].name if class_id is not None else f"object {number}"
        colors = _SAFE if workspace.settings.palette == "colour-blind" else _COLORS
        color = colors[(number - 1) % len(colors)]
        info = ObjectInfo(number, name, color, class_id)
        workspace.change_objects((*workspace.document.objects, info), f"Add {name}")
        self._viewing.select(number)
        return number

    def edit(self, info: ObjectInfo) -> None:
        """Change name, colour, class, visibility or lock of the object with this id."""
        before = self._workspace.document.objects
        after = tuple(info if each.id == info.id else each for each in before)
        if after == before:
            return
        # What a job has found of an object by now is kept before a lock closes it.
        locks = info.locked and not self._workspace.is_locked(info.id)
        with self._jobs.making_way(objects={info.id} if locks else ()):
            self._workspace.change_objects(after, f"Edit {info.name}")

    def delete(self, object_id: int) -> None:
        """Delete an object and all its masks."""
        workspace, document = self._workspace, self._workspace.document
        if workspace.is_locked(object_id):
            workspace.report("warning", f"{workspace.name_of(object_id)} is locked.")
            return
        keys = [Key(frame, object_id) for frame in document.of_object(object_id)]
        workspace.undo_stack.beginMacro(f"Delete {workspace.name_of(object_id)}")
        workspace.change(dict.fromkeys(keys), "Delete masks")
        left = tuple(info for info in document.objects if info.id != object_id)
        workspace.change_objects(left, "Delete object")
        workspace.undo_stack.endMacro()
        if workspace.selected == object_id:
            self._viewing.select(None)

    def move(self, object_id: int, position: int) -> None:
        """Move an object in the drawing order; 0 lies at the bottom."""
        before = self._workspace.document.objects
        moved = [info for info in before if info.id == object_id]
        others = [info for info in before if info.id != object_id]
        after = (*others[:position], *moved, *others[position:])
        if after != before:
            self._workspace.change_objects(after, f"Move {self._workspace.name_of(object_id)}")

    def search_classes(self, text: str) -> tuple[Match, ...]:
        """Return the names of VISOR noun classes that fit `text`, best first."""
        return noun_classes().search(text)
