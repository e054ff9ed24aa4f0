"""SAM 2 for single images: the Hiera encoder and the prompt heads."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from models.api import Image
from models.checkpoint import load_strict, read_state
from models.encoders.hiera import HieraEncoder, Levels
from models.sam.compute import normalised
from models.sam.heads import PromptHeads
from models.sam.prompts import Points

_SIDE = 1024  # of the square that SAM 2 was trained on


@dataclass(frozen=True, slots=True, eq=False)
class Sam2Embedding:
    """Features at strides 16, 8 and 4 of the resized image, and the frame's (H, W)."""

    tensors: tuple[Tensor, Tensor, Tensor]
    frame_size: tuple[int, int]

    @property
    def input_size(self) -> tuple[int, int]:
        """(H, W) of the image as the network saw it."""
        height, width = self.tensors[0].shape[-2:]
        return height * 16, width * 16


class Sam2Network:
    """Embeds images with Hiera, answers prompts with SAM 2's heads.

    `side` None squeezes an image into the square that SAM 2 was trained on; a number keeps its
    shape at that short side, 0 at its own.
    """

    size_weight = 0.5

    def __init__(
        self,
        encoder: HieraEncoder,
        heads: PromptHeads,
        *,
        device: torch.device,
        side: int | None = None,
    ) -> None:
        self._encoder = encoder.to(device).eval()
        self._heads = heads.to(device).eval()
        self._side = side
        self.device = device

    @classmethod
    def load(
        cls, size: str, path: Path, *, device: torch.device, side: int | None
    ) -> "Sam2Network":
        """Return the network of a SAM 2 file; its memory parts are not needed.

        Raises WeightsInvalidError where the file is of another model.
        """
        state = read_state(path)
        encoder, heads = HieraEncoder(size, Levels.DECODER), PromptHeads()
        load_strict(encoder, encoder.select(state), path)
        load_strict(heads, heads.select(state), path)
        return cls(encoder, heads, device=device, side=side)

    def embed(self, image: Image) -> Sam2Embedding:
        """Return the embedding of an image (H, W, 3)."""
        size = (image.shape[0], image.shape[1])
        features = self._encoder(normalised(image, _input_size(size, self._side), self.device))
        return Sam2Embedding(features, size)

    def mask_size(self, embedding: Sam2Embedding) -> tuple[int, int]:
        """Return the size that a mask prompt must have."""
        height, width = embedding.input_size
        return height // 4, width // 4

    def decode(
        self, embedding: Sam2Embedding, points: Points, mask: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Return logits (4, H, W) of the frame's size and predicted IoUs (4)."""
        (rows, columns), (height, width) = embedding.input_size, embedding.frame_size
        scaled = points.scaled(columns / width, rows / height)
        logits, ious = self._heads(embedding.tensors, scaled, mask)
        full = interpolate(logits[None], (height, width), mode="bilinear", align_corners=False)
        return full[0], ious


def _input_size(size: tuple[int, int], side: int | None) -> tuple[int, int]:
    if side is None:
        return _SIDE, _SIDE
    scale = side / min(size) if side else 1.0
    height, width = (max(32, round(length * scale / 32) * 32) for length in size)
    return height, width
