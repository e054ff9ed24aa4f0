"""The edits that no heal has followed yet: where the next one begins, and what it puts right."""

from collections.abc import Iterable

from app.core.document import Document, Entry, Key
from app.core.places import Exchanges, Owners
from app.session.state.masks import Masks


class Unhealed:
    """What was edited since the last heal: anchors, exchanges, and masks that gave something."""

    def __init__(self, masks: Masks) -> None:
        self._masks = masks
        self._anchors: set[Key] = set()
        self._exchanges = Exchanges()
        self._gave: dict[Key, Entry] = {}  # what is left of masks that gave something

    def note_anchors(self, keys: Iterable[Key]) -> None:
        """Let the next heal begin at these anchors, too."""
        self._anchors.update(keys)

    def note_giver(self, key: Key, left: Entry) -> None:
        """Take note that a mask gave something to another object, and what is left of it."""
        self._gave[key] = left

    def note_exchange(self, frame: int, one: int, other: int) -> None:
        """Take note that two objects have now each other's masks on a frame."""
        self._exchanges.note(self._masks.document, frame, one, other)

    def forget_exchange(self, frame: int) -> None:
        """Take the exchange on a frame for not done, as where an edit is made anew."""
        self._exchanges.forget(frame)

    def forget(self) -> None:
        """Let the next heal begin at none of the edits so far."""
        self._anchors.clear()
        self._exchanges.take(self._masks.document)
        self._gave.clear()

    def forget_carried_on(self) -> None:
        """Forget the anchors that a propagation has carried on: beside them nothing is stale."""
        document = self._masks.document
        self._anchors = {key for key in self._anchors if not _is_carried_on(document, key)}

    def take_anchors(self) -> set[Key]:
        """Return the new anchors, and forget them."""
        taken, self._anchors = self._anchors, set()
        return taken

    def take_exchanges(self) -> dict[int, Owners]:
        """Return frame -> whose masks each object has there now, and forget it."""
        found = self._exchanges.take(self._masks.document)
        return {
            frame: owners
            for frame, owners in found.items()
            if not any(self._masks.is_locked(number) for number in owners)
        }

    def take_givers(self) -> list[Key]:
        """Return where masks gave something to another object, and forget it.

        Those that were changed again since then, by an undo or otherwise, are left out.
        """
        gave, self._gave = self._gave, {}
        now = {key: self._masks.document.get(key) for key in gave}
        return [key for key, entry in now.items() if entry and entry.mask == gave[key].mask]


def _is_carried_on(document: Document, key: Key) -> bool:
    """Whether masks that a model made stand beside an anchor, none of which waits to be healed."""
    keys = (Key(key.frame + side, key.object) for side in (-1, 1))
    beside = [entry for each in keys if (entry := document.get(each)) and not entry.is_anchor]
    return bool(beside) and not any(entry.stale for entry in beside)
