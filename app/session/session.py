"""The session: what the window works on."""

from pathlib import Path

from PySide6.QtGui import QUndoStack

from app.core.document import Document, Entry, Key, Objects, State
from app.core.issues import Issue
from app.session.editing import Editing
from app.session.jobs import Jobs
from app.session.objects import ObjectEdits
from app.session.review import Review
from app.session.signals import SessionSignals, SessionState
from app.session.viewing import Viewing
from app.session.workspace import Workspace


class Session(SessionSignals):
    """One open video, or none. Lives in the GUI thread.

    A facade: each concern is one small class of this package, and its calls are offered here under
    the session's name. While nothing is open every call does nothing. Calls that cannot do what was
    asked say so by `reported`; only `open`, `relocate_video`, `save_as` and `export` raise.
    """

    def __init__(self) -> None:
        super().__init__()
        self._workspace = workspace = Workspace(self)
        viewing, objects = Viewing(workspace), ObjectEdits(workspace)
        editing, jobs, review = Editing(workspace), Jobs(workspace), Review(workspace)

        self.undo_stack: QUndoStack = workspace.undo_stack
        self.go_to = viewing.go_to
        self.image = viewing.image
        self.time_of = viewing.time_of
        self.set_range = viewing.set_range
        self.select = viewing.select

        self.add_object = objects.add
        self.edit_object = objects.edit
        self.delete_object = objects.delete
        self.move_object = objects.move
        self.search_classes = objects.search_classes

        self.click = editing.click
        self.set_box = editing.set_box
        self.next_candidate = editing.next_candidate
        self.preview_click = editing.preview_click
        self.commit_mask = editing.commit_mask
        self.clear = editing.clear
        self.mark_absent = editing.mark_absent
        self.mark_occluded = editing.mark_occluded
        self.approve = editing.approve
        self.unanchor = editing.unanchor

        self.propagate = jobs.propagate
        self.accept_and_heal = jobs.accept_and_heal
        self.refine = jobs.refine
        self.accept_refinement = jobs.accept_refinement
        self.drop_refinement = jobs.drop_refinement
        self.cancel = jobs.cancel

        self.next_issue = review.next_issue
        self.dismiss_issue = review.dismiss

    def open(self, source: Path) -> None:
        """Open a video, a folder of images, a project file or a VISOR JSON.

        On an error (MaskwrightError) what is open stays open. VideoMissingError says that the
        project is sound but its video is not where it was: ask for it, call `relocate_video`.
        """

    def relocate_video(self, source: Path) -> None:
        """Say where the video of the project is that could not be opened, or of the open one."""

    def save_as(self, path: Path) -> None:
        """Copy the project file to `path` and go on with the copy."""

    def close(self) -> None:
        """Stop the job and keep its results, write everything, close the video."""

    def export(self, form: str, path: Path) -> None:
        """Write all masks in the background: visor, davis, coco, submission or video."""

    @property
    def is_open(self) -> bool:
        """Whether a video is open."""
        return self._workspace.video is not None

    @property
    def title(self) -> str:
        """The name of the video, empty where none is open."""
        return self._workspace.title

    @property
    def frame_count(self) -> int:
        """The number of frames, 0 where none is open."""
        return self._workspace.frame_count

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the frames, (0, 0) where none is open."""
        return self._workspace.size

    @property
    def fps(self) -> float:
        """Frames per second of the video."""
        return self._workspace.fps

    @property
    def frame(self) -> int:
        """The current frame."""
        return self._workspace.frame

    @property
    def in_point(self) -> int | None:
        """The first frame of the range to work in, where one is set."""
        return self._workspace.in_point

    @property
    def out_point(self) -> int | None:
        """The last frame of the range to work in, where one is set."""
        return self._workspace.out_point

    @property
    def document(self) -> Document:
        """The masks; to be read only."""
        return self._workspace.document

    @property
    def objects(self) -> Objects:
        """The objects, in drawing order."""
        return self._workspace.document.objects

    @property
    def selected(self) -> int | None:
        """The selected object's id."""
        return self._workspace.selected

    @property
    def activity(self) -> SessionState:
        """What the session is busy with."""
        return self._workspace.activity

    @property
    def candidates(self) -> tuple[int, int]:
        """(which is shown, how many there are) of the last click's masks; (0, 0) = none."""
        return self._workspace.candidates

    @property
    def issues(self) -> tuple[Issue, ...]:
        """The suspects, worst first."""
        return self._workspace.issues

    def shown(self, frame: int) -> dict[int, Entry]:
        """Return object id -> entry on `frame`, what is pending over what is in the document."""
        return self._workspace.shown(frame)

    def state(self, key: Key) -> State:
        """Return what the timeline shows at `key`."""
        return self._workspace.state(key)
