"""The session: what the window works on."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Slot
from PySide6.QtGui import QUndoStack

from app.core.suspects import Suspect
from app.engine.inference import Models
from app.errors import StorageError, VideoMissingError
from app.session.clicking import Clicking
from app.session.comparing import Comparing, Reference
from app.session.correcting import Correcting
from app.session.editing import Editing
from app.session.engine import Engine
from app.session.exporting import Exporting
from app.session.importing import Importing
from app.session.jobs import Jobs
from app.session.moving import Moving
from app.session.objects import ObjectEdits
from app.session.opening import Opened, open_project, open_source, reopened_as
from app.session.preferences import cache_bytes, choice_of, keep_changes
from app.session.prefetcher import Prefetcher
from app.session.reading import SessionReading
from app.session.review import Review
from app.session.saving import Saving
from app.session.signals import SessionState
from app.session.undoing import Undoing
from app.session.viewing import Viewing
from app.storage.settings import Settings
from app.storage.video.frames import FrameCache

ModelLoader = Callable[[FrameCache, Settings], Models]


def load_models(frames: FrameCache, settings: Settings) -> Models:
    """Return the models that the settings name."""
    return Models(frames, choice_of(settings))


class Session(SessionReading):
    """One open video, or none. Lives in the GUI thread.

    A facade: each concern is one small class of this package, and its calls are offered here under
    the session's name. While nothing is open every call does nothing. Calls that cannot do what was
    asked say so by `reported`; only `open`, `relocate_video`, `save_as` and `export` raise.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        loader: ModelLoader = load_models,
        settings_file: Path | None = None,
    ) -> None:
        """Open nothing yet; what `apply_settings` changes is kept in `settings_file`."""
        super().__init__(settings or Settings())
        self._loader, self._settings_file = loader, settings_file
        self._homeless: Path | None = None  # a project whose video was not found
        workspace = self._workspace
        self._engine = engine = Engine(self)
        self._viewing = viewing = Viewing(workspace, self)
        self._jobs = jobs = Jobs(workspace, engine, self)
        self._objects = ObjectEdits(workspace, viewing, jobs)
        self._editing = Editing(workspace, jobs)
        self._moving = Moving(workspace, self._objects, self._editing)
        self._importing = Importing(workspace, self._editing)
        self._clicking = clicking = Clicking(workspace, engine, self._objects, self._editing, self)
        self._undoing = Undoing(workspace, jobs, clicking)
        self._correcting = Correcting(workspace, engine, jobs, self._editing, self)
        self._comparing = Comparing(workspace, jobs)
        self._review = Review(workspace, viewing, jobs, self)
        self._saving = Saving(workspace, self)
        self._exporting = Exporting(workspace, self)
        Prefetcher(workspace, engine, lambda: self._review.suspects, self)
        self.undo_stack: QUndoStack = workspace.undo_stack
        self.objects_changed.connect(self._keep_selection)
        self._offer_views()
        self._offer_edits()

    def _offer_views(self) -> None:
        viewing, review = self._viewing, self._review
        self.go_to = viewing.go_to
        self.image = viewing.image
        self.nearest_image = viewing.nearest_image
        self.time_of = viewing.time_of
        self.set_range = viewing.set_range
        self.select = viewing.select
        self.search_classes = self._objects.search_classes
        self.next_suspect = review.next_suspect
        self.show_suspect = review.show
        self.leave_suspect = review.go_on
        self.dismiss_suspect = review.dismiss
        self.export = self._exporting.export
        comparing = self._comparing
        self.compare = comparing.compare
        self.read_truth = comparing.read_truth
        self.reference_masks = comparing.masks
        self.nearest_change = comparing.nearest_change

    def _offer_edits(self) -> None:
        objects, editing = self._objects, self._editing
        clicking, correcting = self._clicking, self._correcting
        self.add_object = objects.add
        self.edit_object = objects.edit
        self.delete_object = objects.delete
        self.move_object = objects.move
        self.click = clicking.click
        self.set_box = clicking.set_box
        self.next_candidate = clicking.next_candidate
        self.preview_click = clicking.preview_click
        self.draw_mask = editing.draw_mask
        self.keep_draft = self._saving.keep_draft
        self.undo = self._undoing.undo
        self.redo = self._undoing.redo
        self.take_back_click = clicking.take_back
        self.clear = editing.clear
        self.mark_absent = editing.mark_absent
        self.mark_occluded = editing.mark_occluded
        self.show_again = editing.show_again
        self.verify = editing.verify
        self.unanchor = editing.unanchor
        self.copy_mask = self._moving.copy
        self.paste_mask = self._moving.paste
        self.exchange = self._moving.exchange
        self.import_masks = self._importing.import_masks
        self.propagate = self._jobs.propagate
        self.verify_and_heal = correcting.verify_and_heal
        self.refine = correcting.refine
        self.accept_refinement = correcting.accept_refinement
        self.reject_refinement = correcting.reject_refinement
        self.cancel = self._jobs.cancel

    def open(self, source: Path) -> None:
        """Open a video, a folder of images, a project file or a VISOR JSON.

        On an error (MaskwrightError) what is open stays open. VideoMissingError says that the
        project is sound but its video is not where it was: ask for it, call `relocate_video`.
        """
        folder = self.settings.autosave_folder
        same = reopened_as(source, folder)
        if self._is_current(same):
            self._saving.flush()
            return
        try:
            opened = open_source(source, folder)
        except VideoMissingError:
            self._homeless = same
            raise
        self._replace(opened)

    def relocate_video(self, source: Path) -> None:
        """Say where the video of the project is that could not be opened, or of the open one."""
        path = self._homeless or self._workspace.project_path
        if path is None:
            return
        if path != self._workspace.project_path:
            self._replace(open_project(path, source))
            return
        self.close()
        try:
            opened = open_project(path, source)
        except BaseException:
            self._replace(open_project(path))
            raise
        self._replace(opened)

    def save_as(self, path: Path) -> None:
        """Copy the project file to `path` and go on with the copy. Raises StorageError.

        Where that is the project's own file already, it is only made sure that all is in it.
        """
        if self._is_current(path):
            self._saving.flush()
        elif self._saving.copy_to(path):
            self._workspace.project_path = path

    def close(self) -> None:
        """Stop the job and keep its results, write everything, close the video."""
        workspace = self._workspace
        if workspace.video is None or workspace.cache is None:
            return
        self._jobs.cancel()
        workspace.enter(SessionState.CLOSING)
        self._clicking.drop()
        self._correcting.reject_refinement()
        self._editing.new_anchors.clear()
        self._engine.stop()
        self._review.stop()
        self._exporting.stop()
        try:
            self._saving.stop()
        except StorageError as error:
            workspace.report("error", str(error))
        workspace.cache.close()
        workspace.video.close()
        workspace.forget()
        self.opened.emit()

    def apply_settings(self, settings: Settings) -> None:
        """Work with other settings from now on; other models are loaded when they are needed."""
        before, self._workspace.settings = self._workspace.settings, settings
        if choice_of(before) != choice_of(settings) and self.is_open:
            self._jobs.cancel()
            self._clicking.drop()
            self._start_engine()
        if self._settings_file is not None:
            try:
                keep_changes(self._settings_file, before, settings)
            except OSError as error:
                self._workspace.report("warning", f"The settings could not be kept: {error}")
        self.settings_changed.emit()

    @property
    def undo_text(self) -> str:
        """What `undo` takes back; empty where there is nothing."""
        return self._undoing.text

    @property
    def is_asking(self) -> bool:
        """Whether a click or box is not answered yet."""
        return bool(self._clicking.asked)

    @property
    def candidates(self) -> tuple[int, int]:
        """(which is shown, how many there are) of the last click's masks; (0, 0) = none."""
        return self._clicking.candidates

    @property
    def has_copied(self) -> bool:
        """Whether a mask has been copied that can be pasted."""
        return self._moving.copied is not None

    @property
    def has_refinement(self) -> bool:
        """Whether a sharpened mask is shown that waits to be accepted."""
        return self._correcting.has_refinement

    @property
    def reference(self) -> Reference | None:
        """What the masks are compared with, if anything."""
        return self._comparing.reference

    @property
    def shows_reference(self) -> bool:
        """Whether the reference is shown in place of the masks, not the difference to it."""
        return self._comparing.is_swapped

    @property
    def can_compare(self) -> bool:
        """Whether there is anything to compare the masks with."""
        return self._comparing.can_compare

    @property
    def has_changes(self) -> bool:
        """Whether a job has changed masks since the video was opened."""
        return bool(self._jobs.before)

    @property
    def has_truth(self) -> bool:
        """Whether a ground truth has been read."""
        return self._comparing.has_truth

    @property
    def is_at_suspect(self) -> bool:
        """Whether the person still looks at the suspect that was gone to last."""
        return self._review.is_at_suspect

    @property
    def suspects(self) -> tuple[Suspect, ...]:
        """The suspects, worst first."""
        return self._review.suspects

    def _is_current(self, path: Path) -> bool:
        """Whether `path` is the open project's file, by this name or another."""
        current = self._workspace.project_path
        if current is None or path == current:
            return path == current
        return path.exists() and current.exists() and path.samefile(current)

    def _replace(self, opened: Opened) -> None:
        """Close what is open and show what was opened in its place."""
        self.close()
        workspace = self._workspace
        self._homeless = None
        workspace.video = opened.video
        workspace.cache = FrameCache(opened.video, cache_bytes(self.settings))
        workspace.project_path, workspace.attachment = opened.path, opened.attachment
        workspace.set_document(opened.document)
        self._saving.start(opened.project)
        self._start_engine()
        self._review.start()
        workspace.enter(SessionState.IDLE)
        self.opened.emit()
        self.objects_changed.emit()
        for note in opened.notes:
            workspace.report("warning", note)

    def _start_engine(self) -> None:
        cache, settings, loader = self._workspace.cache, self.settings, self._loader
        assert cache is not None
        self._engine.start(lambda: loader(cache, settings))

    @Slot()
    def _keep_selection(self) -> None:
        """Select no object that is gone."""
        if self.selected not in {info.id for info in self.objects}:
            self.select(None)
