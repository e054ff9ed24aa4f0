"""SAM 3: boxes of every thing that a phrase names.

Carion et al., "SAM 3: Segment anything with concepts", 2025. Phrases are looked for one by
one in one encoding of the frame; whether such a thing is there at all is part of every score.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from models.api import Box, DeviceMemoryError, Finding, Frames, Image
from models.text.clip_vocabulary import ClipVocabulary
from models.text.grounding_dino import clipped, distinct
from models.weights.pretrained import load_pretrained

Network = Any  # transformers.Sam3Model

_THRESHOLD = 0.5


class Sam3:
    """The detector, bound to one video. Owned by one thread."""

    def __init__(
        self,
        network: Network,
        vocabulary: ClipVocabulary,
        frames: Frames,
        threshold: float | None = None,
    ) -> None:
        self._network, self._vocabulary, self._frames = network, vocabulary, frames
        self._threshold = _THRESHOLD if threshold is None else threshold

    def find(self, frame: int, phrases: Sequence[str]) -> tuple[Finding, ...]:
        """Return what is on the frame of what the phrases say, best first.

        Raises PromptError where there is no phrase, or one is empty or too long.
        """
        prompts = [self._vocabulary.prompt(phrase) for phrase in self._vocabulary.checked(phrases)]
        image = self._frames[frame]
        height, width = image.shape[:2]
        found = []
        for phrase, (scores, boxes) in zip(phrases, self._asked(image, prompts), strict=True):
            for score, (x0, y0, x1, y1) in zip(scores.tolist(), boxes.tolist(), strict=True):
                if score > self._threshold:
                    box = Box(x0 * width, y0 * height, x1 * width, y1 * height)
                    found.append(Finding(clipped(box, width, height), phrase, score))
        return distinct(found)

    def _asked(self, image: Image, prompts: Sequence[list[int]]) -> list[tuple[Tensor, Tensor]]:
        """Return for each prompt the score of every query (Q) and its box (Q, 4), 0 to 1."""
        network, device = self._network, self._network.device
        answers = []
        try:
            with torch.inference_mode():
                seen = network.get_vision_features(pixels_of(image, self._side, device))
                for ids in prompts:
                    tokens = torch.tensor([ids], device=device)
                    output = network(
                        vision_embeds=seen, input_ids=tokens, attention_mask=torch.ones_like(tokens)
                    )
                    there = output.presence_logits[0].sigmoid()
                    scores = output.pred_logits[0].sigmoid() * there
                    answers.append((scores.float().cpu(), output.pred_boxes[0].float().cpu()))
        except torch.OutOfMemoryError as error:
            raise DeviceMemoryError(
                f"{device} has too little free memory for this model. Close other programs that "
                f"use it, or use --device cpu."
            ) from error
        return answers

    @property
    def _side(self) -> int:
        return int(self._network.config.vision_config.backbone_config.image_size)


def load_network(path: Path, config: Any | None = None) -> Network:  # noqa: ANN401
    """Return the network with the weights in the file; without a config, the official one.

    What the file holds of the tracker is passed over. Raises WeightsInvalidError where the file is
    of another model.
    """
    from transformers import Sam3Config, Sam3Model  # noqa: PLC0415

    return load_pretrained(Sam3Model, config or Sam3Config(), path)


def pixels_of(image: Image, side: int, device: torch.device) -> Tensor:
    """Return an image as the network sees it: (1, 3, side, side), -1 to 1, squeezed."""
    pixels = torch.from_numpy(image).to(device).permute(2, 0, 1)[None]
    squeezed = interpolate(
        pixels.float(), (side, side), mode="bilinear", align_corners=False, antialias=True
    )
    return squeezed.round().clamp(0, 255) / 127.5 - 1
