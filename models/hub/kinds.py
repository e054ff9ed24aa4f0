"""What the video classes of the library differ in: configuration, session, and pixels."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from models.api import OptionError

Config = Any  # a configuration of transformers, which mypy does not see

_IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
_HALVES = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))


@dataclass(frozen=True, slots=True)
class Kind:
    """A model's name, its class and its session's, and how its pixels are normalised.

    `config` builds the configuration for squares of so many pixels; None means the model's own.
    """

    name: str
    model: str
    session: str
    config: Callable[[int | None], Config]
    mean: tuple[float, float, float]
    deviation: tuple[float, float, float]


def edgetam_config(side: int | None) -> Config:
    """Return the configuration of EdgeTAM for squares of `side` pixels, rounded to 256."""
    from transformers import (  # noqa: PLC0415
        EdgeTamVideoConfig,
        EdgeTamVideoPromptEncoderConfig,
        EdgeTamVisionConfig,
        TimmWrapperConfig,
    )

    side = max(256, round((side or 1024) / 256) * 256)
    # Named here, since the library's own default names another network by a slip of the pen.
    backbone = TimmWrapperConfig(
        architecture="repvit_m1",
        model_args={"in_chans": 3, "features_only": True, "out_indices": [0, 1, 2, 3]},
    )
    sizes = [[side // stride] * 2 for stride in (4, 8, 16)]
    return EdgeTamVideoConfig(
        vision_config=EdgeTamVisionConfig(backbone_config=backbone, backbone_feature_sizes=sizes),
        prompt_encoder_config=EdgeTamVideoPromptEncoderConfig(image_size=side),
        image_size=side,
        memory_attention_rope_feat_sizes=sizes[-1],
    )


def sam3_tracker_config(side: int | None) -> Config:
    """Return the configuration of SAM 3's tracker. Raises OptionError for another size."""
    from transformers import Sam3TrackerVideoConfig  # noqa: PLC0415

    config = Sam3TrackerVideoConfig()
    if side not in {None, config.image_size}:
        raise OptionError(f"sam3-tracker sees {config.image_size} pixels only: leave --size out.")
    return config


KINDS = {
    kind.name: kind
    for kind in (
        Kind(
            "edgetam",
            "EdgeTamVideoModel",
            "EdgeTamVideoInferenceSession",
            edgetam_config,
            *_IMAGENET,
        ),
        Kind(
            "sam3-tracker",
            "Sam3TrackerVideoModel",
            "Sam3TrackerVideoInferenceSession",
            sam3_tracker_config,
            *_HALVES,
        ),
    )
}
