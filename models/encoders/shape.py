"""The check of an image's size that image encoders ask for."""

from torch import Tensor


def check_multiple(image: Tensor, multiple: int) -> None:
    """Raise ValueError where the height or the width of (..., H, W) is no multiple."""
    height, width = image.shape[-2:]
    if height % multiple or width % multiple:
        raise ValueError(f"{height} x {width} is not a multiple of {multiple}: pad the image first")
