"""One object's way from a corrected anchor: where it ends, and which masks hold on it."""

import enum
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from app.core.document import Entry
from app.core.evidence import (
    Candidate,
    Candidates,
    Source,
    Stretch,
    choose,
    fits,
    is_surer,
    overlap,
    place_odds,
    taken,
)
from app.core.heal import Rules, agree, difference
from app.core.mask import Mask

_TAKEN = 0.2  # share of a mask in another object's from which on the two are the same thing
_SAME_THING = 0.5  # ... from which on of the two only one is there
_SURE = 0.95  # IoU of masks that are the same but for noise
_LEFT = 1 / 3  # of what the correction changed, how much may be left where old and new agree
_MET, _PARTED = 0.8, 0.05  # IoU from which on two ways meet, and what it falls by as they part
_SURER = 0.1  # score by which an old mask holds on the way to where both agree: right nine in ten
_RIVAL = 0.7  # lead in support, in log odds, from which on a mask is clearly the likelier one


Settled = dict[int, tuple[Source, Candidates]]  # frame -> which source holds, of what there was


class Verdict(enum.Enum):
    """What a walk has come to."""

    GOES_ON = "goes on"
    AGREES = "agrees"  # it is back on the old masks
    GIVES_WAY = "gives way"  # the old masks that it differs from are the surer ones


class Walk:
    """One object's way from a corrected anchor, weighed frame by frame against the old masks."""

    def __init__(self, stretch: Stretch, rules: Rules) -> None:
        self.stretch, self.rules = stretch, rules
        self.new: dict[int, Candidate] = {}
        self.agreed: list[int] = []  # the latest frames, one after the other, that agree
        self._alike: dict[int, float] = {}  # IoU of old and new
        self._doubted = 0
        self._against: dict[int, float] = {}  # what the others' masks say against the old ones
        self._ignored: set[int] = set()  # objects that lie where this one does from the start

    def feed(
        self, frame: int, entry: Entry, others: Mapping[int, Mask], *, gains: bool = False
    ) -> Verdict:
        """Take the mask of the next frame in; `others` are the other objects' masks there.

        One that `gains` what another object loses differs from the old one, be it by little.
        """
        old = self.stretch.old.get(frame)
        if not self.new:
            self._ignored = {n for n, m in others.items() if overlap(entry.mask, [m]) > _TAKEN}
            self.rules = _stricter(self.rules, entry, old)
        agreed = not gains and agree(entry, old, self.rules)
        self._alike[frame] = 1 - difference(entry.mask, old.mask) if old else 0.0
        strangers = self._strangers(others)
        self.new[frame] = self.stretch.new(frame, entry, strangers)
        self._against[frame] = taken(old.mask, strangers) if old else 0.0
        self.agreed = [*self.agreed, frame] if agreed else []
        doubted = not agreed and not self.prefers_new(frame)
        self._doubted = self._doubted + 1 if doubted else 0
        if len(self.agreed) >= self.rules.patience + (self._alike[frame] < _SURE):
            return Verdict.AGREES
        if not agreed and (met := self._met_and_parted()):
            self.agreed = met
            return Verdict.AGREES
        return Verdict.GIVES_WAY if self._doubted >= self.rules.doubts else Verdict.GOES_ON

    def _met_and_parted(self) -> list[int]:
        """Return the frames from where old and new came close until they went apart again.

        Two ways that come from certain masks on both sides and meet are right up to there.
        """
        if self.stretch.end is None:
            return []
        walked, alike = list(self._alike), self._alike
        best = max(walked, key=lambda frame: alike[frame])
        since = walked[walked.index(best) :]
        # Beside the correction they were apart, or the correction was next to nothing.
        came_close = alike[best] >= max(_MET, alike[walked[0]] + _PARTED)
        latest = since[1:][-self.rules.doubts :]
        parted = all(alike[frame] < alike[best] - _PARTED for frame in latest)
        stand = all(frame in self.stretch.old for frame in since)
        return since if came_close and len(latest) == self.rules.doubts and parted and stand else []

    def prefers_new(self, frame: int) -> bool:
        """Whether the new mask of a frame that was walked is surer than the old one."""
        old = self.stretch.standing(frame)
        return old is None or self.new[frame].support >= old.support - self._against[frame]

    def comes_back_from(self) -> int | None:
        """Return the frame that a second pass comes back from, None where none is needed.

        It is the end, where the new masks do not lead to the one that is certain there; else the
        first frame on which the old ones hold.
        """
        if self.agreed or self.stretch.end is None:
            return None
        if self._misses_the_end:
            return self.stretch.frames[-1] + self.stretch.step
        held = self.settled({}, met=False)
        return next((f for f, (source, _) in held.items() if source is Source.OLD), None)

    def reaches_back(self, start: int) -> bool:
        """Whether a pass that comes back from `start` has to go the whole way."""
        return start not in self.new

    @property
    def _misses_the_end(self) -> bool:
        last = self.stretch.frames[-1]
        return (
            last in self.new
            and self.prefers_new(last)
            and not fits(self.new[last].entry.mask, self.stretch.end)
        )

    @property
    def lead(self) -> float:
        """How surely it holds new masks or old ones, whatever other objects have, in log odds."""
        if self.agreed:
            return math.inf
        pairs = ((new, self.stretch.standing(frame)) for frame, new in self.new.items())
        return abs(sum(new.support - old.support for new, old in pairs if old is not None))

    def settled(
        self,
        back: Mapping[int, Entry],
        *,
        met: bool,
        others: Mapping[int, Mapping[int, Mask]] | None = None,
    ) -> Settled:
        """Return for each frame walked which source holds, and what there was to choose from.

        From where the walk agreed to its end the old masks hold. Otherwise the masks of the pass
        that came `back` are weighed, too; `met` says that it came to agree with the walk, which is
        right up to there, then. `others` are the masks that hold of other objects, frame by frame:
        what lies in them is believed less.
        """
        walked = list(self.new)
        offers = [self._beside(self._offers(f, back), (others or {}).get(f, {})) for f in walked]
        if self.agreed:
            disputed = walked[: len(walked) - len(self.agreed)]
            path = [*map(self._disputed, disputed), *[Source.OLD] * len(self.agreed)]
        else:
            offers = list(self._discounted(offers, met=met))
            path = choose(offers, self.stretch.start, *self._beyond(len(walked)))
        return dict(zip(walked, zip(path, offers, strict=True), strict=True))

    def _disputed(self, frame: int) -> Source:
        """Return which holds before old and new agree: the new one, unless it is the less sure one.

        Where old masks do not lead to the corrected one it does not matter how sure they are. Nor
        does that it is absent hold, which goes on from where a person said so for no one knows how
        long.
        """
        if self.stretch.start is None:
            goes_on = self.new[frame].entry.mask is None
            return Source.OLD if goes_on and not self.prefers_new(frame) else Source.NEW
        old, first = (self.stretch.old.get(each) for each in (frame, self.stretch.frames[0]))
        if old is None or first is None or not fits(first.mask, self.stretch.start):
            return Source.NEW
        return Source.OLD if is_surer(old, self.new[frame].entry, _SURER) else Source.NEW

    def _discounted(self, offers: Sequence[Candidates], *, met: bool) -> Iterator[Candidates]:
        """Yield what there is to choose from, trusted less where a pass is known to have drifted.

        One that ends on other masks than those that are certain has left them somewhere on the
        way: the linear weights of MiVOS (Cheng et al. 2021).
        """
        count = sum(Source.BACK in here for here in offers)
        confirmed = len(offers) - count
        for place, here in enumerate(offers):
            if Source.BACK not in here:
                yield here
                continue
            share = (place - confirmed + 1) / (count + 1)
            new, returned = here[Source.NEW], here[Source.BACK]
            yield {
                **here,
                Source.NEW: new._replace(support=new.support + place_odds(1 - share)),
                Source.BACK: returned
                if met
                else returned._replace(support=returned.support + place_odds(share)),
            }

    def _beyond(self, place: int) -> tuple[Mask | None, Source | None]:
        """Return the mask that stands after so many frames, and where it comes from."""
        if place == len(self.stretch.frames):
            return self.stretch.end, None
        entry = self.stretch.old.get(self.stretch.frames[place])
        return entry.mask if entry else None, Source.OLD if entry else None

    def _beside(self, offers: Candidates, others: Mapping[int, Mask]) -> Candidates:
        strangers = self._strangers(others)
        return {
            source: each._replace(support=each.support - taken(each.entry.mask, strangers))
            for source, each in offers.items()
        }

    def _strangers(self, others: Mapping[int, Mask]) -> list[Mask]:
        return [mask for number, mask in others.items() if number not in self._ignored]

    def _offers(self, frame: int, back: Mapping[int, Entry]) -> dict[Source, Candidate]:
        offers = {Source.NEW: self.new[frame]}
        if (old := self.stretch.standing(frame)) is not None:
            offers[Source.OLD] = old
        if frame in back:
            offers[Source.BACK] = self.stretch.back(back[frame])
        return offers


def apart(found: Mapping[int, Settled]) -> dict[int, Settled]:
    """Return what holds of each object, but of no two the same thing on one frame.

    Where two are, the one goes elsewhere for which more speaks there, if it has a mask that does.
    """
    held = {number: dict(settled) for number, settled in found.items()}
    for frame in sorted({frame for settled in found.values() for frame in settled}):
        here = {number: settled[frame] for number, settled in held.items() if frame in settled}
        while moves := [move for number in here if (move := _elsewhere(number, here))]:
            _, number, source = max(moves, key=lambda move: move[0])
            here[number] = held[number][frame] = (source, here[number][1])
    return held


def changes(found: Mapping[int, Settled]) -> int:
    """Return how many masks hold that are not the old ones."""
    sources = (source for settled in found.values() for source, _ in settled.values())
    return sum(source is not Source.OLD for source in sources)


def support(found: Mapping[int, Settled]) -> float:
    """Return what speaks for all masks that hold, in log odds."""
    return sum(
        offers[source].support for settled in found.values() for source, offers in settled.values()
    )


def _elsewhere(
    number: int, here: Mapping[int, tuple[Source, Candidates]]
) -> tuple[float, int, Source] | None:
    """Return by how much more speaks for another mask of an object that lies in another one."""
    source, offers = here[number]
    others = [
        mask
        for each, (held, theirs) in here.items()
        if each != number and (mask := theirs[held].entry.mask) is not None
    ]
    if overlap(offers[source].entry.mask, others) <= _SAME_THING:
        return None
    free = [
        (each.support - offers[source].support, number, other)
        for other, each in offers.items()
        if each.entry.mask is not None and overlap(each.entry.mask, others) < _TAKEN
    ]
    best = max(free, key=lambda move: move[0], default=None)
    return best if best is not None and best[0] > _RIVAL else None


def _stricter(rules: Rules, new: Entry, old: Entry | None) -> Rules:
    """Return rules by which old and new differ beside the correction, be it ever so small."""
    if old is None:
        return rules
    iou = 1 - _LEFT * difference(new.mask, old.mask)
    return replace(rules, iou=max(rules.iou, min(iou, _SURE)))


def is_conflict(source: Source, offers: Candidates, rules: Rules) -> bool:
    """Whether another mask of a frame is nearly as sure as the one that holds, and quite other."""
    chosen = offers[source]
    return any(
        other.support >= chosen.support - _RIVAL
        and difference(other.entry.mask, chosen.entry.mask) > rules.conflict
        for other in offers.values()
    )
