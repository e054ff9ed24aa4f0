import dataclasses
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from models.training.clips import ClipBatch, ClipSpec, draw_batch
from models.training.config import TrainConfig, Validation
from models.training.data.sequences import DavisSource
from models.training.encoding import frozen_part
from models.training.features import CachedSequence, build_cache
from models.training.loop.checkpoint import CheckpointReadError
from models.training.loop.interrupt import Interruption
from models.training.loop.trainer import Trainer
from tests.training.slim import cached, config, learner, network
from tests.waiting import PATIENCE


@pytest.fixture
def sequences(davis: Path, tmp_path: Path) -> list[CachedSequence]:
    """Return both discs' sequences with the small encoder's features."""
    return cached(davis, tmp_path / "cache")


def _trainer(settings: TrainConfig, sequences: list[CachedSequence]) -> Trainer:
    return Trainer(settings, learner(), {"discs": sequences}, device=torch.device("cpu"))


def test_a_few_steps_lower_the_loss(sequences: list[CachedSequence], tmp_path: Path) -> None:
    _trainer(config(tmp_path, 40), sequences).run()
    lines = (tmp_path / "out" / "metrics.jsonl").read_text().splitlines()
    losses = [json.loads(line)["loss"]["discs"] for line in lines]
    assert losses[-1] < 0.8 * losses[0]


def test_a_resumed_run_ends_where_an_uninterrupted_one_does(
    sequences: list[CachedSequence], tmp_path: Path
) -> None:
    whole = _trainer(config(tmp_path / "whole", 6), sequences)
    whole.run()
    stopped = config(tmp_path / "parts", 6)
    _trainer_that_stops(stopped, sequences, after=3)
    second = _trainer(stopped, sequences)
    second.resume()
    second.run()
    expected, result = whole.averaged(), second.averaged()
    assert all(torch.equal(value, result[name]) for name, value in expected.items())


def _trainer_that_stops(
    settings: TrainConfig, sequences: list[CachedSequence], *, after: int
) -> None:
    def stop(_: torch.nn.Module) -> dict[str, float]:
        raise KeyboardInterrupt

    validation = Validation(root="", only=(), every=after)
    interrupted = dataclasses.replace(settings, validation=validation)
    trainer = Trainer(
        interrupted,
        learner(),
        {"discs": sequences},
        device=torch.device("cpu"),
        validate=stop,
    )
    with pytest.raises(KeyboardInterrupt):
        trainer.run()


def test_the_frozen_encoder_keeps_its_weights(
    sequences: list[CachedSequence], tmp_path: Path
) -> None:
    trainer = _trainer(config(tmp_path, 3), sequences)
    trainer.run()
    before = network().state_dict()
    after = trainer.averaged()
    frozen = [name for name in before if name.startswith("pixel_encoder.")]
    assert frozen
    assert all(torch.equal(before[name], after[name]) for name in frozen)
    assert not torch.equal(before["key_proj.key_proj.weight"], after["key_proj.key_proj.weight"])


def test_a_damaged_checkpoint_is_told_as_such(
    sequences: list[CachedSequence], tmp_path: Path
) -> None:
    trainer = _trainer(config(tmp_path, 2), sequences)
    with pytest.raises(CheckpointReadError, match="without --resume"):
        trainer.resume()
    trainer.run()
    content = trainer.checkpoint_path.read_bytes()
    trainer.checkpoint_path.write_bytes(content[: len(content) // 2])
    with pytest.raises(CheckpointReadError, match="damaged"):
        trainer.resume()


def test_features_of_a_clip_belong_to_its_pixels(sequences: list[CachedSequence]) -> None:
    spec = ClipSpec(length=3, max_skip=2, objects=2, window=(4, 4))
    batch = draw_batch(sequences, spec, 2, np.random.default_rng(1))
    assert batch.images.shape == (2, 3, 3, 64, 64)
    assert batch.present.tolist() == [[True, False], [True, False]]
    encoder = network().eval()
    with torch.inference_mode():
        f16, _, f4 = frozen_part(encoder)(batch.images.flatten(0, 1))
    assert torch.allclose(batch.features[0].flatten(0, 1), f16, atol=2e-3)
    assert torch.allclose(batch.features[2].flatten(0, 1), f4, atol=2e-3)


def test_an_opened_encoder_learns_where_no_features_are_cached(davis: Path, tmp_path: Path) -> None:
    sequences = build_cache(DavisSource(davis, (64, 96)), tmp_path / "plain", None)
    frozen = config(tmp_path, 2)
    optimiser = dataclasses.replace(frozen.optimiser, encoder_rate=0.1)
    trainer = _trainer(dataclasses.replace(frozen, optimiser=optimiser), sequences)
    trainer.run()
    before, after = network().state_dict(), trainer.averaged()
    name = "pixel_encoder.to4.weight"
    assert not torch.equal(before[name], after[name])


def test_a_frozen_encoder_counts_the_same_with_and_without_cached_features(
    sequences: list[CachedSequence],
) -> None:
    spec = ClipSpec(length=3, max_skip=2, objects=1, window=(4, 4))
    batch = draw_batch(sequences, spec, 2, np.random.default_rng(1))
    pupil = learner()
    for parameter in pupil.encoder():
        parameter.requires_grad_(False)
    losses = []
    for given in (batch, dataclasses.replace(batch, features=())):
        torch.manual_seed(0)
        losses.append(pupil.loss(given).item())
    assert losses[0] == pytest.approx(losses[1], abs=5e-3)


def test_an_object_that_comes_later_is_learned_from_its_first_frame() -> None:
    labels = torch.zeros(1, 4, 64, 96, dtype=torch.int64)
    labels[:, :, 8:32, 8:32] = 1
    labels[:, 2:, 32:56, 60:84] = 2
    pupil, images = learner(), torch.rand(1, 4, 3, 64, 96)

    def loss(starts: list[int], shown: torch.Tensor) -> float:
        torch.manual_seed(0)
        present = torch.tensor([[True, len(starts) > 1]])
        begins = torch.tensor([[*starts, 0][:2]])
        return pupil.loss(ClipBatch(images, shown, present, begins, ())).item()

    alone = loss([0], torch.where(labels == 2, 0, labels))
    both = loss([0, 2], labels)
    assert 0 < both < 10
    assert both != alone
    unseen = labels.clone()
    unseen[:, 3] = torch.where(labels[:, 3] == 2, 0, labels[:, 3])
    assert loss([0, 2], unseen) != both  # the frame after its start is learned


def test_metrics_told_after_the_checkpoint_are_told_once(
    sequences: list[CachedSequence], tmp_path: Path
) -> None:
    trainer = _trainer(config(tmp_path, 5), sequences)
    trainer.run()
    with trainer.metrics_path.open("a") as file:
        file.write(json.dumps({"iteration": 10, "loss": {"discs": 1.0}}) + "\n")
    again = _trainer(config(tmp_path, 10), sequences)
    again.resume()
    again.run()
    lines = [json.loads(line) for line in trainer.metrics_path.read_text().splitlines()]
    assert [line["iteration"] for line in lines] == [5, 10]
    assert lines[1]["loss"] != {"discs": 1.0}


def _process(*words: object, **variables: object) -> "subprocess.Popen[str]":
    threads = str(torch.get_num_threads())
    return subprocess.Popen(
        [sys.executable, "-u", "-m", "tests.training.slim", *map(str, words)],
        cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=os.environ | {"OMP_NUM_THREADS": threads} | {k: str(v) for k, v in variables.items()},
    )  # fmt: skip


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT to a single process")
def test_ctrl_c_saves_and_the_resumed_run_ends_the_same(
    davis: Path, sequences: list[CachedSequence], tmp_path: Path
) -> None:
    process = _process(davis, tmp_path / "stopped", 16)
    assert process.stdout is not None
    while not (line := process.stdout.readline()).startswith("5/16"):
        assert line, process.communicate()
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=PATIENCE)
    assert "KeyboardInterrupt" in errors
    resumed = _trainer(config(tmp_path / "stopped", 16), sequences)
    resumed.resume()
    resumed.run()
    whole = _trainer(config(tmp_path / "whole", 16), sequences)
    whole.run()
    expected, result = whole.averaged(), resumed.averaged()
    assert all(torch.equal(value, result[name]) for name, value in expected.items())


@pytest.fixture
def heard() -> Iterator[None]:
    """Let Ctrl+C reach Python: what a shell starts in the background is deaf to it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heard")
def test_a_first_ctrl_c_is_noted_and_a_second_one_stops_at_once() -> None:
    with Interruption() as interruption:
        signal.raise_signal(signal.SIGINT)
        assert interruption.asked
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)  # afterwards all is as before


def test_two_processes_share_the_work_and_agree(davis: Path, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    place = {"WORLD_SIZE": 2, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    workers = [_process(davis, tmp_path, 3, RANK=rank, **place) for rank in range(2)]
    told = [worker.communicate(timeout=PATIENCE) for worker in workers]
    weights = [out.rpartition("weights ")[2] for out, _ in told]
    assert weights[0] == weights[1] != "", told
    assert (tmp_path / "out" / "checkpoint.pt").is_file()
    assert len(list((tmp_path / "cache").iterdir())) == 2
