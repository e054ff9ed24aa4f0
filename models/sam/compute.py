"""The precision and the image preparation of these models."""

from collections.abc import Iterator
from contextlib import contextmanager

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from models.api import DeviceMemoryError, Image
from models.runtime.pixels import standardised


@contextmanager
def computing(device: torch.device) -> Iterator[None]:
    """Compute without gradients, in bfloat16 where the device is fast at it.

    Raises DeviceMemoryError where the device has too little memory.
    """
    on_cuda = device.type == "cuda"
    try:
        with torch.inference_mode(), torch.autocast("cuda", torch.bfloat16, enabled=on_cuda):
            yield
    except torch.OutOfMemoryError as error:
        raise DeviceMemoryError(
            f"{device} has too little free memory for this model. Use a smaller model, close "
            f"other programs that use it, or use --device cpu."
        ) from error


def normalised(image: Image, size: tuple[int, int], device: torch.device) -> Tensor:
    """Return an image (H, W, 3), resized and normalised as ImageNet is, as (1, 3, *size)."""
    pixels = torch.from_numpy(image).to(device).permute(2, 0, 1)[None].float() / 255
    if pixels.shape[-2:] != size:
        pixels = interpolate(pixels, size, mode="bilinear", align_corners=False, antialias=True)
    return standardised(pixels)


def resized(logits: Tensor, size: tuple[int, int]) -> Tensor:
    """Return logits (N, h, w) at another (H, W), bilinear, without antialiasing."""
    if logits.device.type == "cpu":
        # OpenCV gives the same, but for the last bit, in a tenth of the time.
        maps = [cv2.resize(each, size[::-1]) for each in logits.numpy()]
        return torch.from_numpy(np.stack(maps))
    return interpolate(logits[None], size, mode="bilinear", align_corners=False)[0]
