"""One clip through the network, as at test time but differentiable, and its loss."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from models.cutie.network import ClipMemory, ImageFeatures, MaskFeatures, Network
from models.training.clips import ClipBatch
from models.training.encoding import learned_part
from models.training.losses import PointSampling, segmentation_loss

_DEEP_UPDATES = 0.2  # share of frames whose sensory memory is renewed from the mask (Cutie, A.3)


@dataclass(frozen=True)
class StepSpec:
    """How a clip's loss is made up; see `TrainConfig`."""

    sampling: PointSampling
    auxiliary: float
    reference_frames: int


@dataclass
class _Remembered:
    """The frames of the clip that later ones may read."""

    features: list[ImageFeatures]
    masks: list[MaskFeatures]

    def memory(self, most: int) -> ClipMemory:
        """Return the first frame and up to `most` others, drawn at random."""
        others = torch.randperm(len(self.masks) - 1)[:most].sort().values + 1
        kept = [0, *others.tolist()]
        summaries = torch.stack([self.masks[index].summary for index in kept])
        return ClipMemory(
            torch.stack([self.features[index].key for index in kept], dim=1),
            torch.stack([self.features[index].shrinkage for index in kept], dim=1),
            torch.stack([self.masks[index].value for index in kept], dim=1),
            summaries.sum(dim=0),
        )


def clip_loss(network: Network, batch: ClipBatch, spec: StepSpec) -> Tensor:
    """Return the loss of a batch of clips, averaged over frames: a scalar.

    The first frame's labels are given; every later frame is segmented from memory, and remembered
    with the masks that the network itself predicted.
    """
    count = batch.present.shape[1]
    selector = batch.present.float()
    frames = _describe(network, batch)
    masks = one_hot(batch.labels[:, 0], count)
    cells = (frames[0].key.shape[-2], frames[0].key.shape[-1])
    sensory = network.initial_sensory(len(masks), count, cells)
    remembered = _Remembered([], [])
    losses: list[Tensor] = []
    for time, features in enumerate(frames):
        if time > 0:
            memory = remembered.memory(spec.reference_frames)
            enriched, steering = network.read(features, memory, sensory, masks, selector)
            result = network.segment(features, enriched, sensory, selector)
            coarse = network.auxiliary(features, sensory, steering, selector)
            losses.append(_frame_loss(result.logits, coarse, batch, time, spec))
            masks = result.probability[:, 1:]
            sensory = sensory if result.sensory is None else result.sensory
        if time < len(frames) - 1:
            encoded = network.encode_mask(batch.images[:, time], features.pix_feat, masks)
            remembered.features.append(features)
            remembered.masks.append(encoded)
            if time == 0 or float(torch.rand(())) < _DEEP_UPDATES:
                sensory = network.deep_update(encoded.value, sensory)
    return torch.stack(losses).mean()


def one_hot(labels: Tensor, count: int) -> Tensor:
    """Turn labels (B, H, W), 0 to K, into masks (B, K, H, W), 0 or 1."""
    return F.one_hot(labels, count + 1)[..., 1:].permute(0, 3, 1, 2).float()


def _frame_loss(
    logits: Tensor, coarse: list[Tensor], batch: ClipBatch, time: int, spec: StepSpec
) -> Tensor:
    labels = batch.labels[:, time]
    loss = segmentation_loss(logits, labels, batch.present, spec.sampling)
    for level in coarse:
        aside = segmentation_loss(level, labels, batch.present, spec.sampling)
        loss = loss + spec.auxiliary * aside
    return loss


def _describe(network: Network, batch: ClipBatch) -> list[ImageFeatures]:
    """Return the features of each frame; all frames in one pass."""
    clips, length = batch.labels.shape[:2]
    if batch.features:
        f16, f8, f4 = (level.flatten(0, 1) for level in batch.features)
        joint = network.describe(*learned_part(network)((f16, f8, f4)))
    else:
        joint = network.encode_image(batch.images.flatten(0, 1))

    # Unbinding gives each frame its gradient in one piece; indexing would fill one of all frames.
    def frames(level: Tensor) -> tuple[Tensor, ...]:
        return torch.unflatten(level, 0, (clips, length)).unbind(1)

    parts = (joint.pix_feat, joint.key, joint.shrinkage, joint.selection, *joint.skips)
    return [
        ImageFeatures(pix_feat, key, shrinkage, selection, (skip8, skip4))
        for pix_feat, key, shrinkage, selection, skip8, skip4 in zip(
            *(frames(part) for part in parts), strict=True
        )
    ]
