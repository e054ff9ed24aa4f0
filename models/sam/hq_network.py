"""HQ-SAM and MobileSAM for single images, out of the `segment-anything-hq` package.

HQ-SAM: Ke et al., NeurIPS 2023: one more output token, whose mask sharpens SAM's own. MobileSAM:
Zhang et al., 2023: SAM with a TinyViT image encoder; it has no such token and answers with SAM's
mask.
"""

import logging
import warnings
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from models.api import Image
from models.sam.compute import normalised, resized
from models.sam.prompts import BOX_START, Points
from models.weights.checkpoint import load_strict, read_state

log = logging.getLogger(__name__)

_SIDE = 1024  # the long side of what SAM sees, padded to a square
_STRIDE = 4  # of the masks that it takes and gives
_HQ_TOKEN = "mask_decoder.hf_token.weight"


@dataclass(frozen=True, slots=True, eq=False)
class HqEmbedding:
    """The image embedding, the early features that HQ-SAM adds, and the sizes.

    `input_size`: (H, W) of the resized image within the padded square.
    """

    tensors: tuple[Tensor, ...]
    input_size: tuple[int, int]
    frame_size: tuple[int, int]


class HqNetwork:
    """A SAM network of the package: with the HQ token where the weights have one.

    On a CPU it computes in `dtype`.
    """

    def __init__(
        self,
        sam: Any,  # noqa: ANN401
        *,
        device: torch.device,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self._sam = sam.to(device).eval()
        self.encoder: nn.Module = self._sam.image_encoder
        self.device = device
        self._dtype = dtype
        with torch.inference_mode():
            self._places: Tensor = self._sam.prompt_encoder.get_dense_pe()

    @classmethod
    def load(
        cls, kind: str, path: Path, *, device: torch.device, dtype: torch.dtype = torch.float32
    ) -> "HqNetwork":
        """Return the network `kind` (vit_tiny, vit_b, vit_l, vit_h) of a weights file.

        Raises WeightsInvalidError where the file is of another model.
        """
        state = read_state(path)
        sharpens = _HQ_TOKEN in state
        if not sharpens:
            log.warning("%s has no HQ token: its masks are those of plain SAM.", path.name)
        sam = build_sam(kind, sharpens=sharpens)
        load_strict(sam, state, path)
        return cls(sam, device=device, dtype=dtype)

    @property
    def sharpens(self) -> bool:
        """Whether the masks are HQ-SAM's, not those of plain SAM."""
        return hasattr(self._sam.mask_decoder, "hf_token")

    def embed(self, image: Image) -> HqEmbedding:
        """Return the embedding of an image (H, W, 3)."""
        size = (image.shape[0], image.shape[1])
        scale = _SIDE / max(size)
        height, width = (int(length * scale + 0.5) for length in size)
        pixels = normalised(image, (height, width), self.device)
        square = pad(pixels, (0, _SIDE - width, 0, _SIDE - height))
        with self._fast():
            features, early = self.encoder(square)
        kept = (features, early[0]) if self.sharpens else (features,)
        return HqEmbedding(kept, (height, width), size)

    def mask_size(self, embedding: HqEmbedding) -> tuple[int, int]:
        """Return the (H, W) of mask prompts and of logits: the image's part of the square."""
        height, width = embedding.input_size
        return -(-height // _STRIDE), -(-width // _STRIDE)

    def decode(
        self, embedding: HqEmbedding, points: Points, mask: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Return logits (4, *mask_size) and predicted IoUs (4)."""
        (rows, columns), (height, width) = embedding.input_size, embedding.frame_size
        encoder = self._sam.prompt_encoder
        clicks, boxes = _apart(points.scaled(columns / width, rows / height))
        with self._fast():
            masks, ious = self._predict(embedding, *encoder(clicks, boxes, _padded(mask)))
        seen_rows, seen_columns = self.mask_size(embedding)
        return masks[0, :, :seen_rows, :seen_columns].float(), ious[0].float()

    def _predict(
        self, embedding: HqEmbedding, sparse: Tensor, dense: Tensor
    ) -> tuple[Tensor, Tensor]:
        given = {
            "image_embeddings": embedding.tensors[0],
            "image_pe": self._places,
            "sparse_prompt_embeddings": sparse,
            "dense_prompt_embeddings": dense,
        }
        decoder = self._sam.mask_decoder
        if self.sharpens:
            early = decoder.compress_vit_feat(embedding.tensors[1].permute(0, 3, 1, 2))
            hq_features = decoder.embedding_encoder(embedding.tensors[0]) + early
            masks, ious = decoder.predict_masks(**given, hq_features=hq_features)
            return masks[:, :4] + masks[:, 4:], ious
        masks, ious = decoder.predict_masks(**given)
        return masks, ious

    def _fast(self) -> AbstractContextManager[object]:
        """Compute in the network's numbers on a CPU; elsewhere `computing` has chosen them."""
        if self.device.type == "cpu" and self._dtype is not torch.float32:
            return torch.autocast("cpu", self._dtype)
        return nullcontext()

    def enlarge(self, embedding: HqEmbedding, logits: Tensor) -> Tensor:
        """Return logits (N, *mask_size) at the frame's size."""
        rows, columns = embedding.input_size
        height, width = logits.shape[-2:]
        square = resized(logits, (height * _STRIDE, width * _STRIDE))
        return resized(square[:, :rows, :columns], embedding.frame_size)


def _apart(points: Points) -> tuple[tuple[Tensor, Tensor] | None, Tensor | None]:
    """Return clicks and box apart, as SAM 1 takes them; the box is (1, 4)."""
    corners = points.labels[0] >= BOX_START
    box = points.xy[:, corners].reshape(1, 4) if corners.any() else None
    clicks = (points.xy[:, ~corners], points.labels[:, ~corners])
    return (clicks if clicks[1].numel() else None), box


def _padded(mask: Tensor | None) -> Tensor | None:
    if mask is None:
        return None
    height, width = mask.shape[-2:]
    side = _SIDE // _STRIDE
    return pad(mask, (0, side - width, 0, side - height), value=float(mask.min()))


def build_sam(kind: str, *, sharpens: bool) -> Any:  # noqa: ANN401
    """Return the package's model with random weights, with or without the HQ token."""
    with warnings.catch_warnings():
        # The package imports timm by names that timm has moved.
        warnings.simplefilter("ignore")
        from segment_anything_hq import (  # noqa: PLC0415
            sam_model_registry,
            sam_model_registry_baseline,
        )
    return (sam_model_registry if sharpens else sam_model_registry_baseline)[kind]()
