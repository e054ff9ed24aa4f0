"""What a person has done to masks since the last heal: what the next one puts right."""

from collections.abc import Iterable

from app.core.document import Changes, Entry, Key
from app.core.places import Exchanges, exchanged
from app.session.state.masks import Masks


class SinceHeal:
    """The anchors made since the last heal, the objects that changed places, the masks cut."""

    def __init__(self, masks: Masks) -> None:
        self._masks = masks
        self._anchors: set[Key] = set()
        self._exchanges = Exchanges()
        self._gave: dict[Key, Entry] = {}  # what is left of masks that gave something

    def note_anchors(self, keys: Iterable[Key]) -> None:
        """Let the next heal begin at these anchors, too."""
        self._anchors.update(keys)

    def note_gift(self, key: Key, left: Entry) -> None:
        """Take note of what is left of a mask that gave something to another object."""
        self._gave[key] = left

    def note_exchange(self, key: Key, other: int) -> None:
        """Take note that an object and another one have now each other's masks on a frame."""
        self._exchanges.note(self._masks.document, *key, other)

    def forget_exchange(self, frame: int) -> None:
        """Take an exchange for not done, as where an edit is made anew."""
        self._exchanges.forget(frame)

    def forget(self) -> None:
        """Let the next heal begin at nothing that was done so far."""
        self._anchors.clear()
        self._exchanges.take(self._masks.document)
        self._gave.clear()

    def take_anchors(self) -> set[Key]:
        """Return the anchors made since this was called last: where a heal begins."""
        taken, self._anchors = self._anchors, set()
        return taken

    @property
    def exchange_frames(self) -> frozenset[int]:
        """The frames on which objects changed places since `take_exchanges` was called last."""
        return self._exchanges.frames

    def take_exchanges(self) -> Changes:
        """Return what gives objects that changed places their masks back around there.

        Between two frames on which some did, those of the earlier one hold up to the later.
        """
        document = self._masks.document
        changes: dict[Key, Entry | None] = {}
        for frame, owners in sorted(self._exchanges.take(document).items()):
            if not any(self._masks.is_locked(number) for number in owners):
                done = {key.frame for key in changes}
                found = exchanged(document, frame, owners)
                changes |= {key: entry for key, entry in found.items() if key.frame not in done}
        return changes

    def take_givers(self) -> list[Key]:
        """Return where masks gave something to another object since this was called last.

        Those that were changed again since then, by an undo or otherwise, are left out.
        """
        gave, self._gave = self._gave, {}
        now = {key: self._masks.document.get(key) for key in gave}
        return [key for key, entry in now.items() if entry and entry.mask == gave[key].mask]
