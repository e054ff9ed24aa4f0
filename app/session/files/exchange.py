"""The exchange of masks with other programs: imported as anchors, exported beside the work."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject

from app.core.document import Document, Key, ids_for, renumbered
from app.errors import UsageError
from app.session.edits.masks import MaskEdits
from app.session.edits.objects import ObjectEdits
from app.session.edits.ready import ReadyMasks
from app.session.jobs.runner import JobRunner
from app.session.state.background import Background
from app.session.state.context import SessionContext
from app.session.state.imported import ImportedFile
from app.session.state.status import SessionState
from app.session.visor.taking_over import take_over
from app.session.visor.visor import Visor
from app.storage.formats.exporting import Format, export_document
from app.storage.formats.importing import MaskSource
from app.storage.formats.visor.exporting import written_names
from app.storage.formats.visor.importing import read_document
from app.storage.formats.visor.records import VisorFile
from app.storage.video.opening import Video


class Exchange(QObject):
    """Reads masks in, as one undo step, and writes them out in the background.

    Saving never waits for an export: what is written is a snapshot, read back and compared.
    """

    def __init__(
        self,
        context: SessionContext,
        jobs: JobRunner,
        objects: ObjectEdits,
        edit: MaskEdits,
        ready: ReadyMasks,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self.visor = Visor(context, jobs, objects, edit, self)
        self._video, self._masks, self._status = context.video, context.masks, context.status
        self._ready = ready
        self._background = Background("export", self)
        self._background.failed.connect(self._fail)

    def import_masks(self, source: Path, first_number: int | None = None) -> None:
        """Import a folder of mask PNGs named like the frames, or a VISOR or COCO JSON.

        Objects with the same id are the same; `first_number` is that of a video's first frame.
        Raises FormatError, FirstNumberError where that has to be known, UsageError.
        """
        opened = self._video.now
        if opened is None:
            raise UsageError("Masks are imported onto a video. Open one first.")
        found = MaskSource(source).document(opened.video, first_number=first_number)
        # What was deleted here stays gone: its id is not that of an object from elsewhere.
        own = ids_for(self._masks.document, (info.id for info in found.document.objects))
        given = renumbered(found.document, own)
        changes = dict(given.items())
        frames = {key.frame for key in changes}
        with self._ready.put_in(changes, given.objects, f"Import {source.name}") as notes:
            said = ImportedFile(found.attachment, opened.video)
            take_over(said, own, frames, self.visor.attributes, self._masks, self._video)
        text = f"{len(changes):,} masks on {len(frames):,} frames imported."
        self._status.report("info", " ".join((text, *notes, *found.notes)))

    def export(self, form: str, path: Path) -> None:
        """Write all masks that are shown in the background: visor, davis, coco, submission, video.

        Raises UsageError for another form. How it went is reported.
        """
        opened = self._video.now
        if form not in {each.value for each in Format}:
            raise UsageError(f"There is no format {form!r}.")
        if opened is None:
            raise UsageError("There is nothing to export. Open a video first.")
        # Said before it begins: it may end at once, and what it says then is to be the last.
        self._say_begun(path)
        snapshot, attachment = self._masks.snapshot(), opened.attachment
        self._background.do(
            partial(
                write, snapshot, opened.video, Format(form), path, attachment, opened.project_path
            ),
            self._tell,
        )

    def _say_begun(self, path: Path) -> None:
        if self._status.state is SessionState.IDLE:
            self._status.report("info", f"Exporting to {path}")
            return
        self._status.report(
            "warning",
            f"Exporting to {path} what is finished so far, while masks are still being made. "
            "Export again when they are done to have all.",
        )

    def stop(self) -> None:
        """Wait for the exports that were asked for, and for the check by rules."""
        self.visor.stop()
        self._background.finish()

    def _tell(self, notes: tuple[str, ...]) -> None:
        self._status.report("info", " ".join(notes))

    def _fail(self, why: str) -> None:
        self._status.report("error", f"The export failed: {why}")


def write(
    document: Document,
    video: Video,
    form: Format,
    path: Path,
    attachment: bytes | None,
    project: Path | None = None,
) -> tuple[str, ...]:
    """Export a document and return what the person should know. Raises StorageError."""
    notes = export_document(document, video, form, path, attachment=attachment, inputs=(project,))
    if form is Format.VISOR:
        names = written_names(document, attachment)
        notes = (*notes, compared(document, names, read_document(VisorFile.read(path), video)))
    return (f"Exported to {path}.", *notes)


def compared(document: Document, names: Mapping[int, str], written: Document) -> str:
    """Say how near the masks that were written are to those of the document.

    `names` are those under which the document's objects were written.
    """
    numbers = {info.name: info.id for info in written.objects}
    worst, where = 1.0, ""
    for key, entry in document.items():
        if entry.mask is None or key.object not in names:
            continue
        name = names[key.object]
        back = written.get(Key(key.frame, numbers[name])) if name in numbers else None
        overlap = entry.mask.iou(back.mask) if back is not None and back.mask is not None else 0.0
        if overlap < worst:
            worst, where = overlap, f" ({name}, frame {key.frame})"
    return f"Read back: worst IoU {worst:.4f}{where}."
