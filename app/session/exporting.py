"""Exports run beside the work: a snapshot is written, read back and compared."""

from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot

from app.core.document import Document, Key
from app.errors import MaskwrightError, UsageError
from app.session.signals import SessionState
from app.session.workspace import Workspace
from app.storage.formats.exporting import Format, export_document
from app.storage.formats.visor.exporting import written_names
from app.storage.formats.visor.importing import import_visor
from app.storage.video.opening import Video


class Exporting(QObject):
    """Writes exchange files in a thread of its own, so that saving never waits for an export."""

    _done = Signal(object, object)  # tuple of notes or None, exception or None; from the thread

    def __init__(self, workspace: Workspace, parent: QObject) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._worker: ThreadPoolExecutor | None = None
        self._done.connect(self._on_done)

    def export(self, form: str, path: Path) -> None:
        """Write all masks that are shown in the background: visor, davis, coco, submission, video.

        Raises UsageError for another form. How it went is reported.
        """
        workspace = self._workspace
        video = workspace.video
        if form not in {each.value for each in Format}:
            raise UsageError(f"There is no format {form!r}.")
        if video is None:
            raise UsageError("There is nothing to export. Open a video first.")
        if self._worker is None:
            self._worker = ThreadPoolExecutor(1, "export")
        snapshot = workspace.shown_document()
        attachment = workspace.attachment
        done = self._worker.submit(
            write, snapshot, video, Format(form), path, attachment, workspace.project_path
        )  # fmt: skip
        done.add_done_callback(self._tell)
        if workspace.activity is SessionState.IDLE:
            workspace.report("info", f"Exporting to {path}")
            return
        workspace.report(
            "warning",
            f"Exporting to {path} what is finished so far, while masks are still being made. "
            "Export again when they are done to have all.",
        )

    def stop(self) -> None:
        """Wait for the exports that were asked for."""
        if self._worker is not None:
            self._worker.shutdown()
            self._worker = None

    def _tell(self, done: Future[tuple[str, ...]]) -> None:
        """Pass on how it went, from the export's thread to this one."""
        error = done.exception()
        self._done.emit(None if error else done.result(), error)

    @Slot(object, object)
    def _on_done(self, notes: tuple[str, ...] | None, error: BaseException | None) -> None:
        if notes is not None:
            self._workspace.report("info", " ".join(notes))
        elif isinstance(error, MaskwrightError | OSError):
            self._workspace.report("error", f"The export failed: {error}")
        elif error is not None:
            raise error


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
        notes = (*notes, compared(document, names, import_visor(path, video).document))
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
