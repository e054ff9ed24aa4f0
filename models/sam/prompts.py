"""The prompts of a SAM network, made of what a person gave."""

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from models.api import BoolMask, Click, Prompt
from models.prompt import box_round, lies_in, pixel_of

NEGATIVE, POSITIVE, BOX_START, BOX_END = 0, 1, 2, 3
_SURE = 20.0  # logit of a pixel that is certainly in the mask


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """Clicks and box corners: `xy` (1, P, 2) in pixels of the frame, `labels` (1, P)."""

    xy: Tensor
    labels: Tensor

    def scaled(self, horizontal: float, vertical: float) -> "Points":
        """Return the points in an image of another size."""
        return Points(self.xy * self.xy.new_tensor([horizontal, vertical]), self.labels)


def is_ambiguous(prompt: Prompt) -> bool:
    """Whether the prompt is one click alone, which may mean a part or the whole."""
    return len(prompt.clicks) == 1 and prompt.box is None and not has_mask(prompt)


def points_of(prompt: Prompt, device: torch.device) -> Points:
    """Return the box corners and clicks of a checked prompt.

    SAM follows a mask poorly that nothing else supports, and was trained to see the clicks that
    made it: a mask alone goes with the box round it (as HQTrack prompts, section 2.2), a mask that
    no positive click lies in with a click on its innermost point.
    """
    box, clicks = prompt.box, prompt.clicks
    if has_mask(prompt) and prompt.mask is not None:
        if not clicks:
            box = box or box_round(prompt.mask)
        elif not any(click.positive and lies_in(click, prompt.mask) for click in clicks):
            clicks = (_innermost(prompt.mask, clicks), *clicks)
    corners = [(box.x0, box.y0), (box.x1, box.y1)] if box else []
    xy = corners + [(click.x, click.y) for click in clicks]
    labels = [BOX_START, BOX_END] if box else []
    labels += [POSITIVE if click.positive else NEGATIVE for click in clicks]
    return Points(
        torch.tensor([xy], dtype=torch.float32, device=device),
        torch.tensor([labels], dtype=torch.int32, device=device),
    )


def mask_logits(prompt: Prompt, size: tuple[int, int], device: torch.device) -> Tensor | None:
    """Return the mask so far as logits (1, 1, *size), as SAM takes its own last answer."""
    if prompt.mask is None or not prompt.mask.any():
        return None
    share = torch.from_numpy(prompt.mask.astype(np.float32)).to(device)[None, None]
    share = interpolate(share, size, mode="bilinear", align_corners=False, antialias=True)
    return (share * 2 - 1) * _SURE


def hardened(logits: Tensor) -> Tensor:
    """Return a network's own mask (H, W) as logits (1, 1, H, W) that are sure of every pixel."""
    return torch.where(logits > 0, _SURE, -_SURE)[None, None]


def has_mask(prompt: Prompt) -> bool:
    """Whether there is a mask so far, and it holds a pixel."""
    return prompt.mask is not None and bool(prompt.mask.any())


def _innermost(mask: BoolMask, clicks: Iterable[Click]) -> Click:
    """Return a click on the point of the mask that is farthest from its edge and from `clicks`."""
    inside = np.pad(mask, 1).astype(np.uint8)  # the frame's border is an edge
    for click in clicks:
        row, column = pixel_of(click, mask.shape)
        inside[row + 1, column + 1] = 0
    distance = cv2.distanceTransform(inside, cv2.DIST_L2, 5)[1:-1, 1:-1]
    y, x = np.unravel_index(int(distance.argmax()), mask.shape)
    return Click(float(x), float(y))
