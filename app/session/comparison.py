"""The comparison of the masks with those before the last job, or with a ground truth."""

import enum
from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot

from app.core.document import Entry, Key
from app.core.heal import difference
from app.core.mask import Mask
from app.core.runs import Run, RunInfo, RunKind, run_of
from app.errors import UsageError
from app.session.jobs.runner import JobRunner
from app.session.state.context import SessionContext
from app.storage.formats.importing import MaskSource


class Reference(enum.Enum):
    """What the masks are compared with."""

    BEFORE = "before"  # the masks that the last propagation, heal or batch replaced
    TRUTH = "truth"  # masks read from files, which are not part of the project


class Comparison(QObject):
    """The reference that the person has chosen, if any, and whether it is shown in place."""

    changed = Signal()  # what the masks are compared with, or what that holds

    def __init__(self, context: SessionContext, jobs: JobRunner, parent: QObject) -> None:
        super().__init__(parent)
        self._video, self._masks = context.video, context.masks
        self._view, self._jobs = context.view, jobs
        self._truth: Run | None = None
        self.reference: Reference | None = None
        self.shows_reference = False  # in place of the masks, not the difference to it
        context.video.opened.connect(self._on_opened)
        context.masks.document_changed.connect(self._on_document_change)
        jobs.replaced.connect(self.changed)

    @property
    def has_before(self) -> bool:
        """Whether a job has changed masks since the video was opened."""
        return bool(self._jobs.before)

    @property
    def can_compare(self) -> bool:
        """Whether there is anything to compare with."""
        return self.has_before or self._truth is not None

    @property
    def has_truth(self) -> bool:
        """Whether a ground truth has been read."""
        return self._truth is not None

    def read_truth(self, source: Path, first_number: int | None = None) -> None:
        """Read a folder of mask PNGs or a VISOR JSON; for `first_number` see `import_masks`.

        Raises FormatError, FirstNumberError, UsageError.
        """
        if self._video.now is None:
            raise UsageError("A ground truth belongs to a video. Open one first.")
        video = self._video.now.video
        found = MaskSource(source).document(video, first_number=first_number).document
        self._truth = run_of(found, RunInfo(source.name, RunKind.GROUND_TRUTH, source=str(source)))
        self.show(Reference.TRUTH)

    def use_truth(self, run: Run | None) -> None:
        """Compare with a ground truth of the project, or with none any more."""
        if run is not self._truth:
            self._truth = run
            if run is None and self.reference is Reference.TRUTH:
                self.reference, self.shows_reference = None, False
            self.changed.emit()

    def show(self, reference: Reference | None, *, swapped: bool = False) -> None:
        """Show the difference to a reference, or, `swapped`, the reference in place; or neither."""
        self.reference, self.shows_reference = reference, swapped
        self.changed.emit()

    def masks(self, frame: int) -> dict[int, Mask | None]:
        """Return what the reference says of `frame`; objects that it does not know are left out."""
        if self.reference is Reference.BEFORE:
            known = {info.id for info in self._masks.objects}
            before = self._jobs.before
            found = {number: Key(frame, number) for number in known}
            return {
                number: entry.mask if (entry := before[key]) else None
                for number, key in found.items()
                if key in before
            }
        if self.reference is Reference.TRUTH and self._truth is not None:
            # On a frame that was annotated, an object without a mask is not there.
            truth = self._truth
            return {
                number: truth.masks.get(Key(frame, number))
                for number in truth.objects
                if frame in truth.frames
            }
        return {}

    def nearest_change(self, frame: int) -> int | None:
        """Return the frame nearest to `frame` whose masks the last job changed, or None.

        Where it changed no mask but only what is known of some, the nearest of these.
        """
        before = self._jobs.before
        changed = {key.frame for key, entry in before.items() if self._differs(key, entry)}
        frames = changed or {key.frame for key in before}
        return min(frames, key=lambda each: (abs(each - frame), each), default=None)

    def next_change(self, frame: int) -> int | None:
        """Return the frame that the last job changed most, after `frame` where that is one of them.

        Then it is the one changed next most, and after the least the most again.
        """
        sizes: dict[int, float] = {}
        for key, entry in self._jobs.before.items():
            now = self._masks.entry(key)
            old, new = (each.mask if each else None for each in (entry, now))
            sizes[key.frame] = sizes.get(key.frame, 0.0) + difference(old, new)
        order = sorted((each for each in sizes if sizes[each] > 0), key=lambda each: -sizes[each])
        if not order:
            return None
        return order[(order.index(frame) + 1) % len(order)] if frame in order else order[0]

    def _differs(self, key: Key, before: Entry | None) -> bool:
        now = self._masks.entry(key)
        return (before.mask if before else None) != (now.mask if now else None)

    @Slot(object)
    def _on_document_change(self, keys: frozenset[Key]) -> None:
        """Show what is edited, not what it is compared with."""
        if self.shows_reference and any(key.frame == self._view.frame for key in keys):
            self.show(self.reference)

    @Slot()
    def _on_opened(self) -> None:
        self._truth, self.reference, self.shows_reference = None, None, False
