"""A small run to train in seconds: `python -m tests.training.slim DAVIS FOLDER ITERATIONS`."""

import hashlib
import sys
from pathlib import Path

import torch

from models.cutie.network.network import Network
from models.training.config import DataSet, Optimiser, Phase, TrainConfig
from models.training.data.sequences import DavisSource
from models.training.encoding import frozen_part
from models.training.features import CachedSequence, build_cache
from models.training.learners.losses import PointSampling
from models.training.learners.step import MemoryLearner, StepSpec
from models.training.loop.trainer import Trainer
from models.training.workers import Workers
from tests.training.conftest import SLIM, TinyEncoder


def config(folder: Path, iterations: int) -> TrainConfig:
    data = DataSet("discs", "davis", "", (64, 96), (4, 4), batch=2)
    return TrainConfig(
        model="lite",
        iterations=iterations,
        output=str(folder / "out"),
        cache=str(folder / "cache"),
        data=(data,),
        phases=(Phase(0.0, 3, 2),),
        report_every=5,
        optimiser=Optimiser(learning_rate=2e-3, warm_up=1, drops=()),
    )


def network() -> Network:
    torch.manual_seed(3)
    return Network(SLIM, encoder=TinyEncoder())


def learner() -> MemoryLearner:
    return MemoryLearner(network(), StepSpec(PointSampling(512), 0.01, 3))


def cached(davis: Path, folder: Path) -> list[CachedSequence]:
    """Return the discs' sequences with the small encoder's features."""
    encode = frozen_part(network().eval())
    workers = Workers.from_environment()
    return build_cache(DavisSource(davis, (64, 96)), folder, encode, workers=workers)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> None:
    """Train, and say what the weights are in the end."""
    davis, folder, iterations = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    trainer = Trainer(
        config(folder, iterations),
        learner(),
        {"discs": cached(davis, folder / "cache")},
        device=torch.device("cpu"),
        report=_say,
    )
    trainer.run()
    weights = b"".join(value.numpy().tobytes() for value in trainer.averaged().values())
    sys.stdout.write(f"weights {hashlib.sha256(weights).hexdigest()}\n")


if __name__ == "__main__":
    main()
