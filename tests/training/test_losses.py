import pytest
import torch

from models.training.learners.losses import PointSampling, sample_points, segmentation_loss

SAMPLING = PointSampling(points=256)


def _labels() -> torch.Tensor:
    labels = torch.zeros(1, 32, 32, dtype=torch.int64)
    labels[:, 8:24, 8:24] = 1
    return labels


def _logits(labels: torch.Tensor, strength: float) -> torch.Tensor:
    return torch.nn.functional.one_hot(labels, 3).permute(0, 3, 1, 2).float() * strength


def test_the_truth_costs_next_to_nothing_and_its_opposite_much() -> None:
    torch.manual_seed(0)
    labels = _labels()
    present = torch.tensor([[True, False]])
    right = segmentation_loss(_logits(labels, 20), labels, present, SAMPLING)
    wrong = segmentation_loss(_logits(1 - labels, 20), labels, present, SAMPLING)
    assert float(right) < 0.1
    assert float(wrong) > 5


def test_a_slot_without_an_object_changes_nothing() -> None:
    labels, present = _labels(), torch.tensor([[True, False]])
    loud = _logits(labels, 3)
    loud[:, 2] = 50
    torch.manual_seed(1)
    quiet = segmentation_loss(_logits(labels, 3), labels, present, SAMPLING)
    torch.manual_seed(1)
    assert float(segmentation_loss(loud, labels, present, SAMPLING)) == pytest.approx(float(quiet))


def test_most_points_lie_where_two_classes_tie() -> None:
    torch.manual_seed(2)
    ramp = torch.linspace(-1, 1, 64).expand(1, 1, 64, 64)
    points = sample_points(torch.cat([ramp, -ramp], dim=1), PointSampling(400))
    near = ((points[..., 0] - 0.5).abs() < 0.2).float().mean()
    assert float(near) > 0.75
