"""Cells of a map of what the network sees."""

import torch

from models.cutie.inference.geometry import Geometry


def where_cells_lie(geometry: Geometry, *, stride: int) -> torch.Tensor:
    """Return where each cell lies in the frame, (1, 2, h, w)."""
    height, width = (side // stride for side in geometry.padded)
    left, _, top, _ = geometry.margins
    down, across = geometry.scale
    y = ((torch.arange(height) + 0.5) * stride - top) / down + geometry.view.top
    x = ((torch.arange(width) + 0.5) * stride - left) / across + geometry.view.left
    return torch.stack(torch.meshgrid(y, x, indexing="ij"))[None]
