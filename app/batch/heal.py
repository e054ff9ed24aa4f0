"""The healing of stale masks: passes that end where old and new agree."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace

from app.batch.predict import UnpackedAnchors, predict
from app.batch.steps import Step, Steps, entries_of, entry_of
from app.core.document import Entry, Key
from app.core.heal import Rules, Watch, agree, merge, probes
from app.core.mask import Mask
from app.core.passes import PackedAnchors, Pass
from models.api import Tracker


def heal(
    tracker: Tracker,
    passes: Iterable[Pass],
    old: Mapping[Key, Entry],
    rules: Rules,
    size: tuple[int, int],
) -> Steps:
    """Yield a step for each frame visited, until each object is back on its `old` masks.

    Where a pass reaches an anchor without having agreed, a second one comes back from it and the
    two are merged. `size` is the frames' (H, W).
    """
    for pass_ in passes:
        healing = _Healing(tracker, pass_, old, rules, size)
        yield from healing.go()
        yield from healing.come_back()


class _Healing:
    """One pass of a heal and, where it is needed, the pass back from the anchors it meets."""

    def __init__(
        self,
        tracker: Tracker,
        pass_: Pass,
        old: Mapping[Key, Entry],
        rules: Rules,
        size: tuple[int, int],
    ) -> None:
        self._tracker, self._pass, self._size = tracker, pass_, size
        self._old, self._rules = old, rules
        self._watches = {number: Watch(rules.patience) for number in pass_.spans}
        self._open = set(pass_.spans)  # objects that have not come back to their old masks
        self._fresh: dict[Key, Entry] = {}

    def go(self) -> Steps:
        """Go from the origin until every object agrees or its span ends."""
        anchors = UnpackedAnchors(_telling(self._pass), self._size)
        with closing(predict(self._tracker, anchors, self._pass.frames)) as found:
            for frame, predictions in found:
                entries = {
                    key: entry
                    for key, entry in entries_of(self._pass, frame, predictions).items()
                    if key.object in self._open
                }
                ripe = self._compare(entries)
                yield Step(frame, entries)
                for number in ripe:
                    if self._holds_ahead(number, frame, entries[Key(frame, number)]):
                        self._open.discard(number)
                        yield Step(frame, self._confirmed(number, frame))
                if not self._open:
                    return

    def come_back(self) -> Steps:
        """Go back from the anchors that were met in disagreement, and merge."""
        meetings: dict[int, set[int]] = {}
        for number in self._open:
            span = self._pass.spans[number]
            barrier = span[-1] + 1 if self._pass.step > 0 else span[0] - 1
            # An anchor without a mask has nothing that could be followed back.
            met = self._pass.anchors.get(barrier, {}).get(number) is not None
            if met and not self._watches[number].agrees:
                meetings.setdefault(barrier, set()).add(number)
        for barrier, objects in meetings.items():
            yield from self._return(barrier, objects)

    def _return(self, barrier: int, objects: set[int]) -> Steps:
        rules, origin, step = self._rules, self._pass.frames[0], self._pass.step
        watches = {number: Watch(rules.patience) for number in objects}
        back = replace(self._pass, frames=tuple(range(barrier, origin, -step)))
        anchors = UnpackedAnchors(back.anchors, self._size)
        with closing(predict(self._tracker, anchors, back.frames)) as found:
            for frame, predictions in found:
                nearness = abs(barrier - frame) / abs(barrier - origin)
                entries: dict[Key, Entry] = {}
                for key, entry in entries_of(back, frame, predictions).items():
                    forward = self._fresh.get(key)
                    if key.object not in watches or forward is None:
                        continue
                    agreed = agree(entry, forward, rules)
                    if not agreed:
                        entries[key] = merge(forward, entry, nearness=nearness, rules=rules)
                    if watches[key.object].feed(agreed=agreed):
                        del watches[key.object]
                yield Step(frame, entries)
                if not watches:
                    return

    def _compare(self, entries: dict[Key, Entry]) -> list[int]:
        """Put the old entry where it agrees with the new; return the objects worth a probe."""
        ripe = []
        for key, entry in entries.items():
            old = self._old.get(key)
            agreed = agree(entry, old, self._rules)
            if old is not None and agreed:
                entries[key] = replace(old, stale=False, score=entry.score)
            if self._watches[key.object].feed(agreed=agreed):
                ripe.append(key.object)
        self._fresh.update(entries)
        return ripe

    def _holds_ahead(self, number: int, frame: int, entry: Entry) -> bool:
        """Whether the old masks ahead are what the tracker would give, judged by three frames."""
        ahead = self._ahead(number, frame)
        # That it is absent further on is an anchor, not an old mask: the pass has to get there.
        if any(Key(other, number) not in self._old for other in ahead):
            return False
        tries = probes(frame, ahead, self._rules.patience)
        given = {number: entry.mask}
        anchors = {
            **_only(_telling(self._pass), number),
            **({frame: given} if entry.mask else {}),
        }
        unpacked = UnpackedAnchors(anchors, self._size)
        if not tries:
            return True
        with closing(predict(self._tracker, unpacked, tries)) as found:
            for other, predictions in found:
                new = entry_of(predictions[number])
                if not agree(new, self._old[Key(other, number)], self._rules):
                    return False
        return True

    def _confirmed(self, number: int, frame: int) -> dict[Key, Entry]:
        keys = [Key(other, number) for other in self._ahead(number, frame)]
        return {key: replace(self._old[key], stale=False) for key in keys if self._old[key].stale}

    def _ahead(self, number: int, frame: int) -> Sequence[int]:
        """Return the frames that the pass has still to fill, in its order of travel."""
        span = self._pass.spans[number]
        if self._pass.step > 0:
            return range(frame + 1, span[-1] + 1)
        return range(frame - 1, span[0] - 1, -1)


def _telling(pass_: Pass) -> PackedAnchors:
    """Return the anchors that a tracker learns from.

    Those off the way that say of all objects that they are absent are left out: of a long absence
    there are so many that they would outvote the few that show something.
    """
    visited = set(pass_.frames)
    return {
        frame: given
        for frame, given in pass_.anchors.items()
        if frame in visited or any(mask is not None for mask in given.values())
    }


def _only(anchors: PackedAnchors, number: int) -> dict[int, dict[int, Mask | None]]:
    return {frame: {number: given[number]} for frame, given in anchors.items() if number in given}
