"""The training loop: batches by seed and iteration, AdamW, moving average, checkpoints, metrics."""

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from models.cutie.network import Network
from models.training.checkpoint import Checkpoint
from models.training.clips import ClipBatch, ClipSpec, draw_batch
from models.training.config import DataSet, Optimiser, Phase, TrainConfig
from models.training.encoding import frozen_parameters
from models.training.features import CachedSequence
from models.training.losses import PointSampling
from models.training.step import StepSpec, clip_loss

Validate = Callable[[Network], Mapping[str, float]]  # sequence -> J&F, 0 to 1
_REPORT_EVERY = 20


@dataclass(frozen=True)
class Workers:
    """This process among those that `torchrun` started; alone it is rank 0 of 1."""

    rank: int
    count: int

    @classmethod
    def from_environment(cls) -> "Workers":
        """Join the process group that `torchrun` describes, where it does."""
        count = int(os.environ.get("WORLD_SIZE", "1"))
        if count > 1 and not torch.distributed.is_initialized():
            torch.distributed.init_process_group()
        return cls(int(os.environ.get("RANK", "0")), count)

    def average_gradients(self, model: nn.Module) -> None:
        """Replace each gradient by its mean over all processes."""
        if self.count == 1:
            return
        for parameter in model.parameters():
            if parameter.grad is not None:
                torch.distributed.all_reduce(parameter.grad)
                parameter.grad /= self.count


class Trainer:
    """Trains one network as its config says; `run` may be stopped at any time and resumed.

    What an iteration does depends on the seed, its number and the weights only, so a resumed run
    ends bit for bit where an uninterrupted one does, on one device.
    """

    def __init__(
        self,
        config: TrainConfig,
        network: Network,
        data: Mapping[str, list[CachedSequence]],
        *,
        device: torch.device,
        validate: Validate | None = None,
        report: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._config = config
        self._network = network.to(device)
        self._data = data
        self._device = device
        self._validate = validate
        self._report = report
        self._workers = Workers.from_environment()
        self._optimiser = build_optimiser(network, config.optimiser)
        self._average = {name: value.clone() for name, value in self._learned().items()}
        self._folder = Path(config.output)
        self._iteration = 0

    @property
    def checkpoint_path(self) -> Path:
        """Where the run's checkpoint lies."""
        return self._folder / "checkpoint.pt"

    def resume(self) -> None:
        """Go on from the checkpoint; CheckpointReadError where there is none."""
        saved = Checkpoint.read(self.checkpoint_path, self._device)
        self._load(saved.model)
        self._average = saved.average
        self._optimiser.load_state_dict(saved.optimiser)
        self._iteration = saved.iteration

    def run(self) -> None:
        """Train to the last iteration. KeyboardInterrupt saves and is raised again."""
        try:
            self._loop()
        finally:
            self.save()

    def save(self) -> None:
        """Write the checkpoint, from the first process only."""
        if self._workers.rank == 0:
            state = self._optimiser.state_dict()
            saved = Checkpoint(self._iteration, self._learned(), self._average, state)
            saved.write(self.checkpoint_path)

    def averaged(self) -> dict[str, Tensor]:
        """Return the whole state dict with the moving average of what is trained: the result."""
        return self._network.state_dict() | self._average

    def _learned(self) -> dict[str, Tensor]:
        """Return what is trained; the rest never changes, and would make checkpoints large."""
        own = self._network.named_parameters()
        return {name: parameter.data for name, parameter in own if parameter.requires_grad}

    def _load(self, learned: Mapping[str, Tensor]) -> None:
        self._network.load_state_dict(self._network.state_dict() | dict(learned))

    def _loop(self) -> None:
        started, first = time.monotonic(), self._iteration
        losses: dict[str, list[float]] = {}
        for number, (data, batch) in enumerate(self._batches(), start=first):
            loss = self._step(number, batch)
            losses.setdefault(data.name, []).append(loss)
            self._iteration = number + 1
            if self._iteration % _REPORT_EVERY == 0:
                pace = (time.monotonic() - started) / (self._iteration - first)
                self._log_losses(losses, pace)
                losses = {}
            if self._iteration % self._config.checkpoint_every == 0:
                self.save()
            self._maybe_validate()

    def _step(self, number: int, batch: list[ClipBatch]) -> float:
        """Take one optimiser step over accumulated batches and return the mean loss."""
        options = self._config.optimiser
        rate = options.learning_rate * schedule(number, self._config.iterations, options)
        for group in self._optimiser.param_groups:
            group["lr"] = rate * group["share"]
        torch.manual_seed(self._seed(number))
        self._network.train()
        self._optimiser.zero_grad(set_to_none=True)
        total = 0.0
        for part in batch:
            loss = self._loss(part) / len(batch)
            loss.backward()  # type: ignore[no-untyped-call]
            total += float(loss.detach())
        self._workers.average_gradients(self._network)
        nn.utils.clip_grad_norm_(self._network.parameters(), options.clip_norm)
        self._optimiser.step()
        self._follow(number)
        return total

    def _loss(self, batch: ClipBatch) -> Tensor:
        losses = self._config.losses
        sampling = PointSampling(losses.points, losses.oversample, losses.important)
        spec = StepSpec(sampling, losses.auxiliary, self._config.reference_frames)
        half = self._config.half or self._device.type == "cuda"
        with torch.autocast(self._device.type, torch.bfloat16, enabled=half):
            return clip_loss(self._network, batch.to(self._device), spec)

    @torch.no_grad()
    def _follow(self, number: int) -> None:
        decay = min(self._config.optimiser.ema, (number + 1) / (number + 10))
        for name, value in self._learned().items():
            self._average[name].lerp_(value, 1 - decay)

    def _batches(self) -> Iterator[tuple[DataSet, list[ClipBatch]]]:
        """Yield each remaining iteration's data set and batches, drawn one iteration ahead."""
        with ThreadPoolExecutor(1) as pool:
            ahead: Future[tuple[DataSet, list[ClipBatch]]] | None = None
            for number in range(self._iteration, self._config.iterations):
                ready = ahead or pool.submit(self._draw, number)
                ahead = pool.submit(self._draw, number + 1)
                yield ready.result()

    def _draw(self, number: int) -> tuple[DataSet, list[ClipBatch]]:
        rng = np.random.default_rng([self._config.seed, number, self._workers.rank])
        weights = np.array([data.weight for data in self._config.data])
        chosen = self._config.data[int(rng.choice(len(weights), p=weights / weights.sum()))]
        phase = phase_at(number / self._config.iterations, self._config.phases)
        spec = ClipSpec(phase.clip, phase.skip, chosen.objects, chosen.window)
        count = self._config.optimiser.accumulate
        sequences = self._data[chosen.name]
        return chosen, [draw_batch(sequences, spec, chosen.batch, rng) for _ in range(count)]

    def _seed(self, number: int) -> int:
        source = np.random.SeedSequence([self._config.seed, number, self._workers.rank, 1])
        return int(source.generate_state(1)[0])

    def _log_losses(self, losses: dict[str, list[float]], pace: float) -> None:
        means = {name: round(float(np.mean(values)), 4) for name, values in losses.items()}
        rate = self._optimiser.param_groups[0]["lr"]
        self._log({"iteration": self._iteration, "loss": means, "rate": rate, "pace_s": pace})
        left = pace * (self._config.iterations - self._iteration)
        text = ", ".join(f"{name} {value:.3f}" for name, value in means.items())
        share = f"{self._iteration}/{self._config.iterations}"
        self._report(f"{share}  {text}  {1 / pace:.2f} it/s, {left / 60:.0f} min left")

    def _maybe_validate(self) -> None:
        settings = self._config.validation
        due = settings is not None and self._iteration % settings.every == 0
        if not due or self._validate is None or self._workers.rank:
            return
        scores = self._validate_average(self._validate)
        mean = float(np.mean(list(scores.values())))
        self._log({"iteration": self._iteration, "validation": scores, "mean": mean})
        self._report(f"validation J&F {mean:.4f}")

    def _validate_average(self, validate: Validate) -> dict[str, float]:
        """Return the scores of the averaged weights; the trained ones come back in any case."""
        current = {name: value.clone() for name, value in self._learned().items()}
        self._load(self._average)
        self._network.eval()
        try:
            return dict(validate(self._network))
        finally:
            self._load(current)

    def _log(self, record: dict[str, object]) -> None:
        if self._workers.rank == 0:
            self._folder.mkdir(parents=True, exist_ok=True)
            with (self._folder / "metrics.jsonl").open("a", encoding="utf-8") as file:
                file.write(json.dumps(record) + "\n")


def build_optimiser(network: Network, options: Optimiser) -> torch.optim.AdamW:
    """Return AdamW over what is trained; embeddings and single-row parameters do not decay."""
    frozen = {id(parameter) for parameter in frozen_parameters(network)}
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        share = options.encoder_rate if id(parameter) in frozen else 1.0
        parameter.requires_grad_(share > 0)
        if share == 0:
            continue
        undecayed = parameter.ndim <= 1 or name.endswith(("query_init.weight", "query_emb.weight"))
        decay = 0.0 if undecayed else options.weight_decay
        groups.setdefault((share, decay), []).append(parameter)
    return torch.optim.AdamW(
        [
            {"params": parameters, "weight_decay": decay, "share": share}
            for (share, decay), parameters in groups.items()
        ],
        lr=options.learning_rate,
    )


def schedule(number: int, iterations: int, options: Optimiser) -> float:
    """Return the share of the learning rate: linear warm-up, then a drop at each given share."""
    warm = min(1.0, (number + 1) / max(options.warm_up, 1))
    passed = sum(number >= share * iterations for share in options.drops)
    return float(warm * options.drop**passed)


def phase_at(share: float, phases: tuple[Phase, ...]) -> Phase:
    """Return the last phase that has begun at this share of the run."""
    begun = [phase for phase in phases if phase.start <= share]
    return begun[-1] if begun else phases[0]
