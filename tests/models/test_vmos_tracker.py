"""VMOS behind the tracker's contract, with a small network and random weights."""

import numpy as np
import pytest
import torch

from models.api import Frames, Image
from models.vmos.config import MemoryRules, VmosConfig
from models.vmos.engine import Engine
from models.vmos.geometry import input_size
from models.vmos.network.network import Vmos
from models.vmos.tracker import RULES, VmosTracker
from tests.models.contract import Clip, NarrowFramesContract, TrackerContract

SLIM = VmosConfig(channels=(16, 32, 32, 32), depths=(1, 1, 1, 1), groups=(1, 2, 2, 2), layers=2)


@pytest.fixture(scope="module")
def network() -> Vmos:
    """A small network with random weights, the same each time."""
    torch.manual_seed(4)
    return Vmos(SLIM).eval().requires_grad_(False)


def tracker(frames: Frames) -> VmosTracker:
    torch.manual_seed(4)
    return VmosTracker(Vmos(SLIM).eval().requires_grad_(False), frames, side=0)


class TestVmosTracker(TrackerContract, NarrowFramesContract):
    load = staticmethod(tracker)
    floor = 0.0  # random weights follow nothing


@pytest.mark.parametrize(
    ("frame", "seen"),
    [
        ((480, 854), (481, 849)),
        ((720, 1280), (577, 1041)),
        ((1080, 1920), (577, 1041)),
        ((360, 640), (481, 849)),
        ((600, 600), (593, 593)),
        ((100, 1000), (97, 1041)),
    ],
)
def test_frames_are_seen_at_the_published_sizes(
    frame: tuple[int, int], seen: tuple[int, int]
) -> None:
    assert input_size(frame, None) == seen


def test_a_side_that_is_asked_for_is_the_short_one() -> None:
    assert input_size((480, 854), 240) == (241, 433)
    assert input_size((96, 128), 0) == (97, 129)


class ManyObjects:
    """A still picture of stripes, an object each."""

    size = (48, 96)

    def __len__(self) -> int:
        return 6

    def __getitem__(self, index: int) -> Image:
        rows = np.arange(48, dtype=np.uint8)[:, None, None]
        return np.broadcast_to(rows * 5, (48, 96, 3)).copy()

    def mask(self, number: int) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
        mask = np.zeros(self.size, np.bool_)
        mask[:, 6 * number : 6 * number + 5] = True
        return mask


def test_more_objects_than_one_bank_holds_are_all_followed(network: Vmos) -> None:
    clip = ManyObjects()
    anchors = {0: {number: clip.mask(number) for number in range(13)}}
    for _, found in VmosTracker(network, clip, side=0).track(anchors, range(4)):
        assert sorted(found) == list(range(13))
        assert np.sum([each.mask for each in found.values()], axis=0).max() <= 1


def test_an_object_with_other_anchors_leaves_the_others_as_they_are(network: Vmos) -> None:
    clip = Clip(5)
    alone = {0: {1: clip.mask(1, 0)}, 9: {}}
    follow = VmosTracker(network, clip, side=0)
    before = dict(follow.track({0: alone[0]}, range(5)))
    both = dict(follow.track({0: alone[0], 3: {2: clip.mask(2, 3)}}, range(5)))
    for frame in range(3):
        assert np.array_equal(before[frame][1].mask, both[frame][1].mask)
    assert set(both[4]) == {1, 2}


class _ReadOf(Clip):
    """A clip that remembers which frames were read, in their order."""

    def __init__(self, length: int) -> None:
        super().__init__(length)
        self.read: list[int] = []

    def __getitem__(self, index: int) -> Image:
        self.read.append(index)
        return super().__getitem__(index)


def test_anchors_off_the_way_are_remembered_the_nearest_last(network: Vmos) -> None:
    clip = _ReadOf(12)
    anchors = {frame: {1: clip.mask(1, frame)} for frame in (0, 2, 11)}
    list(VmosTracker(network, clip, side=0).track(anchors, range(4, 6)))
    assert clip.read == [4, 11, 0, 2, 5]


def test_of_many_anchors_off_the_way_the_nearest_are_remembered(network: Vmos) -> None:
    clip, most = _ReadOf(20), RULES.most_references
    anchors = {frame: {1: clip.mask(1, frame)} for frame in range(most + 2)}
    list(VmosTracker(network, clip, side=0).track(anchors, [most + 3]))
    assert clip.read == [most + 3, *range(2, most + 2)]


def test_the_memory_stays_as_large_as_it_is(network: Vmos) -> None:
    engine = Engine(network, MemoryRules(long_gap=1, keeps_references=True, most_references=2))
    maps = network.encode(torch.zeros(1, 3, 33, 33))
    labels = torch.ones(33, 33, dtype=torch.long)
    for frame in (0, 1, 2):
        engine.refer(maps, labels, frame=frame)
        engine.advance()
    assert list(engine.steps) == [2, 0]
    for _ in range(8):
        engine.propagate(maps)
        engine.update(labels)
        engine.advance()
    assert list(engine.steps) == [10, 9, 8, 7, 2, 0]


def test_a_reference_that_is_given_again_takes_its_own_place(network: Vmos) -> None:
    engine = Engine(network, MemoryRules(keeps_references=True))
    maps = network.encode(torch.zeros(1, 3, 33, 33))
    for labels in (torch.zeros, torch.ones):
        engine.refer(maps, labels(33, 33, dtype=torch.long), frame=7)
    assert engine.steps == (0,)


def test_upstream_s_memory_keeps_the_first_reference_and_the_newest_frames(network: Vmos) -> None:
    engine = Engine(network, MemoryRules(long_gap=2))
    maps = network.encode(torch.zeros(1, 3, 33, 33))
    labels = torch.ones(33, 33, dtype=torch.long)
    engine.refer(maps, labels, frame=0)
    for _ in range(14):
        engine.advance()
        engine.propagate(maps)
        engine.update(labels)
    assert engine.steps == (14, 12, 10, 8, 6, 0)


def test_a_mask_is_where_its_object_is_likeliest_and_scored_by_how_sharp_it_is(
    network: Vmos,
) -> None:
    clip = Clip(3)
    anchors = {0: {number: clip.mask(number, 0) for number in (1, 2)}}
    found = dict(VmosTracker(network, clip, side=0).track(anchors, range(3), probabilities=True))
    areas = 0
    for frame in (1, 2):
        shares = [found[frame][number].probability for number in (1, 2)]
        one, other = (share for share in shares if share is not None)
        nothing = 1 - one - other
        for number, own, rest in ((1, one, other), (2, other, one)):
            mask = found[frame][number].mask
            assert np.array_equal(mask, (own > np.maximum(rest, nothing)))
            expected = own[mask].sum() / max(np.maximum(own, mask).sum(), 1e-9)
            assert found[frame][number].score == pytest.approx(expected, abs=1e-4)
            areas += int(mask.sum())
    assert areas


def test_nothing_is_likely_where_a_mask_was_given(network: Vmos) -> None:
    clip = Clip(3)
    anchors = {0: {1: clip.mask(1, 0)}, 2: {2: clip.mask(2, 2)}}
    tracker = VmosTracker(network, clip, side=0)
    free = dict(tracker.track({0: anchors[0]}, range(3), probabilities=True))[2][1]
    found = dict(tracker.track(anchors, range(3), probabilities=True))[2][1]
    assert found.probability is not None
    assert free.probability is not None
    taken = clip.mask(2, 2)
    assert not found.probability[taken].any()
    assert free.probability[taken].any()
    np.testing.assert_array_equal(found.probability[~taken], free.probability[~taken])
    np.testing.assert_array_equal(found.mask, free.mask & ~taken)
