"""Grounding DINO: boxes of what phrases say.

Liu et al., "Grounding DINO: Marrying DINO with grounded pre-training for open-set object
detection", 2023. The library's own naming of a box decodes the tokens that fit it, and so cuts
phrases ("a chest of drawers" comes back as "a chest"); here each token belongs to its phrase.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from models.api import Box, DeviceMemoryError, Finding, Frames, Image
from models.prompt import box_iou
from models.runtime.pixels import standardised
from models.text.prompt import TextPrompt, Vocabulary
from models.weights.pretrained import load_pretrained

Network = Any  # transformers.GroundingDinoForObjectDetection

_SHORT_SIDE, _LONG_SIDE = 800, 1333  # pixels of a frame as the network was trained on
_SAME = 0.7  # IoU above which two boxes are of one thing


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Which boxes count: `box`, the least score of any token; `text`, that of the phrase's."""

    box: float = 0.3
    text: float = 0.25


class GroundingDino:
    """The detector, bound to one video. Owned by one thread."""

    def __init__(
        self,
        network: Network,
        vocabulary: Vocabulary,
        frames: Frames,
        thresholds: Thresholds | None = None,
        *,
        side: int | None = None,
    ) -> None:
        self._network, self._vocabulary = network, vocabulary
        self._frames = frames
        self._thresholds = thresholds or Thresholds()
        self._side = side or _SHORT_SIDE

    def find(self, frame: int, phrases: Sequence[str]) -> tuple[Finding, ...]:
        """Return what is on the frame of what the phrases say, best first.

        Raises PromptError where there is no phrase, or one is empty.
        """
        prompt = self._vocabulary.prompt(phrases)
        image = self._frames[frame]
        scores, boxes = self._asked(image, prompt)
        height, width = image.shape[:2]
        found = []
        for own, (x, y, w, h) in zip(scores, boxes.tolist(), strict=True):
            best = named(own, prompt, self._thresholds)
            if best is not None:
                corners = (x - w / 2) * width, (y - h / 2) * height
                ends = (x + w / 2) * width, (y + h / 2) * height
                box = clipped(Box(*corners, *ends), width, height)
                found.append(Finding(box, phrases[best[0]], best[1]))
        return distinct(found)

    def _asked(self, image: Image, prompt: TextPrompt) -> tuple[Tensor, Tensor]:
        """Return each query's score for each token (Q, tokens) and its box (Q, 4), 0 to 1."""
        device = self._network.device
        ids = torch.tensor([prompt.ids], device=device)
        try:
            with torch.inference_mode():
                pixels = _pixels(image, self._side, device)
                output = self._network(
                    pixel_values=pixels,
                    pixel_mask=torch.ones_like(pixels[:, 0], dtype=torch.long),
                    input_ids=ids,
                    token_type_ids=torch.zeros_like(ids),
                    attention_mask=torch.ones_like(ids),
                )
        except torch.OutOfMemoryError as error:
            raise DeviceMemoryError(
                f"{device} has too little free memory for this model. Use a smaller --size, close "
                f"other programs that use it, or use --device cpu."
            ) from error
        scores = output.logits[0, :, : len(prompt.ids)].sigmoid()
        return scores.float().cpu(), output.pred_boxes[0].float().cpu()


def load_network(path: Path, config: Any | None = None) -> Network:  # noqa: ANN401
    """Return the network with the weights in the file; without a config, the tiny one.

    Raises WeightsInvalidError where the file is of another model.
    """
    from transformers import (  # noqa: PLC0415
        GroundingDinoConfig,
        GroundingDinoForObjectDetection,
    )

    return load_pretrained(GroundingDinoForObjectDetection, config or GroundingDinoConfig(), path)


def named(scores: Tensor, prompt: TextPrompt, thresholds: Thresholds) -> tuple[int, float] | None:
    """Return which phrase a box is of, and its score, or None where it is of none.

    `scores` (tokens), 0 to 1. A phrase scores as its best token does.
    """
    if scores.max() < thresholds.box:
        return None
    of_phrases = [float(scores[span.start : span.stop].max()) for span in prompt.spans]
    best = max(range(len(of_phrases)), key=of_phrases.__getitem__)
    return (best, of_phrases[best]) if of_phrases[best] >= thresholds.text else None


def distinct(found: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return each thing once, best first: of boxes that overlap, the one with the best score."""
    kept: list[Finding] = []
    for finding in sorted(found, key=lambda finding: -finding.score):
        if all(box_iou(finding.box, other.box) <= _SAME for other in kept):
            kept.append(finding)
    return tuple(kept)


def clipped(box: Box, width: int, height: int) -> Box:
    """Return what of a box lies within a frame."""
    return Box(max(box.x0, 0), max(box.y0, 0), min(box.x1, width), min(box.y1, height))


def _pixels(image: Image, side: int, device: torch.device) -> Tensor:
    """Return an image as the network sees it, (1, 3, h, w), its short side at `side`."""
    height, width = image.shape[:2]
    scale = side / min(height, width)
    scale = min(scale, side * _LONG_SIDE / _SHORT_SIDE / max(height, width))
    size = max(round(height * scale), 1), max(round(width * scale), 1)
    pixels = torch.from_numpy(image).to(device).permute(2, 0, 1)[None].float() / 255
    pixels = interpolate(pixels, size, mode="bilinear", align_corners=False, antialias=True)
    return standardised(pixels)
