"""What of a training clip is remembered, and read later."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from models.api import LoadOptions
from models.cutie.network.network import ClipMemory, ImageFeatures
from models.training.clips import ClipBatch, ClipSpec, draw_batch
from models.training.config import DataSet, Phase, TrainConfig
from models.training.features import CachedSequence
from models.training.learners.build import build_learner
from models.training.learners.losses import PointSampling
from models.training.learners.step import MemoryLearner, StepSpec
from models.weights.store import find
from tests.training.slim import cached, network


@pytest.fixture
def clip(davis: Path, tmp_path: Path) -> ClipBatch:
    sequences: list[CachedSequence] = cached(davis, tmp_path / "cache")
    spec = ClipSpec(length=8, max_skip=1, objects=1, window=(4, 6), shift=0)
    return draw_batch(sequences, spec, 1, np.random.default_rng(0))


def _read(
    clip: ClipBatch, spec: StepSpec, monkeypatch: pytest.MonkeyPatch
) -> tuple[list[list[int]], int]:
    """Return which frames each later one reads, and how many masks are encoded."""
    model = network()
    frames: list[list[int]] = []
    keys: list[Tensor] = []
    masks = 0
    read, encode = model.read, model.encode_mask

    def watched_read(
        features: ImageFeatures, memory: ClipMemory, *rest: Tensor
    ) -> tuple[Tensor, list[Tensor]]:
        remembered = memory.key.unbind(dim=1)
        frames.append([_index(key, keys) for key in remembered])
        return read(features, memory, *rest)

    def watched_encode(image: Tensor, pix_feat: Tensor, given: Tensor) -> object:
        nonlocal masks
        masks += 1
        return encode(image, pix_feat, given)

    describe = model.describe

    def watched_describe(image: Tensor, *levels: Tensor) -> ImageFeatures:
        result = describe(image, *levels)
        keys.extend(result.key[index : index + 1] for index in range(len(result.key)))
        return result

    monkeypatch.setattr(model, "read", watched_read)
    monkeypatch.setattr(model, "encode_mask", watched_encode)
    monkeypatch.setattr(model, "describe", watched_describe)
    torch.manual_seed(1)
    MemoryLearner(model, spec).loss(clip)
    return frames, masks


def _index(key: Tensor, keys: list[Tensor]) -> int:
    return next(index for index, known in enumerate(keys) if torch.equal(key, known))


def test_memory_as_at_test_time_holds_the_newest_of_every_second_frame(
    clip: ClipBatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = StepSpec(PointSampling(64), 0.01, reference_frames=2, memory_every=2)
    frames, masks = _read(clip, spec, monkeypatch)
    assert frames == [[0], [0], [0, 2], [0, 2], [0, 2, 4], [0, 2, 4], [0, 4, 6]]
    assert masks == 4


def test_without_it_any_frame_so_far_may_be_read(
    clip: ClipBatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames, masks = _read(clip, StepSpec(PointSampling(64), 0.01, 2), monkeypatch)
    assert masks == 7
    assert all(0 in read and max(read) < time for time, read in enumerate(frames, start=1))
    assert any(read != sorted({0, *range(len(read))}) for read in frames), "not the first ones"


def test_training_goes_on_from_the_model_that_is_embedded(tmp_path: Path) -> None:
    config = TrainConfig(
        model="lite",
        iterations=1,
        output=str(tmp_path),
        cache=str(tmp_path),
        data=(DataSet("none", "davis", "", (64, 96), (4, 4)),),
        phases=(Phase(0.0, 3, 2),),
        start=str(find("lite", LoadOptions().weights)),
    )
    learner = build_learner(config)
    images = torch.rand(1, 3, 64, 96)
    with torch.inference_mode():
        learner.module.eval()
        encode = learner.frozen()
        assert encode is not None
        levels = encode(images)
    assert [level.shape[1:] for level in levels] == [(256, 4, 6), (64, 8, 12), (32, 16, 24)]
    assert all(level.isfinite().all() and level.std() > 0 for level in levels)
