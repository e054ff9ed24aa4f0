"""Pixels as networks take them: with the means of their training images taken off."""

from torch import Tensor

Colour = tuple[float, float, float]  # red, green, blue, 0 to 1

IMAGENET_MEAN: Colour = (0.485, 0.456, 0.406)
IMAGENET_DEVIATION: Colour = (0.229, 0.224, 0.225)


def standardised(
    images: Tensor, mean: Colour = IMAGENET_MEAN, deviation: Colour = IMAGENET_DEVIATION
) -> Tensor:
    """Return images (B, 3, H, W), 0 to 1, with the means taken off and in their deviations."""
    means, deviations = images.new_tensor(mean), images.new_tensor(deviation)
    return (images - means[:, None, None]) / deviations[:, None, None]
