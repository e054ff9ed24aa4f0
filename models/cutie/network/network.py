"""The memory network: Cutie (Cheng et al., 2024), its image encoder a matter of configuration.

The state dict's names and shapes are those of the official Cutie weights. Nothing of a video is
kept in here: memory goes in and comes out. Shapes: B images, K objects, T frames of memory; H and
W are the image's, h and w a sixteenth of them.
"""

from typing import NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.cutie.affinity import full_readout, memory_terms, query_terms
from models.cutie.config import NetworkConfig
from models.cutie.network.auxiliary import Auxiliary
from models.cutie.network.layers import aggregate, as_map, flatten_objects, others, split_objects
from models.cutie.network.mask_decoder import MaskDecoder
from models.cutie.network.mask_encoder import build_mask_encoder
from models.cutie.network.objects.summarizer import ObjectSummarizer
from models.cutie.network.objects.transformer import ObjectTransformer
from models.cutie.network.pixel_encoder import KeyProjection, PixelEncoder, build_pixel_encoder
from models.cutie.network.pixel_fuser import PixelFuser
from models.cutie.network.presence_head import PresenceHead
from models.runtime.pixels import IMAGENET_DEVIATION, IMAGENET_MEAN

_FINE_GAINS = (2.0, 5.0)  # SAM 2's levels at strides 8 and 4 vary by so much less than at 16


class ImageFeatures(NamedTuple):
    """What the network knows of an image, whatever the objects."""

    pix_feat: Tensor  # (B, pixel_dim, h, w)
    key: Tensor  # (B, key_dim, h, w)
    shrinkage: Tensor  # (B, 1, h, w), at least 1
    selection: Tensor  # (B, key_dim, h, w), 0 to 1
    skips: tuple[Tensor, Tensor]  # for the decoder, at strides 8 and 4
    edges: Tensor | None  # for the decoder, at stride 2, where it draws that finely

    @property
    def size(self) -> tuple[int, int]:
        """The image's, (H, W)."""
        return 16 * self.key.shape[-2], 16 * self.key.shape[-1]


class MaskFeatures(NamedTuple):
    """What is remembered of the objects' masks on one image."""

    value: Tensor  # (B, K, value_dim, h, w)
    summary: Tensor  # (B, K, Q, embed_dim + 1), sums that may be added up over frames


class ClipMemory(NamedTuple):
    """The memory of a training clip, T frames."""

    key: Tensor  # (B, T, key_dim, h, w)
    shrinkage: Tensor  # (B, T, 1, h, w)
    value: Tensor  # (B, T, K, value_dim, h, w)
    summary: Tensor  # (B, K, Q, embed_dim + 1), summed over frames


class Segmentation(NamedTuple):
    """Masks of one image, background first: the softmax of `logits` is `probability`."""

    logits: Tensor  # (B, K + 1, H, W) float32
    probability: Tensor  # (B, K + 1, H, W) float32
    sensory: Tensor | None  # (B, K, sensory_dim, h, w), renewed where it was asked for


class Network(nn.Module):
    """Remembers masks, and segments an image by what is remembered.

    `encoder` replaces the image encoder that the config names, for instance by one that is shared.
    `presence_head`, which only some weights bring, tells whether an object is there at all.
    """

    presence_head: PresenceHead | None
    pixel_mean: Tensor
    pixel_std: Tensor

    def __init__(self, config: NetworkConfig, encoder: nn.Module | None = None) -> None:
        super().__init__()
        self.config = config
        self.pixel_encoder = encoder or build_pixel_encoder(config.encoder)
        channels = self.encoder.channels
        seen = sum(channels) if config.fine_keys else channels[0]
        self.pix_feat_proj = nn.Conv2d(seen, config.pixel_dim, kernel_size=1)
        self.key_proj = KeyProjection(seen, config.pixel_dim, config.key_dim)
        self.mask_encoder = build_mask_encoder(config)
        self.pixel_fuser = PixelFuser(config)
        self.object_transformer = ObjectTransformer(config)
        self.object_summarizer = ObjectSummarizer(config)
        self.mask_decoder = MaskDecoder(config, channels)
        self.aux_computer = Auxiliary(config)
        self.presence_head = None
        self.register_buffer(
            "pixel_mean", torch.tensor(IMAGENET_MEAN).view(3, 1, 1), persistent=False
        )
        self.register_buffer(
            "pixel_std", torch.tensor(IMAGENET_DEVIATION).view(3, 1, 1), persistent=False
        )

    @property
    def encoder(self) -> PixelEncoder:
        """The image encoder, with its `channels` and `multiple`."""
        return cast("PixelEncoder", self.pixel_encoder)

    def encode_image(self, image: Tensor) -> ImageFeatures:
        """Map images (B, 3, H, W) RGB 0 to 1 to their features; H and W fit `encoder.multiple`."""
        image = self.normalise(image)
        return self.describe(image, *self.encoder(image))

    def describe(self, image: Tensor, f16: Tensor, f8: Tensor, f4: Tensor) -> ImageFeatures:
        """Map normalised images, and their encoding at strides 16, 8 and 4, to their features."""
        edges = self.mask_decoder.image_edges(image)
        skips = self.mask_decoder.decoder_feat_proc(f8, f4)
        if self.config.fine_keys:
            fine = F.avg_pool2d(f8, 2) * _FINE_GAINS[0], F.avg_pool2d(f4, 4) * _FINE_GAINS[1]
            f16 = torch.cat([f16, *fine], dim=1)
        key, shrinkage, selection = self.key_proj(f16)
        return ImageFeatures(self.pix_feat_proj(f16), key, shrinkage, selection, skips, edges)

    def encode_mask(
        self, image: Tensor, pix_feat: Tensor, masks: Tensor, *, at_once: int = 0
    ) -> MaskFeatures:
        """Map images (B, 3, H, W) 0 to 1, pix_feat (B, P, h, w) and masks (B, K, H, W) 0 to 1.

        At strides finer than 16, `at_once` objects are computed together, 0 = all.
        """
        value = self.mask_encoder(self.normalise(image), pix_feat, masks, at_once=at_once)
        summary = self.object_summarizer(value, flatten_objects(masks).unsqueeze(1))
        count = masks.shape[1]
        return MaskFeatures(split_objects(value, count), split_objects(summary, count))

    def deep_update(self, value: Tensor, sensory: Tensor) -> Tensor:
        """Renew sensory (B, K, S, h, w) from a mask's value (B, K, V, h, w)."""
        fresh: Tensor = self.mask_encoder.sensory_update(
            flatten_objects(value), flatten_objects(sensory)
        )
        return split_objects(fresh, sensory.shape[1])

    def initial_sensory(self, images: int, objects: int, size: tuple[int, int]) -> Tensor:
        """Return an empty sensory memory (B, K, S, h, w), for maps of size (h, w)."""
        shape = (images, objects, self.config.sensory_dim, *size)
        return torch.zeros(shape, device=self.pixel_mean.device)

    def read(
        self,
        features: ImageFeatures,
        memory: ClipMemory,
        sensory: Tensor,
        last_masks: Tensor,
        selector: Tensor | None = None,
    ) -> tuple[Tensor, list[Tensor]]:
        """Read all of a clip's memory, differentiably, and enrich it; see `enrich`."""
        with torch.autocast(sensory.device.type, enabled=False):
            frames = memory.key.float().permute(0, 1, 3, 4, 2).flatten(1, 3)  # (B, Thw, D)
            shrinkage = memory.shrinkage.float().permute(0, 1, 3, 4, 2).flatten(1, 3)
            values = memory.value.float().permute(0, 2, 1, 4, 5, 3).flatten(2, 4)  # (B, K, Thw, V)
            query = query_terms(pixels(features.key.float()), pixels(features.selection.float()))
            readout = full_readout(query, memory_terms(frames, shrinkage), values)  # (B, K, hw, V)
        return self.enrich(
            features.pix_feat, readout, sensory, last_masks, memory.summary, selector
        )

    def enrich(
        self,
        pix_feat: Tensor,
        readout: Tensor,
        sensory: Tensor,
        last_masks: Tensor,
        summary: Tensor,
        selector: Tensor | None = None,
    ) -> tuple[Tensor, list[Tensor]]:
        """Turn what was read from memory, (B, K, hw, V), into the decoder's input.

        `sensory` (B, K, S, h, w), `last_masks` (B, K, H, W), `summary` (B, K, Q, E + 1); `selector`
        (B, K) is 0 for objects that only fill up the batch. Returns (B, K, E, h, w), and the mask
        logits (B, K, h, w) of the object transformer's stages.
        """
        size = sensory.shape[-2:]
        if selector is None:
            selector = torch.ones(sensory.shape[:2], device=sensory.device)
        last = F.interpolate(last_masks, size=size, mode="area")
        fused = self.pixel_fuser(
            pix_feat,
            as_map(flatten_objects(readout), size[0]),
            flatten_objects(sensory),
            flatten_objects(last).unsqueeze(1),
            flatten_objects(others(last)).unsqueeze(1),
        )
        enriched, steering = self.object_transformer(fused, summary.flatten(0, 1), selector)
        return split_objects(enriched, sensory.shape[1]), steering

    def segment(
        self,
        features: ImageFeatures,
        enriched: Tensor,
        sensory: Tensor | None,
        selector: Tensor | None = None,
    ) -> Segmentation:
        """Decode (B, K, E, h, w) into masks; the sensory memory is renewed where it is given."""
        probabilities, sensory = self.decode(features, enriched, sensory)
        if selector is not None:
            probabilities = probabilities * selector[..., None, None]
        return join(probabilities, features.size, sensory)

    def decode(
        self, features: ImageFeatures, enriched: Tensor, sensory: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        """Map (B, K, E, h, w) to each object's own probability, at stride 4 or 2 of the image."""
        count = enriched.shape[1]
        flat = None if sensory is None else flatten_objects(sensory)
        logits, flat = self.mask_decoder(
            features.skips, features.edges, flatten_objects(enriched), flat
        )
        renewed = None if flat is None else split_objects(flat, count)
        return split_objects(logits.squeeze(1), count).sigmoid(), renewed

    def auxiliary(
        self,
        features: ImageFeatures,
        sensory: Tensor,
        steering: list[Tensor],
        selector: Tensor | None = None,
    ) -> list[Tensor]:
        """Return logits (B, K + 1, h, w) for the auxiliary losses, the sensory memory's first."""
        single = [self.aux_computer.sensory_aux(features.pix_feat, sensory), *steering]
        if selector is None:
            return [aggregate(logits.sigmoid()) for logits in single]
        return [aggregate(logits.sigmoid() * selector[..., None, None]) for logits in single]

    def normalise(self, image: Tensor) -> Tensor:
        """Bring images (B, 3, H, W), 0 to 1, to the means and deviations of ImageNet."""
        return (image - self.pixel_mean) / self.pixel_std


def join(probabilities: Tensor, size: tuple[int, int], sensory: Tensor | None) -> Segmentation:
    """Join each object's own probability (B, K, ...) into a segmentation of size (H, W)."""
    logits = F.interpolate(aggregate(probabilities), size, mode="bilinear", align_corners=False)
    return Segmentation(logits, logits.softmax(dim=1), sensory)


def pixels(maps: Tensor) -> Tensor:
    """Turn maps (B, C, h, w) into one row per pixel, (B, hw, C)."""
    return maps.flatten(2).transpose(1, 2)
