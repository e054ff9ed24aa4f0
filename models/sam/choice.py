"""The choice among the masks that a SAM network offers.

The weights were fitted on stills and video frames, and checked on others.
"""

import cv2
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from models.api import Box, Click, Prompt
from models.prompt import box_iou, box_round
from models.sam.prompts import has_mask, is_ambiguous

_STABLE = 0.9  # below, a single mask is too uncertain and the best of several goes first
_OFFSET = 1.0  # logits, by which the threshold is moved to see how stable a mask is
_CENTRAL = 0.2  # how much quality it is worth that one click lies in the mask's middle
_SMALL = 0.03  # how much quality a mask loses for being a small part of the frame
_LEAST_SHARE = 1e-5
_KEPT = 0.6  # how much quality it is worth that a mask keeps what was there before the last click
_MET = 0.1  # ... that the clicks lie in it, or out of it, as they were meant to
_FILLED = 0.5  # ... that it fills the box


def ranked(
    prompt: Prompt, logits: Tensor, ious: Tensor, so_far: Tensor | None, frame: tuple[int, int]
) -> list[int]:
    """Return which masks are candidates, best first.

    `logits` (N, h, w), the network's single mask first; `ious` (N), as it predicts them; `so_far`
    (1, 1, h', w'), the mask it was to mend, as logits; `frame`: the frame's (H, W). One click alone
    makes the single mask no candidate.
    """
    steady = stability(logits)
    quality = (ious.clamp(0, 1) + steady) / 2
    if is_ambiguous(prompt):
        at = _in_grid(prompt.clicks[0], logits, frame)
        return _best(quality + _likely(logits > 0, at), first=1)
    before = None
    if so_far is not None and prompt.clicks:
        before = interpolate(so_far, logits.shape[-2:])[0, 0] > 0
    given = has_mask(prompt) and not prompt.clicks  # and any box is but the one round it
    if given or (prompt.box is None and before is None):
        order = _best(ious, first=1)
        return [0, *order] if bool(steady[0] >= _STABLE) else order
    if before is not None:
        places = [_in_grid(click, logits, frame) for click in prompt.clicks]
        quality = quality + _mended(logits > 0, before, prompt.clicks, places)
    if prompt.box is not None:
        quality = quality + _FILLED * _filled(logits > 0, prompt.box, frame)
    return _best(quality)


def stability(logits: Tensor) -> Tensor:
    """Return how little each mask changes when the threshold moves: IoU (N), 1 = not at all."""
    inner = (logits > _OFFSET).flatten(1).sum(dim=1)
    outer = (logits > -_OFFSET).flatten(1).sum(dim=1)
    return inner / outer.clamp(min=1)


def _best(worth: Tensor, first: int = 0) -> list[int]:
    return [first + index for index in worth[first:].argsort(descending=True).tolist()]


def _likely(masks: Tensor, at: tuple[int, int]) -> Tensor:
    """Return what is known of people who click once, in row and column `at`: a worth (N).

    They click near the middle of what they mean: a click at a mask's edge was hardly meant for it.
    And they mean a whole thing more often than a part: the share of the frame is taken as
    log-normal, so that it counts for much between a button and a shirt, for little between a shirt
    and a person.
    """
    share = masks.flatten(1).float().mean(dim=1) + _LEAST_SHARE
    return _CENTRAL * _centrality(masks, at) - _SMALL * share.log() ** 2


def _centrality(masks: Tensor, at: tuple[int, int]) -> Tensor:
    """Return how deep in each mask a pixel lies, (N): 0 = outside, 1 = at its innermost point."""
    depths = [
        cv2.distanceTransform(mask, cv2.DIST_L2, 5) for mask in masks.to(torch.uint8).cpu().numpy()
    ]
    return masks.new_tensor(
        [depth[at] / max(float(depth.max()), 1.0) for depth in depths], dtype=torch.float32
    )


def _mended(
    masks: Tensor, before: Tensor, clicks: tuple[Click, ...], places: list[tuple[int, int]]
) -> Tensor:
    """Return how well each mask mends the one `before` (h, w) as the last click asks: a worth (N).

    A click mends a mask that is right elsewhere: what a positive one leaves out of it, and what a
    negative one changes of it, speaks against a candidate. Without this a click beside a thin error
    now and then threw the whole mask away.
    """
    shared = (masks & before).flatten(1).sum(dim=1)
    whole = before.sum() if clicks[-1].positive else (masks | before).flatten(1).sum(dim=1)
    answers = torch.stack([masks[:, row, column] for row, column in places])  # (clicks, N)
    meant = answers.new_tensor([click.positive for click in clicks])
    met = (answers == meant[:, None]).float().mean(dim=0)
    return _KEPT * shared / whole.clamp(min=1) + _MET * met


def _filled(masks: Tensor, box: Box, frame: tuple[int, int]) -> Tensor:
    """Return how well the box round each mask agrees with the one that was drawn: IoU (N)."""
    wide, tall = masks.shape[-1] / frame[1], masks.shape[-2] / frame[0]
    drawn = Box(box.x0 * wide, box.y0 * tall, box.x1 * wide, box.y1 * tall)
    agreement = [
        box_iou(box_round(mask), drawn) if mask.any() else 0.0 for mask in masks.cpu().numpy()
    ]
    return masks.new_tensor(agreement, dtype=torch.float32)


def _in_grid(click: Click, logits: Tensor, frame: tuple[int, int]) -> tuple[int, int]:
    """Return the row and column of a click in masks of another size than the frame's."""
    (height, width), (rows, columns) = frame, logits.shape[-2:]
    row, column = int((click.y + 0.5) * rows / height), int((click.x + 0.5) * columns / width)
    return min(max(row, 0), rows - 1), min(max(column, 0), columns - 1)
