"""The masks that come ready, from a file or a run: put in as one undo step."""

from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager

from PySide6.QtCore import QObject

from app.core.document import Changes, Entry, Key, Objects
from app.core.exclusion import admit
from app.session.edits.masks import MaskEdits
from app.session.jobs.runner import JobRunner
from app.session.state.context import SessionContext
from app.session.state.interactions import interaction


class ReadyMasks(QObject):
    """Puts ready masks in: the others give what they cover, but locked and hidden objects do not.

    A job that works there ends before: what it has found by then is a step of its own.
    """

    def __init__(
        self, context: SessionContext, jobs: JobRunner, edit: MaskEdits, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._interactions, self._masks = context.interactions, context.masks
        self._jobs, self._edit = jobs, edit
        self._step = ExitStack()  # what ends with the step that is under way

    @contextmanager
    def put_in(self, given: Changes, objects: Objects, text: str) -> Iterator[tuple[str, ...]]:
        """Put masks in, with those of `objects` that are not there; yield what to say of it.

        What is changed within is part of the same step.
        """
        self._begin(text, list(self._admitted(given)))
        try:
            there = {info.id for info in self._masks.objects}
            if new := tuple(info for info in objects if info.id not in there):
                self._masks.change_objects((*self._masks.objects, *new), "Add objects")
            admitted = self._admitted(given)
            self._edit.make(admitted, text)
            yield self._words(given, admitted)
        finally:
            self._end()

    @interaction("ready")
    def _begin(self, text: str, keys: Collection[Key]) -> None:
        self._step.enter_context(self._jobs.making_way(keys))
        self._step.enter_context(self._masks.one_step(text))

    @interaction("ready")
    def _end(self) -> None:
        self._step.close()

    def _admitted(self, given: Changes) -> Changes:
        """Return what changes, see `admit`; masks of locked objects are left to be refused."""
        locked = {info.id for info in self._masks.objects if info.locked}
        changes = {key: entry for key, entry in given.items() if key.object in locked}
        frames: dict[int, dict[int, Entry]] = {}
        for key, entry in given.items():
            if entry is not None and key.object not in locked:
                frames.setdefault(key.frame, {})[key.object] = entry
        overlap, fixed = self._edit.overlap, self._edit.fixed
        for frame, here in frames.items():
            shown = self._masks.shown(frame)
            changes |= admit(shown, frame, here, fixed=fixed - here.keys(), overlap=overlap)
        return changes

    def _words(self, given: Changes, admitted: Changes) -> tuple[str, ...]:
        """Say what others gave to masks that were put in, and what these did not get."""
        gave = {key.object for key in admitted.keys() - given.keys()}
        cut = {
            key.object
            for key, entry in given.items()
            if entry is not None and ((got := admitted.get(key)) is None or got.mask != entry.mask)
        }
        names = [", ".join(map(self._masks.name_of, sorted(each))) for each in (gave, cut)]
        gives = f"{names[0]} gave what they cover there (Ctrl+Z brings it back)."
        keeps = f"{names[1]} got nothing of what locked or hidden objects have there."
        return tuple(text for each, text in ((gave, gives), (cut, keeps)) if each)
