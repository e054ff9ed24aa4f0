"""The geometry between a frame and what the network sees of it."""

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor

from models.encoders.shape import factor_to

Size = tuple[int, int]  # (height, width) in pixels


@dataclass(frozen=True, slots=True)
class Geometry:
    """A frame of size `frame`, brought to `inner`, then padded round its centre to `padded`."""

    frame: Size
    inner: Size
    padded: Size

    @classmethod
    def of(
        cls, frame: Size, *, short_side: int, scale: float, multiple: int, enlarge: bool = False
    ) -> "Geometry":
        """Return the geometry for a short side in pixels, 0 = the frame's.

        A frame is only enlarged to reach the short side with `enlarge`, but `scale` applies to what
        comes out.
        """
        least = min(frame)
        reached = short_side > 0 and (enlarge or short_side < least)
        factor = (factor_to(short_side, frame) if reached else 1.0) * scale
        # As the published code rounds, so that the same pixels are seen.
        inner = frame if factor == 1 else (_down(frame[0] * factor), _down(frame[1] * factor))
        height, width = (-(-side // multiple) * multiple for side in inner)
        return cls(frame, inner, (height, width))

    @property
    def margins(self) -> tuple[int, int, int, int]:
        """Zeros added at the left, right, top and bottom."""
        down, across = (a - b for a, b in zip(self.padded, self.inner, strict=True))
        return (across // 2, across - across // 2, down // 2, down - down // 2)

    def image_in(self, image: Tensor) -> Tensor:
        """Map images (B, 3, H, W) to what the network sees."""
        if self.inner != self.frame:
            image = F.interpolate(image, size=self.inner, mode="bilinear", align_corners=False)
        return F.pad(image, self.margins)

    def masks_in(self, masks: Tensor) -> Tensor:
        """Map masks (K, H, W) of 0 and 1 to what the network sees; none that is set gets lost."""
        if self.inner != self.frame:
            nearest = F.interpolate(masks[None], size=self.inner, mode="nearest-exact")[0]
            any_set = F.adaptive_max_pool2d(masks[None], self.inner)[0]
            lost = (nearest.flatten(1).sum(1) == 0).view(-1, 1, 1)
            masks = any_set.where(lost, nearest)
        return F.pad(masks, self.margins)

    def inside(self, maps: Tensor) -> Tensor:
        """Cut the padding off maps (..., H, W)."""
        left, _, top, _ = self.margins
        return maps[..., top : top + self.inner[0], left : left + self.inner[1]]

    def cell(self, x: float, y: float) -> tuple[int, int]:
        """Return the (column, row) at stride 16 where a pixel of the frame lies."""
        left, _, top, _ = self.margins
        across, down = self.inner[1] / self.frame[1], self.inner[0] / self.frame[0]
        return int((x + 0.5) * across + left) // 16, int((y + 0.5) * down + top) // 16

    def centre(self, column: int, row: int) -> tuple[float, float]:
        """Return the pixel (x, y) of the frame in the middle of a cell at stride 16."""
        left, _, top, _ = self.margins
        across, down = self.inner[1] / self.frame[1], self.inner[0] / self.frame[0]
        return (16 * column + 8 - left) / across - 0.5, (16 * row + 8 - top) / down - 0.5

    def out(self, probability: Tensor) -> Tensor:
        """Bring probabilities (K, h, w) without padding to the frame's size."""
        if self.inner == self.frame:
            return probability
        size = self.frame
        return F.interpolate(probability[None], size=size, mode="bilinear", align_corners=False)[0]


def _down(side: float) -> int:
    return max(int(side + 1e-6), 1)
