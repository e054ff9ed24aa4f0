"""SAM 2 for single images: the Hiera encoder and the prompt heads."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from models.api import Image
from models.encoders.hiera import HieraEncoder, Levels
from models.encoders.hiera_cpu import CpuHiera
from models.encoders.shape import factor_to
from models.sam.compute import normalised, resized
from models.sam.heads import PromptHeads
from models.sam.prompts import Points
from models.weights.checkpoint import load_strict, read_state

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

    An image is squeezed into a square of `square` pixels, as in SAM 2's training, or keeps its
    shape at the short side `side`, 0 = at its own. On a CPU the encoder computes in `dtype`.
    """

    def __init__(
        self,
        encoder: HieraEncoder,
        heads: PromptHeads,
        *,
        device: torch.device,
        square: int = _SIDE,
        side: int | None = None,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        encoder = encoder.to(device).eval()
        self.encoder = CpuHiera(encoder, dtype) if device.type == "cpu" else encoder
        self._heads = heads.to(device).eval()
        self._square, self._side = square, side
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
        features = self.encoder(normalised(image, self._seen(size), self.device))
        return Sam2Embedding(features, size)

    def mask_size(self, embedding: Sam2Embedding) -> tuple[int, int]:
        """Return the (H, W) of mask prompts and of logits."""
        height, width = embedding.input_size
        return height // 4, width // 4

    def decode(
        self, embedding: Sam2Embedding, points: Points, mask: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Return logits (4, *mask_size) and predicted IoUs (4)."""
        (rows, columns), (height, width) = embedding.input_size, embedding.frame_size
        scaled = points.scaled(columns / width, rows / height)
        logits, ious = self._heads(embedding.tensors, scaled, mask)
        return logits, ious

    def enlarge(self, embedding: Sam2Embedding, logits: Tensor) -> Tensor:
        """Return logits (N, *mask_size) at the frame's size."""
        return resized(logits, embedding.frame_size)

    def _seen(self, size: tuple[int, int]) -> tuple[int, int]:
        """Return the size at which the network sees an image of `size`."""
        if self._side is None:
            return self._square, self._square
        return _scaled(size, self._side)


def _scaled(size: tuple[int, int], side: int) -> tuple[int, int]:
    scale = factor_to(side, size) if side else 1.0
    height, width = (max(32, round(length * scale / 32) * 32) for length in size)
    return height, width
