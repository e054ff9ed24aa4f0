"""The configs of a memory network and of its memory, and those of the known models."""

from dataclasses import dataclass
from enum import Enum


class EncoderKind(Enum):
    """Where the image features come from."""

    RESNET18 = "resnet18"
    RESNET50 = "resnet50"
    HIERA = "hiera"  # SAM 2's image encoder, with depth features joined where `depth` is set


class MaskEncoderKind(Enum):
    """What turns a mask into the value that is remembered."""

    RESNET18 = "resnet18"  # Cutie: a ResNet-18 trunk over image, mask and other masks
    SAM = "sam"  # CSS-Segment: SAM's dense-prompt stack over the mask at a quarter of the size
    LIGHT = "light"  # four stride-2 convolutions over image, mask and other masks


@dataclass(frozen=True, slots=True)
class EncoderConfig:
    """The image encoder. `size` (tiny, small, base-plus, large) and `depth` are for Hiera.

    `depth`: the size of the Depth Anything V2 branch (small, base, large), None for no branch.
    `widths`: channels of the fused features at strides 16, 8 and 4; Hiera without depth keeps its
    own widths.
    """

    kind: EncoderKind
    size: str = "large"
    depth: str | None = None
    widths: tuple[int, int, int] = (1024, 512, 256)


@dataclass(frozen=True, slots=True)
class TransformerConfig:
    """The object transformer; half of the queries look at the object, half at the rest."""

    blocks: int = 3
    queries: int = 16
    heads: int = 8
    hidden: int = 2048


@dataclass(frozen=True, slots=True)
class NetworkConfig:
    """The network's widths. The defaults are those of the official Cutie models.

    `decoder_widths`: channels at strides 16, 8 and 4, the first one equal to `embed_dim`.
    `group_norm` adds normalisation to the residual blocks, for networks trained from scratch.
    `fine_keys` shows keys and pixel features the finer levels, too, averaged over a cell: in
    SAM 2's features colour is found there, and next to none at stride 16. `edge_dim`: channels at
    stride 2, where the image itself says how the masks' edges run; 0 leaves masks at stride 4.
    """

    encoder: EncoderConfig
    mask_encoder: MaskEncoderKind = MaskEncoderKind.RESNET18
    transformer: TransformerConfig = TransformerConfig()
    key_dim: int = 64
    pixel_dim: int = 256
    value_dim: int = 256
    sensory_dim: int = 256
    embed_dim: int = 256
    decoder_widths: tuple[int, int, int] = (256, 128, 128)
    group_norm: bool = False
    fine_keys: bool = False
    edge_dim: int = 0


@dataclass(frozen=True, slots=True)
class LongTermConfig:
    """Consolidation of old working memory into prototypes (XMem, section 3.3).

    `most_frames` and `least_frames` of working memory count the first, permanent frame, as the
    published settings do.
    """

    most_frames: int = 10
    least_frames: int = 5
    prototypes: int = 128
    most_tokens: int = 10_000
    buffer_tokens: int = 2_000


@dataclass(frozen=True, slots=True)
class PresenceConfig:
    """When an object is taken for present: only then a frame is remembered of it.

    Its mask has at least `least_area` pixels, as the network sees the frame, `least_share` of its
    usual area, and a score of `least_score`, 0 to 1. `absences`: frames on which it was not
    present, as they were segmented, that are kept beside its memory until it is back, the newest
    ones. `distractors`: frames kept outside the queue of recent ones, on which it was seen and
    something away from it had a probability of `rival` or more.

    Where the network has a presence head, that is asked, too, on every frame, of objects of whose
    mask others claim a share of `least_claimed`, where they were: an object is present from a
    probability of `least_presence` on, and has an empty mask elsewhere.
    """

    least_score: float
    least_share: float = 0.0
    least_area: int = 30
    absences: int = 0
    distractors: int = 0
    rival: float = 0.3
    least_presence: float = 0.5
    least_claimed: float = 0.0


@dataclass(frozen=True, slots=True)
class ShownConfig:
    """When an object's mask is shown, so that one that is away has none.

    Under a score of `least_score`, 0 to 1, an object is gone; its mask is shown again from
    `least_again` on, or from a share of `least_back` of its usual area. Where all but less than
    `least_share` of that goes at once, the rest is a remnant, mostly a spot that looks like it:
    shown again from `least_back` on, or once it was gone. What comes again is no remnant until it
    has had `least_whole`.
    """

    least_score: float
    least_again: float = 0.0
    least_share: float = 0.0
    least_back: float = 0.0
    least_whole: float = 0.25


@dataclass(frozen=True, slots=True)
class MemoryConfig:
    """How much is remembered, and how often.

    `every`: a frame in so many is remembered. `frames`: of working memory, the first one counted
    in, where `long_term` is None. `top_k`: memory tokens that a pixel reads. `sensory_updates`: on
    how many of the frames between two memory frames the sensory memory is renewed. `chunk`:
    objects computed at once, 0 = all. `presence`: when a frame is remembered of an object at all;
    None remembers it of every object, as the published runs do. `shown`: when its mask is shown;
    None shows all.
    """

    every: int = 5
    frames: int = 5
    top_k: int = 30
    sensory_updates: int = 5
    long_term: LongTermConfig | None = None
    chunk: int = 0
    presence: PresenceConfig | None = None
    shown: ShownConfig | None = None


CUTIE_SMALL = NetworkConfig(EncoderConfig(EncoderKind.RESNET18))
CUTIE_BASE = NetworkConfig(EncoderConfig(EncoderKind.RESNET50))
HIERA_DEPTH = NetworkConfig(EncoderConfig(EncoderKind.HIERA, size="large", depth="small"))
CSS = NetworkConfig(
    EncoderConfig(EncoderKind.HIERA, size="large"), mask_encoder=MaskEncoderKind.SAM
)
LITE = NetworkConfig(
    EncoderConfig(EncoderKind.HIERA, size="tiny"),
    mask_encoder=MaskEncoderKind.LIGHT,
    transformer=TransformerConfig(blocks=2, queries=16, heads=4, hidden=256),
    pixel_dim=128,
    value_dim=128,
    sensory_dim=64,
    embed_dim=128,
    decoder_widths=(128, 64, 32),
    group_norm=True,
    fine_keys=True,
    edge_dim=16,
)

_LONG_VIDEO = 200  # frames, from which CSS-Segment keeps more memory


def css_memory(frame_count: int) -> MemoryConfig:
    """Return CSS-Segment's memory for a video of this length (its report, section 4.3).

    The report leaves exactly 200 frames open; they count as long here.
    """
    if frame_count < _LONG_VIDEO:
        long_term = LongTermConfig(most_frames=15, least_frames=14)
        return MemoryConfig(long_term=long_term, top_k=30)
    long_term = LongTermConfig(most_frames=45, least_frames=40)
    return MemoryConfig(long_term=long_term, top_k=40)
