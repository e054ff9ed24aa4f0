"""Checkpoints of a run: whole or absent, and enough to go on as if nothing had happened."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import torch
from torch import Tensor

State = dict[str, Tensor]


class CheckpointReadError(Exception):
    """A checkpoint is missing, damaged, or of another config."""


@dataclass
class Checkpoint:
    """All that a run is made of. Batches and random points follow from seed and iteration alone."""

    iteration: int
    model: State
    average: State  # exponential moving average of the weights: what is used in the end
    optimiser: dict[str, object]

    def write(self, path: Path) -> None:
        """Write beside `path` and move into place."""
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{path.name}.{os.getpid()}")
        with beside.open("wb") as file:
            torch.save(self.__dict__, file)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)

    @classmethod
    def read(cls, path: Path, device: torch.device) -> "Checkpoint":
        """Read a checkpoint; CheckpointReadError says what is wrong with it."""
        try:
            content = torch.load(path, map_location=device, weights_only=True)
            return cls(
                cast("int", content["iteration"]),
                cast("State", content["model"]),
                cast("State", content["average"]),
                cast("dict[str, object]", content["optimiser"]),
            )
        except FileNotFoundError as error:
            raise CheckpointReadError(f"{path} is not there: start without --resume.") from error
        except (OSError, KeyError, RuntimeError, ValueError, EOFError, TypeError) as error:
            raise CheckpointReadError(
                f"{path} is damaged ({error}). Remove it and start without --resume."
            ) from error
