from pathlib import Path

import numpy as np
import pytest
import torch

from models.training.clips import ClipBatch, ClipSpec, draw_batch
from models.training.config import DataSet, Optimiser, Phase, TrainConfig
from models.training.data.sequences import DavisSource
from models.training.features import build_cache
from models.training.learners.build import build_learner
from models.training.learners.sam2 import Predictor, Sam2Learner
from models.training.learners.sam2_losses import MaskWeights, candidates_loss, focal_loss
from models.training.loop.trainer import Trainer

SIDE = 64


def _predictor() -> Predictor:
    """Return SAM 2's video model with a trunk and memory as small as it lets itself be built."""
    from sam2.build_sam import build_sam2_video_predictor

    torch.manual_seed(1)
    trunk, neck = "++model.image_encoder.trunk.", "++model.image_encoder.neck."
    return build_sam2_video_predictor(
        "configs/sam2.1/sam2.1_hiera_t.yaml",
        device="cpu",
        hydra_overrides_extra=[
            f"++model.image_size={SIDE}",
            trunk + "embed_dim=16",
            trunk + "stages=[1,1,1,1]",
            trunk + "global_att_blocks=[]",
            neck + "backbone_channel_list=[128,64,32,16]",
            "++model.memory_attention.num_layers=1",
        ],
    )


def _batch(davis: Path, cache: Path) -> ClipBatch:
    sequences = build_cache(DavisSource(davis, (SIDE, SIDE)), cache, None)
    spec = ClipSpec(length=3, max_skip=1, objects=2, window=(4, 4))
    return draw_batch(sequences, spec, 2, np.random.default_rng(0))


def _config(folder: Path, rate: float) -> TrainConfig:
    return TrainConfig(
        model="sam2.1-tiny",
        iterations=2,
        output=str(folder / "out"),
        cache=str(folder / "cache"),
        data=(DataSet("discs", "davis", "", (SIDE, SIDE), (4, 4), batch=1),),
        phases=(Phase(0.0, 3, 1),),
        optimiser=Optimiser(learning_rate=1e-4, encoder_rate=rate, warm_up=1, drops=()),
    )


def test_steps_on_one_clip_lower_the_loss(davis: Path, tmp_path: Path) -> None:
    batch = _batch(davis, tmp_path / "cache")
    learner = Sam2Learner(_predictor(), MaskWeights())
    optimiser = torch.optim.AdamW(learner.module.parameters(), lr=3e-4)
    learner.module.train()
    losses = []
    for _ in range(5):
        optimiser.zero_grad()
        loss = learner.loss(batch)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.6 * losses[0]


@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_the_image_encoder_learns_only_where_it_is_opened(
    davis: Path, tmp_path: Path, rate: float
) -> None:
    sequences = build_cache(DavisSource(davis, (SIDE, SIDE)), tmp_path / "cache", None)
    learner = Sam2Learner(_predictor(), MaskWeights())
    before = {name: value.clone() for name, value in learner.module.state_dict().items()}
    trainer = Trainer(
        _config(tmp_path, rate), learner, {"discs": sequences}, device=torch.device("cpu")
    )
    trainer.run()
    after = trainer.averaged()
    moved = {name for name, value in before.items() if not torch.equal(value, after[name])}
    assert any(name.startswith("image_encoder.trunk") for name in moved) == (rate > 0)
    assert any(name.startswith("memory_attention") for name in moved)
    assert any(name.startswith("sam_mask_decoder") for name in moved)


def test_clips_that_are_no_whole_squares_are_refused(tmp_path: Path) -> None:
    from models.training.config import TrainingConfigError

    config = _config(tmp_path, 0.0)
    wide = DataSet("wide", "davis", "", (SIDE, 2 * SIDE), (4, 4))
    with pytest.raises(TrainingConfigError, match="wide: SAM 2 sees whole squares"):
        build_learner(TrainConfig(**{**config.__dict__, "data": (*config.data, wide)}))


def _truth() -> torch.Tensor:
    truth = torch.zeros(1, 16, 16)
    truth[:, 4:12, 4:12] = 1
    return truth


def test_of_several_candidates_only_the_best_one_counts() -> None:
    truth = _truth()
    right, wrong = (truth * 2 - 1) * 10, (1 - truth * 2) * 10
    ious = torch.tensor([[1.0, 0.0]])
    there = torch.tensor([[10.0]])
    both = torch.stack([right, wrong], dim=1)
    loss = candidates_loss(both, ious, there, truth, MaskWeights())
    assert float(loss) < 0.01
    told_wrong = candidates_loss(both, 1 - ious, there, truth, MaskWeights())
    assert float(told_wrong) == pytest.approx(1.0, abs=0.01)


def test_of_an_absent_object_only_its_absence_is_learned() -> None:
    logits = torch.full((1, 3, 16, 16), 5.0, requires_grad=True)
    presence = torch.tensor([[3.0]], requires_grad=True)
    loss = candidates_loss(
        logits, torch.ones(1, 3), presence, torch.zeros(1, 16, 16), MaskWeights()
    )
    loss.backward()  # type: ignore[no-untyped-call]
    assert loss.item() == pytest.approx(3.05, abs=0.01)
    assert logits.grad is not None
    assert not logits.grad.any()
    assert presence.grad is not None
    assert presence.grad.item() > 0


def test_focal_loss_hardly_counts_what_is_nearly_right() -> None:
    truth = _truth()[:, None]
    sure = focal_loss((truth * 2 - 1) * 3, truth)
    unsure = focal_loss(torch.zeros_like(truth), truth)
    assert float(sure) < 0.01 * float(unsure)
