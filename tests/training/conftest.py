"""Small data sets that the tests write, and a network small enough to train in a second."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor, nn

from models.cutie.config import LITE, NetworkConfig, TransformerConfig
from models.cutie.network.network import Network

SIZE = (64, 96)
SLIM = NetworkConfig(
    LITE.encoder,
    mask_encoder=LITE.mask_encoder,
    transformer=TransformerConfig(blocks=1, queries=4, heads=2, hidden=16),
    key_dim=8,
    pixel_dim=16,
    value_dim=16,
    sensory_dim=8,
    embed_dim=16,
    decoder_widths=(16, 8, 8),
    group_norm=True,
    fine_keys=True,
    edge_dim=4,
)


class TinyEncoder(nn.Module):
    """Three strided convolutions in place of Hiera."""

    multiple = 32

    def __init__(self, channels: tuple[int, int, int] = (16, 8, 8)) -> None:
        super().__init__()
        self.channels = channels
        at16, at8, at4 = channels
        self.to4 = nn.Conv2d(3, at4, 4, stride=4)
        self.to8 = nn.Conv2d(at4, at8, 2, stride=2)
        self.to16 = nn.Conv2d(at8, at16, 2, stride=2)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Map (B, 3, H, W) to features at strides 16, 8 and 4."""
        f4 = self.to4(image)
        f8 = self.to8(f4.relu())
        return self.to16(f8.relu()), f8, f4


@pytest.fixture
def network() -> Network:
    """Return the same small network each time."""
    torch.manual_seed(3)
    return Network(SLIM, encoder=TinyEncoder())


@pytest.fixture
def davis(tmp_path: Path) -> Path:
    """Write a DAVIS folder: a disc that moves over noise, in two sequences of eight frames."""
    rng = np.random.default_rng(5)
    root = tmp_path / "davis"
    for name, step in (("left", -4), ("right", 5)):
        images, masks = root / "JPEGImages" / name, root / "Annotations" / name
        images.mkdir(parents=True)
        masks.mkdir(parents=True)
        noise = rng.integers(0, 90, (*SIZE, 3), dtype=np.uint8)
        for frame in range(8):
            mask = np.zeros(SIZE, np.uint8)
            cv2.circle(mask, (48 + step * frame, 32), 14, 255, -1)
            image = np.where(mask[..., None] > 0, np.array([30, 200, 240], np.uint8), noise)
            cv2.imwrite(str(images / f"{frame:05d}.png"), image)
            cv2.imwrite(str(masks / f"{frame:05d}.png"), mask)
    return root


@pytest.fixture
def stills(tmp_path: Path) -> Path:
    """Write two stills with one object mask each."""
    root = tmp_path / "stills"
    (root / "images").mkdir(parents=True)
    (root / "masks").mkdir()
    for name, at in (("one", 40), ("two", 60)):
        mask = np.zeros((80, 100), np.uint8)
        cv2.circle(mask, (at, 40), 18, 255, -1)
        image = np.full((80, 100, 3), 60, np.uint8)
        image[mask > 0] = (20, 220, 20)
        cv2.imwrite(str(root / "images" / f"{name}.jpg"), image)
        cv2.imwrite(str(root / "masks" / f"{name}.png"), mask)
    return root
