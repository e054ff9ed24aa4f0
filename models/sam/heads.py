"""SAM 2's prompt encoder and mask decoder, for features of any size (SAM 2, appendix D)."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from models.sam.prompts import Points

# What begins the names of these parameters, as the official files and lite's have them.
HEADS = ("sam_prompt_encoder.", "sam_mask_decoder.", "no_mem_embed")

_WIDTH = 256
_STRIDE = 16
# It scores whether the object is in the frame, which video needs and a click does not.
_UNUSED = "sam_mask_decoder.pred_obj_score_head."


class PromptHeads(nn.Module):
    """From image features and a prompt to masks; parameter names are the official ones."""

    def __init__(self) -> None:
        super().__init__()
        from sam2.modeling.sam.mask_decoder import MaskDecoder  # noqa: PLC0415
        from sam2.modeling.sam.prompt_encoder import PromptEncoder  # noqa: PLC0415
        from sam2.modeling.sam.transformer import TwoWayTransformer  # noqa: PLC0415

        self.sam_prompt_encoder = PromptEncoder(
            embed_dim=_WIDTH,
            image_embedding_size=(64, 64),
            input_image_size=(1024, 1024),
            mask_in_chans=16,
        )
        self.sam_mask_decoder = MaskDecoder(
            transformer_dim=_WIDTH,
            transformer=TwoWayTransformer(depth=2, embedding_dim=_WIDTH, mlp_dim=2048, num_heads=8),
            iou_prediction_use_sigmoid=True,
            use_high_res_features=True,
            pred_obj_scores=True,
        )
        # The features come projected: these two belong to the image encoder here.
        del self.sam_mask_decoder.conv_s0, self.sam_mask_decoder.conv_s1
        self.sam_mask_decoder.pred_obj_score_head = nn.Identity()
        self.no_mem_embed = nn.Parameter(torch.zeros(1, 1, _WIDTH))
        self._places: Tensor | None = None

    def forward(
        self, features: tuple[Tensor, Tensor, Tensor], points: Points, mask: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Return logits (4, H/4, W/4) and predicted IoUs (4): the single mask, then three.

        `features`: (1, 256, H/16, W/16), (1, 64, H/8, W/8), (1, 32, H/4, W/4). `points` are in
        pixels of the H x W image, `mask` holds logits (1, 1, H/4, W/4).
        """
        f16, f8, f4 = features
        height, width = f16.shape[-2:]
        encoder = self.sam_prompt_encoder
        encoder.image_embedding_size = (height, width)
        encoder.input_image_size = (height * _STRIDE, width * _STRIDE)
        sparse, dense = encoder(points=(points.xy, points.labels), boxes=None, masks=mask)
        # What SAM 2 adds to a frame that has no memory.
        embedded = f16 + self.no_mem_embed.reshape(1, -1, 1, 1)
        logits, ious, _, _ = self.sam_mask_decoder.predict_masks(
            image_embeddings=embedded,
            image_pe=self._encoded_places(),
            sparse_prompt_embeddings=sparse,
            dense_prompt_embeddings=dense,
            repeat_image=False,
            high_res_features=[f4, f8],
        )
        return logits[0].float(), ious[0].float()

    def _encoded_places(self) -> Tensor:
        """Return the encoding of each feature's place, which is computed once for a size."""
        encoder = self.sam_prompt_encoder
        if self._places is None or self._places.shape[-2:] != encoder.image_embedding_size:
            self._places = encoder.get_dense_pe()
        return self._places

    def select(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the heads' part of a SAM 2 state dict."""
        encoders = ("sam_mask_decoder.conv_s0.", "sam_mask_decoder.conv_s1.", _UNUSED)
        return {
            name: tensor
            for name, tensor in state.items()
            if name.startswith(HEADS) and not name.startswith(encoders)
        }
