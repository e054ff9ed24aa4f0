"""The size at which an image encoder sees an image."""

from torch import Tensor

_LONGEST = 4  # times the short side: what is narrower than any film is not enlarged so far


def factor_to(short_side: int, size: tuple[int, int]) -> float:
    """Return by how much an image of (H, W) is scaled for its short side to be `short_side`.

    A narrow one is enlarged less, and its short side stays shorter: else one of 1 x 400 pixels
    would fill the memory.
    """
    return min(short_side / min(size), max(1.0, _LONGEST * short_side / max(size)))


def check_multiple(image: Tensor, multiple: int) -> None:
    """Raise ValueError where the height or the width of (..., H, W) is no multiple."""
    height, width = image.shape[-2:]
    if height % multiple or width % multiple:
        raise ValueError(f"{height} x {width} is not a multiple of {multiple}: pad the image first")
