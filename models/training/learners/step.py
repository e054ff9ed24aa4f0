"""One clip through the memory network, as at test time but differentiable, and its loss."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.cutie.network.network import ClipMemory, ImageFeatures, MaskFeatures, Network
from models.training.clips import ClipBatch
from models.training.encoding import (
    frozen_parameters,
    frozen_part,
    learned_part,
    quick_frozen_part,
)
from models.training.features import Encode
from models.training.learners.losses import PointSampling, segmentation_loss

_DEEP_UPDATES = 0.2  # share of frames whose sensory memory is renewed from the mask (Cutie, A.3)


@dataclass(frozen=True)
class StepSpec:
    """How a clip's loss is made up; see `TrainConfig`."""

    sampling: PointSampling
    auxiliary: float
    reference_frames: int
    memory_every: int = 0


class MemoryLearner:
    """The memory network as the training loop sees it."""

    def __init__(self, network: Network, spec: StepSpec) -> None:
        self.module: nn.Module = network
        self._network = network
        self._spec = spec

    def encoder(self) -> Iterator[nn.Parameter]:
        """Yield the image encoder's parameters; what fuses two encoders is not among them."""
        return frozen_parameters(self._network)

    def frozen(self) -> Encode:
        """Return the frozen part of the image encoder."""
        return quick_frozen_part(self._network)

    def loss(self, batch: ClipBatch) -> Tensor:
        """Return the loss of a batch of clips, a scalar."""
        return clip_loss(self._network, batch, self._spec)


@dataclass
class _Remembered:
    """The frames of the clip that later ones may read; `anchors` are those with given masks."""

    features: list[ImageFeatures]
    masks: list[MaskFeatures]
    anchors: list[int]

    def add(self, features: ImageFeatures, masks: MaskFeatures, *, anchored: bool) -> None:
        """Remember a frame."""
        if anchored:
            self.anchors.append(len(self.masks))
        self.features.append(features)
        self.masks.append(masks)

    def memory(self, most: int, *, newest: bool) -> ClipMemory:
        """Return the anchors and up to `most` others: the newest ones, or drawn at random."""
        count = len(self.masks)
        order = range(count - 1, 0, -1) if newest else (torch.randperm(count - 1) + 1).tolist()
        kept = sorted({0, *self.anchors, *order[:most]})
        summaries = torch.stack([self.masks[index].summary for index in kept])
        return ClipMemory(
            torch.stack([self.features[index].key for index in kept], dim=1),
            torch.stack([self.features[index].shrinkage for index in kept], dim=1),
            torch.stack([self.masks[index].value for index in kept], dim=1),
            summaries.sum(dim=0),
        )


def clip_loss(network: Network, batch: ClipBatch, spec: StepSpec) -> Tensor:
    """Return the loss of a batch of clips, averaged over frames: a scalar.

    An object's labels are given on the frame it starts from, mostly the first; on every later frame
    it is segmented from memory, and remembered with the mask that the network itself predicted:
    each frame, or as `memory_every` says, where memory is as at test time.
    """
    count = batch.present.shape[1]
    frames = _describe(network, batch)
    masks = one_hot(batch.labels[:, 0], count)
    cells = (frames[0].key.shape[-2], frames[0].key.shape[-1])
    sensory = network.initial_sensory(len(masks), count, cells)
    remembered = _Remembered([], [], [])
    losses: list[Tensor] = []
    for time, features in enumerate(frames):
        given = batch.present & (batch.starts == time)
        if time > 0:
            known = batch.present & (batch.starts < time)
            selector = known.float()
            memory = remembered.memory(spec.reference_frames, newest=spec.memory_every > 0)
            enriched, steering = network.read(features, memory, sensory, masks, selector)
            result = network.segment(features, enriched, sensory, selector)
            coarse = network.auxiliary(features, sensory, steering, selector)
            losses.append(_frame_loss([result.logits, *coarse], batch.labels[:, time], known, spec))
            masks = _with_given(result.probability[:, 1:], batch.labels[:, time], given)
            sensory = sensory if result.sensory is None else result.sensory
        anchored, due = bool(given.any()), time % max(spec.memory_every, 1) == 0
        if time < len(frames) - 1 and (anchored or due):
            encoded = network.encode_mask(batch.images[:, time], features.pix_feat, masks)
            remembered.add(features, encoded, anchored=anchored)
            if anchored or spec.memory_every or float(torch.rand(())) < _DEEP_UPDATES:
                sensory = network.deep_update(encoded.value, sensory)
    return torch.stack(losses).mean()


def one_hot(labels: Tensor, count: int) -> Tensor:
    """Turn labels (B, H, W), 0 to K, into masks (B, K, H, W), 0 or 1."""
    return F.one_hot(labels, count + 1)[..., 1:].permute(0, 3, 1, 2).float()


def _with_given(masks: Tensor, labels: Tensor, given: Tensor) -> Tensor:
    """Put the masks of the objects that start on this frame in place of what was predicted."""
    if not bool(given.any()):
        return masks
    truth = one_hot(labels, masks.shape[1]) * given[..., None, None]
    return masks * (1 - truth.sum(dim=1, keepdim=True)) + truth


def _frame_loss(maps: list[Tensor], labels: Tensor, known: Tensor, spec: StepSpec) -> Tensor:
    """Return the loss of the final logits, the first of `maps`, and of the auxiliary heads.

    What is not yet known to the network counts as background.
    """
    table = torch.cat([torch.zeros_like(known[:, :1]), known], dim=1)  # (B, K + 1)
    seen = labels * table.gather(1, labels.flatten(1)).view_as(labels)
    loss = segmentation_loss(maps[0], seen, known, spec.sampling)
    for level in maps[1:]:
        loss = loss + spec.auxiliary * segmentation_loss(level, seen, known, spec.sampling)
    return loss


def _describe(network: Network, batch: ClipBatch) -> list[ImageFeatures]:
    """Return the features of each frame; all frames in one pass."""
    clips, length = batch.labels.shape[:2]
    images = batch.images.flatten(0, 1)
    if batch.features:
        f16, f8, f4 = (level.flatten(0, 1) for level in batch.features)
    else:
        opened = any(parameter.requires_grad for parameter in frozen_parameters(network))
        with torch.set_grad_enabled(opened):
            f16, f8, f4 = frozen_part(network)(images)
    joint = network.describe(network.normalise(images), *learned_part(network)((f16, f8, f4)))

    # Unbinding gives each frame its gradient in one piece; indexing would fill one of all frames.
    def frames(level: Tensor) -> tuple[Tensor, ...]:
        return torch.unflatten(level, 0, (clips, length)).unbind(1)

    parts = (joint.pix_feat, joint.key, joint.shrinkage, joint.selection, *joint.skips)
    edges = [None] * length if joint.edges is None else frames(joint.edges)
    return [
        ImageFeatures(pix_feat, key, shrinkage, selection, (skip8, skip4), edge)
        for pix_feat, key, shrinkage, selection, skip8, skip4, edge in zip(
            *(frames(part) for part in parts), edges, strict=True
        )
    ]
