"""The pass whose view follows an object: what it does where the view has lost it."""

from collections.abc import Mapping, Sequence
from threading import Lock
from time import sleep
from typing import cast

import numpy as np
import pytest
import torch
from torch import Tensor

from models.api import BoolMask, Explainer, Image, LoadOptions, Vote
from models.cutie.config import MemoryConfig, PresenceConfig
from models.cutie.inference.following_pass import FollowingPass, following_memory
from models.cutie.inference.plan import Plan
from models.cutie.inference.single_pass import Pass
from models.cutie.loader import load_tracker
from tests.models.test_view import LENGTH, SIDE, STORED, SmallThing, followed, overlap

SIZE = (60, 100)
LEFT, RIGHT, NOWHERE = slice(10, 30), slice(70, 90), slice(0, 0)


class Jumper(SmallThing):
    """A square that moves a little, and once across the frame, out of any view on it."""

    jump = 3  # the frame

    def _place(self, index: int) -> tuple[slice, slice]:
        top, left = 60 + 2 * index, 40 + 4 * index + (240 if index >= self.jump else 0)
        return slice(top, top + SIDE), slice(left, left + SIDE)


@pytest.mark.parametrize("threads", [1, 2])
def test_a_thing_that_jumps_out_of_the_view_is_found_on_the_same_frame(threads: int) -> None:
    clip = Jumper()
    found = followed(clip, threads=threads)
    assert min(overlap(clip, each) for each in found.values()) > 0.7


def test_a_thing_that_is_gone_has_no_mask_and_is_found_where_it_comes_back() -> None:
    clip = Jumper(gone=(3, 4))
    found = followed(clip)
    assert not found[3][1][1].mask.any()
    assert not found[4][1][1].mask.any()
    assert overlap(clip, found[6]) > 0.7


def test_an_object_that_is_away_at_first_is_looked_up() -> None:
    clip = Jumper(gone=(0, 1))
    anchors = {0: {1: clip.mask(0)}, 6: {1: clip.mask(6)}}
    found = followed(clip, anchors=anchors)
    assert not found[1][1][1].mask.any()
    assert overlap(clip, found[5]) > 0.7


def test_votes_are_told_of_frames_that_were_seen_whole() -> None:
    clip = Jumper(gone=(3,))
    tracker = load_tracker("lite", clip, LoadOptions(weights=STORED, device="cpu", size=160))
    list(tracker.track({0: {1: clip.mask(0)}}, range(LENGTH)))
    assert isinstance(tracker, Explainer)
    votes = tracker.explain(3, 400, 200)  # beyond the view of the frame before
    assert sum(vote.weight for vote in votes) == pytest.approx(1, abs=1e-4)


class OneReader(Jumper):
    """A video that must not be read by two threads at once."""

    def __init__(self) -> None:
        super().__init__()
        self._reading = Lock()

    def __getitem__(self, index: int) -> Image:
        assert self._reading.acquire(blocking=False)
        sleep(0.02)
        try:
            return super().__getitem__(index)
        finally:
            self._reading.release()


@pytest.mark.parametrize("scales", [(), (1.0, 1.2)])
def test_one_thread_at_a_time_reads_the_video(scales: tuple[float, ...]) -> None:
    clip = OneReader()
    options = LoadOptions(weights=STORED, device="cpu", size=160, threads=2, scales=scales)
    tracker = load_tracker("lite", clip, options)
    found = dict(tracker.track({0: {1: clip.mask(0)}}, range(LENGTH)))
    assert overlap(clip, (6, found[6])) > 0.7


class Script:
    """A pass that finds what it was told to: frame -> (columns of its mask, score)."""

    def __init__(self, tells: Mapping[int, tuple[slice, float]]) -> None:
        self.objects = [1]
        self.stepped: list[int] = []
        self.taken: list[tuple[int, BoolMask]] = []
        self.recognised: list[int] = []
        self.recognises: dict[int, tuple[slice, float]] = {}
        self.rested = 0
        self.sees_whole = False
        self._tells = tells

    def step(self, frame: int) -> tuple[Tensor, Tensor]:
        self.stepped.append(frame)
        return _found(*self._tells[frame])

    def recognise(
        self, frame: int, *, place: BoolMask | None = None, ahead: bool = False
    ) -> tuple[Tensor, Tensor]:
        del place, ahead
        self.recognised.append(frame)
        return _found(*self.recognises[frame])

    def take(self, frame: int, masks: Mapping[int, BoolMask]) -> None:
        self.taken.append((frame, masks[1]))

    def rest(self) -> None:
        self.rested += 1

    def explain(self, *_: object) -> tuple[Vote, ...]:
        return ()

    def stop(self) -> None:
        """Nothing is encoded ahead."""


def _mask(columns: slice) -> BoolMask:
    mask = np.zeros(SIZE, np.bool_)
    mask[20:40, columns] = True
    return mask


def _found(columns: slice, score: float) -> tuple[Tensor, Tensor]:
    there = torch.from_numpy(_mask(columns)).float()
    return torch.stack([1 - there, there]), torch.tensor([score])


def following(near: Script, wide: Script, frames: int = 6) -> FollowingPass:
    plan = Plan.of({0: {1: _mask(LEFT)}}, range(frames))
    return FollowingPass(plan, cast("Pass", near), lambda: cast("Pass", wide))


def columns(result: tuple[Tensor, Tensor]) -> list[int]:
    """Return the columns of what is shown."""
    return [int(at) for at in (result[0][1] > 0.5).any(dim=0).nonzero()[:, 0]]


def run(near: Script, wide: Script, frames: int) -> Sequence[list[int]]:
    passes = following(near, wide, frames)
    return [columns(passes.step(frame)) for frame in range(frames)]


SURE = dict.fromkeys(range(6), (LEFT, 0.95))


def test_whole_frames_are_not_looked_at_while_the_view_is_sure() -> None:
    near, wide = Script(SURE), Script({})
    assert run(near, wide, 6) == [list(range(10, 30))] * 6
    assert wide.taken == []
    assert wide.recognised == []


@pytest.mark.parametrize(
    "doubt",
    [
        pytest.param((NOWHERE, 0.0), id="nothing"),
        pytest.param((LEFT, 0.7), id="a blurred mask"),
        pytest.param((slice(10, 19), 0.95), id="less than half of it"),
        pytest.param((RIGHT, 0.95), id="a jump"),
    ],
)
def test_what_may_be_lost_is_looked_up_from_where_it_was_last(doubt: tuple[slice, float]) -> None:
    near, wide = Script(SURE | {3: doubt}), Script({})
    near.recognises = wide.recognises = {3: (slice(40, 60), 0.9)}
    assert run(near, wide, 5)[3] == list(range(40, 60))
    assert [frame for frame, _ in wide.taken] == [2]
    assert np.array_equal(wide.taken[0][1], _mask(LEFT))
    assert [frame for frame, _ in near.taken] == [3]
    assert np.array_equal(near.taken[0][1], _mask(slice(40, 60)))
    assert near.stepped == [0, 1, 2, 3, 4]


def test_what_is_seen_whole_is_not_looked_up_whatever_it_looks_like() -> None:
    near, wide = Script(SURE | {3: (RIGHT, 0.7)}), Script({})
    near.sees_whole = True
    assert run(near, wide, 5)[3:] == [list(range(70, 90)), list(range(10, 30))]
    assert wide.recognised == []
    assert near.taken == []


def test_the_view_goes_on_as_it_was_where_the_whole_frame_finds_the_same() -> None:
    near, wide = Script(SURE | {3: (LEFT, 0.7)}), Script({})
    near.recognises = wide.recognises = {3: (LEFT, 0.9)}
    assert run(near, wide, 6)[3] == list(range(10, 30))
    assert near.taken == []
    assert near.stepped == list(range(6))


def test_a_part_that_the_view_has_followed_is_known_where_nothing_moves() -> None:
    part = (slice(10, 15), 0.95)
    near, wide = Script(SURE | {3: part}), Script({})
    near.recognises = wide.recognises = {3: part}
    assert run(near, wide, 6)[3] == list(range(10, 15))
    near, wide = Script(SURE | {3: part}), Script({})
    near.recognises = {3: (slice(10, 16), 0.95), 4: part, 5: part}  # not the same to a sixth
    wide.recognises = {3: part, 4: part, 5: part}
    assert run(near, wide, 6)[3:] == [[], [], []]


def test_a_thing_that_becomes_small_little_by_little_is_looked_up_once() -> None:
    small = (slice(10, 18), 0.95)
    near, wide = Script(SURE | dict.fromkeys(range(2, 9), small)), Script({})
    near.recognises = wide.recognises = dict.fromkeys(range(2, 9), small)
    run(near, wide, 9)
    assert 2 in wide.recognised
    assert 8 not in wide.recognised  # that is its usual area by then


@pytest.mark.parametrize(
    ("whole", "closer"),
    [
        pytest.param((RIGHT, 0.9), (slice(80, 100), 0.9), id="the view finds another thing"),
        pytest.param((RIGHT, 0.5), (RIGHT, 0.9), id="the whole frame is unsure"),
        pytest.param((RIGHT, 0.9), (RIGHT, 0.5), id="the view is unsure"),
        pytest.param((slice(70, 77), 0.9), (slice(70, 77), 0.9), id="too small"),
    ],
)
def test_what_is_not_known_again_has_no_mask_and_is_not_remembered(
    whole: tuple[slice, float], closer: tuple[slice, float]
) -> None:
    near, wide = Script(SURE | {2: (NOWHERE, 0.0)}), Script({})
    wide.recognises = dict.fromkeys(range(2, 5), whole) | {5: (RIGHT, 0.9)}
    near.recognises = dict.fromkeys(range(2, 5), closer) | {5: (RIGHT, 0.9)}
    shown = run(near, wide, 6)
    assert shown[2:5] == [[], [], []]
    assert shown[5] == list(range(70, 90))
    assert [frame for frame, _ in wide.taken] == [1]
    assert [frame for frame, _ in near.taken] == [5]
    assert near.stepped == [0, 1, 2]
    assert near.rested == 1


def test_an_anchor_ends_the_search() -> None:
    near, wide = Script(SURE | {2: (NOWHERE, 0.0)}), Script({})
    wide.recognises = dict.fromkeys(range(2, 4), (NOWHERE, 0.0))
    plan = Plan.of({0: {1: _mask(LEFT)}, 4: {1: _mask(LEFT)}}, range(6))
    passes = FollowingPass(plan, cast("Pass", near), lambda: cast("Pass", wide))
    shown = [columns(passes.step(frame)) for frame in range(6)]
    assert shown[2:] == [[], [], list(range(10, 30)), list(range(10, 30))]
    assert near.stepped == [0, 1, 2, 4, 5]
    assert wide.rested == 1


def test_a_view_that_follows_remembers_only_what_is_surely_seen() -> None:
    config = MemoryConfig(presence=PresenceConfig(least_score=0.5, least_share=0.25))
    presence = following_memory(config).presence
    assert presence is not None
    assert presence.least_score > 0.5
    assert presence.least_share == 0.25
    strict = MemoryConfig(presence=PresenceConfig(least_score=0.9))
    assert following_memory(strict) == strict
    assert following_memory(MemoryConfig()) == MemoryConfig()
