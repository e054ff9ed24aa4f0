"""The healing of stale masks: passes that end where old and new agree, or the old are surer."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace

from app.batch.passes.predict import Retracing, UnpackedAnchors, predict
from app.batch.passes.steps import Step, Steps, entries_of, entry_of
from app.core.document import Entry, Key, Origin
from app.core.evidence import Beside, Source, Stretch, overlap
from app.core.heal import Rules, Watch, agree, difference, probes
from app.core.mask import Mask
from app.core.overlap import inside
from app.core.passes import PackedAnchors, Pass
from app.core.walk import Settled, Verdict, Walk, apart, changes, is_conflict, support
from models.api import Tracker

_BACK = 8  # frames that a pass goes back where it is not clear where the drift began
_SWEEPS = 3  # over the objects of a pass
_TIE = 3.1  # support an object, in log odds, that is none against what a person has corrected
_GAINED = 0.5  # share of what an object loses that another one has, where it is the one to gain
_NEAR = 8  # old masks ahead among which a drift that begins anew is still this heal's to put right
_LESS_SURE = 0.06  # by how much lower than where a pass may end a score says that it does
_LONG = 100  # old masks ahead from which on some are tried before a pass ends


def heal(
    tracker: Tracker,
    passes: Iterable[Pass],
    old: Mapping[Key, Entry],
    rules: Rules,
    size: tuple[int, int],
) -> Steps:
    """Yield a step for each frame visited, until each object is back on its `old` masks.

    Where a pass differs to its end from masks that are certain, a second one comes back, and of
    old, new and second masks those hold that are surest together. `old` are all entries on the
    frames of the passes and beside them, of other objects too. `size` is the frames' (H, W).
    """
    known = dict(old)
    for pass_ in passes:
        healing = _Healing(tracker, pass_, known, rules, size)
        yield from healing.go()
        # What one pass has settled is what the next one finds.
        for step in healing.settle():
            known |= step.entries
            yield step


class _Healing:
    """One pass of a heal and, where it is needed, the pass back from the masks it gave way to."""

    def __init__(
        self,
        tracker: Tracker,
        pass_: Pass,
        old: Mapping[Key, Entry],
        rules: Rules,
        size: tuple[int, int],
    ) -> None:
        self._tracker, self._pass, self._size = Retracing(tracker), pass_, size
        self._old, self._rules = old, rules
        self._known = {number for given in pass_.anchors.values() for number in given}
        self._walks = {number: Walk(self._stretch(number), rules) for number in pass_.spans}
        self._open = set(pass_.spans)  # objects whose walk has not ended
        self._warned: set[int] = set()  # objects that drift again further on
        self._met: set[int] = set()  # objects whose pass back came to agree with the walk

    def go(self) -> Steps:
        """Go from the origin until every object's walk has ended."""
        anchors = UnpackedAnchors(_telling(self._pass), self._size)
        with closing(predict(self._tracker, anchors, self._pass.frames)) as found:
            for frame, predictions in found:
                fresh = entries_of(self._pass, frame, predictions)
                new = {key: entry for key, entry in fresh.items() if key.object in self._open}
                verdicts = {key.object: self._fed(key, new) for key in new}
                for key in self._taken_from(fresh, new):
                    self._open.add(key.object)
                    new[key] = fresh[key]
                    verdicts[key.object] = self._fed(key, new)
                shown = {key: entry for key, entry in new.items() if self._shows(key)}
                yield Step(frame, shown, computed=bool(new))
                together = Verdict.GOES_ON not in verdicts.values()
                for number, verdict in verdicts.items():
                    if verdict is Verdict.AGREES and not together:
                        continue
                    if self._ends(number, frame, verdict, new[Key(frame, number)]):
                        self._open.discard(number)
                        yield Step(frame, self._confirmed(number, frame), computed=False)
                if not self._open:
                    return

    def _fed(self, key: Key, new: Mapping[Key, Entry]) -> Verdict:
        """Return what the walk of an object comes to with its new mask of a frame."""
        walk, others = self._walks[key.object], self._others(key, new)
        return walk.feed(key.frame, new[key], others, gains=self._gains(key, new))

    def _taken_from(self, fresh: Mapping[Key, Entry], new: Mapping[Key, Entry]) -> list[Key]:
        """Return where walks have ended whose old masks lie on what a `new` one has got.

        They were right as long as that one was wrong, too: it has to be seen where they are now.
        """
        takers = [each.mask for key, each in new.items() if each.mask and self._shows(key)]
        ended = (key for key in fresh.keys() - new.keys() if key in self._old)
        return [key for key in ended if overlap(self._old[key].mask, takers) > _GAINED]

    def _gains(self, key: Key, new: Mapping[Key, Entry]) -> bool:
        """Whether a mask has what another one that is healed loses on its frame."""
        mask = new[key].mask
        return any(
            not agree(entry, old, self._walks[other.object].rules)
            and inside(_lost(old, entry), mask) > _GAINED
            for other, entry in new.items()
            if other != key and (old := self._old.get(other)) is not None
        )

    def settle(self) -> Steps:
        """Come back to where a walk left what is certain, and say which masks hold."""
        starts: dict[int, set[int]] = {}
        for number, walk in self._walks.items():
            if walk.new and (start := walk.comes_back_from()) is not None:
                starts.setdefault(start, set()).add(number)
        back: dict[int, dict[int, Entry]] = {number: {} for number in self._walks}
        for start, objects in starts.items():
            for step in self._return(start, objects):
                for key, entry in step.entries.items():
                    back[key.object][key.frame] = entry
                yield Step(step.frame, {}, computed=bool(step.entries))
        held: dict[int, dict[Key, Entry]] = {}
        for number, settled in self._settled(back).items():
            for frame, entry in self._held(self._walks[number], settled):
                held.setdefault(frame, {})[Key(frame, number)] = entry
        # Frame by frame: all at once, whoever shows them would stand still meanwhile.
        for here in held.values():
            # Where masks exclude each other, a later one takes: what is new from what is kept.
            kept = {key: entry for key, entry in here.items() if self._is_kept(key, entry)}
            yield Step(self._pass.frames[0], kept | here, computed=False)

    def _settled(self, back: Mapping[int, Mapping[int, Entry]]) -> dict[int, Settled]:
        """Return which masks hold of all objects together.

        Who keeps old masks holds others to theirs, and who gets new ones frees theirs: either may
        fit, and it is the correction that tells. So it is where more are new, if not much more
        speaks for the other way.
        """
        walks = sorted(self._walks.items(), key=lambda pair: -pair[1].lead)
        orders = (walks, walks[::-1])[: len(walks)]  # an object alone is settled once
        ways = sorted((self._settled_in_order(order, back) for order in orders), key=changes)
        older, newer = ways[0], ways[-1]
        clearly = support(older) > support(newer) + _TIE * len(walks)
        return older if clearly else newer

    def _settled_in_order(
        self, walks: Sequence[tuple[int, Walk]], back: Mapping[int, Mapping[int, Entry]]
    ) -> dict[int, Settled]:
        """Return which masks hold of the first object for itself, of others beside what holds."""
        found: dict[int, Settled] = {}
        for _ in range(_SWEEPS):
            for number, walk in walks:
                beside: dict[int, dict[int, Mask]] = {}
                for other, settled in found.items():
                    for frame, (source, offers) in settled.items():
                        mask = offers[source].entry.mask
                        if other != number and mask is not None:
                            beside.setdefault(frame, {})[other] = mask
                met = number in self._met
                found[number] = walk.settled(back[number], met=met, others=beside)
        return apart(found)

    def _held(self, walk: Walk, settled: Settled) -> Iterator[tuple[int, Entry]]:
        disputed = not walk.agreed and walk.stretch.end is not None
        for frame, (source, offers) in settled.items():
            entry = offers[source].entry
            conflict = disputed and is_conflict(source, offers, self._rules)
            if source is Source.OLD:
                conflict = conflict or (entry.conflict and not walk.agreed)
            yield frame, replace(entry, stale=False, conflict=conflict)

    def _is_kept(self, key: Key, entry: Entry) -> bool:
        """Whether an entry has the mask that stood there."""
        old = self._old.get(key)
        return old is not None and old.mask == entry.mask

    def _return(self, start: int, objects: set[int]) -> Steps:
        """Go back from `start`, on which old masks stand, until it agrees with the walk."""
        watches = {number: Watch(self._rules.doubts) for number in objects}
        seeds = {number: self._standing(number, start) for number in self._known}
        given = {number: mask for number, mask in seeds.items() if mask is not None}
        anchors = _telling(self._pass)
        anchors = {**anchors, start: {**given, **anchors.get(start, {})}}
        last = self._pass.frames[0]
        if any(self._walks[number].reaches_back(start) for number in objects):
            frames = range(start, last, -self._pass.step)
        else:
            frames = range(start, last, -self._pass.step)[: _BACK + 1]
        with closing(predict(self._tracker, UnpackedAnchors(anchors, self._size), frames)) as found:
            for frame, predictions in found:
                entries = {
                    key: entry
                    for key, entry in entries_of(self._pass, frame, predictions).items()
                    if key.object in watches and frame != start
                }
                yield Step(frame, entries)
                for key, entry in entries.items():
                    new = self._walks[key.object].new.get(frame)
                    agreed = new is not None and agree(entry, new.entry, self._rules)
                    if watches[key.object].feed(agreed=agreed):
                        del watches[key.object]
                        self._met.add(key.object)
                if not watches:
                    return

    def _stretch(self, number: int) -> Stretch:
        pass_, span = self._pass, self._pass.spans[number]
        ordered = span if pass_.step > 0 else span[::-1]
        frames = [frame for frame in ordered if pass_.may_fill(Key(frame, number))]
        near = range(min(pass_.frames) - 1, max(pass_.frames) + 2)
        old = {f: self._old[Key(f, number)] for f in near if Key(f, number) in self._old}
        start = pass_.anchors.get(pass_.frames[0], {}).get(number)
        end = self._standing(number, ordered[-1] + pass_.step)
        # What is not stale was put right with the corrected one.
        right = {frame for frame, entry in old.items() if not entry.stale}
        return Stretch(frames or list(ordered), start, end, old, self._beside(number), right)

    def _beside(self, number: int) -> Beside:
        """Return what the corrected mask says of the old ones."""
        corrected = self._old.get(Key(self._pass.frames[0], number))
        if corrected is None or not corrected.verified or corrected.origin is not Origin.PROPAGATED:
            return Beside.WRONG
        # A mask of the model has a score, unless an edit has changed it since.
        return Beside.OPEN if corrected.score is None else Beside.RIGHT

    def _standing(self, number: int, frame: int) -> Mask | None:
        """Return the mask that stands on a frame: an anchor's, or an old one."""
        if number in (given := self._pass.anchors.get(frame, {})):
            return given[number]
        entry = self._old.get(Key(frame, number))
        return entry.mask if entry else None

    def _others(self, key: Key, new: Mapping[Key, Entry]) -> dict[int, Mask]:
        """Return the masks that other objects have on a frame: `new` ones where they are healed."""
        every = {Key(key.frame, number) for number in self._known} - {key}
        return {
            other.object: entry.mask
            for other in every
            if (entry := new.get(other) or self._old.get(other)) and entry.mask
        }

    def _shows(self, key: Key) -> bool:
        walk = self._walks[key.object]
        return not walk.agreed and walk.prefers_new(key.frame)

    def _ends(self, number: int, frame: int, verdict: Verdict, entry: Entry) -> bool:
        """Whether a walk ends here: all frames ahead have masks, and those tried are right."""
        if verdict is Verdict.GOES_ON:
            return False
        ahead = self._ahead(number, frame)
        # That it is absent further on is an anchor, not an old mask: the pass has to get there.
        if any(Key(other, number) not in self._old for other in ahead):
            return False
        if verdict is Verdict.GIVES_WAY:
            return True
        if self._drifts_close_by(number, frame, entry):
            return False
        # Where those tried were wrong, the pass has to get there before it may end.
        if number in self._warned and len(self._walks[number].agreed) > self._rules.doubts:
            return False
        self._warned.discard(number)
        if len(ahead) < _LONG or self._holds_ahead(number, frame, entry):
            return True
        self._warned.add(number)
        return False

    def _drifts_close_by(self, number: int, frame: int, entry: Entry) -> bool:
        """Whether old masks close by are much less sure than both masks are where they agree."""
        near = (self._old[Key(other, number)] for other in self._ahead(number, frame)[:_NEAR])
        scores = [each.score for each in near if each.score is not None]
        here = self._old[Key(frame, number)].score
        if entry.score is None or here is None:
            return False
        return min(scores, default=1.0) < min(entry.score, here) - _LESS_SURE

    def _holds_ahead(self, number: int, frame: int, entry: Entry) -> bool:
        """Whether the old masks ahead are what the tracker would give, judged by three frames."""
        tries = probes(frame, self._ahead(number, frame), self._rules.doubts)
        anchors: dict[int, Mapping[int, Mask | None]] = {**_only(_telling(self._pass), number)}
        if entry.mask:
            anchors[frame] = {number: entry.mask}
        unpacked = UnpackedAnchors(anchors, self._size)
        with closing(predict(self._tracker, unpacked, tries)) as found:
            return all(
                difference(entry_of(predictions[number]).mask, self._old[Key(other, number)].mask)
                <= self._rules.conflict
                for other, predictions in found
            )

    def _confirmed(self, number: int, frame: int) -> dict[Key, Entry]:
        keys = [Key(other, number) for other in self._ahead(number, frame)]
        return {key: replace(self._old[key], stale=False) for key in keys if self._old[key].stale}

    def _ahead(self, number: int, frame: int) -> Sequence[int]:
        """Return the frames that the pass has still to fill, in its order of travel."""
        span = self._pass.spans[number]
        if self._pass.step > 0:
            return range(frame + 1, span[-1] + 1)
        return range(frame - 1, span[0] - 1, -1)


def _lost(old: Entry, new: Entry) -> Mask | None:
    """Return what of an old mask the new one does not have."""
    if old.mask is None or new.mask is None:
        return old.mask
    return Mask.encode(old.mask.decode() & ~new.mask.decode())


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
