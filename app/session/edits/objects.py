"""The edits of objects: each is one undo step."""

from dataclasses import replace

from PySide6.QtCore import QObject

from app.core.classes import Match
from app.core.colors import OKABE_ITO
from app.core.document import MOST_ID, Key, ObjectInfo, why_not_editable
from app.session.jobs.runner import JobRunner
from app.session.state.context import SessionContext
from app.session.state.interactions import interaction
from app.storage.classes import noun_classes

_MOST = 254  # at a time: 0 is the background and 255 is ignored in palette images
_COLORS = (*OKABE_ITO, (148, 103, 189), (140, 86, 75), (188, 189, 34))


class ObjectEdits(QObject):
    """Add, change, delete and order the objects."""

    def __init__(self, context: SessionContext, jobs: JobRunner, parent: QObject) -> None:
        super().__init__(parent)
        self._interactions = context.interactions
        self._video, self._masks, self._view = context.video, context.masks, context.view
        self._jobs, self._preferences, self._status = jobs, context.preferences, context.status

    @interaction("objects")
    def add(self, name: str | None = None, class_id: int | None = None) -> int | None:
        """Add an object on top, select it and return its id; None where there is no room."""
        number = self._masks.document.next_id
        has_room = len(self._masks.objects) < _MOST and number <= MOST_ID
        if not has_room or not self._video.is_open:
            text = f"There is room for {_MOST} objects. Delete one first."
            self._status.report("warning", text)
            return None
        if name is None:
            name = noun_classes()[class_id].name if class_id is not None else f"object {number}"
        colors = OKABE_ITO if self._preferences.settings.palette == "colour-blind" else _COLORS
        color = colors[(number - 1) % len(colors)]
        info = ObjectInfo(number, name, color, class_id)
        self._masks.change_objects((*self._masks.objects, info), f"Add {name}")
        self._view.select(number)
        return number

    def to_edit(self) -> ObjectInfo | None:
        """Return the selected object, made where none is; None after saying why it is refused."""
        if not self._video.is_open:
            return None
        chosen = self._view.selected
        if chosen is None:
            chosen = self.add()
        item = next((info for info in self._masks.objects if info.id == chosen), None)
        obstacle = why_not_editable(item) if item is not None else None
        if obstacle is not None:
            self._status.report("warning", obstacle)
            return None
        return item

    @interaction("objects")
    def edit(self, *infos: ObjectInfo) -> None:
        """Change name, colour, class, visibility or lock of the objects with these ids."""
        before, changed = self._masks.objects, {info.id: info for info in infos}
        after = tuple(changed.get(each.id, each) for each in before)
        if after == before:
            return
        # What a job has found of an object by now is kept before a lock closes it.
        locks = {info.id for info in infos if info.locked and not self._masks.is_locked(info.id)}
        names = infos[0].name if len(infos) == 1 else f"{len(infos)} objects"
        with self._jobs.making_way(objects=locks):
            self._masks.change_objects(after, f"Edit {names}")

    @interaction("objects")
    def rename(self, object_id: int, name: str) -> None:
        """Give an object another name, and the class of that name where there is one."""
        info = self._info(object_id)
        if info is None or not (name := name.strip()) or name == info.name:
            return
        found = noun_classes().of_name(name)
        self.edit(replace(info, name=name, class_id=found.id if found else info.class_id))

    @interaction("objects")
    def classify(self, object_id: int, name: str) -> bool:
        """Give an object the class of this name; return False, and say so, where there is none."""
        info, found = self._info(object_id), noun_classes().of_name(name)
        if found is None:
            self._status.report("warning", f"There is no noun class called {name.strip()!r}.")
            return False
        if info is not None:
            self.edit(replace(info, class_id=found.id))
        return True

    def _info(self, object_id: int) -> ObjectInfo | None:
        return next((info for info in self._masks.objects if info.id == object_id), None)

    @interaction("objects")
    def delete(self, object_id: int) -> None:
        """Delete an object and all its masks."""
        masks, name = self._masks, self._masks.name_of(object_id)
        if masks.is_locked(object_id):
            self._status.report("warning", f"{name} is locked.")
            return
        # A job that follows it ends first, with a step of its own, and goes on with the others.
        with self._jobs.making_way(objects={object_id}), masks.one_step(f"Delete {name}"):
            keys = [Key(frame, object_id) for frame in masks.document.of_object(object_id)]
            masks.change(dict.fromkeys(keys), "Delete masks")
            left = tuple(info for info in masks.objects if info.id != object_id)
            masks.change_objects(left, "Delete object")

    @interaction("objects")
    def move(self, object_id: int, position: int) -> None:
        """Move an object in the drawing order; 0 lies at the bottom."""
        before = self._masks.objects
        moved = [info for info in before if info.id == object_id]
        others = [info for info in before if info.id != object_id]
        after = (*others[:position], *moved, *others[position:])
        if after != before:
            self._masks.change_objects(after, f"Move {self._masks.name_of(object_id)}")

    def search_classes(self, text: str) -> tuple[Match, ...]:
        """Return the names of VISOR noun classes that fit `text`, best first."""
        return noun_classes().search(text)
