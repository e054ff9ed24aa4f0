"""Edits to the masks: each is one undo step."""

from collections.abc import Iterable

from app.core.document import Key
from app.session.workspace import Workspace
from models.api import BoolMask, Box, Click


class Editing:
    """What a person does to masks: clicks, strokes, approvals."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def click(self, click: Click) -> None:
        """Add a point on the current frame to the selected object; one is made if none is."""

    def set_box(self, box: Box) -> None:
        """Ask for the selected object's mask in `box` on the current frame."""

    def next_candidate(self) -> None:
        """Show the next of the masks that the last click or box could mean."""

    def preview_click(self, click: Click | None) -> None:
        """Show as a ghost what a click would give, without giving it; None takes it away."""

    def commit_mask(self, frame: int, object_id: int, pixels: BoolMask, text: str) -> None:
        """Set a mask as drawn: brush, eraser, polygon, fill. All False = absent."""

    def clear(self, keys: Iterable[Key]) -> None:
        """Remove the entries."""

    def mark_absent(self, keys: Iterable[Key]) -> None:
        """Say that the object is not in the picture."""

    def mark_occluded(self, keys: Iterable[Key]) -> None:
        """Say that the object is behind something."""

    def approve(self, keys: Iterable[Key]) -> None:
        """Make the masks anchors as they are."""

    def unanchor(self, keys: Iterable[Key]) -> None:
        """Let models overwrite the masks again."""
