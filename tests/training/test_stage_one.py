"""The main model's first stage: frozen encoders, their features cached, a fusion that learns."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from models.cutie.config import EncoderConfig, EncoderKind
from models.cutie.network.network import Network
from models.training.clips import ClipSpec, draw_batch
from models.training.config import Optimiser
from models.training.data.sequences import DavisSource
from models.training.encoding import frozen_part
from models.training.features import build_cache
from models.training.learners.losses import PointSampling
from models.training.learners.step import MemoryLearner, StepSpec
from models.training.loop.trainer import build_optimiser
from tests.training.conftest import SLIM

FUSED = EncoderConfig(EncoderKind.HIERA, size="tiny", depth="small", widths=(32, 16, 16))


def test_the_fusion_learns_from_cached_features_of_both_encoders(
    davis: Path, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    network = Network(dataclasses.replace(SLIM, encoder=FUSED)).eval()
    source = DavisSource(davis, (64, 96), only=("left",))
    sequences = build_cache(source, tmp_path, frozen_part(network))
    spec = ClipSpec(length=2, max_skip=1, objects=1, window=(4, 6))
    batch = draw_batch(sequences, spec, 1, np.random.default_rng(0))
    learner = MemoryLearner(network, StepSpec(PointSampling(256), 0.01, 3))
    build_optimiser(learner, Optimiser())
    losses = []
    for given in (batch, dataclasses.replace(batch, features=())):
        torch.manual_seed(0)
        losses.append(learner.loss(given))
    assert losses[0].item() == pytest.approx(losses[1].item(), abs=5e-3)
    losses[0].backward()  # type: ignore[no-untyped-call]
    learned = {name for name, part in network.named_parameters() if part.grad is not None}
    assert any(name.startswith("pixel_encoder.mixers.") for name in learned)
    assert not any(
        name.startswith(("pixel_encoder.visual", "pixel_encoder.depth")) for name in learned
    )
