"""The training loop: batches by seed and iteration, AdamW, moving average, checkpoints, metrics."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from models.training.clips import ClipBatch, ClipSpec, draw_batch
from models.training.config import DataSet, Optimiser, Phase, TrainConfig
from models.training.features import CachedSequence
from models.training.learners.learner import Learner
from models.training.loop.checkpoint import Checkpoint, CheckpointReadError
from models.training.loop.interrupt import Interruption
from models.training.workers import Workers

Validate = Callable[[nn.Module], Mapping[str, float]]  # sequence -> J&F, 0 to 1


class Trainer:
    """Trains one network as its config says; `run` may be stopped at any time and resumed.

    What an iteration does depends on the seed, its number and the weights only, so a resumed run
    ends bit for bit where an uninterrupted one does, on one device.
    """

    def __init__(
        self,
        config: TrainConfig,
        learner: Learner,
        data: Mapping[str, list[CachedSequence]],
        *,
        device: torch.device,
        validate: Validate | None = None,
        report: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._config = config
        self._learner = learner
        self._network = learner.module.to(device)
        self._data = data
        self._device = device
        self._validate = validate
        self._report = report
        self._workers = Workers.from_environment()
        self._optimiser = build_optimiser(learner, config.optimiser)
        self._average = {name: value.clone() for name, value in self._learned().items()}
        self._folder = Path(config.output)
        self._iteration = 0
        self._whole = True  # whether the state is that between two iterations

    @property
    def checkpoint_path(self) -> Path:
        """Where the run's checkpoint lies."""
        return self._folder / "checkpoint.pt"

    @property
    def metrics_path(self) -> Path:
        """Where the run's metrics lie, one JSON object a line."""
        return self._folder / "metrics.jsonl"

    @property
    def leads(self) -> bool:
        """Whether this process is the one that writes."""
        return self._workers.rank == 0

    def resume(self) -> None:
        """Go on from the checkpoint; CheckpointReadError where there is none."""
        saved = Checkpoint.read(self.checkpoint_path, self._device)
        if {n: t.shape for n, t in saved.model.items()} != {
            n: t.shape for n, t in self._learned().items()
        }:
            raise CheckpointReadError(
                f"{self.checkpoint_path} is of another network. Set another `output`."
            )
        self._load(saved.model)
        self._average = saved.average
        self._optimiser.load_state_dict(saved.optimiser)
        self._iteration = saved.iteration
        self._forget_later_metrics()

    def run(self) -> None:
        """Train to the last iteration.

        Ctrl+C lets the iteration end, saves, and raises KeyboardInterrupt; so do errors.
        """
        try:
            with Interruption() as interruption:
                self._loop(interruption)
        finally:
            if self._whole:
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

    def _loop(self, interruption: Interruption) -> None:
        started, first = time.monotonic(), self._iteration
        losses: dict[str, list[float]] = {}
        for number, (data, batch) in enumerate(self._batches(), start=first):
            loss = self._step(number, batch)
            losses.setdefault(data.name, []).append(loss)
            if self._iteration % self._config.report_every == 0:
                pace = (time.monotonic() - started) / (self._iteration - first)
                self._log_losses(losses, pace)
                losses = {}
            if self._iteration % self._config.checkpoint_every == 0:
                self.save()
            self._maybe_validate()
            if self._workers.any(interruption.asked):
                raise KeyboardInterrupt

    def _step(self, number: int, batch: list[ClipBatch]) -> float:
        """Take one optimiser step over accumulated batches and return the mean loss."""
        options = self._config.optimiser
        rate = options.learning_rate * schedule(number, self._config.iterations, options)
        for group in self._optimiser.param_groups:
            group["lr"] = rate * group["share"]
        torch.manual_seed(self._seed(number))
        self._begin_training()
        self._optimiser.zero_grad(set_to_none=True)
        total = 0.0
        for part in batch:
            loss = self._loss(part) / len(batch)
            loss.backward()  # type: ignore[no-untyped-call]
            total += float(loss.detach())
        self._workers.average_gradients(self._network)
        nn.utils.clip_grad_norm_(self._network.parameters(), options.clip_norm)
        self._whole = False
        self._optimiser.step()
        self._follow(number)
        self._iteration = number + 1
        self._whole = True
        return total

    def _begin_training(self) -> None:
        """Set what differs in training, but batch norms: clips are too few for statistics."""
        self._network.train()
        for part in self._network.modules():
            if isinstance(part, nn.BatchNorm2d):
                part.eval()

    def _loss(self, batch: ClipBatch) -> Tensor:
        half = self._config.half or self._device.type == "cuda"
        with torch.autocast(self._device.type, torch.bfloat16, enabled=half):
            return self._learner.loss(batch.to(self._device))

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
        skip = max(phase.skip // chosen.interval, 1)
        spec = ClipSpec(
            phase.clip, skip, chosen.objects, chosen.window, chosen.shift, late=chosen.late
        )
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
            with self.metrics_path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(record) + "\n")

    def _forget_later_metrics(self) -> None:
        """Drop what a run that ended without a checkpoint had told: it is now told again."""
        if self._workers.rank or not self.metrics_path.exists():
            return
        lines = self.metrics_path.read_text(encoding="utf-8").splitlines()
        kept = [line for line in lines if json.loads(line)["iteration"] <= self._iteration]
        beside = self.metrics_path.with_suffix(".new")
        beside.write_text("".join(line + "\n" for line in kept), encoding="utf-8")
        beside.replace(self.metrics_path)


def build_optimiser(learner: Learner, options: Optimiser) -> torch.optim.AdamW:
    """Return AdamW over what is trained; embeddings and single-row parameters do not decay."""
    encoder = {id(parameter) for parameter in learner.encoder()}
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in learner.module.named_parameters():
        share = options.encoder_rate if id(parameter) in encoder else 1.0
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
