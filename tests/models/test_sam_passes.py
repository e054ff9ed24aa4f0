"""The pass of SAM 2's family: what conditions which frame, and how masks are kept apart."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
import pytest
import torch

from models.api import Anchors, BoolMask, Prediction
from models.sam.video.passes import Output, follow

SIZE = (4, 6)
ONE, OTHER, NOTHING = np.zeros((3, *SIZE), np.bool_)
ONE[:2], OTHER[2:, 3:] = True, True
SURE = torch.full((1, 1), 30.0)


class Memory:
    """Writes down what it is asked, and says what it is told to say, by object."""

    device = torch.device("cpu")

    def __init__(self, says: Mapping[int, Output] | None = None) -> None:
        self._says = says or {}
        self.anchors: defaultdict[int, dict[int, BoolMask]] = defaultdict(dict)
        self.memorised: list[tuple[int, list[int]]] = []
        self.predicted: list[tuple[int, int, bool]] = []
        self.conditioned: dict[tuple[int, int], list[int]] = {}
        self.forgotten: list[int] = []

    def conditioning(self, number: int) -> dict[int, BoolMask]:
        return self.anchors[number]

    def memorise(self, frame: int, masks: Mapping[int, BoolMask]) -> None:
        self.memorised.append((frame, sorted(masks)))
        for number, mask in masks.items():
            self.anchors[number][frame] = mask

    def predict(self, number: int, frame: int, *, reverse: bool) -> Output:
        self.predicted.append((number, frame, reverse))
        self.conditioned[number, frame] = sorted(self.anchors[number])
        return self._says.get(number, says(-10.0))

    def forget(self, frame: int) -> None:
        self.forgotten.append(frame)


def says(mask: float | BoolMask, presence: torch.Tensor = SURE) -> Output:
    """Return logits of ten on a mask and minus ten off it, or one everywhere."""
    logits = mask if isinstance(mask, float) else torch.from_numpy(np.where(mask, 10.0, -10.0))
    return Output(torch.zeros(1, 1, *SIZE) + logits, presence)


def track(
    memory: Memory, anchors: Anchors, frames: Sequence[int], *, probabilities: bool = False
) -> dict[int, Mapping[int, Prediction]]:
    return dict(follow(memory, anchors, frames, SIZE, probabilities=probabilities))


def test_the_sixteen_nearest_anchors_condition_a_frame() -> None:
    memory = Memory()
    anchors = {2 * frame: {1: ONE} for frame in range(20)}  # 0, 2, ... 38
    track(memory, anchors, [1, 13, 37])
    assert memory.conditioned[1, 1] == [2 * frame for frame in range(16)]
    assert memory.conditioned[1, 13] == [2 * frame for frame in range(16)]
    assert memory.conditioned[1, 37] == [2 * frame for frame in range(4, 20)]
    assert [frame for frame, _ in memory.memorised] == [2 * frame for frame in range(20)]


def test_an_anchor_frame_is_memorised_once_for_all_its_objects() -> None:
    memory = Memory()
    anchors = {9: {3: ONE}, 4: {3: ONE, 2: OTHER}, 7: {5: OTHER}}
    track(memory, anchors, [5, 6, 7, 8])
    assert memory.memorised == [(4, [2, 3]), (9, [3]), (7, [5])]
    assert np.array_equal(memory.anchors[2][4], OTHER)


def test_an_object_is_asked_for_from_the_first_frame_or_its_first_anchor_on() -> None:
    memory = Memory()
    anchors = {0: {1: ONE}, 5: {2: OTHER}, 6: {1: ONE}}
    found = track(memory, anchors, [4, 5, 6, 7])
    assert {frame: set(masks) for frame, masks in found.items()} == {
        4: {1}, 5: {1, 2}, 6: {1, 2}, 7: {1, 2}
    }  # fmt: skip
    assert [each[:2] for each in memory.predicted] == [(1, 4), (1, 5), (2, 6), (1, 7), (2, 7)]
    assert memory.forgotten == [4, 5, 6, 7]


@pytest.mark.parametrize(
    ("frames", "reverse"), [([1, 2], False), ([2, 1], True), ([2], False)], ids=str
)
def test_a_model_is_told_where_the_pass_goes(frames: list[int], reverse: bool) -> None:
    memory = Memory()
    track(memory, {0: {1: ONE}}, frames)
    assert memory.predicted == [(1, frame, reverse) for frame in frames]


def test_no_model_is_asked_of_an_object_that_all_its_anchors_say_is_absent() -> None:
    memory = Memory({1: says(0.5), 2: says(0.5)})
    anchors = {0: {1: NOTHING, 2: ONE}, 2: {1: NOTHING}, 3: {2: NOTHING}}
    found = track(memory, anchors, range(5), probabilities=True)
    assert {number for number, *_ in memory.predicted} == {2}
    assert memory.memorised == [(0, [2]), (3, [2])]
    assert [masks[1].score for masks in found.values()] == [1, 0, 1, 0, 0]
    for masks in found.values():
        assert not masks[1].mask.any()
        assert masks[1].probability is not None
        assert not masks[1].probability.any()
    assert found[3][2].score == 1
    assert not found[3][2].mask.any()
    assert found[4][2].mask.any()


def test_a_pixel_is_the_likeliest_object_s_and_no_other_s() -> None:
    left = torch.tensor([3.0, 3.0, 1.0, 1.0, -1.0, -2.0]).expand(1, 1, *SIZE)
    right = torch.tensor([1.0, 3.0, 2.0, -1.0, 4.0, -1.0]).expand(1, 1, *SIZE)
    memory = Memory({1: Output(left, SURE), 2: Output(right, SURE)})
    found = track(memory, {9: {1: ONE, 2: OTHER}}, [0], probabilities=True)[0]
    assert found[1].mask.tolist() == [[True, True, False, True, False, False]] * 4
    assert found[2].mask.tolist() == [[False, False, True, False, True, False]] * 4
    one, other = left[0, 0].sigmoid().numpy(), right[0, 0].sigmoid().numpy()
    both = np.maximum(one + other, 1)
    assert found[1].probability is not None
    assert found[2].probability is not None
    np.testing.assert_allclose(found[1].probability, one / both, rtol=1e-5)
    np.testing.assert_allclose(found[2].probability, other / both, rtol=1e-5)


def test_nothing_is_predicted_over_a_given_mask() -> None:
    memory = Memory({1: says(5.0)})
    found = track(memory, {0: {1: ONE}, 3: {2: ONE, 3: OTHER}}, [2, 3], probabilities=True)
    assert found[2][1].mask.all()
    assert np.array_equal(found[3][1].mask, ~(ONE | OTHER))
    assert found[3][1].probability is not None
    assert not found[3][1].probability[ONE | OTHER].any()
    assert found[3][1].probability[~(ONE | OTHER)].min() > 0.99
    assert np.array_equal(found[3][3].mask, OTHER)


def test_the_score_is_how_likely_and_how_steady_an_object_is() -> None:
    sharp, unsure = says(ONE), says(ONE, torch.zeros(1, 1))
    steady = torch.full((1, 1, *SIZE), -10.0)
    steady[..., :2, :], steady[..., 0, :] = 0.5, 10.0  # half of it lies near the threshold
    memory = Memory({1: sharp, 2: unsure, 3: Output(steady, SURE)})
    found = track(memory, {9: {1: ONE, 2: ONE, 3: ONE}}, [0])[0]
    scores = [found[number].score for number in (1, 2, 3)]
    assert scores == pytest.approx([1.0, 0.5, 0.5], abs=1e-4)
    assert found[1].probability is None


def test_masks_are_enlarged_between_the_centres_of_pixels() -> None:
    coarse = torch.tensor([[-1.0, 3.0]]).view(1, 1, 1, 2)
    found = track(Memory({1: Output(coarse, SURE)}), {9: {1: ONE}}, [0])[0]
    assert found[1].mask.tolist() == [[False, False, True, True, True, True]] * 4
