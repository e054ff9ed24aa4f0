"""The correction of one mask: verified and healed, or sharpened and accepted."""

from collections.abc import Collection, Iterable
from functools import partial

from PySide6.QtCore import QObject, Signal, Slot

from app.batch.passes.steps import Step
from app.core.document import Entry, Key, Origin
from app.core.mask import Mask
from app.core.places import all_exchanged, exchanged
from app.engine.jobs import Refine
from app.session.edits.clicks import Clicks
from app.session.edits.masks import MaskEdits
from app.session.inference.engine import Engine
from app.session.jobs.runner import JobRunner
from app.session.state.context import SessionContext
from app.session.state.interactions import interaction
from app.session.state.status import topic_of


class Correction(QObject):
    """What a person asks for on the current frame once its mask is as it should be."""

    preview_changed = Signal(object)  # tuple[int, int, Mask | None]: frame, object; or None
    waiting_changed = Signal()  # whether a verification waits for the answer to a click
    verified = Signal()  # what `verify_and_heal` was asked for is done

    def __init__(
        self,
        context: SessionContext,
        engine: Engine,
        jobs: JobRunner,
        edit: MaskEdits,
        clicks: Clicks,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._interactions = context.interactions
        self._video, self._masks, self._view = context.video, context.masks, context.view
        self._preferences, self._status = context.preferences, context.status
        self._engine, self._jobs, self._edit, self._clicks = engine, jobs, edit, clicks
        self._waits_at: Key | None = None  # for the answer to a click, to be verified then
        self._asked: Refine | None = None
        self._ghost: tuple[Key, Entry] | None = None
        self._sharpened: tuple[Key, Mask] | None = None  # the mask that was asked about
        engine.stepped.connect(self._on_stepped)
        engine.ended.connect(self._on_ended)
        clicks.settled.connect(self._on_settled)
        clicks.settled.connect(jobs.after_click.settle)  # after what is verified with the answer
        # A ghost that is out of sight must not be what Enter takes over.
        self._masks.entries_changed.connect(self._on_entries_changed)
        self._view.frame_changed.connect(self._on_moved)
        self._view.selection_changed.connect(self._on_moved)

    @property
    def has_refinement(self) -> bool:
        """Whether a sharpened mask is shown that waits to be accepted."""
        return self._ghost is not None

    def waits_at(self, key: Key) -> bool:
        """Whether the mask at `key` is verified as soon as the click there is answered."""
        return self._waits_at == key

    @interaction("correction")
    def verify_and_heal(self) -> None:
        """Make the current mask an anchor and propagate what it makes stale.

        So are the masks that gave something to it, all in one job. Where a click on it is not
        answered yet, that happens with the answer; `verified` follows.
        """
        if not self._video.is_open:
            return
        self.accept_refinement()
        if self._view.selected is None:
            self._verify([])
            return
        key = Key(self._view.frame, self._view.selected)
        if self._clicks.waits_at(key):
            self._set_waiting(key)
        else:
            self._verify([key])

    def _verify(self, keys: list[Key]) -> None:
        unhealed = self._edit.unhealed
        given = [key for key in unhealed.take_givers() if key not in keys]
        left = {key: self._masks.entry(key) for key in given}
        # First of all: an anchor on the way would end an exchange.
        right = self._exchange_beside()
        gave = [self._holder(key, entry) for key, entry in left.items()]
        present = {key: self._masks.entry(key) for key in (*keys, *gave)}
        # Made by a person, one is an anchor already: a step that changes nothing to see.
        wanted = [
            key
            for key, entry in present.items()
            if entry is not None and (not entry.is_anchor or entry.stale or entry.conflict)
        ]
        if wanted:
            # What two gave each other is right as far as it was exchanged, and stale beyond.
            changed = {key: right.get(key.frame, ()) for key in gave}
            self._edit.verify(wanted, changed=changed)
        unhealed.note_anchors(key for key, entry in present.items() if entry is not None)
        self._jobs.heal(unhealed.take_anchors())
        self.verified.emit()

    def _holder(self, key: Key, entry: Entry | None) -> Key:
        """Return whose a mask is now, which an exchange may have given to another object."""
        shown = self._masks.shown(key.frame)
        mask = entry.mask if entry else None
        return next((Key(key.frame, n) for n, e in shown.items() if e.mask == mask), key)

    def _exchange_beside(self) -> dict[int, Collection[Key]]:
        """Give objects that were taken for each other their masks back on the frames around.

        Return for each frame where they were what was put right with it.
        """
        found, document = self._edit.unhealed.take_exchanges(), self._masks.document
        right = {frame: exchanged(document, frame, owners) for frame, owners in found.items()}
        if changes := all_exchanged(document, found):
            numbers = sorted({key.object for key in changes})
            names = " and ".join(self._masks.name_of(number) for number in numbers)
            frames = sorted({key.frame for key in changes})
            text = f"Exchange {names}, frames {frames[0]}-{frames[-1]}"
            # Anew: a job that has to make way keeps what it has found by then.
            plan = partial(all_exchanged, document, found)
            self._edit.make_anew(plan, text, marks=False)
        return {frame: there.keys() for frame, there in right.items()}

    def _set_waiting(self, key: Key | None) -> None:
        if key != self._waits_at:
            self._waits_at = key
            self.waiting_changed.emit()

    @Slot(object, bool)
    def _on_settled(self, key: Key, answered: bool) -> None:  # noqa: FBT001
        if self._waits_at == key:
            self._set_waiting(None)
            if answered:
                self._verify([key])

    @interaction("correction")
    def refine(
        self, frames: Iterable[int] | None = None, objects: Iterable[int] | None = None
    ) -> None:
        """Sharpen masks of the selected object, or of `objects`.

        Without `frames` the selected one's here, shown as a ghost (`accept_refinement`,
        `reject_refinement`); with `frames` directly, as one undo step that leaves anchors alone.
        """
        selected = self._view.selected
        if self._video.is_open and frames is not None and objects is not None:
            self._jobs.refine(frames, objects)
        elif not self._video.is_open or selected is None:
            self._status.report("warning", "Select an object to refine.")
        elif frames is not None:
            self._jobs.refine(frames, [selected])
        else:
            self._ask(Key(self._view.frame, selected))

    @interaction("correction")
    def refine_range(self, objects: Iterable[int] | None = None) -> None:
        """Sharpen masks of `objects`, by default of all, from the in to the out point."""
        everything = (info.id for info in self._masks.objects)
        frames = range(self._view.first, self._view.last + 1)
        self.refine(frames, everything if objects is None else objects)

    @interaction("correction")
    def accept_refinement(self) -> None:
        """Take the ghost over as an anchor."""
        if self._ghost is not None:
            key, entry = self._ghost
            self.reject_refinement()
            text = f"Refine {self._masks.name_of(key.object)}, frame {key.frame}"
            # Sharper edges are no other mask: what was propagated from it is as right as before.
            self._edit.put(key, entry, text, marks=False)

    @interaction("correction")
    def reject_refinement(self) -> None:
        """Take the ghost away."""
        self._drop_ghost()

    def _drop_ghost(self) -> None:
        self._asked = self._sharpened = None
        if self._ghost is not None:
            self._ghost = None
            self.preview_changed.emit(None)

    @Slot()
    def _on_moved(self) -> None:
        self._drop_ghost()

    @Slot(object)
    def _on_entries_changed(self, keys: frozenset[Key]) -> None:
        """Take away what was sharpened of a mask that is another one now, or on its way."""
        if self._sharpened is not None and self._sharpened[0] in keys:
            key, mask = self._sharpened
            entry = self._masks.entry(key)
            if entry is None or entry.mask != mask:
                self._drop_ghost()

    def _ask(self, key: Key) -> None:
        entry = self._masks.entry(key)
        if entry is None or entry.mask is None:
            self._status.report("warning", "There is no mask to refine on this frame.")
            return
        self.reject_refinement()
        gate = self._preferences.settings.iou_gate
        self._sharpened = (key, entry.mask)
        self._asked = Refine(self._engine.next_id(), {key: entry.mask}, gate, ghost=True)
        self._engine.put(self._asked)

    @Slot(int, object)
    def _on_stepped(self, job_id: int, step: Step) -> None:
        if self._asked is None or self._asked.id != job_id:
            return
        self._engine.accept()
        if not step.entries:
            text = "The sharper mask does not fit this one, which is kept."
            self._status.report("info", text)
        for key, entry in step.entries.items():
            self._ghost = (key, Entry(entry.mask, Origin.REFINED, verified=True, score=entry.score))
            self.preview_changed.emit((*key, entry.mask))

    @Slot(int, object)
    def _on_ended(self, job_id: int, error: Exception | None) -> None:
        if self._asked is not None and self._asked.id == job_id:
            self._engine.accept()
            self._asked = None
            if error is not None:
                self._status.report("error", str(error), topic_of(error))
