"""The parts of other networks that CSS-Segment starts from."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from models.api import WeightsInvalidError
from models.cutie.config import CUTIE_SMALL
from models.cutie.network.network import Network
from models.sam.heads import PromptHeads
from models.training.config import DataSet, Phase, TrainConfig, TrainingConfigError
from models.training.learners.build import build_learner


def config(folder: Path, **more: str) -> TrainConfig:
    data = DataSet("sample", "davis", "", (96, 160), (6, 6))
    made = TrainConfig("css-tiny", 1, str(folder), str(folder), (data,), (Phase(0.0, 3, 1),))
    return replace(made, **more)  # type: ignore[arg-type]


def state_of(chosen: TrainConfig) -> dict[str, torch.Tensor]:
    return build_learner(chosen).module.state_dict()


def test_all_of_cutie_is_taken_that_has_the_same_shape(tmp_path: Path) -> None:
    torch.manual_seed(7)
    cutie = Network(CUTIE_SMALL).state_dict()
    file = tmp_path / "cutie.pth"
    torch.save(cutie, file)
    drawn, taken = state_of(config(tmp_path)), state_of(config(tmp_path, memory=str(file)))
    moved = {name for name in drawn if not torch.equal(drawn[name], taken[name])}
    assert moved
    assert all(torch.equal(taken[name], cutie[name]) for name in moved)
    assert not {name.split(".")[0] for name in moved} & {"pixel_encoder", "mask_encoder"}
    assert {"object_transformer", "object_summarizer"} <= {name.split(".")[0] for name in moved}


def test_a_file_that_shares_little_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "other.pth"
    torch.save({"mask_decoder.nothing": torch.ones(3)}, file)
    with pytest.raises(WeightsInvalidError, match="shares 0 of"):
        build_learner(config(tmp_path, memory=str(file)))


@pytest.mark.parametrize("prefix", ["sam_", ""])
def test_the_mask_encoder_is_that_of_sam_or_sam2(tmp_path: Path, prefix: str) -> None:
    torch.manual_seed(7)
    stack = {
        "mask_downscaling.0.weight": torch.rand(4, 1, 2, 2),
        "mask_downscaling.0.bias": torch.rand(4),
        "mask_downscaling.1.weight": torch.rand(4),
        "mask_downscaling.1.bias": torch.rand(4),
        "mask_downscaling.3.weight": torch.rand(16, 4, 2, 2),
        "mask_downscaling.3.bias": torch.rand(16),
        "mask_downscaling.4.weight": torch.rand(16),
        "mask_downscaling.4.bias": torch.rand(16),
        "mask_downscaling.6.weight": torch.rand(256, 16, 1, 1),
        "mask_downscaling.6.bias": torch.rand(256),
        "no_mask_embed.weight": torch.rand(1, 256),
    }
    file = tmp_path / "sam.pth"
    torch.save({f"{prefix}prompt_encoder.{name}": part for name, part in stack.items()}, file)
    taken = state_of(config(tmp_path, mask_encoder=str(file)))
    first = taken["mask_encoder.mask_downscaling.0.weight"]
    assert torch.equal(first[:, :1], stack["mask_downscaling.0.weight"])
    assert not first[:, 1:].any()  # the other objects' masks, which SAM has not
    for name, part in list(stack.items())[1:]:
        assert torch.equal(taken[f"mask_encoder.{name}"], part)


def test_the_names_are_those_of_sam2s_own_file(tmp_path: Path) -> None:
    names = {name for name in PromptHeads().state_dict() if "mask_downscaling" in name}
    own = {name for name in state_of(config(tmp_path)) if "mask_downscaling" in name}
    assert {name.split("mask_downscaling")[1] for name in names} == {
        name.split("mask_downscaling")[1] for name in own
    }


def test_what_does_not_fit_is_said(tmp_path: Path) -> None:
    file = tmp_path / "sam.pth"
    torch.save({"image_encoder.weight": torch.ones(2)}, file)
    with pytest.raises(WeightsInvalidError, match="no prompt encoder"):
        build_learner(config(tmp_path, mask_encoder=str(file)))
    with pytest.raises(TrainingConfigError, match="Leave `mask_encoder` out"):
        build_learner(config(tmp_path, model="lite", mask_encoder=str(file)))
