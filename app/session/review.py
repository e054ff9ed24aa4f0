"""The suspects, in the order in which to look at them."""

from app.core.issues import Issue
from app.session.workspace import Workspace


class Review:
    """Keeps the issues up to date and steps through them."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def next_issue(self, step: int = 1) -> None:
        """Go to the next suspect (or the one before) and select its object."""

    def dismiss(self, issue: Issue) -> None:
        """Take a suspect off the list: it was looked at and is fine."""
