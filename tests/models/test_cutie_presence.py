"""Which objects are there: by how large, how sharp, and how usual their masks are."""

import torch
from torch import Tensor

from models.cutie.config import PresenceConfig
from models.cutie.inference.presence import Presence, rivalled, shown

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


def test_a_mask_that_is_not_sure_enough_is_not_shown() -> None:
    given = probabilities((20, 0.95), (20, 0.6))
    found = shown(given, 0.7)
    assert torch.equal(found[1], given[1])
    assert not found[2].any()
    assert torch.allclose(found.sum(dim=0), torch.ones(SIZE))


def test_a_rival_is_likely_away_from_where_the_object_was() -> None:
    config = PresenceConfig(least_score=0, rival=0.3)
    before = probabilities((32, 0.95), (32, 0.95))[1:]
    now = before.clone()
    now[0, 64:96, 96:128] = 0.4  # far from object 1
    now[1, 8:40, 76:100] = 0.4  # object 2 has moved a little
    assert rivalled(now, before, config).tolist() == [True, False]
