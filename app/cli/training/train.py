"""`maskwright train`: run a training config, with progress, metrics and checkpoints."""

import argparse
import sys
from pathlib import Path

from app.cli.training.validation import SequenceValidation
from app.cli.training.visor_data import with_visor
from app.errors import UsageError
from app.storage.files.apart import check_apart
from models.training.config import TrainConfig, TrainingConfigError, load_config
from models.training.data.pictures import TrainingDataError
from models.training.loop.checkpoint import CheckpointReadError
from models.training.loop.plot import plot_metrics
from models.training.loop.trainer import Trainer
from models.training.run import prepare, save_result
from models.training.workers import Workers, pick_worker_device

_CHECKPOINT, _WEIGHTS = "checkpoint.pt", "weights.safetensors"


def run(arguments: argparse.Namespace) -> int:
    """Train; Ctrl+C lets the iteration end and saves a checkpoint."""
    try:
        config = load_config(arguments.config)
        trainer = _trainer(config, arguments)
    except (TrainingConfigError, TrainingDataError, CheckpointReadError) as error:
        raise UsageError(str(error)) from error
    try:
        trainer.run()
    except KeyboardInterrupt:
        sys.stderr.write(f"Saved. Go on with: maskwright train {arguments.config} --resume\n")
        return 1
    finally:
        _plot(trainer)
    if trainer.leads:
        path = Path(config.output) / _WEIGHTS
        save_result(trainer, path)
        _say(f"The weights are in {path}.")
    return 0


def _trainer(config: TrainConfig, arguments: argparse.Namespace) -> Trainer:
    """Return the trainer, with its data ready and, where it is asked for, its checkpoint read."""
    _check_apart(config)
    checkpoint = Path(config.output) / _CHECKPOINT
    if checkpoint.exists() and not arguments.resume:
        raise UsageError(
            f"{config.output} holds a run already. Go on with --resume, set another `output`, or "
            "remove that folder."
        )
    device = pick_worker_device(arguments.device, threads=arguments.threads)
    workers = Workers.from_environment()
    if workers.rank == 0:
        config = with_visor(config, _say)
    workers.wait()
    if workers.rank:
        config = with_visor(config, _say)  # finds what the first process has made
    settings = config.validation
    validate = SequenceValidation(settings, config.model) if settings else None
    trainer = prepare(config, device=device, validate=validate, report=_say)
    if arguments.resume:
        trainer.resume()
    return trainer


def _check_apart(config: TrainConfig) -> None:
    """Raise UsageError where a run would write over what it learns from."""
    sets = (*config.data, *([config.validation] if config.validation else ()))
    folders = [Path(text) for item in sets for text in (item.root, item.images) if text]
    for written in (config.output, config.cache):
        check_apart(Path(written), folders)
    given = (config.start, config.encoder, config.depth, config.memory, config.mask_encoder)
    weights = [Path(text) for text in given if text]
    for name in (_CHECKPOINT, _WEIGHTS):
        check_apart(Path(config.output) / name, weights)


def _plot(trainer: Trainer) -> None:
    if trainer.leads and trainer.metrics_path.exists():
        plot_metrics(trainer.metrics_path, trainer.metrics_path.with_suffix(".svg"))


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
