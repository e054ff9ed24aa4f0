"""`maskwright train`: run a training config, with progress, metrics and checkpoints."""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from app.core.evaluate import Protocol, score_sequence, summarize
from app.errors import UsageError
from app.storage.palette import read_labels
from app.storage.video import open_video

if TYPE_CHECKING:
    from models.cutie.network import Network
    from models.training.config import TrainConfig, Validation


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("config", type=Path, metavar="CONFIG", help="a TOML file, see README")
    parser.add_argument("--resume", action="store_true", help="go on from the run's checkpoint")


def run(arguments: argparse.Namespace) -> int:
    """Train; Ctrl+C saves a checkpoint first."""
    from models.device import pick_device  # noqa: PLC0415
    from models.training.checkpoint import CheckpointReadError  # noqa: PLC0415
    from models.training.config import TrainingConfigError, load_config  # noqa: PLC0415
    from models.training.pictures import TrainingDataError  # noqa: PLC0415
    from models.training.plot import plot_metrics  # noqa: PLC0415
    from models.training.run import prepare, save_result  # noqa: PLC0415

    try:
        config = load_config(arguments.config)
        device = pick_device(arguments.device, threads=arguments.threads)
        trainer = prepare(config, device=device, validate=_validation(config), report=_say)
        if arguments.resume:
            trainer.resume()
        trainer.run()
    except (TrainingConfigError, TrainingDataError, CheckpointReadError) as error:
        raise UsageError(str(error)) from error
    folder = Path(config.output)
    plot_metrics(folder / "metrics.jsonl", folder / "metrics.svg")
    save_result(trainer, folder / "weights.safetensors")
    _say(f"The weights are in {folder / 'weights.safetensors'}.")
    return 0


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


class _Validation:
    """Propagates each sequence from its first mask and scores it by the DAVIS-2016 protocol."""

    def __init__(self, settings: "Validation") -> None:
        self._settings = settings

    def __call__(self, network: "Network") -> Mapping[str, float]:
        """Return sequence -> J&F."""
        return {name: self._score(network, name) for name in self._settings.only}

    def _score(self, network: "Network", name: str) -> float:
        from models.cutie.config import MemoryConfig  # noqa: PLC0415
        from models.cutie.inference.tracker import CutieTracker, RunOptions  # noqa: PLC0415

        root = Path(self._settings.root)
        video = open_video(root / "JPEGImages" / name)
        frames = range(0, len(video), self._settings.stride)
        truths = [self._truth(root / "Annotations" / name / f"{video.stem(i)}.png") for i in frames]
        tracker = CutieTracker(
            network,
            video,
            options=RunOptions(short_side=self._settings.size),
            memory=lambda _: MemoryConfig(),
        )
        tracked = tracker.track({0: {1: truths[0] > 0}}, list(frames))
        predicted = [found[1].mask.astype(np.uint8) for _, found in tracked]
        video.close()

        names = [str(frame) for frame in frames]
        score = score_sequence(
            name, names, truths.__getitem__, predicted.__getitem__, Protocol.DAVIS2016
        )
        return summarize([score]).jf

    @staticmethod
    def _truth(path: Path) -> "np.ndarray":
        return (read_labels(path) > 0).astype(np.uint8)


def _validation(config: "TrainConfig") -> _Validation | None:
    return None if config.validation is None else _Validation(config.validation)
