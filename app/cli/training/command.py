"""`maskwright train`: run a training config, with progress, metrics and checkpoints."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from app.errors import UsageError

if TYPE_CHECKING:
    from models.training.config import TrainConfig
    from models.training.loop.trainer import Trainer


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("config", type=Path, metavar="CONFIG", help="a TOML file, see README")
    parser.add_argument("--resume", action="store_true", help="go on from the run's checkpoint")


def run(arguments: argparse.Namespace) -> int:
    """Train; Ctrl+C lets the iteration end and saves a checkpoint."""
    from models.training.config import TrainingConfigError, load_config  # noqa: PLC0415
    from models.training.data.pictures import TrainingDataError  # noqa: PLC0415
    from models.training.loop.checkpoint import CheckpointReadError  # noqa: PLC0415 - keeps --help quick
    from models.training.run import save_result  # noqa: PLC0415

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
        path = Path(config.output) / "weights.safetensors"
        save_result(trainer, path)
        _say(f"The weights are in {path}.")
    return 0


def _trainer(config: "TrainConfig", arguments: argparse.Namespace) -> "Trainer":
    """Return the trainer, with its data ready and, where it is asked for, its checkpoint read."""
    from app.cli.training.data import with_visor  # noqa: PLC0415
    from app.cli.training.validation import SequenceValidation  # noqa: PLC0415
    from models.training.run import prepare  # noqa: PLC0415
    from models.training.workers import Workers, pick_worker_device  # noqa: PLC0415

    checkpoint = Path(config.output) / "checkpoint.pt"
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


def _plot(trainer: "Trainer") -> None:
    from models.training.loop.plot import plot_metrics  # noqa: PLC0415

    if trainer.leads and trainer.metrics_path.exists():
        plot_metrics(trainer.metrics_path, trainer.metrics_path.with_suffix(".svg"))


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
