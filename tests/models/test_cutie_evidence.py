"""The evidence of presence, number by number, and what becomes usual of an object."""

import math

import pytest
import torch
from torch import Tensor

from models.cutie.inference.presence.evidence import (
    CLAIMED,
    NAMES,
    FrameMaps,
    Known,
    Seen,
    measure,
    near,
)

CELLS = (6, 10)
FRAME = (96, 160)
PIXELS = FRAME[0] * FRAME[1]


def cells(*corners: tuple[int, int, int, int]) -> Tensor:
    """Return (K, h, w): each 1 from a row to another and a column to another."""
    found = torch.zeros(len(corners), *CELLS)
    for slot, (top, bottom, left, right) in enumerate(corners):
        found[slot, top:bottom, left:right] = 1
    return found


def enlarged(maps: Tensor) -> Tensor:
    return maps.repeat_interleave(16, -2).repeat_interleave(16, -1)


def known_of(where: Tensor, first: list[float], usual: list[float]) -> Known:
    area = 256 * where.sum()
    return Known(area, where, torch.tensor(first) * 1.0, torch.tensor(usual) * 1.0)


# Two objects, each of two cells on the frame before, of which the second moved right by four.
BEFORE = cells((0, 2, 1, 2), (3, 5, 2, 3))
NOW = cells((0, 2, 1, 2), (3, 5, 6, 7))
FIRST = known_of(BEFORE[0], [1, 0], [3, 4])
SECOND = known_of(BEFORE[1], [0, 1], [0, 2])


def evidence(
    own: Tensor | None = None, known: tuple[Known, ...] = (FIRST, SECOND)
) -> dict[str, list[float]]:
    """Return what is measured of both objects as they are now, by its name."""
    count = len(known)
    objects = enlarged(NOW[:count]) * 0.75
    probability = torch.cat([1 - objects.sum(dim=0, keepdim=True), objects])
    pix_feat = torch.zeros(2, *CELLS)
    pix_feat[0, :3], pix_feat[1, 3:] = 2, 0.5
    steering = torch.full((2, *CELLS), -30.0)
    steering[0, 0, 1], steering[0, 1, 1], steering[1, 0, 0] = 0.0, math.log(3), math.log(4)
    enriched = torch.zeros(2, 2, *CELLS)
    enriched[:, 0] = 1
    own = objects if own is None else own
    maps = FrameMaps(probability, own, steering[:count], enriched[:count], pix_feat)
    seen = Seen.of(probability, pix_feat, maps.enriched)
    found = measure(maps, seen, known)
    return {name: found[:, slot].tolist() for slot, name in enumerate(NAMES)}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("area to usual", [0, 0]),
        ("probability inside", [0.75, 0.75]),
        ("largest probability of a cell", [0.75, 0.75]),
        ("area", [math.log(513 / PIXELS)] * 2),
        ("largest steering", [0.75, 0.8]),
        ("steering inside", [(0.5 + 0.75) / 2, 0]),
        ("likeness to first", [1, 1]),
        ("likeness to usual", [0.6, 1]),
        ("likeness to a rival", [0, 0.8]),
        ("likeness to usual beyond a rival", [0.6, 0.2]),
        ("likeness enriched", [0, 0]),
        ("shift", [0, 4 / math.sqrt(2)]),
        ("usual area", [math.log(513 / PIXELS)] * 2),
        ("rivals", [1, 1]),
    ],
)
def test_evidence_of_two_objects(name: str, expected: list[float]) -> None:
    assert evidence()[name] == pytest.approx(expected, abs=1e-5)


def test_an_object_alone_has_no_rival() -> None:
    found = evidence(known=(FIRST,))
    assert found["likeness to a rival"] == found["likeness to usual beyond a rival"] == [0]
    assert found["rivals"] == [0]
    assert found[CLAIMED] == [0]


def test_areas_are_compared_to_usual_ones_within_bounds() -> None:
    small = Known(torch.tensor(1.0), BEFORE[0], FIRST.first, FIRST.usual)
    large = Known(torch.tensor(2051.0), BEFORE[1], FIRST.first, FIRST.usual)
    found = evidence(known=(small, large))
    assert found["area to usual"] == pytest.approx([2, math.log(513 / 2052)])
    assert found["usual area"] == pytest.approx([math.log(2 / PIXELS), math.log(2052 / PIXELS)])


def test_only_a_sure_claim_where_the_other_was_counts() -> None:
    own = torch.zeros(2, *FRAME)
    own[0, :32, 16:32] = own[1, :16, 16:32] = 0.6  # half of the first; the second was near
    assert evidence(own)[CLAIMED] == pytest.approx([0.5, 1.0])
    own[1, :16, 16:32] = 0.4
    assert evidence(own)[CLAIMED] == [0, 0]
    far = Known(SECOND.area, cells((0, 1, 8, 9))[0], SECOND.first, SECOND.usual)
    own[1, :16, 16:32] = 0.6
    assert evidence(own, (FIRST, far))[CLAIMED] == pytest.approx([0, 1])


@pytest.mark.parametrize(("share", "counts"), [(0.05, False), (0.2, True)])
def test_an_object_may_move_by_three_cells_from_where_a_tenth_of_it_was(
    share: float, counts: bool
) -> None:
    where = cells((0, 1, 4, 5)) * share
    reached = near(where, torch.zeros(1, *FRAME))[0]
    expected = torch.zeros(FRAME, dtype=torch.bool)
    if counts:
        expected[: 16 * 4, 16 : 16 * 8] = True
    assert torch.equal(reached, expected)


def test_what_is_usual_follows_what_is_seen_by_a_fifth() -> None:
    known = known_of(BEFORE[0], [1, 0], [1, 0])
    known.learn(torch.tensor(1012.0), NOW[1], torch.tensor([0.0, 2.0]), torch.tensor([3.0]))
    assert known.area == pytest.approx(512 + 100)
    assert known.usual.tolist() == pytest.approx([0.8, 0.4])
    assert known.first.tolist() == [1, 0]
    assert torch.equal(known.cells, NOW[1])
    known.learn(torch.tensor(612.0), BEFORE[0], torch.tensor([0.8, 0.4]), torch.tensor([5.0]))
    assert known.enriched is not None
    assert known.enriched.tolist() == [3]


def test_enriched_features_are_like_those_that_are_known() -> None:
    known = Known(FIRST.area, FIRST.cells, FIRST.first, FIRST.usual, torch.tensor([3.0, 4.0]))
    assert evidence(known=(known, SECOND))["likeness enriched"] == pytest.approx([0.6, 0])


def test_a_shift_counts_up_to_five_sizes() -> None:
    corner = cells((0, 1, 0, 1))[0]
    away = Known(torch.tensor(256.0), corner, FIRST.first, FIRST.usual)
    found = evidence(known=(away, away))["shift"]
    assert found == pytest.approx([math.hypot(0.5, 1), 5.0])
