"""SAM 2 through a clip, differentiably: the fine-tuning of its memory, decoder or all of it.

Song et al., EPIC-KITCHENS VISOR challenge 2025: first with the image encoder frozen, then all of
it. The first mask of each object is given, as the challenge gives it.
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from models.runtime.pixels import standardised
from models.training.clips import ClipBatch
from models.training.learners.sam2_losses import MaskWeights, candidates_loss

Predictor = Any  # sam2.sam2_video_predictor.SAM2VideoPredictor, which has no annotations


class Sam2Learner:
    """SAM 2's video model as the training loop sees it; clips are squares of its image size.

    Objects that begin after the first frame are left out: each is followed alone, from frame 0.
    """

    def __init__(self, predictor: Predictor, weights: MaskWeights) -> None:
        self.module: nn.Module = predictor
        self._predictor = predictor
        self._weights = weights

    def encoder(self) -> Iterator[nn.Parameter]:
        """Yield the image encoder's parameters."""
        yield from self._predictor.image_encoder.parameters()

    def frozen(self) -> None:
        """Cache nothing: SAM 2 takes whole images."""

    def loss(self, batch: ClipBatch) -> Tensor:
        """Return the loss of a batch, averaged over frames and objects."""
        clips, slots = (batch.present & (batch.starts == 0)).nonzero(as_tuple=True)
        length = batch.labels.shape[1]
        remembered: dict[str, dict[int, dict[str, Tensor]]] = {
            "cond_frame_outputs": {},
            "non_cond_frame_outputs": {},
        }
        losses: list[Tensor] = []
        for time in range(length):
            truth = (batch.labels[clips, time] == slots[:, None, None] + 1).float()  # (N, H, W)
            features = self._features(batch.images[:, time], clips)
            given = truth[:, None] if time == 0 else None
            output, found = self._step(features, time, given, remembered, length)
            kind = "non_cond_frame_outputs" if time else "cond_frame_outputs"
            remembered[kind][time] = output
            if time:
                logits, ious, presence = found
                losses.append(candidates_loss(logits, ious, presence, truth, self._weights))
        return torch.stack(losses).mean()

    def _features(self, images: Tensor, clips: Tensor) -> tuple[list[Tensor], list[Tensor], Any]:
        """Return features and positions (hw, N, C) for each object of one frame, and their sizes.

        `images` (B, 3, H, W), 0 to 1; `clips` (N,) says which of them an object is in.
        """
        encoded = self._predictor.forward_image(standardised(images))
        _, maps, positions, sizes = self._predictor._prepare_backbone_features(encoded)  # noqa: SLF001
        return [level[:, clips] for level in maps], [level[:, clips] for level in positions], sizes

    def _step(
        self,
        features: tuple[list[Tensor], list[Tensor], Any],
        time: int,
        given: Tensor | None,
        remembered: dict[str, dict[int, dict[str, Tensor]]],
        length: int,
    ) -> tuple[dict[str, Tensor], tuple[Tensor, Tensor, Tensor]]:
        """Segment one frame and remember it; the predictor's own step keeps back the candidates.

        Returns its memory; and logits (N, M, H, W), predicted IoUs (N, M) and presence (N, 1).
        """
        maps, positions, sizes = features
        output, found, _, _ = self._predictor._track_step(  # noqa: SLF001
            frame_idx=time,
            is_init_cond_frame=time == 0,
            current_vision_feats=maps,
            current_vision_pos_embeds=positions,
            feat_sizes=sizes,
            point_inputs=None,
            mask_inputs=given,
            output_dict=remembered,
            num_frames=length,
            track_in_reverse=False,
            prev_sam_mask_logits=None,
        )
        _, candidates, ious, _, best, pointer, presence = found
        output["obj_ptr"] = pointer
        self._predictor._encode_memory_in_output(  # noqa: SLF001
            maps, sizes, None, True, best, presence, output
        )
        return output, (candidates, ious, presence)
