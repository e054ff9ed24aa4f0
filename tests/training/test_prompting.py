from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import Tensor

from models.api import BoolMask, Click
from models.cutie.config import LITE
from models.encoders.hiera import HieraEncoder, Levels
from models.sam.heads import PromptHeads
from models.training.clips import ClipBatch, ClipSpec, draw_batch
from models.training.config import DataSet, Optimiser, Phase, TrainConfig
from models.training.data.sequences import DavisSource
from models.training.features import build_cache
from models.training.learners.build import build_learner
from models.training.learners.clicking import Hand, Wrong, mending_click
from models.training.learners.prompting import PromptLearner, PromptNet
from models.training.learners.sam2_losses import MaskWeights
from models.training.run import prepare, save_result
from models.weights.checkpoint import read_state
from tests.training.conftest import TinyEncoder

SIDE = 64


def _learner() -> PromptLearner:
    torch.manual_seed(2)
    return PromptLearner(PromptNet(TinyEncoder((256, 64, 32))), MaskWeights())


def _batch(davis: Path, cache: Path, learner: PromptLearner, *, features: bool) -> ClipBatch:
    encode = learner.frozen() if features else None
    sequences = build_cache(DavisSource(davis, (SIDE, SIDE)), cache, encode)
    spec = ClipSpec(length=1, max_skip=1, objects=1, window=(4, 4))
    return draw_batch(sequences, spec, 2, np.random.default_rng(0))


def _loss(learner: PromptLearner, batch: ClipBatch, seed: int) -> Tensor:
    torch.manual_seed(seed)
    return learner.loss(batch)


def test_steps_on_one_batch_lower_the_loss(davis: Path, tmp_path: Path) -> None:
    learner = _learner()
    batch = _batch(davis, tmp_path, learner, features=True)
    seeds = range(8)  # each draws other clicks, boxes and masks
    before = sum(_loss(learner, batch, seed).item() for seed in seeds)
    optimiser = torch.optim.AdamW(learner.module.parameters(), lr=3e-4)
    for seed in [*seeds, *seeds]:
        optimiser.zero_grad()
        _loss(learner, batch, seed).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    assert sum(_loss(learner, batch, seed).item() for seed in seeds) < 0.7 * before


def test_cached_features_teach_the_same_as_images(davis: Path, tmp_path: Path) -> None:
    learner = _learner()
    cached = _batch(davis, tmp_path / "with", learner, features=True)
    plain = _batch(davis, tmp_path / "without", learner, features=False)
    assert cached.features
    assert not plain.features
    losses = [_loss(learner, batch, 1).item() for batch in (cached, plain)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-2)


def test_a_frame_that_shows_no_object_teaches_nothing(davis: Path, tmp_path: Path) -> None:
    learner = _learner()
    batch = _batch(davis, tmp_path, learner, features=True)
    batch.labels.zero_()
    loss = _loss(learner, batch, 1)
    loss.backward()  # type: ignore[no-untyped-call]
    assert loss.item() == 0


def test_the_heads_of_a_sam_2_file_learn_and_its_encoder_stays(davis: Path, tmp_path: Path) -> None:
    torch.manual_seed(1)
    start = tmp_path / "sam2.safetensors"
    save_file(_sam2_state(), start)
    config = TrainConfig(
        model="lite-prompts",
        start=str(start),
        iterations=2,
        output=str(tmp_path / "out"),
        cache=str(tmp_path / "cache"),
        data=(DataSet("discs", "davis", str(davis), (SIDE, SIDE), (4, 4), batch=1, every=4),),
        phases=(Phase(0.0, 1, 1),),
        optimiser=Optimiser(learning_rate=1e-4, warm_up=1, drops=()),
    )
    before = {n: v.clone() for n, v in build_learner(config).module.state_dict().items()}
    trainer = prepare(config, device=torch.device("cpu"))
    trainer.run()
    save_result(trainer, tmp_path / "weights.safetensors")
    after = read_state(tmp_path / "weights.safetensors")
    moved = {name for name, value in before.items() if not torch.equal(value, after[name])}
    assert any(name.startswith("sam_mask_decoder.") for name in moved)
    assert not any(name.startswith("pixel_encoder.") for name in moved)
    assert PromptHeads().state_dict().keys() == PromptHeads().select(after).keys()


def _sam2_state() -> dict[str, Tensor]:
    """Return random weights under the names of a SAM 2 file."""
    encoder = HieraEncoder(LITE.encoder.size, Levels.DECODER).state_dict()
    projections = ("conv_s0.", "conv_s1.")
    named = {
        f"{'sam_mask_decoder' if name.startswith(projections) else 'image_encoder'}.{name}": value
        for name, value in encoder.items()
    }
    return named | PromptHeads().state_dict()


@st.composite
def _scenes(draw: st.DrawFn) -> tuple[BoolMask, BoolMask]:
    """Draw an object and a mask that is not quite it, both round."""
    masks = []
    for _ in range(2):
        drawn = np.zeros((40, 56), np.uint8)
        at = draw(st.tuples(st.integers(5, 50), st.integers(5, 34)))
        cv2.circle(drawn, at, draw(st.integers(3, 14)), 1, -1)
        masks.append(drawn > 0)
    return masks[0], masks[1]


@given(_scenes())
def test_a_mending_click_lies_in_an_error_and_says_of_which_kind(
    scene: tuple[BoolMask, BoolMask],
) -> None:
    there, mask = scene
    if np.array_equal(there, mask):
        return
    click = mending_click(there, mask)
    row, column = int(click.y), int(click.x)
    assert there[row, column] == click.positive
    assert mask[row, column] != click.positive


@given(_scenes(), st.integers(0, 2**32 - 1))
def test_what_a_person_gives_fits_the_object(scene: tuple[BoolMask, BoolMask], seed: int) -> None:
    there, _ = scene
    hand = Hand(there, np.random.default_rng(seed))
    inside, stray, box = hand.first_click(), hand.stray_click(), hand.box()
    assert there[int(inside.y), int(inside.x)]
    assert isinstance(stray, Click)
    assert not there[int(stray.y), int(stray.x)]
    middle = np.argwhere(there).mean(axis=0)
    assert box.y0 < middle[0] < box.y1
    assert box.x0 < middle[1] < box.x1


@given(_scenes(), st.sampled_from(Wrong), st.integers(0, 2**32 - 1))
def test_a_wrong_mask_is_wrong_as_its_kind_says(
    scene: tuple[BoolMask, BoolMask], kind: Wrong, seed: int
) -> None:
    there, other = scene
    mask = Hand(there, np.random.default_rng(seed)).wrong_mask(kind, other)
    assert mask.shape == there.shape
    if kind is Wrong.ELSEWHERE:
        assert not (mask & there).any()
    elif kind is Wrong.BOTH:
        assert (mask & there).sum() == there.sum()
    elif kind is Wrong.HALF:
        assert mask.sum() < there.sum()
        assert not (mask & ~there).any()
    elif kind is Wrong.EDGE:
        assert not (mask & ~there).any() or not (there & ~mask).any()
