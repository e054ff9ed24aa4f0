"""The VMOS network of HQTrack (Zhu et al., 2023): encoder, identity banks, cascade, decoder.

Names and shapes are those of the official weights, with the parts that these carry and never use.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.vmos.config import MOST_OBJECTS, VmosConfig
from models.vmos.network.attention import as_sequence
from models.vmos.network.cascade import Cascade, ConvNorm, Frame, Identity, Maps, Memory
from models.vmos.network.encoder import Encoder

_CHANNELS = MOST_OBJECTS + 1  # the background is the first


class UnusedDecoder(nn.Module):
    """A pyramid head that lies in the official weights; nothing comes out of it."""

    def __init__(self, config: VmosConfig) -> None:
        super().__init__()
        width, half = config.width, config.width // 2
        self.conv_in = ConvNorm(2 * width, width, 1)
        self.conv_16x = ConvNorm(width, width, 3)
        self.conv_8x = ConvNorm(width, half, 3)
        self.conv_4x = ConvNorm(half, half, 3)
        self.adapter_16x = nn.Conv2d(config.width, width, 1)
        self.adapter_8x = nn.Conv2d(config.width_s8, width, 1)
        self.adapter_4x = nn.Conv2d(config.width_s4, half, 1)
        self.conv_out = nn.Conv2d(half, _CHANNELS, 1)


class Vmos(nn.Module):
    """What one frame's masks are, from what is remembered of others."""

    def __init__(self, config: VmosConfig | None = None) -> None:
        super().__init__()
        config = config or VmosConfig()
        width, s8, s4 = config.width, config.width_s8, config.width_s4
        self.encoder = Encoder(config)
        self.encoder_projector = nn.Conv2d(width, width, 1)
        self.LSTT = Cascade(config)
        self.decoder = UnusedDecoder(config)
        self.patch_wise_id_bank = nn.Conv2d(_CHANNELS, width, 17, stride=16, padding=8)
        self.patch_wise_id_bank_s8 = nn.Conv2d(_CHANNELS, s8, 17, stride=16, padding=8)
        self.id_norm = nn.LayerNorm(width)
        self.id_norm_s8 = nn.LayerNorm(s8)
        self.conv_output1 = ConvNorm(2 * s4, 2 * s4, 3)
        self.conv_output2 = nn.Conv2d(2 * s4, _CHANNELS, 1)

    def encode(self, image: Tensor) -> Maps:
        """Map a normalised image (1, 3, H, W) to features at strides 4, 8 and 16."""
        s4, s8, s16 = self.encoder(image)
        return Maps(s4, s8, self.encoder_projector(s16))

    def identify(self, labels: Tensor, maps: Maps) -> Identity:
        """Embed a label map (H, W) of ids 0 to 10 at the network's size; 0 is the background."""
        one_hot = F.one_hot(labels.long(), _CHANNELS).permute(2, 0, 1)[None].type_as(maps.s16)
        s16 = self.id_norm(as_sequence(self.patch_wise_id_bank(one_hot)))
        coarse = self.patch_wise_id_bank_s8(one_hot)
        s8 = self.id_norm_s8(coarse.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        return Identity(s16, as_sequence(F.interpolate(s8, maps.s8.shape[-2:], mode="nearest")))

    def refer(self, maps: Maps, identity: Identity) -> Memory:
        """Return the memory of a frame whose masks are given."""
        _, frame = self.LSTT(maps, given=identity)
        return self.remember(frame, identity)

    def propagate(self, maps: Maps, long: Memory, short: Memory) -> tuple[Tensor, Frame]:
        """Return logits (1, 11, h, w) at stride 4, and the frame for the memory."""
        last, frame = self.LSTT(maps, long=long, short=short)
        logits: Tensor = self.conv_output2(F.relu(self.conv_output1(last)))
        return logits, frame

    def remember(self, frame: Frame, identity: Identity) -> Memory:
        """Return the memory of a frame whose masks are now known."""
        return self.LSTT.remember(frame, identity)


def merge(logits: list[Tensor], objects: list[int], size: tuple[int, int]) -> Tensor:
    """Return probabilities (1 + sum of objects, H, W) of engines that each know some objects.

    `logits` (1, 11, h, w) at stride 4 of each engine, `objects` how many each follows. The
    background is where every engine sees one.
    """
    each = []
    for maps, count in zip(logits, objects, strict=True):
        used = maps[:, : count + 1].float()
        whole = F.interpolate(used, size, mode="bilinear", align_corners=True)
        each.append(whole.softmax(dim=1)[0])
    background = torch.stack([maps[0] for maps in each]).prod(dim=0)
    return torch.cat([background[None], *(maps[1:] for maps in each)])
