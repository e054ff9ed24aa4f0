"""Sizes at which VMOS sees a frame, and label maps on their way there."""

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.api import Image
from models.encoders.shape import factor_to
from models.runtime.pixels import standardised

_SHORT, _LONG = 480, 1040  # HQTrack's test size: the least short side, the greatest long side
_CELL = 16


def input_size(frame: tuple[int, int], side: int | None) -> tuple[int, int]:
    """Return the (height, width) that the network sees of a frame of (H, W); each is 16 n + 1.

    `side` is the short side in pixels, 0 = the frame's own, None = as HQTrack has it.
    """
    height, width = float(frame[0]), float(frame[1])
    short = min(frame) if side == 0 else side or max(_SHORT, min(frame))
    factor = factor_to(short, frame)
    height, width = height * factor, width * factor
    if side is None and max(height, width) > _LONG:
        factor = _LONG / max(height, width)
        height, width = height * factor, width * factor
    return _fitting(int(height)), _fitting(int(width))


def network_image(image: Image, size: tuple[int, int], device: torch.device) -> Tensor:
    """Return an image (H, W, 3), resized and normalised as ImageNet is, (1, 3, *size)."""
    if image.shape[:2] != size:
        image = np.asarray(cv2.resize(image, size[::-1], interpolation=cv2.INTER_CUBIC), np.uint8)
    pixels = torch.from_numpy(image).to(device).permute(2, 0, 1)[None].float() / 255
    return standardised(pixels)


def network_labels(
    labels: NDArray[np.uint8], size: tuple[int, int], device: torch.device
) -> Tensor:
    """Return a label map (H, W) at the network's size, nearest neighbours taken."""
    whole = torch.from_numpy(labels)[None, None].float()
    nearest = torch.nn.functional.interpolate(whole, size, mode="nearest")
    return nearest[0, 0].long().to(device)


def _fitting(side: int) -> int:
    return side if side % _CELL == 1 else max(round((side - 1) / _CELL), 1) * _CELL + 1
