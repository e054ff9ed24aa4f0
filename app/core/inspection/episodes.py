"""Drift episodes: stretches of frames on which one object fails."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from app.core.inspection.failures import FAILURES, Failure, Labelling
from app.core.inspection.measures import Floats

_GAP = 2  # good frames in between that do not end an episode


@dataclass(frozen=True, slots=True)
class Episode:
    """One object's failure over neighbouring scored frames.

    `first`, `peak` and `last` are places in the list of scored frames: the onset, the lowest J&F
    and the last that fails. `recovery` is the place of the first frame after it, or None where the
    sequence ends first. `lost` is the sum of 1 - J&F, over scored frames alone.
    """

    object: int  # place among the objects
    failure: Failure
    first: int
    peak: int
    last: int
    recovery: int | None
    lost: float
    partner: int | None = None  # place of the other object of a swap or leak

    def __len__(self) -> int:
        return self.last - self.first + 1


def find_episodes(labelling: Labelling, jf: Floats) -> tuple[Episode, ...]:
    """Return the episodes of all objects, the most costly first; `jf` is (T, K).

    Slips of the outline alone are episodes of their own, parted by how much they cost: an object
    may have slight ones all along.
    """
    found = []
    for number in range(jf.shape[1]):
        codes = labelling.failures[:, number]
        slips = codes == FAILURES.index(Failure.BOUNDARY)
        failing = _stretches(np.flatnonzero((codes > 0) & ~slips).tolist())
        slipping = _levels(np.flatnonzero(slips).tolist(), 1 - jf[:, number])
        found += [_episode(labelling, jf, number, frames) for frames in (*failing, *slipping)]
    return tuple(sorted(found, key=lambda each: (-each.lost, each.object, each.first)))


def _stretches(frames: Sequence[int]) -> Iterator[list[int]]:
    stretch: list[int] = []
    for frame in frames:
        if stretch and frame - stretch[-1] > _GAP + 1:
            yield stretch
            stretch = []
        stretch.append(frame)
    if stretch:
        yield stretch


def _levels(frames: Sequence[int], losses: Floats) -> Iterator[list[int]]:
    """Yield stretches on each of which every frame but those in gaps loses half of the most."""
    waiting = [*_stretches(frames)]
    while waiting:
        stretch = waiting.pop()
        least = losses[stretch].max() / 2
        cores = [*_stretches([frame for frame in stretch if losses[frame] >= least])]
        yield from cores
        held = {frame for core in cores for frame in range(core[0], core[-1] + 1)}
        waiting += _stretches([frame for frame in stretch if frame not in held])


def _episode(labelling: Labelling, jf: Floats, number: int, frames: list[int]) -> Episode:
    """Make the episode of these failing frames; it is called after what costs most in it."""
    losses = 1 - jf[frames, number]
    costs: Counter[int] = Counter()
    partners: Counter[int] = Counter()
    for frame, loss in zip(frames, losses.tolist(), strict=True):
        costs[int(labelling.failures[frame, number])] += loss + 1e-9
    code = costs.most_common(1)[0][0]
    partners.update(
        int(labelling.partners[frame, number])
        for frame in frames
        if labelling.failures[frame, number] == code and labelling.partners[frame, number] >= 0
    )
    after = frames[-1] + 1
    return Episode(
        number,
        FAILURES[code],
        frames[0],
        frames[int(losses.argmax())],
        frames[-1],
        after if after < len(jf) else None,
        float(losses.sum()),
        partners.most_common(1)[0][0] if partners else None,
    )
