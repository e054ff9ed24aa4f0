"""The geometry between a frame and what the network sees of it."""

from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from models.cutie.inference.view import View
from models.encoders.shape import factor_to

Size = tuple[int, int]  # (height, width) in pixels


@dataclass(frozen=True, slots=True)
class Geometry:
    """A `view` of a frame of size `frame`, brought to `inner`, then padded to `padded`."""

    frame: Size
    inner: Size
    padded: Size
    view: View

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
        return cls(frame, inner, (height, width), View.whole(frame))

    def looking_at(self, view: View) -> "Geometry":
        """Return the geometry with another view."""
        return replace(self, view=view)

    @property
    def scale(self) -> tuple[float, float]:
        """How many pixels the network sees of a pixel of the frame, down and across."""
        return self.inner[0] / self.view.height, self.inner[1] / self.view.width

    @property
    def margins(self) -> tuple[int, int, int, int]:
        """Zeros added at the left, right, top and bottom."""
        down, across = (a - b for a, b in zip(self.padded, self.inner, strict=True))
        return (across // 2, across - across // 2, down // 2, down - down // 2)

    def image_in(self, image: Tensor) -> Tensor:
        """Map images (B, 3, H, W) to what the network sees."""
        image = self._within(image)
        if self.inner != self._seen:
            image = F.interpolate(image, size=self.inner, mode="bilinear", align_corners=False)
        return self._pad(image)

    def masks_in(self, masks: Tensor) -> Tensor:
        """Map masks (K, H, W) of 0 and 1 to what the network sees; none that is set gets lost."""
        masks = self._within(masks)
        if self.inner != self._seen:
            nearest = F.interpolate(masks[None], size=self.inner, mode="nearest-exact")[0]
            any_set = F.adaptive_max_pool2d(masks[None], self.inner)[0]
            lost = (nearest.flatten(1).sum(1) == 0).view(-1, 1, 1)
            masks = any_set.where(lost, nearest)
        return self._pad(masks[None])[0]

    def _pad(self, maps: Tensor) -> Tensor:
        """Pad maps (B, C, h, w): with zeros, as the published code does.

        But where that would be no less than is seen, as of a frame of one column, the borders go
        on: among zeros a thing that is half a cell wide is taken for nothing.
        """
        is_thin = any(2 * a <= b for a, b in zip(self.inner, self.padded, strict=True))
        return F.pad(maps, self.margins, mode="replicate" if is_thin else "constant")

    def inside(self, maps: Tensor) -> Tensor:
        """Cut the padding off maps (..., H, W)."""
        left, _, top, _ = self.margins
        return maps[..., top : top + self.inner[0], left : left + self.inner[1]]

    def cell(self, x: float, y: float) -> tuple[int, int]:
        """Return the (column, row) at stride 16 where a pixel of the view lies."""
        left, _, top, _ = self.margins
        down, across = self.scale
        column = (x + 0.5 - self.view.left) * across + left
        return int(column) // 16, int((y + 0.5 - self.view.top) * down + top) // 16

    def centre(self, column: int, row: int) -> tuple[float, float]:
        """Return the pixel (x, y) of the frame in the middle of a cell at stride 16."""
        left, _, top, _ = self.margins
        down, across = self.scale
        x = (16 * column + 8 - left) / across + self.view.left
        return x - 0.5, (16 * row + 8 - top) / down + self.view.top - 0.5

    def out(self, probability: Tensor) -> Tensor:
        """Bring probabilities (K + 1, h, w) without padding to the frame's size.

        Beyond the view there is background.
        """
        if self.inner != self._seen:
            probability = F.interpolate(
                probability[None], size=self._seen, mode="bilinear", align_corners=False
            )[0]
        if self._seen == self.frame:
            return probability
        whole = probability.new_zeros(len(probability), *self.frame)
        whole[0] = 1
        self._within(whole).copy_(probability)
        return whole

    def resampled(self, maps: Tensor, before: "Geometry") -> Tensor:
        """Bring maps (B, C, ...) of what the network saw `before` to this view; 0 beyond it."""
        rows, columns = (
            self._seen_before(axis, before, side * self.padded[axis] // before.padded[axis])
            for axis, side in enumerate(maps.shape[-2:])
        )
        at = torch.stack(torch.meshgrid(columns, rows, indexing="xy"), dim=-1)
        grid = at.expand(len(maps), -1, -1, -1)
        return F.grid_sample(maps.float(), grid, padding_mode="zeros", align_corners=False)

    def _seen_before(self, axis: int, before: "Geometry", count: int) -> Tensor:
        """Return where each of `count` rows, or columns, was `before`, from -1 to 1."""
        margin, margin_before = (each.margins[2 - 2 * axis] for each in (self, before))
        seen = (torch.arange(count) + 0.5) * self.padded[axis] / count - margin
        frame = self.view[axis] + seen / self.scale[axis]
        seen_before = (frame - before.view[axis]) * before.scale[axis] + margin_before
        return seen_before / before.padded[axis] * 2 - 1

    @property
    def _seen(self) -> Size:
        return self.view.height, self.view.width

    def _within(self, maps: Tensor) -> Tensor:
        """Return the view of maps (..., H, W) of the frame."""
        top, left, height, width = self.view
        return maps[..., top : top + height, left : left + width]


def _down(side: float) -> int:
    return max(int(side + 1e-6), 1)
