"""From a config file to a running trainer: data rendered, features cached, network built."""

from collections.abc import Callable
from pathlib import Path

import torch

from models.training.config import TrainConfig
from models.training.data.pictures import TrainingDataError
from models.training.data.sources import fingerprint, source_of
from models.training.features import CachedSequence, build_cache
from models.training.learners.build import build_learner
from models.training.learners.learner import Learner
from models.training.loop.trainer import Trainer, Validate
from models.training.workers import Workers
from models.weights import compact


def prepare(
    config: TrainConfig,
    *,
    device: torch.device,
    validate: Validate | None = None,
    report: Callable[[str], None] = lambda _: None,
) -> Trainer:
    """Return a trainer that is ready to run; renders and encodes the data where it is not there.

    Raises TrainingConfigError, TrainingDataError or ModelError, before anything is trained.
    """
    learner = build_learner(config)
    learner.module.to(device).eval()
    data = _cached(config, learner, device, report)
    return Trainer(config, learner, data, device=device, validate=validate, report=report)


def save_result(trainer: Trainer, path: Path) -> None:
    """Write the averaged weights, as a plain state dict in full precision."""
    path.parent.mkdir(parents=True, exist_ok=True)
    compact.save(path, trainer.averaged(), notice={})


def _cached(
    config: TrainConfig,
    learner: Learner,
    device: torch.device,
    report: Callable[[str], None],
) -> dict[str, list[CachedSequence]]:
    """Return each data set's sequences; several processes make the cache together."""
    workers = Workers.from_environment()
    cached = config.optimiser.encoder_rate == 0 and config.cache_features
    encode = learner.frozen() if cached else None
    data: dict[str, list[CachedSequence]] = {}
    for item in config.data:
        mark = fingerprint(item, config, features=encode is not None)
        folder = Path(config.cache) / f"{item.name}-{mark}"
        source = source_of(item, device)
        data[item.name] = build_cache(source, folder, encode, workers=workers, report=report)
        if not data[item.name]:
            raise TrainingDataError(f"Data set {item.name} has no sequences. Check its `root`.")
    return data
