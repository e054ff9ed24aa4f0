"""Masks from elsewhere, onto the open video."""

from pathlib import Path

from app.core.document import Objects
from app.errors import UsageError
from app.session.editing import Editing
from app.session.workspace import Workspace
from app.storage.formats.importing import MaskSource


class Importing:
    """Takes masks from files over as anchors, in one undo step."""

    def __init__(self, workspace: Workspace, editing: Editing) -> None:
        self._workspace, self._editing = workspace, editing

    def import_masks(self, source: Path) -> None:
        """Import a folder of mask PNGs named like the frames, or a VISOR or COCO JSON.

        Objects with the same id are the same. Raises FormatError, UsageError.
        """
        workspace = self._workspace
        if workspace.video is None:
            raise UsageError("Masks are imported onto a video. Open one first.")
        found = MaskSource(source).document(workspace.video)
        changes = dict(found.document.items())
        workspace.undo_stack.beginMacro(f"Import {source.name}")
        self._add(found.document.objects)
        self._editing.make(changes, "Import masks")
        workspace.undo_stack.endMacro()
        frames = {key.frame for key in changes}
        text = f"{len(changes):,} masks on {len(frames):,} frames imported."
        workspace.report("info", " ".join((text, *found.notes)))

    def _add(self, objects: Objects) -> None:
        before = self._workspace.document.objects
        known = {info.id for info in before}
        if new := tuple(info for info in objects if info.id not in known):
            self._workspace.change_objects((*before, *new), "Add objects")
