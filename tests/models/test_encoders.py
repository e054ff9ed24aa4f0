"""Image encoders: what they give, and that they are the published ones."""

import itertools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from models.api import WeightsInvalidError
from models.encoders.depth import DepthEncoder
from models.encoders.eight_bit import LARGEST, EightBitLinear, supported
from models.encoders.fusion import FusedEncoder, build_encoder, load_published
from models.encoders.hiera import SIZES, HieraEncoder, Levels
from models.encoders.hiera_cpu import CpuHiera, use_cpu_hiera
from models.weights.checkpoint import read_state

SIDE = (64, 96)
CPU = torch.device("cpu")
eight_bits = pytest.mark.skipif(
    not supported(CPU), reason="this CPU has no instructions for products of bytes"
)
CONFIGS = {"tiny": "t", "small": "s", "base-plus": "b+", "large": "l"}


@pytest.fixture(autouse=True)
def seed() -> Iterator[None]:
    torch.manual_seed(0)
    with torch.inference_mode():
        yield


def image(height: int = SIDE[0], width: int = SIDE[1]) -> Tensor:
    return torch.randn(2, 3, height, width)


def official_sam2(size: str) -> Any:  # noqa: ANN401
    """Build SAM 2's own model, with random weights."""
    from sam2.build_sam import build_sam2

    model = build_sam2(f"configs/sam2.1/sam2.1_hiera_{CONFIGS[size]}.yaml", None, device="cpu")
    for parameter in model.parameters():
        # Zeros (position embeddings) would hide a part that is left out.
        if not parameter.any():
            nn.init.normal_(parameter, std=0.1)
    return model


def shapes(features: tuple[Tensor, Tensor, Tensor]) -> list[tuple[int, ...]]:
    return [tuple(feature.shape) for feature in features]


@pytest.mark.parametrize("levels", list(Levels))
def test_hiera_gives_its_channels_at_strides_16_8_and_4(levels: Levels) -> None:
    encoder = HieraEncoder("tiny", levels).eval()
    c16, c8, c4 = encoder.channels
    assert shapes(encoder(image())) == [(2, c16, 4, 6), (2, c8, 8, 12), (2, c4, 16, 24)]


def test_depth_gives_its_channels_at_strides_16_8_and_4() -> None:
    encoder = DepthEncoder("small").eval()
    assert shapes(encoder(image())) == [(2, 64, 4, 6), (2, 64, 8, 12), (2, 64, 16, 24)]


@pytest.mark.parametrize("name", ["hiera", "depth"])
def test_a_size_that_needs_padding_is_refused(name: str) -> None:
    encoder = HieraEncoder("tiny", Levels.TRUNK) if name == "hiera" else DepthEncoder("small")
    with pytest.raises(ValueError, match="multiple of 32"):
        encoder(image(64, 80))


@pytest.mark.parametrize("size", ["tiny", "small"])
def test_hiera_equals_the_sam2_package(size: str) -> None:
    official = official_sam2(size)
    state = official.state_dict()
    picture = image()
    stages = official.image_encoder.trunk(picture)
    f4, f8, f16 = official.image_encoder(picture)["backbone_fpn"]
    heads = official.sam_mask_decoder
    expected = {
        Levels.TRUNK: (stages[2], stages[1], stages[0]),
        Levels.PYRAMID: (f16, f8, f4),
        Levels.DECODER: (f16, heads.conv_s1(f8), heads.conv_s0(f4)),
    }
    for levels, features in expected.items():
        encoder = HieraEncoder(size, levels).eval()
        encoder.load_state_dict(encoder.select(state))
        for ours, theirs in zip(encoder(picture), features, strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("levels", list(Levels))
def test_the_cpu_encoder_computes_the_same(levels: Levels) -> None:
    encoder = HieraEncoder("tiny", levels).eval()
    for parameter in encoder.parameters():
        if not parameter.any():  # zeros would hide a part that is left out
            nn.init.normal_(parameter, std=0.1)
    # Windows of 14 tokens do not fit 10 x 14 cells, those of 7 not 5 x 7.
    picture = image(160, 224)
    expected = encoder(picture)
    swift = CpuHiera(encoder, torch.float32)
    for ours, theirs in zip(swift(picture), expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)


def test_the_cpu_encoder_stays_close_in_bfloat16() -> None:
    encoder = HieraEncoder("tiny", Levels.DECODER).eval()
    picture = image()
    expected = encoder(picture)
    swift = CpuHiera(encoder, torch.bfloat16)
    for ours, theirs in zip(swift(picture), expected, strict=True):
        assert ours.dtype == torch.float32
        assert float((ours - theirs).norm() / theirs.norm()) < 0.03


@eight_bits
def test_the_cpu_encoder_stays_close_in_eight_bits() -> None:
    encoder = HieraEncoder("tiny", Levels.DECODER).eval()
    picture = image()
    expected = encoder(picture)
    swift = CpuHiera(encoder, torch.bfloat16, eight_bits=True)
    for ours, theirs in zip(swift(picture), expected, strict=True):
        assert float((ours - theirs).norm() / theirs.norm()) < 0.1


@eight_bits
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("gelu", [False, True])
def test_a_linear_layer_in_eight_bits_is_close(dtype: torch.dtype, gelu: bool) -> None:
    torch.manual_seed(0)
    linear = nn.Linear(96, 40)
    tokens = torch.randn(3, 5, 96) + 2  # lopsided, as what comes out of a GELU
    expected = linear(tokens)
    expected = nn.functional.gelu(expected) if gelu else expected
    found = EightBitLinear(linear, dtype, largest=64, gelu=gelu)(tokens.to(dtype))
    assert found.dtype == dtype
    assert float((found - expected).norm() / expected.norm()) < 0.02


@eight_bits
def test_a_linear_layer_in_eight_bits_maps_zeros_to_its_bias() -> None:
    linear = nn.Linear(32, 16)
    found = EightBitLinear(linear, torch.float32, largest=LARGEST)(torch.zeros(2, 32))
    torch.testing.assert_close(found, linear.bias.expand(2, -1))


def test_encoders_within_a_network_are_replaced_with_swift_ones() -> None:
    network = build_encoder("tiny", depth="small", widths=(32, 16, 8)).eval()
    picture = image()
    expected = network(picture)
    use_cpu_hiera(network, torch.float32)
    assert isinstance(network.visual, CpuHiera)
    for ours, theirs in zip(network(picture), expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("size", list(CONFIGS))
def test_the_table_of_sizes_is_that_of_the_sam2_package(size: str) -> None:
    import sam2
    from omegaconf import OmegaConf

    config = Path(sam2.__path__[0], "configs", "sam2.1", f"sam2.1_hiera_{CONFIGS[size]}.yaml")
    encoder = OmegaConf.to_container(OmegaConf.load(config).model.image_encoder)
    assert isinstance(encoder, dict)
    trunk, neck = encoder["trunk"], encoder["neck"]
    ours = SIZES[size]
    assert ours.width == trunk["embed_dim"]
    assert ours.heads == trunk["num_heads"]
    assert list(ours.blocks) == trunk.get("stages", [2, 3, 16, 3])
    assert list(ours.global_blocks) == trunk.get("global_att_blocks", [12, 16, 20])
    assert list(ours.windows) == trunk.get("window_spec", [8, 4, 14, 7])
    assert [ours.background] * 2 == trunk.get("window_pos_embed_bkg_spatial_size", [14, 14])
    assert list(reversed(ours.widths)) == neck["backbone_channel_list"]
    assert neck["fpn_top_down_levels"] == [2, 3]


@pytest.mark.parametrize("levels", list(Levels))
def test_weights_of_another_size_are_refused(levels: Levels, tmp_path: Path) -> None:
    # All blocks of Tiny's first three stages have the shapes of Small's.
    path = tmp_path / "small.pt"
    torch.save({"model": HieraEncoder("small", Levels.DECODER).state_dict()}, path)
    with pytest.raises(WeightsInvalidError, match="another model"):
        load_published(HieraEncoder("tiny", levels), path)


# Depth Anything V2


def official_depth_state(encoder: DepthEncoder) -> dict[str, Tensor]:
    """Return a state dict in the official layout that belongs to a small encoder's weights."""
    state = official_transformer(encoder.backbone.state_dict())
    return {**state, **official_head(encoder.neck.state_dict())}


def official_transformer(own: dict[str, Tensor]) -> dict[str, Tensor]:
    state = {
        "cls_token": own["embeddings.cls_token"],
        "mask_token": own["embeddings.mask_token"],
        "pos_embed": own["embeddings.position_embeddings"],
    }
    for block in range(12):
        for scale in (1, 2):
            gamma = own[f"encoder.layer.{block}.layer_scale{scale}.lambda1"]
            state[f"blocks.{block}.ls{scale}.gamma"] = gamma
    for kind in ("weight", "bias"):
        state[f"norm.{kind}"] = own[f"layernorm.{kind}"]
        state[f"patch_embed.proj.{kind}"] = own[f"embeddings.patch_embeddings.projection.{kind}"]
        for block in range(12):
            theirs, ours = f"blocks.{block}", f"encoder.layer.{block}"
            three = [own[f"{ours}.attention.{q}_proj.{kind}"] for q in "qkv"]
            state[f"{theirs}.attn.qkv.{kind}"] = torch.cat(three)
            state[f"{theirs}.attn.proj.{kind}"] = own[f"{ours}.attention.o_proj.{kind}"]
            for part in ("norm1", "norm2", "mlp.fc1", "mlp.fc2"):
                state[f"{theirs}.{part}.{kind}"] = own[f"{ours}.{part}.{kind}"]
    return {f"pretrained.{name}": tensor for name, tensor in state.items()}


def official_head(own: dict[str, Tensor]) -> dict[str, Tensor]:
    state = {}
    for level in range(4):
        state[f"scratch.layer{level + 1}_rn.weight"] = own[f"convs.{level}.weight"]
    for kind in ("weight", "bias"):
        for level in range(4):
            layer = f"reassemble_stage.layers.{level}"
            state[f"projects.{level}.{kind}"] = own[f"{layer}.projection.{kind}"]
            if level != 2:
                state[f"resize_layers.{level}.{kind}"] = own[f"{layer}.resize.{kind}"]
        for number, layer_of in ((4, 0), (3, 1), (2, 2), (1, 2)):
            theirs, ours = f"scratch.refinenet{number}", f"fusion_stage.layers.{layer_of}"
            state[f"{theirs}.out_conv.{kind}"] = own[f"{ours}.projection.{kind}"]
            for unit, conv in itertools.product((1, 2), (1, 2)):
                name = f"residual_layer{unit}.convolution{conv}.{kind}"
                state[f"{theirs}.resConfUnit{unit}.conv{conv}.{kind}"] = own[f"{ours}.{name}"]
        for last in ("output_conv1", "output_conv2.0", "output_conv2.2"):
            state[f"scratch.{last}.{kind}"] = torch.zeros(1)
    return {f"depth_head.{name}": tensor for name, tensor in state.items()}


def test_official_depth_weights_are_loaded_under_their_new_names(tmp_path: Path) -> None:
    source = DepthEncoder("small").eval()
    for parameter in source.parameters():
        nn.init.normal_(parameter, std=0.05)
    path = tmp_path / "depth.pth"
    torch.save(official_depth_state(source), path)
    copy = DepthEncoder("small").eval()
    load_published(copy, path)
    for name, tensor in source.state_dict().items():
        assert torch.equal(copy.state_dict()[name], tensor), name


def test_depth_features_equal_those_inside_the_whole_depth_model() -> None:
    from transformers import DepthAnythingForDepthEstimation

    encoder = DepthEncoder("small").eval()
    whole = DepthAnythingForDepthEstimation(encoder.neck.config).eval()
    whole.backbone.load_state_dict(encoder.backbone.state_dict())
    whole.neck.load_state_dict(encoder.neck.state_dict(), strict=False)
    picture = image()
    scaled = nn.functional.interpolate(picture, (56, 84), mode="bicubic")
    tokens = whole.backbone(scaled).feature_maps
    expected = whole.neck(list(tokens), 4, 6)[:3]
    for ours, theirs in zip(encoder(picture), expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


# Fusion


def test_a_depth_branch_changes_nothing_before_it_is_trained() -> None:
    encoder = build_encoder("tiny", depth="small", widths=(64, 32, 16)).eval()
    assert isinstance(encoder, FusedEncoder)
    assert encoder.multiple == 32
    picture = image()
    before = encoder(picture)
    assert [feature.shape[1] for feature in before] == [64, 32, 16]
    for parameter in encoder.depth.parameters():
        nn.init.normal_(parameter, std=0.1)
    for ours, theirs in zip(encoder(picture), before, strict=True):
        assert torch.equal(ours, theirs)


def test_a_depth_branch_can_be_trained() -> None:
    with torch.inference_mode(mode=False):
        encoder = build_encoder("tiny", depth="small", widths=(64, 32, 16))
        sum(feature.square().mean() for feature in encoder(image())).backward()
        assert isinstance(encoder, FusedEncoder)
        seen = encoder.visual.channels[0]
        grown = encoder.mixers[0].get_submodule("first").get_parameter("weight").grad
        assert grown is not None
        assert grown[:, seen:].any()


def test_without_depth_the_features_are_those_of_the_mask_decoder() -> None:
    assert build_encoder("tiny").channels == (256, 64, 32)


# Real weights, where a person has them


@pytest.mark.skipif(
    "MASKWRIGHT_TEST_WEIGHTS" not in os.environ, reason="needs a folder of real weights"
)
def test_real_hiera_weights_give_the_features_of_the_sam2_package() -> None:
    from sam2.build_sam import build_sam2

    path = Path(os.environ["MASKWRIGHT_TEST_WEIGHTS"]) / "sam2_hiera_tiny_image.fp16.safetensors"
    encoder = HieraEncoder("tiny", Levels.DECODER).eval()
    load_published(encoder, path)
    official = build_sam2("configs/sam2/sam2_hiera_t.yaml", None, device="cpu")
    official.load_state_dict(read_state(path), strict=False)
    picture = torch.rand(1, 3, 480, 864)
    f4, f8, f16 = official.image_encoder(picture)["backbone_fpn"]
    heads = official.sam_mask_decoder
    expected = (f16, heads.conv_s1(f8), heads.conv_s0(f4))
    for ours, theirs in zip(encoder(picture), expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)
