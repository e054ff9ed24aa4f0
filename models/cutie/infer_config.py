"""The sizes of the image encoders, inferred from a state dict."""

from collections.abc import Mapping
from dataclasses import replace

from torch import Tensor

from models.cutie.config import EncoderConfig
from models.encoders import depth, hiera

_VISUAL, _DEPTH = "pixel_encoder.visual.", "pixel_encoder.depth."


def infer_sizes(config: EncoderConfig, state: Mapping[str, Tensor]) -> EncoderConfig:
    """Return a Hiera config with the sizes that a network's state dict holds.

    What the state dict does not tell stays as it is; loading it strictly says then what is wrong.
    """
    fused = any(name.startswith(_DEPTH) for name in state)
    size = _hiera_size(state, _VISUAL if fused else "pixel_encoder.")
    widths = tuple(
        state[name].shape[0]
        for name in (f"pixel_encoder.mixers.{level}.second.weight" for level in range(3))
        if name in state
    )
    return replace(
        config,
        size=size or config.size,
        depth=(_depth_size(state) or config.depth) if fused else None,
        widths=widths if len(widths) == 3 else config.widths,
    )


def _hiera_size(state: Mapping[str, Tensor], prefix: str) -> str | None:
    trunk = f"{prefix}trunk."
    patches = state.get(f"{trunk}patch_embed.proj.weight")
    if patches is None:
        return None
    blocks = {
        name.removeprefix(f"{trunk}blocks.").partition(".")[0]
        for name in state
        if name.startswith(f"{trunk}blocks.")
    }
    for name, size in hiera.SIZES.items():
        # Without the last stage where only the trunk's finer levels are read.
        counts = (sum(size.blocks), sum(size.blocks[:3]))
        if size.width == patches.shape[0] and len(blocks) in counts:
            return name
    return None


def _depth_size(state: Mapping[str, Tensor]) -> str | None:
    places = state.get(f"{_DEPTH}backbone.embeddings.position_embeddings")
    if places is None:
        return None
    widths = {size.width: name for name, size in depth.SIZES.items()}
    return widths.get(places.shape[-1])
