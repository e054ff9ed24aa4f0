"""The edit of masks as it was made: what it replaced, so that it can be taken back later."""

from dataclasses import dataclass, field

from app.core.document import Changes, Document, Key


@dataclass(frozen=True, slots=True)
class Edit:
    """The entries that one edit replaced, and those it put there, stale marks included."""

    before: Changes = field(default_factory=dict)
    after: Changes = field(default_factory=dict)

    def then(self, later: "Edit") -> "Edit":
        """Return this edit and a later one as one."""
        return Edit({**later.before, **self.before}, {**self.after, **later.after})

    def undone_in(self, document: Document) -> Changes:
        """Return what takes the edit back, but not where something came after it."""
        return {
            key: self.before[key]
            for key, entry in self.after.items()
            if document.get(key) == entry and self.before[key] != entry
        }

    @property
    def hides(self) -> frozenset[Key]:
        """Where it says that an object is not to be seen."""
        return frozenset(
            key
            for key, entry in self.after.items()
            if entry is not None and entry.mask is None and entry.is_anchor
        )
