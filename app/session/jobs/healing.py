"""The heal: stale masks propagated anew, from the new anchors until they agree with the old."""

from collections.abc import Collection, Mapping

from app.core import heal
from app.core.document import Document, Entry, Key
from app.core.plan import is_anchor
from app.engine.jobs import Heal
from app.session.jobs.job import Job, NothingToDo
from app.session.jobs.passes import TrackingJob
from app.session.state.context import SessionContext
from app.session.state.preferences import rules_of


class Healing(TrackingJob):
    """Recomputes what is stale beside the anchors `new_anchors`."""

    _verb = "Heal"
    _outward = True
    joins = True

    @classmethod
    def plan(cls, context: SessionContext, new_anchors: Collection[Key]) -> "Healing":
        """Return a heal of what is stale between the in and out points. Raises NothingToDo."""
        view = context.view
        passes = heal.plan_heal(
            context.masks.document, new_anchors, first=view.first, last=view.last
        )
        if not passes:
            raise NothingToDo("info", "Nothing has to be healed: no mask is stale here.")
        planned = cls(context, passes)
        planned.new_anchors = frozenset(new_anchors)
        return planned

    def request(self, job_id: int) -> Heal:
        """Return what is asked of the engine."""
        document = self._context.masks.document
        old = heal.evidence(document, self.passes)
        return Heal(job_id, self.passes, old, rules_of(self._context.preferences.settings))

    def rest(self, _document: Document) -> "Job | None":
        """Return a heal of what is still stale; None where nothing is."""
        try:
            return self.after_edit(())
        except NothingToDo:
            return None

    def after_edit(self, edited: Collection[Key]) -> "Job | None":
        """Heal anew, from the edited anchors, too."""
        document = self._context.masks.document
        anchors = {key for key in edited if is_anchor(document, key)}
        job = Healing.plan(self._context, self.new_anchors | anchors)
        job.leave_out(self._left_out)
        return job

    def outcome(self, title: str, before: Mapping[Key, Entry], changed: Mapping[Key, Entry]) -> str:
        """Say of each object how many of its masks were changed, kept, in conflict."""
        facts = heal.summary(self._context.masks.objects, dict(before), dict(changed), self.objects)
        return ". ".join(facts) or f"{title}: nothing changed"
