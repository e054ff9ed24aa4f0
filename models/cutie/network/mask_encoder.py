"""The mask encoder: the value of a mask at stride 16, and the sensory memory after it."""

from abc import ABC, abstractmethod
from itertools import pairwise
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.cutie.config import MaskEncoderKind, NetworkConfig
from models.cutie.network.layers import (
    Fuser,
    add_shared,
    flatten_objects,
    norm,
    others,
    side_by_side,
    split_objects,
)
from models.cutie.network.sensory import DeepUpdate
from models.encoders.resnet import BasicBlock, FrozenBatchNorm, stage

_IMAGE = 3  # input channels of the first convolution, before the masks


class MaskEncoder(nn.Module, ABC):
    """Encodes each object's mask beside the image and the other objects' masks."""

    def __init__(self, config: NetworkConfig, width: int) -> None:
        super().__init__()
        self.fuser = Fuser(config.pixel_dim, width, config.value_dim, group_norm=config.group_norm)
        self.sensory_update = DeepUpdate(config.value_dim, config.sensory_dim)

    def encode_shared(self, image: Tensor) -> Tensor:
        """Map the normalised image (B, 3, H, W) to what `embed` takes of it for every object."""
        return image

    @abstractmethod
    def embed(self, seen: Tensor, masks: Tensor, other_masks: Tensor) -> Tensor:
        """Map what `encode_shared` gave and masks (B, K, H, W) to (N, C, H / 16, W / 16)."""

    def forward(
        self, image: Tensor, pix_feat: Tensor, masks: Tensor, *, at_once: int = 0
    ) -> Tensor:
        """Map the normalised image (B, 3, H, W), pix_feat and masks (B, K, H, W) to the value.

        The value is (N, C, h, w) at stride 16. `at_once` masks of an image are embedded together,
        0 = all.
        """
        seen, beside = self.encode_shared(image), others(masks)
        step = at_once or masks.shape[1]
        pairs = zip(torch.split(masks, step, dim=1), torch.split(beside, step, dim=1), strict=True)
        parts = [
            split_objects(self.embed(seen, *pair), pair[0].shape[1]).unbind(1) for pair in pairs
        ]
        embedded = side_by_side([each for part in parts for each in part])
        value: Tensor = self.fuser(pix_feat, flatten_objects(embedded))
        return value


class ResNetMaskEncoder(MaskEncoder):
    """Cutie's: a ResNet-18 trunk; its batch norms are frozen."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__(config, 256)
        self.conv1 = nn.Conv2d(5, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = FrozenBatchNorm(64)
        self.layer1 = stage(BasicBlock, 64, 64, blocks=2, stride=1)
        self.layer2 = stage(BasicBlock, 64, 128, blocks=2, stride=2)
        self.layer3 = stage(BasicBlock, 128, 256, blocks=2, stride=2)

    def embed(self, seen: Tensor, masks: Tensor, other_masks: Tensor) -> Tensor:
        """Map the image and masks to (N, 256, h, w)."""
        x = F.relu_(self.bn1(self.conv1(_beside(seen, masks, other_masks))))  # 1/2
        x = F.max_pool2d(x, 3, stride=2, padding=1)
        embedded: Tensor = self.layer3(self.layer2(self.layer1(x)))
        return embedded


class LightMaskEncoder(MaskEncoder):
    """Four stride-2 convolutions; what the first one takes of the image serves all objects."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__(config, config.value_dim)
        widths = (5, 24, 48, 96, config.value_dim)
        layers: list[nn.Module] = []
        for width_in, width in pairwise(widths):
            layers += [nn.Conv2d(width_in, width, 3, stride=2, padding=1, bias=False)]
            layers += [norm(width, on=True), nn.ReLU(inplace=True)]
        self.stem = nn.Sequential(*layers)

    def encode_shared(self, image: Tensor) -> Tensor:
        """Map the normalised image (B, 3, H, W) to its part of the first convolution."""
        return F.conv2d(image, self._first.weight[:, :_IMAGE], stride=2, padding=1)

    def embed(self, seen: Tensor, masks: Tensor, other_masks: Tensor) -> Tensor:
        """Map the image's part and masks to (N, value_dim, h, w)."""
        # A pixel's two values together, as convolutions take them: in half the time.
        pair = flatten_objects(torch.stack([masks, other_masks], dim=-1).movedim(-1, 2))
        first = F.conv2d(pair, self._first.weight[:, _IMAGE:], stride=2, padding=1)
        embedded: Tensor = self.stem[1:](add_shared(first, seen))
        return embedded

    @property
    def _first(self) -> nn.Conv2d:
        return cast("nn.Conv2d", self.stem[0])


class SamMaskEncoder(MaskEncoder):
    """CSS-Segment's: SAM's dense-prompt stack; the image comes in through the fuser alone.

    The names are those of SAM's prompt encoder. The second input channel, the other objects'
    masks, is not in SAM and starts at zero.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__(config, 256)
        first = nn.Conv2d(2, 4, kernel_size=2, stride=2)
        with torch.no_grad():
            first.weight[:, 1].zero_()
        self.mask_downscaling = nn.Sequential(
            first,
            _ChannelNorm(4),
            nn.GELU(),
            nn.Conv2d(4, 16, kernel_size=2, stride=2),
            _ChannelNorm(16),
            nn.GELU(),
            nn.Conv2d(16, 256, kernel_size=1),
        )
        self.no_mask_embed = nn.Embedding(1, 256)

    def embed(self, seen: Tensor, masks: Tensor, other_masks: Tensor) -> Tensor:  # noqa: ARG002
        """Map masks to (N, 256, h, w); an object without a mask gets an embedding of its own."""
        both = flatten_objects(torch.stack([masks, other_masks], dim=2))
        embedded: Tensor = self.mask_downscaling(F.avg_pool2d(both, 4))
        absent = (masks <= 0.5).flatten(2).all(dim=2).view(-1, 1, 1, 1)
        return torch.where(absent, self.no_mask_embed.weight.view(1, -1, 1, 1), embedded)


class _ChannelNorm(nn.Module):
    """Layer normalisation over the channels of a map."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, x: Tensor) -> Tensor:
        last = F.layer_norm(x.permute(0, 2, 3, 1), self.weight.shape, self.weight, self.bias, 1e-6)
        return last.permute(0, 3, 1, 2)


def _beside(image: Tensor, masks: Tensor, other_masks: Tensor) -> Tensor:
    """Return (N, 5, H, W): image, the object's mask, the other objects' masks."""
    count = masks.shape[1]
    images = image.unsqueeze(1).expand(-1, count, -1, -1, -1)
    pair = torch.stack([masks, other_masks], dim=2)
    return flatten_objects(torch.cat([images, pair.type_as(image)], dim=2))


def build_mask_encoder(config: NetworkConfig) -> MaskEncoder:
    """Return the mask encoder that the config names."""
    kinds: dict[MaskEncoderKind, type[ResNetMaskEncoder | LightMaskEncoder | SamMaskEncoder]] = {
        MaskEncoderKind.RESNET18: ResNetMaskEncoder,
        MaskEncoderKind.LIGHT: LightMaskEncoder,
        MaskEncoderKind.SAM: SamMaskEncoder,
    }
    return kinds[config.mask_encoder](config)
