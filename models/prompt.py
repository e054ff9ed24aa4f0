"""Prompts and anchors: whether they can be used, where they point, and what boxes share."""

from collections.abc import Sequence

import numpy as np

from models.api import Anchors, BoolMask, Box, Click, Frames, Prompt, PromptError


def check_prompt(prompt: Prompt, size: tuple[int, int]) -> None:
    """Raise PromptError where the prompt is empty or does not fit a frame of (H, W)."""
    height, width = size
    mask, box = prompt.mask, prompt.box
    if mask is not None and mask.shape != size:
        raise PromptError(
            f"The mask is {mask.shape[1]}x{mask.shape[0]}, the frame {width}x{height}. "
            "Give a mask of the frame's size."
        )
    if not prompt.clicks and box is None and (mask is None or not mask.any()):
        raise PromptError("There is nothing to go by. Give a click, a box or a mask.")
    for click in prompt.clicks:
        if not (-0.5 <= click.x <= width - 0.5 and -0.5 <= click.y <= height - 0.5):
            raise PromptError(
                f"The click {click.x:g},{click.y:g} is outside the frame of {width}x{height}. "
                "Click inside it."
            )
    if box is not None:
        inside = min(box.x1, width) > max(box.x0, 0) and min(box.y1, height) > max(box.y0, 0)
        if not inside or box.x1 <= box.x0 or box.y1 <= box.y0:
            raise PromptError(
                f"The box {box.x0:g},{box.y0:g},{box.x1:g},{box.y1:g} holds no pixel of the "
                f"{width}x{height} frame. Draw it from its top left to its bottom right corner."
            )


def check_anchors(anchors: Anchors, frames: Sequence[int], video: Frames) -> None:
    """Raise PromptError where there is no anchor, or something does not fit the video."""
    if not any(anchors.values()):
        raise PromptError("There is no anchor to propagate from. Draw or click a mask first.")
    for frame in (*anchors, *frames):
        if not 0 <= frame < len(video):
            raise PromptError(f"Frame {frame} is outside the video of {len(video)} frames.")
    for frame, masks in anchors.items():
        for object_id, mask in masks.items():
            if mask.shape != video.size:
                raise PromptError(
                    f"The mask of object {object_id} on frame {frame} is {mask.shape[1]} x "
                    f"{mask.shape[0]} pixels, the video {video.size[1]} x {video.size[0]}."
                )


def box_round(mask: BoolMask) -> Box:
    """Return the box round a mask that holds a pixel."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return Box(columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)


def box_iou(one: Box, other: Box) -> float:
    """Return the intersection over union of two boxes, 0 where both are empty."""
    width = min(one.x1, other.x1) - max(one.x0, other.x0)
    height = min(one.y1, other.y1) - max(one.y0, other.y0)
    shared = max(width, 0.0) * max(height, 0.0)
    union = _area(one) + _area(other) - shared
    return shared / union if union > 0 else 0.0


def _area(box: Box) -> float:
    return max(box.x1 - box.x0, 0.0) * max(box.y1 - box.y0, 0.0)


def pixel_of(click: Click, shape: tuple[int, ...]) -> tuple[int, int]:
    """Return the row and column of the pixel that a click lies on, the nearest one of (H, W)."""
    height, width = shape
    return min(max(round(click.y), 0), height - 1), min(max(round(click.x), 0), width - 1)


def lies_in(click: Click, mask: BoolMask) -> bool:
    """Whether a click lies in a mask (H, W)."""
    return bool(mask[pixel_of(click, mask.shape)])
