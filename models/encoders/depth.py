"""Depth Anything V2 as a pixel encoder, out of `transformers`.

Yang et al., 2024: a DINOv2 vision transformer and a DPT decoder. Its fused maps carry geometry; the
depth map itself is not computed.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from models.encoders.shape import check_multiple

_PATCH = 14
_TRAINED_SIDE = 518


@dataclass(frozen=True, slots=True)
class DepthSize:
    """One published size. `taps`: the blocks whose output is read, counted from 1."""

    width: int
    heads: int
    blocks: int
    taps: tuple[int, int, int, int]
    neck: tuple[int, int, int, int]
    fused: int


SIZES = {
    "small": DepthSize(384, 6, 12, (3, 6, 9, 12), (48, 96, 192, 384), 64),
    "base": DepthSize(768, 12, 12, (3, 6, 9, 12), (96, 192, 384, 768), 128),
    "large": DepthSize(1024, 16, 24, (5, 12, 18, 24), (256, 512, 1024, 1024), 256),
}


class DepthEncoder(nn.Module):
    """Depth Anything V2's fused features at strides 16, 8 and 4.

    The network's patches are 14 pixels wide, so it sees the image at 14/16 of its size: then its
    token grid is the stride-16 grid, and its fusion levels fall on strides 16, 8 and 4. The last
    level (stride 2) and the depth head are left out.
    """

    multiple = 32

    def __init__(self, size: str) -> None:
        super().__init__()
        chosen = SIZES[size]
        self.channels: tuple[int, int, int] = (chosen.fused,) * 3
        self.backbone: Any
        self.neck: Any
        self.backbone, self.neck = _build(chosen)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Map a normalised image (B, 3, H, W) to features at strides 16, 8 and 4."""
        check_multiple(image, self.multiple)
        rows, columns = image.shape[-2] // 16, image.shape[-1] // 16
        scaled = interpolate(
            image, (rows * _PATCH, columns * _PATCH), mode="bicubic", align_corners=False
        )
        tokens = self.backbone(scaled).feature_maps
        maps = self.neck.reassemble_stage(tokens, rows, columns)
        m4, m8, m16, m32 = (conv(level) for conv, level in zip(self.neck.convs, maps, strict=True))
        fuse16, fuse8, fuse4 = self.neck.fusion_stage.layers
        f16 = fuse16(m32, size=m16.shape[2:])
        f8 = fuse8(f16, m16, size=m8.shape[2:])
        f4 = fuse4(f8, m8, size=m4.shape[2:])
        return f16, f8, f4

    def select(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return this encoder's part of an official state dict, under this encoder's names."""
        renamed: dict[str, Tensor] = {}
        for name, tensor in state.items():
            if not _UNUSED.match(name):
                renamed |= _renamed(name, tensor)
        return _in_this_release(renamed, self.state_dict())


def _build(size: DepthSize) -> tuple[Any, Any]:
    from transformers import DepthAnythingConfig, Dinov2Config  # noqa: PLC0415
    from transformers.models.depth_anything.modeling_depth_anything import (  # noqa: PLC0415
        DepthAnythingNeck,
    )
    from transformers.models.dinov2.modeling_dinov2 import Dinov2Backbone  # noqa: PLC0415

    vit = Dinov2Config(
        image_size=_TRAINED_SIDE,
        patch_size=_PATCH,
        hidden_size=size.width,
        num_attention_heads=size.heads,
        num_hidden_layers=size.blocks,
        out_indices=list(size.taps),
        apply_layernorm=True,
        reshape_hidden_states=False,
    )
    config = DepthAnythingConfig(
        backbone_config=vit,
        reassemble_hidden_size=size.width,
        neck_hidden_sizes=list(size.neck),
        fusion_hidden_size=size.fused,
    )
    neck = DepthAnythingNeck(config)
    neck.fusion_stage.layers = neck.fusion_stage.layers[:3]
    return Dinov2Backbone(config.backbone_config), neck


_UNUSED = re.compile(r"depth_head\.scratch\.(refinenet1|output_conv\d)\.")
_BLOCK = r"pretrained\.blocks\.(\d+)\."
_LAYER = r"backbone.encoder.layer.\1."
_FUSION = r"neck.fusion_stage.layers."

# Official name -> name in transformers, as patterns.
_RULES: tuple[tuple[str, str], ...] = (
    (r"pretrained\.(cls_token|mask_token)", r"backbone.embeddings.\1"),
    (r"pretrained\.pos_embed", r"backbone.embeddings.position_embeddings"),
    (r"pretrained\.patch_embed\.proj\.", r"backbone.embeddings.patch_embeddings.projection."),
    (r"pretrained\.norm\.", r"backbone.layernorm."),
    (_BLOCK + r"attn\.proj\.", _LAYER + r"attention.o_proj."),
    (_BLOCK + r"ls([12])\.gamma", _LAYER + r"layer_scale\2.lambda1"),
    (_BLOCK, _LAYER),
    (r"depth_head\.projects\.(\d)\.", r"neck.reassemble_stage.layers.\1.projection."),
    (r"depth_head\.resize_layers\.(\d)\.", r"neck.reassemble_stage.layers.\1.resize."),
    *(
        (rf"depth_head\.scratch\.layer{level + 1}_rn\.", rf"neck.convs.{level}.")
        for level in range(4)
    ),
    *(
        (rf"depth_head\.scratch\.refinenet{4 - layer}\.", rf"{_FUSION}{layer}.")
        for layer in range(3)
    ),
)
_UNIT_RULES = (
    (r"\.out_conv\.", r".projection."),
    (r"\.resConfUnit(\d)\.conv(\d)\.", r".residual_layer\1.convolution\2."),
)


def _renamed(name: str, tensor: Tensor) -> dict[str, Tensor]:
    """Return the tensor under its new name; the joint attention projection becomes three."""
    new = _substituted(name, _RULES)
    if new.startswith(_FUSION):
        for pattern, text in _UNIT_RULES:
            new = re.sub(pattern, text, new)
    if ".attn.qkv." not in new:
        return {new: tensor}
    parts = zip("qkv", torch.chunk(tensor, 3), strict=True)
    return {new.replace(".attn.qkv.", f".attention.{q}_proj."): part for q, part in parts}


def _substituted(name: str, rules: Iterable[tuple[str, str]]) -> str:
    for pattern, text in rules:
        new, count = re.subn(rf"^{pattern}", text, name)
        if count:
            return new
    return name


# transformers before release 5 named the attention's projections otherwise.
_BEFORE_5 = {
    ".attention.q_proj.": ".attention.attention.query.",
    ".attention.k_proj.": ".attention.attention.key.",
    ".attention.v_proj.": ".attention.attention.value.",
    ".attention.o_proj.": ".attention.output.dense.",
}


def _in_this_release(state: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> dict[str, Tensor]:
    if not any(".attention.output.dense." in name for name in own):
        return dict(state)
    result = {}
    for name, tensor in state.items():
        older = name
        for now, before in _BEFORE_5.items():
            older = older.replace(now, before)
        result[older] = tensor
    return result
