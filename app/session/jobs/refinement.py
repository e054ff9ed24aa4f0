"""The refinement of many masks: each sharpened by itself, but no anchors."""

from collections.abc import Collection, Iterable, Mapping

from app.core.document import Document, Entry, Key
from app.core.mask import Mask
from app.engine.jobs import Refine
from app.session.jobs.job import Job, NothingToDo
from app.session.jobs.progress import Meter
from app.session.state.context import SessionContext
from app.session.state.status import SessionState


class Refinement(Job):
    """Sharpens these masks, frames rising."""

    state = SessionState.REFINING

    def __init__(self, context: SessionContext, masks: Mapping[Key, Mask]) -> None:
        super().__init__(context)
        self._masks = masks

    @classmethod
    def plan(
        cls, context: SessionContext, frames: Iterable[int], objects: Iterable[int]
    ) -> "Refinement":
        """Return a refinement of unlocked objects on `frames`. Raises NothingToDo."""
        chosen = list(objects)
        found = _masks(context, (Key(frame, number) for frame in frames for number in chosen))
        if not found:
            text = "There is nothing to refine: anchors stay as they are."
            raise NothingToDo("warning", text)
        return cls(context, found)

    @property
    def title(self) -> str:
        """What the job is called: objects, and how many frames."""
        count = len({key.frame for key in self._masks})
        name = self._context.masks.name_of(min(self._masks).object)
        what = name if len(self.objects) == 1 else f"{len(self.objects)} objects"
        return f"Refine {what}, {count:,} frames"

    @property
    def first(self) -> int:
        """The frame that is visited first."""
        return min(self._masks).frame

    @property
    def objects(self) -> frozenset[int]:
        """The objects whose masks are sharpened."""
        return frozenset(key.object for key in self._masks)

    def request(self, job_id: int) -> Refine:
        """Return what is asked of the engine."""
        return Refine(job_id, self._masks, self._context.preferences.settings.iou_gate)

    def meter(self) -> Meter:
        """Return a meter that counts masks."""
        refined = tuple(dict.fromkeys(key.object for key in sorted(self._masks)))
        return Meter(self.title, [key.frame for key in self._masks], refined)

    def covers(self, key: Key) -> bool:
        """Whether the mask at `key` is one of those to sharpen."""
        return key in self._masks

    def rest(self, _document: Document) -> "Job | None":
        """Return a refinement of the masks that were not looked at yet, as they are now."""
        return self.after_edit(())

    def after_edit(self, edited: Collection[Key]) -> "Job | None":
        """Go on with the others: what a person has just edited is as it should be."""
        done = {*edited, *self._left_out}
        left = _masks(
            self._context, (key for key in sorted(self._masks)[self._steps :] if key not in done)
        )
        return Refinement(self._context, left) if left else None

    def outcome(
        self, title: str, _before: Mapping[Key, Entry], changed: Mapping[Key, Entry]
    ) -> str:
        """Say how many masks were sharpened and how many kept."""
        kept = len(self._masks) - len(changed)
        return f"{title}: {len(changed):,} sharpened, {kept:,} kept"


def _masks(context: SessionContext, keys: Iterable[Key]) -> dict[Key, Mask]:
    """Return the masks at `keys` that may be sharpened: no anchors, none of a locked object."""
    document = context.masks.document
    unlocked = {info.id for info in document.objects if not info.locked}
    entries = {key: document.get(key) for key in keys if key.object in unlocked}
    return {
        key: entry.mask
        for key, entry in entries.items()
        if entry is not None and entry.mask is not None and not entry.is_anchor
    }
