"""What the masks are compared with: those before the last job, or a ground truth."""

import enum
from pathlib import Path

from app.core.document import Document, Entry, Key
from app.core.mask import Mask
from app.errors import UsageError
from app.session.jobs import Jobs
from app.session.workspace import Workspace
from app.storage.formats.importing import MaskSource


class Reference(enum.Enum):
    """What the masks are compared with."""

    BEFORE = "before"  # the masks that the last propagation, heal or batch replaced
    TRUTH = "truth"  # masks read from files, which are not part of the project


class Comparing:
    """The reference that the person has chosen, if any, and whether it is shown in place."""

    def __init__(self, workspace: Workspace, jobs: Jobs) -> None:
        self._workspace, self._jobs = workspace, jobs
        self._truth: Document | None = None
        self.reference: Reference | None = None
        self.is_swapped = False
        workspace.signals.opened.connect(self._on_opened)
        workspace.on_document_change(self._on_document_change)

    @property
    def can_compare(self) -> bool:
        """Whether there is anything to compare with."""
        return bool(self._jobs.before) or self._truth is not None

    @property
    def has_truth(self) -> bool:
        """Whether a ground truth has been read."""
        return self._truth is not None

    def read_truth(self, source: Path) -> None:
        """Read a folder of mask PNGs or a VISOR JSON. Raises FormatError, UsageError."""
        if self._workspace.video is None:
            raise UsageError("A ground truth belongs to a video. Open one first.")
        self._truth = MaskSource(source).document(self._workspace.video).document
        self.compare(Reference.TRUTH)

    def compare(self, reference: Reference | None, *, swapped: bool = False) -> None:
        """Show the difference to a reference, or, `swapped`, the reference in place; or neither."""
        self.reference, self.is_swapped = reference, swapped
        self._workspace.signals.comparison_changed.emit()

    def masks(self, frame: int) -> dict[int, Mask | None]:
        """Return what the reference says of `frame`; objects that it does not know are left out."""
        if self.reference is Reference.BEFORE:
            known = {info.id for info in self._workspace.document.objects}
            before = self._jobs.before
            found = {number: Key(frame, number) for number in known}
            return {
                number: entry.mask if (entry := before[key]) else None
                for number, key in found.items()
                if key in before
            }
        if self.reference is Reference.TRUTH and self._truth is not None:
            given = self._truth.on_frame(frame)
            # On a frame that was annotated, an object without a mask is not there.
            return {
                info.id: given[info.id].mask if info.id in given else None
                for info in self._truth.objects
                if given
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

    def _differs(self, key: Key, before: Entry | None) -> bool:
        now = self._workspace.entry(key)
        return (before.mask if before else None) != (now.mask if now else None)

    def _on_document_change(self, keys: frozenset[Key]) -> None:
        """Show what is edited, not what it is compared with."""
        if self.is_swapped and any(key.frame == self._workspace.frame for key in keys):
            self.compare(self.reference)

    def _on_opened(self) -> None:
        self._truth, self.reference, self.is_swapped = None, None, False
