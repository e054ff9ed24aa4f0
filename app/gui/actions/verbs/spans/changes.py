"""The verbs of the changes: accept or reject what the last job made of the masks."""

from collections.abc import Callable

from PySide6.QtCore import QObject, Slot

from app.core.document import Key
from app.gui.panels.changes import ChangesPanel
from app.session.comparison import Comparison, Reference
from app.session.edits.changes import Changes
from app.session.state.status import Status
from app.session.state.view import ViewState


class ChangeVerbs(QObject):
    """What is done from the list of changes; without a choice there, to the mask in view."""

    def __init__(
        self,
        changes: Changes,
        compare: Comparison,
        view: ViewState,
        status: Status,
        panel: ChangesPanel,
        bring: Callable[[], None],
    ) -> None:
        """`bring` shows the panel, in front of others."""
        super().__init__(panel)
        self._bring = bring
        self._changes, self._compare = changes, compare
        self._view, self._status, self._panel = view, status, panel
        panel.asked.connect(self.show)

    def view(self) -> None:
        """Show the list, and the largest change; asked again, the one after it."""
        before = self._panel.chosen_here() if self._panel.is_in_view else None
        self._bring()
        keys = [each.key for each in self._changes.open]
        if not keys:
            self._status.report("info", "No change of the last job is left to decide on.")
            return
        place = keys.index(before) + 1 if before in keys and self._compare.reference else 0
        self._panel.choose(keys[place % len(keys)])
        self.show(keys[place % len(keys)])

    def accept(self) -> None:
        """Say that the changes chosen are right."""
        self._decide(self._changes.accept)

    def reject(self) -> None:
        """Put back what stood there before."""
        self._decide(self._changes.reject)

    @Slot(object)
    def show(self, key: Key) -> None:
        """Go to a change, and show what it is."""
        self._view.select(key.object)
        self._view.go_to(key.frame)
        self._compare.show(Reference.BEFORE)

    def _decide(self, decide: Callable[[tuple[Key, ...]], None]) -> None:
        """Decide on what is chosen; from the list the picture goes on with it to what is left."""
        from_list = self._panel.is_in_view and bool(self._panel.chosen())
        decide(self._chosen())
        following = self._panel.chosen_here()
        if from_list and following is not None and self._compare.reference is Reference.BEFORE:
            self.show(following)

    def _chosen(self) -> tuple[Key, ...]:
        """Return what is decided on: the choice in the list that is open, else what is in view."""
        here = Key(self._view.frame, self._view.selected or 0)
        chosen = self._panel.chosen() if self._panel.is_in_view else ()
        chosen = chosen or self._panel.reach(here)
        there = {each.key for each in self._changes.open}
        if there.isdisjoint(chosen):
            self._status.report("info", "The last job has changed nothing here.")
            return ()
        return chosen
