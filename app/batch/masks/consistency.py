"""Masks made consistent over frames: those that stand, and a tracker's, hold a vote."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field

import numpy as np

from app.batch.passes.fill import fill
from app.batch.passes.steps import Step, Steps
from app.core.document import Entry, Key, Origin
from app.core.mask import Mask
from app.core.passes import Pass
from app.core.vote import VoteFrame, VoteRules, vote
from models.api import BoolMask, Tracker


@dataclass(frozen=True, slots=True, eq=False)
class Ballot:
    """What is voted on: the masks that stand on `frames`, and the passes that give masklets."""

    frames: range
    objects: tuple[int, ...]
    standing: Mapping[Key, Mask]
    passes: tuple[Pass, ...]
    rules: VoteRules = field(default_factory=VoteRules)


def make_consistent(tracker: Tracker, ballot: Ballot, size: tuple[int, int]) -> Steps:
    """Yield a step for each frame that is tracked, then the masks that the vote changed.

    `size` is the frames' (H, W). An object's mask becomes the masklets that most of a window's
    masks are made of; it stays where they are made of none.
    """
    masklets: dict[Key, Entry] = {}
    for each in ballot.passes:
        masklets |= _given(each)
    with closing(fill(tracker, ballot.passes, size)) as steps:
        for step in steps:
            masklets |= step.entries
            yield Step(step.frame, {})
    for number in ballot.objects:
        yield from _elect(ballot, number, masklets, size)


def _given(pass_: Pass) -> dict[Key, Entry]:
    """Return the masks that a pass sets out from: nothing has to be tracked there."""
    return {
        Key(frame, number): Entry(mask, Origin.PROPAGATED, score=1.0)
        for frame, masks in pass_.anchors.items()
        for number, mask in masks.items()
    }


def _elect(
    ballot: Ballot, number: int, masklets: Mapping[Key, Entry], size: tuple[int, int]
) -> Steps:
    nothing = np.zeros(size, np.bool_)

    def masks_on(frame: int) -> dict[int, BoolMask]:
        found = {n: masklets.get(Key(frame, n)) for n in ballot.objects}
        return {n: each.mask.decode() for n, each in found.items() if each and each.mask}

    def standing_on(frame: int) -> BoolMask:
        mask = ballot.standing.get(Key(frame, number))
        return mask.decode() if mask else nothing

    held = (VoteFrame(standing_on(frame), masks_on(frame)) for frame in ballot.frames)
    left: Sequence[int] = ballot.frames
    for window in vote(held, ballot.rules):
        changed: dict[Key, Entry] = {}
        for frame, elected in zip(left, window.masks, strict=False):
            key, mask = Key(frame, number), Mask.encode(elected)
            if window.combination and mask != ballot.standing.get(key):
                made = masklets.get(key)
                changed[key] = Entry(mask, Origin.PROPAGATED, score=made.score if made else None)
        yield Step(left[0], changed)
        left = left[len(window.masks) :]
