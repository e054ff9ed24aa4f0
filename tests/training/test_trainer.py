import dataclasses
import json
from pathlib import Path

import pytest
import torch

from models.cutie.network import Network
from models.training.checkpoint import CheckpointReadError
from models.training.clips import ClipSpec, draw_batch
from models.training.config import DataSet, Optimiser, Phase, TrainConfig, Validation
from models.training.encoding import frozen_part
from models.training.features import CachedSequence, build_cache
from models.training.losses import PointSampling
from models.training.sequences import DavisSource
from models.training.step import MemoryLearner, StepSpec
from models.training.trainer import Trainer
from tests.training.conftest import SLIM, TinyEncoder


def _config(folder: Path, iterations: int) -> TrainConfig:
    data = DataSet("discs", "davis", "", (64, 96), (4, 4), batch=2)
    return TrainConfig(
        model="lite",
        iterations=iterations,
        output=str(folder / "out"),
        cache=str(folder / "cache"),
        data=(data,),
        phases=(Phase(0.0, 3, 2),),
        optimiser=Optimiser(learning_rate=2e-3, warm_up=1, drops=()),
    )


def _network() -> Network:
    torch.manual_seed(3)
    return Network(SLIM, encoder=TinyEncoder())


def _learner() -> MemoryLearner:
    return MemoryLearner(_network(), StepSpec(PointSampling(512), 0.01, 3))


@pytest.fixture
def sequences(davis: Path, tmp_path: Path) -> list[CachedSequence]:
    """Return both discs' sequences with the small encoder's features."""
    encode = frozen_part(_network().eval())
    return build_cache(DavisSource(davis, (64, 96)), tmp_path / "cache", encode)


def _trainer(config: TrainConfig, sequences: list[CachedSequence]) -> Trainer:
    return Trainer(config, _learner(), {"discs": sequences}, device=torch.device("cpu"))


def test_a_few_steps_lower_the_loss(sequences: list[CachedSequence], tmp_path: Path) -> None:
    _trainer(_config(tmp_path, 60), sequences).run()
    lines = (tmp_path / "out" / "metrics.jsonl").read_text().splitlines()
    losses = [json.loads(line)["loss"]["discs"] for line in lines]
    assert losses[-1] < 0.8 * losses[0]


def test_a_resumed_run_ends_where_an_uninterrupted_one_does(
    sequences: list[CachedSequence], tmp_path: Path
) -> None:
    whole = _trainer(_config(tmp_path / "whole", 6), sequences)
    whole.run()
    stopped = _config(tmp_path / "parts", 6)
    _trainer_that_stops(stopped, sequences, after=3)
    second = _trainer(stopped, sequences)
    second.resume()
    second.run()
    expected, result = whole.averaged(), second.averaged()
    assert all(torch.equal(value, result[name]) for name, value in expected.items())


def _trainer_that_stops(
    config: TrainConfig, sequences: list[CachedSequence], *, after: int
) -> None:
    def stop(_: torch.nn.Module) -> dict[str, float]:
        raise KeyboardInterrupt

    settings = Validation(root="", only=(), every=after)
    interrupted = dataclasses.replace(config, validation=settings)
    trainer = Trainer(
        interrupted,
        _learner(),
        {"discs": sequences},
        device=torch.device("cpu"),
        validate=stop,
    )
    with pytest.raises(KeyboardInterrupt):
        trainer.run()


def test_the_frozen_encoder_keeps_its_weights(
    sequences: list[CachedSequence], tmp_path: Path
) -> None:
    trainer = _trainer(_config(tmp_path, 3), sequences)
    trainer.run()
    before = _network().state_dict()
    after = trainer.averaged()
    frozen = [name for name in before if name.startswith("pixel_encoder.")]
    assert frozen
    assert all(torch.equal(before[name], after[name]) for name in frozen)
    assert not torch.equal(before["key_proj.key_proj.weight"], after["key_proj.key_proj.weight"])


def test_a_damaged_checkpoint_is_told_as_such(
    sequences: list[CachedSequence], tmp_path: Path
) -> None:
    trainer = _trainer(_config(tmp_path, 2), sequences)
    with pytest.raises(CheckpointReadError, match="without --resume"):
        trainer.resume()
    trainer.run()
    content = trainer.checkpoint_path.read_bytes()
    trainer.checkpoint_path.write_bytes(content[: len(content) // 2])
    with pytest.raises(CheckpointReadError, match="damaged"):
        trainer.resume()


def test_features_of_a_clip_belong_to_its_pixels(sequences: list[CachedSequence]) -> None:
    import numpy as np

    spec = ClipSpec(length=3, max_skip=2, objects=2, window=(4, 4))
    batch = draw_batch(sequences, spec, 2, np.random.default_rng(1))
    assert batch.images.shape == (2, 3, 3, 64, 64)
    assert batch.present.tolist() == [[True, False], [True, False]]
    encoder = _network().eval()
    with torch.inference_mode():
        f16, _, f4 = frozen_part(encoder)(batch.images.flatten(0, 1))
    assert torch.allclose(batch.features[0].flatten(0, 1), f16, atol=2e-3)
    assert torch.allclose(batch.features[2].flatten(0, 1), f4, atol=2e-3)
