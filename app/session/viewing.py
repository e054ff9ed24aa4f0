"""Which frame, object and range the person looks at."""

from app.session.workspace import Workspace
from models.api import Image


class Viewing:
    """The current frame, its image, the range and the selection."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def go_to(self, frame: int) -> None:
        """Show `frame`, or the nearest there is."""

    def image(self, frame: int) -> Image | None:
        """Return the image where it is in the cache; otherwise ask for it (`image_ready`)."""

    def time_of(self, frame: int) -> float:
        """Return the time of `frame` in seconds."""
        return 0.0

    def set_range(self, first: int | None, last: int | None) -> None:
        """Set the in and out points; None is the video's start or end."""

    def select(self, object_id: int | None) -> None:
        """Select an object, or none."""
