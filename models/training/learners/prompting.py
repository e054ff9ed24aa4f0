"""SAM 2's prompt heads, fine-tuned on clicks, boxes and masks that are to be mended.

A person is played as in SAM 2 (Ravi et al., 2024, appendix D.2.2): a first click, or a box, and
then clicks on the largest error of the mask so far. Added are masks that came out wrong before the
first click, as a drift leaves them: on another object, on both, half, too wide, or beside.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.api import BoolMask, Prompt
from models.runtime.pixels import standardised
from models.sam.choice import ranked
from models.sam.heads import PromptHeads
from models.sam.prompts import hardened, mask_logits, points_of
from models.training.clips import ClipBatch
from models.training.features import Encode, Features
from models.training.learners.clicking import Hand, Wrong, mending_click
from models.training.learners.sam2_losses import MaskWeights, focal_loss, iou_loss, soft_dice_loss

_CLICKS, _BOX = 0.42, 0.3  # shares of what a person begins with; the rest are masks to mend
_MOST_CLICKS = 3
_MENDING_CLICKS = 2
_SEVERAL = 0.5  # what the best of three masks counts where the single one is wanted
_LEAST_AREA = 16  # pixels, of those the loss sees


class PromptNet(PromptHeads):
    """The heads by their names in `lite`'s file, and an image encoder that stays as it is.

    The encoder gives 256, 64 and 32 channels at strides 16, 8 and 4.
    """

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.pixel_encoder = encoder

    def encode(self, images: Tensor) -> Features:
        """Map images (B, 3, H, W), 0 to 1, to features at strides 16, 8 and 4."""
        f16, f8, f4 = self.pixel_encoder(standardised(images.to(self.no_mem_embed.device)))
        return f16, f8, f4


@dataclass(frozen=True, slots=True)
class _Scene:
    """One frame's features, and its object at half the frame's height and width."""

    features: Features  # (1, C, h, w) each
    there: BoolMask
    rng: np.random.Generator

    @property
    def truth(self) -> Tensor:
        """The object as (1, 1, H / 2, W / 2)."""
        return torch.from_numpy(self.there).to(self.features[0])[None, None]

    @property
    def hand(self) -> Hand:
        """A person who sees it."""
        return Hand(self.there, self.rng)


class PromptLearner:
    """The prompt heads as the training loop sees them; of a clip they see each frame alone."""

    def __init__(self, network: PromptNet, weights: MaskWeights) -> None:
        self.module: nn.Module = network
        self._network = network
        self._weights = weights

    def encoder(self) -> Iterator[nn.Parameter]:
        """Yield the image encoder's parameters."""
        return self._network.pixel_encoder.parameters()

    def frozen(self) -> Encode:
        """Return the image encoder."""
        return self._network.encode

    def loss(self, batch: ClipBatch) -> Tensor:
        """Return the loss of a batch, averaged over frames and objects."""
        # From torch's generator, which the training loop seeds for each iteration.
        rng = np.random.default_rng(int(torch.randint(2**31, ())))
        losses = [self._lesson(scene) for scene in self._scenes(batch, rng)]
        return torch.stack(losses).mean() if losses else self._network.no_mem_embed.sum() * 0

    def _scenes(self, batch: ClipBatch, rng: np.random.Generator) -> Iterator[_Scene]:
        """Yield what is to be seen of each object on each frame."""
        levels = [level.flatten(0, 1) for level in batch.features]
        if not levels:
            opened = any(parameter.requires_grad for parameter in self.encoder())
            with torch.set_grad_enabled(opened):
                levels = list(self._network.encode(batch.images.flatten(0, 1)))
        length = batch.labels.shape[1]
        for clip, slot in batch.present.nonzero().tolist():
            for time in range(length):
                mask = (batch.labels[clip, time] == slot + 1).float()
                there = F.avg_pool2d(mask[None, None], 2)[0, 0] > 0.5
                if int(there.sum()) < _LEAST_AREA:
                    continue
                f16, f8, f4 = (level[clip * length + time][None] for level in levels)
                yield _Scene((f16, f8, f4), there.cpu().numpy(), rng)

    def _lesson(self, scene: _Scene) -> Tensor:
        """Return the mean loss of what a person asks for from first to last."""
        begun = scene.rng.random()
        if begun < _CLICKS:
            answers = self._mend(scene, np.zeros_like(scene.there), _MOST_CLICKS)
        elif begun < _CLICKS + _BOX:
            answers = self._fill_box(scene)
        else:
            answers = self._mend(scene, self._wrong_mask(scene), _MENDING_CLICKS)
        return torch.stack(list(answers)).mean()

    def _mend(self, scene: _Scene, mask: BoolMask, clicks: int) -> Iterator[Tensor]:
        """Yield the losses of click after click on the largest error of the mask so far."""
        prompt = Prompt()
        for number in range(clicks):
            alone = number == 0 and not mask.any()
            click = scene.hand.first_click() if alone else mending_click(scene.there, mask)
            prompt = Prompt((*prompt.clicks, click), mask=mask if mask.any() else None)
            f4 = scene.features[2]
            so_far = mask_logits(prompt, (f4.shape[-2], f4.shape[-1]), f4.device)
            loss, best = self._ask(scene, prompt, so_far)
            yield loss
            mask = _drawn(best, scene)

    def _fill_box(self, scene: _Scene) -> Iterator[Tensor]:
        """Yield the losses of a box, and of the box with the mask that it gave, as it is used."""
        prompt = Prompt(box=scene.hand.box())
        loss, best = self._ask(scene, prompt, None)
        yield loss
        yield self._ask(scene, prompt, hardened(best) if bool((best > 0).any()) else None)[0]

    def _wrong_mask(self, scene: _Scene) -> BoolMask:
        """Return a mask to mend; what it lies on is what the heads see at another place."""
        kind = list(Wrong)[int(scene.rng.integers(len(Wrong)))]
        stray, other = scene.hand.stray_click(), np.zeros_like(scene.there)
        if kind in {Wrong.ELSEWHERE, Wrong.BOTH} and stray is not None:
            with torch.no_grad():
                best = self._ask(scene, Prompt((stray,)), None)[1]
            other = _drawn(best, scene)
        return scene.hand.wrong_mask(kind, other)

    def _ask(self, scene: _Scene, prompt: Prompt, so_far: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return the loss of the answer to a prompt, and the logits (h, w) a person would be shown.

        One click alone may mean a part or the whole: there the best of three masks learns.
        """
        points = points_of(prompt, scene.features[0].device).scaled(2, 2)
        logits, ious = self._network(scene.features, points, so_far)
        large = _enlarged(logits, scene)[None]
        target = scene.truth.expand_as(large)
        weights = self._weights
        masks = weights.focal * focal_loss(large, target) + weights.dice * soft_dice_loss(
            large, target
        )
        several = masks[0, 1:].min()
        clear = so_far is not None or prompt.box is not None
        loss = masks[0, 0] + _SEVERAL * several if clear else several
        loss = loss + weights.iou * iou_loss(large, ious[None], target)[0]
        shown = logits.detach()
        order = ranked(prompt, shown, ious.detach(), so_far, scene.there.shape)
        return loss, shown[order[0]]


def _enlarged(logits: Tensor, scene: _Scene) -> Tensor:
    """Return logits (N, h, w) at the size of the scene's mask."""
    return F.interpolate(logits[None], scene.there.shape, mode="bilinear", align_corners=False)[0]


def _drawn(logits: Tensor, scene: _Scene) -> BoolMask:
    """Return the mask that logits (h, w) mean, at the size of the scene's."""
    mask: BoolMask = (_enlarged(logits[None], scene)[0] > 0).cpu().numpy()
    return mask
