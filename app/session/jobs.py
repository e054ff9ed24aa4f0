"""What is asked of the models, and what becomes of the answers."""

from collections.abc import Iterable

from app.core.plan import Direction
from app.session.workspace import Workspace


class Jobs:
    """The running job: at most one, whose results are pending until it ends."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def propagate(
        self,
        direction: Direction,
        *,
        objects: Iterable[int] | None = None,
        first: int | None = None,
        last: int | None = None,
        to_nearest_anchor: bool = True,
    ) -> None:
        """Fill frames from the current one on, by default of all unlocked objects."""

    def accept_and_heal(self) -> None:
        """Make the current mask an anchor and propagate what it makes stale."""

    def refine(self, frames: Iterable[int] | None = None) -> None:
        """Sharpen masks of the selected object.

        Without `frames` the current one, shown as a ghost (`accept_refinement`,
        `drop_refinement`); with `frames` directly, as one undo step.
        """

    def accept_refinement(self) -> None:
        """Take the ghost over as an anchor."""

    def drop_refinement(self) -> None:
        """Take the ghost away."""

    def cancel(self) -> None:
        """Stop the running job; what is finished is kept."""
