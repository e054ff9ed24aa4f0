"""The presence head: what it is asked about, and what follows from its answer."""

import pytest
import torch
from torch import Tensor

from models.cutie.config import MemoryConfig, PresenceConfig
from models.cutie.inference.presence.evidence import NAMES, FrameMaps, Known, Seen, measure
from models.cutie.inference.presence.learned import LearnedPresence
from models.cutie.inference.propagation import Propagation
from models.cutie.network.network import Network
from models.cutie.network.presence_head import PRESENCE, PresenceHead
from tests.models.cutie_oracle import index_mask, moving_clip
from tests.models.test_cutie_propagation import SIZE, encode, given, network, run

__all__ = ["network"]  # a fixture

CELLS = (6, 10)
FRAME = (96, 160)
ANYTHING = PresenceConfig(least_score=0, least_area=0)


def head_of(bias: float = 0.0, **weights: float) -> PresenceHead:
    """Return a head that weighs some of the evidence, by its name with _ for a space."""
    head = PresenceHead(len(NAMES))
    torch.nn.init.zeros_(head.weigh.weight)
    torch.nn.init.constant_(head.weigh.bias, bias)
    with torch.no_grad():
        for name, weight in weights.items():
            head.weigh.weight[0, NAMES.index(name.replace("_", " "))] = weight
    return head.requires_grad_(requires_grad=False)


def boxes(*columns: tuple[int, int] | None) -> Tensor:
    """Return each object's own probability (K, H, W): sure between two columns of cells."""
    own = torch.zeros(len(columns), *FRAME)
    for slot, span in enumerate(columns):
        if span is not None:
            own[slot, 32:64, 16 * span[0] : 16 * span[1]] = 0.9
    return own


def joined(own: Tensor) -> Tensor:
    """Return probabilities (K + 1, H, W) in which the first object goes before the next."""
    taken, parts = torch.zeros(FRAME), []
    for each in own:
        parts.append(each * (1 - taken))
        taken = torch.maximum(taken, each)
    objects = torch.stack(parts)
    return torch.cat([1 - objects.sum(dim=0, keepdim=True), objects])


def maps_of(own: Tensor) -> FrameMaps:
    count = len(own)
    zeros = torch.zeros(count, *CELLS)
    return FrameMaps(joined(own), own, zeros, zeros[:, None] + 1, pix_feat())


def pix_feat() -> Tensor:
    """Return features (2, h, w): the left half of the picture looks otherwise than the right."""
    features = torch.zeros(2, *CELLS)
    features[0, :, :5] = features[1, :, 5:] = 1
    return features


def following(head: PresenceHead, own: Tensor) -> LearnedPresence:
    presence = LearnedPresence(head, ANYTHING)
    objects = list(range(1, len(own) + 1))
    presence.learn(joined(own), pix_feat(), objects, objects, [])
    return presence


def test_a_file_holds_a_head_or_none() -> None:
    head = head_of(bias=1.5, rivals=2.0)
    state = {f"{PRESENCE}{name}": part for name, part in head.state_dict().items()}
    found = PresenceHead.of(state | {"other.weight": torch.zeros(1)})
    assert found is not None
    evidence = torch.randn(3, len(NAMES))
    assert torch.equal(found(evidence), head(evidence))
    assert PresenceHead.of({"other.weight": torch.zeros(1)}) is None


def test_evidence_tells_likeness_and_who_else_claims_the_place() -> None:
    before = boxes((0, 2), (6, 8))
    known = []
    seen = Seen.of(joined(before), pix_feat())
    for area, cells, look in zip(seen.area, seen.cells, seen.look, strict=True):
        known.append(Known(area, cells, look, look))
    now = boxes((0, 2), (0, 2))  # the second one is taken for the first
    maps = maps_of(now)
    row = dict(
        zip(NAMES, measure(maps, Seen.of(maps.probability, maps.pix_feat, maps.enriched), known).T,
            strict=True)
    )  # fmt: skip
    assert float(row["share claimed by a rival"][1]) == 1
    assert float(row["share claimed by a rival"][0]) == 0  # the second was elsewhere
    assert float(row["likeness to usual"][0]) == pytest.approx(1)
    assert float(row["likeness to usual beyond a rival"][1]) < 0
    assert float(row["area to usual"][1]) == -6
    assert row["rivals"].tolist() == [1, 1]


def test_the_head_decides_but_for_what_was_given() -> None:
    presence = following(head_of(bias=2.0, area_to_usual=1.0), boxes((0, 2), (6, 8)))
    assert presence.absent(maps_of(boxes((0, 2), (6, 8))), [1, 2], []) == []
    assert presence.absent(maps_of(boxes((0, 2), None)), [1, 2], []) == [2]
    assert presence.absent(maps_of(boxes((0, 2), None)), [1, 2], [2]) == []


def test_the_head_is_asked_only_where_others_claim_the_place() -> None:
    presence = LearnedPresence(
        head_of(bias=-9.0), PresenceConfig(least_score=0, least_area=0, least_claimed=0.5)
    )
    before = boxes((0, 2), (6, 8))
    presence.learn(joined(before), pix_feat(), [1, 2], [1, 2], [])
    assert presence.absent(maps_of(boxes((0, 2), (6, 8))), [1, 2], []) == []
    assert presence.absent(maps_of(boxes((0, 2), (0, 2))), [1, 2], []) == [2]


def test_while_one_is_absent_the_others_claim_nothing_far_away() -> None:
    presence = following(head_of(), boxes((0, 2), (8, 10)))
    own = boxes((0, 10), (8, 10))
    assert bool((presence.claims(own[None], [1, 2], []) == 1).all())
    claims = presence.claims(own[None], [1, 2], [2])[0]
    assert bool(claims[0, :, : 16 * 5].all())  # within three cells of where it was
    assert not claims[0, :, 16 * 6 :].any()
    assert not claims[1].any()


def test_who_is_back_may_be_anywhere() -> None:
    presence = following(head_of(), boxes((0, 2), (8, 10)))
    presence.learn(joined(boxes((0, 2), None)), pix_feat(), [1, 2], [1], [2])
    claims = presence.claims(boxes((0, 2), (4, 6))[None], [1, 2], [])[0]
    assert bool(claims[1].all())
    assert not claims[0, :, 16 * 6 :].any()


def test_what_others_may_claim_is_mirrored_as_frames_are() -> None:
    presence = following(head_of(), boxes((0, 2), (8, 10)))
    own = boxes((0, 10), (8, 10))
    one, other = presence.claims(torch.stack([own, own.flip(-1)]), [1, 2], [2])
    assert torch.equal(other, one.flip(-1))
    assert not torch.equal(other, one)


@pytest.mark.parametrize(
    ("claimed", "presence", "gone"), [(0.5, 0.5, [2]), (0.51, 0.5, []), (0.5, 0.49, [])]
)
def test_an_object_is_absent_from_the_least_claim_to_the_least_presence(
    claimed: float, presence: float, gone: list[int]
) -> None:
    config = PresenceConfig(0, least_area=0, least_claimed=claimed, least_presence=presence)
    learned = LearnedPresence(head_of(bias=-0.01), config)  # a presence of .4975
    learned.learn(joined(boxes((0, 2), (2, 4))), pix_feat(), [1, 2], [1, 2], [])
    assert learned.absent(maps_of(boxes((0, 1), (0, 2))), [1, 2], [1]) == gone


def seen_as_present(presence: LearnedPresence, own: Tensor, objects: list[int]) -> bool:
    return not presence.absent(maps_of(own), objects, [])


def test_an_object_that_is_begun_is_known_by_its_mask() -> None:
    presence = LearnedPresence(head_of(bias=-1.0, shift=-9.0, likeness_to_first=2.0), ANYTHING)
    mask = (boxes((1, 3))[0] > 0).float()
    presence.start(mask, pix_feat(), 7)
    assert seen_as_present(presence, boxes((1, 3)), [7])
    assert not seen_as_present(presence, boxes((3, 5)), [7])  # it moved
    presence.forget([7])
    presence.start(mask.flip(-1), pix_feat(), 7)
    assert seen_as_present(presence, boxes((7, 9)), [7])


def test_of_an_object_that_is_unsure_only_its_place_is_kept() -> None:
    presence = following(head_of(bias=-0.9, likeness_to_usual=1.0), boxes((0, 2)))
    presence.learn(joined(boxes((7, 9))), pix_feat(), [1], [], [])
    assert seen_as_present(presence, boxes((0, 2)), [1])
    assert not seen_as_present(presence, boxes((7, 9)), [1])  # its look is that of the left
    moved = following(head_of(bias=1.0, shift=-1.0), boxes((0, 2)))
    moved.learn(joined(boxes((7, 9))), pix_feat(), [1], [], [])
    assert seen_as_present(moved, boxes((7, 9)), [1])
    moved.learn(joined(boxes((0, 2))), pix_feat(), [1], [], [1])  # absent: it is not there
    assert seen_as_present(moved, boxes((7, 9)), [1])


def test_what_the_network_makes_of_an_object_is_kept_from_where_it_was_first_present() -> None:
    presence = following(head_of(bias=-0.5, likeness_enriched=1.0), boxes((0, 2)))
    assert not seen_as_present(presence, boxes((0, 2)), [1])  # nothing is known yet
    presence.learn(joined(boxes((0, 2))), pix_feat(), [1], [1], [])
    assert seen_as_present(presence, boxes((0, 2)), [1])


@torch.inference_mode()
@pytest.mark.parametrize("mirrored", [False, True])
def test_of_an_absent_object_nothing_is_shown_or_remembered(
    network: Network, *, mirrored: bool
) -> None:
    network.presence_head = head_of(bias=-9.0)
    try:
        memory = MemoryConfig(every=1, presence=ANYTHING)
        propagation = Propagation(network, memory)
        for number, image in zip(range(6), moving_clip(30, SIZE), strict=False):
            masks = given(index_mask(SIZE, (1, 2)), (1, 2) if number == 0 else (2,))
            frame = encode(network, number, image, mirrored=mirrored)
            found = propagation.step(frame, masks)
            assert number == 0 or float(found[1].max()) < 1e-3
            assert float(found[2].max()) > 0.5
        assert propagation.bank.bucket_of(1).recent == []  # type: ignore[union-attr]
        assert propagation.bank.bucket_of(2).recent == [2, 3, 4, 5]  # type: ignore[union-attr]
    finally:
        network.presence_head = None


@torch.inference_mode()
def test_a_head_that_is_always_sure_changes_nothing(network: Network) -> None:
    mask = given(index_mask(SIZE, (1, 2)), (1, 2))
    _, expected = run(network, {0: mask}, 7, memory=MemoryConfig(every=2))
    network.presence_head = head_of(bias=9.0)
    try:
        memory = MemoryConfig(every=2, presence=ANYTHING)
        _, found = run(network, {0: mask}, 7, memory=memory)
    finally:
        network.presence_head = None
    assert all(torch.equal(one, other) for one, other in zip(found, expected, strict=True))
