"""Which objects are there: by how large, how sharp, and how usual their masks are."""

import pytest
import torch
from torch import Tensor

from models.cutie.config import PresenceConfig
from models.cutie.inference.presence.usual import Presence, areas, rivalled, scores, winner

SIZE = (96, 128)


def probabilities(*boxes: tuple[int, float]) -> Tensor:
    """Return (K + 1, H, W), sum 1: object k is likely in a square of that side, by that much."""
    objects = torch.zeros(len(boxes), *SIZE)
    for slot, (side, likely) in enumerate(boxes):
        objects[slot, 8 : 8 + side, 60 * slot : 60 * slot + side] = likely
    return torch.cat([1 - objects.sum(dim=0, keepdim=True), objects])


def test_a_mask_that_is_blurred_or_tiny_is_no_presence() -> None:
    presence = Presence(PresenceConfig(least_score=0.8, least_area=30))
    assert presence.judge(probabilities((20, 0.95), (20, 0.6)), [1, 2], []) == [1]
    assert presence.judge(probabilities((20, 0.95), (4, 0.95)), [1, 2], []) == [1]


def test_a_mask_that_was_given_is_present_whatever_it_is() -> None:
    presence = Presence(PresenceConfig(least_score=0.8))
    assert presence.judge(probabilities((0, 0), (20, 0.6)), [1, 2], [1, 2]) == [1, 2]


def test_an_object_that_is_much_smaller_than_usual_is_not_present() -> None:
    presence = Presence(PresenceConfig(least_score=0.5, least_share=0.25))
    for side in (40, 36, 32):  # shrinks little by little
        assert presence.judge(probabilities((side, 0.95)), [1], []) == [1]
    assert presence.judge(probabilities((14, 0.95)), [1], []) == []
    assert presence.judge(probabilities((30, 0.95)), [1], []) == [1]


def test_a_rival_is_likely_away_from_where_the_object_was() -> None:
    config = PresenceConfig(least_score=0, rival=0.3)
    before = probabilities((32, 0.95), (32, 0.95))[1:]
    now = before.clone()
    now[0, 64:96, 96:128] = 0.4  # far from object 1
    now[1, 8:40, 76:100] = 0.4  # object 2 has moved a little
    assert rivalled(now, before, config).tolist() == [True, False]


def test_the_first_of_the_largest_wins() -> None:
    probability = torch.randint(0, 4, (5, *SIZE)) / 4
    expected = probability.max(dim=0).indices
    assert torch.equal(winner(probability), expected.to(torch.uint8))
    assert not winner(probability[:1]).any()
    counts = torch.bincount(expected.flatten(), minlength=5)[1:]
    assert areas(probability).tolist() == counts.tolist()


def test_a_score_is_the_soft_overlap_of_a_probability_with_its_mask() -> None:
    probability = torch.zeros(3, 2, 4)
    probability[1, 0], probability[1, 1, 0] = 0.75, 0.25
    probability[0] = 1 - probability[1]
    assert scores(probability).tolist() == pytest.approx([3 / (4 + 0.25), 0])


@pytest.mark.parametrize(("area", "is_there"), [(59, False), (60, True)])
def test_an_object_has_a_share_of_the_mean_of_its_last_five_areas(
    area: int, is_there: bool
) -> None:
    presence = Presence(PresenceConfig(least_score=0.5, least_share=0.5, least_area=10))
    for side in (30, 12, 12, 8, 8, 10):  # the mean without the first, which is forgotten: 103.2
        presence.judge(probabilities((side, 0.95)), [1], [1])
    given = torch.zeros(2, *SIZE)
    given[1].view(-1)[: area - 8] = 1
    given[0] = 1 - given[1]
    assert presence.judge(given, [1], []) == ([1] if is_there else [])


@pytest.mark.parametrize(("area", "is_there"), [(30, True), (29, False)])
def test_a_first_mask_has_as_many_pixels_as_are_asked_for(area: int, is_there: bool) -> None:
    presence = Presence(PresenceConfig(least_score=1.0, least_area=30))
    given = torch.zeros(2, *SIZE)
    given[1].view(-1)[:area] = 1
    given[0] = 1 - given[1]
    assert presence.judge(given, [1], []) == ([1] if is_there else [])


@pytest.mark.parametrize(
    ("cell", "share", "rival"), [(5, 0.3, False), (6, 0.3, True), (6, 0.29, False), (7, 0.3, True)]
)
def test_a_rival_lies_more_than_three_cells_off(cell: int, share: float, rival: bool) -> None:
    config = PresenceConfig(least_score=0, rival=0.3)
    before, now = torch.zeros(2, 1, *SIZE)
    before[0, 48:64, 32:48] = 0.2
    now[0, 48:64, 16 * cell : 16 * cell + 16] = share
    assert rivalled(now, before, config).tolist() == [rival]
    assert rivalled(now, before / 4, config).tolist() == [share == 0.3]
