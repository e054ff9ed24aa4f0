"""The loaders of the models of this package, by name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from models.api import Frames, LoadOptions, Segmenter, Tracker, WeightsMissingError
from models.cutie.config import (
    CSS,
    CUTIE_BASE,
    CUTIE_SMALL,
    HIERA_DEPTH,
    LITE,
    LongTermConfig,
    MemoryConfig,
    NetworkConfig,
    PresenceConfig,
    ShownConfig,
    css_memory,
)
from models.cutie.cpu.fold import fold_batch_norms
from models.cutie.cpu.fuse import use_fused_blocks
from models.cutie.cpu.winograd import use_winograd
from models.cutie.infer_config import infer_sizes
from models.cutie.inference.tracker import CutieTracker, RunOptions
from models.cutie.network.network import Network
from models.cutie.network.presence_head import PRESENCE, PresenceHead
from models.encoders import eight_bit
from models.encoders.hiera_cpu import use_cpu_hiera
from models.runtime.ahead import Ahead
from models.runtime.device import encoder_dtype, pick_device
from models.runtime.memory import give_back_libraries, give_back_memory, share_one_arena
from models.sam.heads import HEADS, PromptHeads
from models.weights import store as weights
from models.weights.checkpoint import load_strict, read_state

if TYPE_CHECKING:
    from models.sam.sam2_network import Sam2Network

_LONG_RUN = 600  # frames, from which old working memory is consolidated instead of forgotten
# The square in which lite's clicks see a frame: they want more pixels than propagation does, and
# SAM 2's heads were trained on squares.
_PROMPT_SQUARE = 768
# Chosen on clips in which an object leaves and returns; see lite's card.
_PRESENCE = PresenceConfig(
    least_score=0.5, least_share=0.25, least_presence=0.35, least_claimed=0.3, absences=2
)
_SHOWN = ShownConfig(least_score=0.4, least_again=0.6, least_share=0.1, least_back=0.15)


def _memory(frame_count: int) -> MemoryConfig:
    long_term = LongTermConfig() if frame_count > _LONG_RUN else None
    return MemoryConfig(long_term=long_term)


def _recent_memory(frame_count: int) -> MemoryConfig:
    """Return lite's memory: the first frame, and little but what was seen just now.

    What tells objects that look alike apart is where they were: crossing pairs had J&F .868 so,
    .854 with seven of one frame in two; .803 with one in five before it was trained for this.
    """
    # Consolidated four times as often as by default, so into a quarter of the prototypes; few of
    # these are kept, so that a frame soon costs the same however many came before it.
    long_term = LongTermConfig(
        most_frames=7, least_frames=4, prototypes=32, most_tokens=2_048, buffer_tokens=512
    )
    return MemoryConfig(
        every=2,
        long_term=long_term if frame_count > _LONG_RUN else None,
        presence=_PRESENCE,
        shown=_SHOWN,
    )


def _memory_for(model: "Model", options: LoadOptions) -> Callable[[int], MemoryConfig]:
    """Return the model's memory, with objects' presence asked for or not as the options say."""
    if options.presence is None:
        return model.memory
    presence = _PRESENCE if options.presence else None
    shown = _SHOWN if options.presence else None
    return lambda frame_count: replace(model.memory(frame_count), presence=presence, shown=shown)


@dataclass(frozen=True, slots=True)
class Model:
    """A name's network, its short side in pixels, and its memory for a number of frames.

    `enlarge`: whether smaller frames are brought to that size, too.
    """

    network: NetworkConfig
    short_side: int = 480
    enlarge: bool = False
    memory: Callable[[int], MemoryConfig] = _memory
    published: bool = True


MODELS: dict[str, Model] = {
    # Finer cells tell more, even where the frame has no more pixels: 640x360 enlarged to 416 brings
    # J&F .807 instead of .800 on crossing pairs.
    "lite": Model(LITE, short_side=384, enlarge=True, memory=_recent_memory),
    "cutie-small": Model(CUTIE_SMALL),
    "cutie-base": Model(CUTIE_BASE),
    "hiera-depth": Model(HIERA_DEPTH, published=False),
    "css": Model(CSS, memory=css_memory, published=False),
}


def runs_as(name: str, network: NetworkConfig) -> Model:
    """Return how the model `name` is run; `network` is that of one that only training knows."""
    return MODELS.get(name, Model(network))


def load_tracker(name: str, frames: Frames, options: LoadOptions) -> Tracker:
    """Return the video model `name`, bound to `frames`.

    Raises WeightsMissingError or WeightsInvalidError.
    """
    source = _Source.of(name, options)
    network = _TRACKER.take(source, lambda: _load_network(source))
    return _bound(name, network, frames, options, source.device)


def load_ahead(name: str, options: LoadOptions) -> None:
    """Load what `load_tracker` and, with lite, `load_segmenter` will need, and keep it for them.

    Raises WeightsMissingError or WeightsInvalidError.
    """
    source = _Source.of(name, options)
    _TRACKER.load(source, lambda: _load_network(source))
    if name == "lite":
        _SEGMENTER.load(source, lambda: _load_prompt_network(source))


@dataclass(frozen=True, slots=True)
class _Source:
    """What a network is made from, and for what."""

    name: str
    path: Path
    written: int  # when the file was, in nanoseconds
    device: torch.device
    side: int | None  # of what clicks see

    @classmethod
    def of(cls, name: str, options: LoadOptions) -> "_Source":
        path = _find(name, options.weights)
        device = pick_device(options.device, threads=options.threads)
        written = path.stat().st_mtime_ns if path.exists() else 0
        return cls(name, path, written, device, options.size)


_TRACKER: Ahead[Network] = Ahead()
_SEGMENTER: "Ahead[Sam2Network]" = Ahead()


def _load_network(source: _Source) -> Network:
    """Return the network of a file, ready for its device."""
    spare_memory(source.device)
    state = read_state(source.path)
    network = Network(_sized(MODELS[source.name], state))
    load_strict(network, network_part(state), source.path)
    network.presence_head = PresenceHead.of(state)
    del state  # which the network has taken over, as the wider copies of it
    prepared = _prepared(source.name, network, source.device)
    give_back_memory()
    return prepared


def spare_memory(device: torch.device) -> None:
    """Let this process hold less on a device, from here on, than it does by itself."""
    share_one_arena()
    if device.type == "cpu":
        give_back_libraries()


def network_part(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return a file's memory network, without the heads that lite's file holds beside it."""
    beside = (*HEADS, PRESENCE)
    return {name: part for name, part in state.items() if not name.startswith(beside)}


def tracker_of(
    name: str, network: Network, frames: Frames, options: LoadOptions, device: torch.device
) -> CutieTracker:
    """Return the video model `name` made of `network`, which is taken over, with weights or not."""
    return _bound(name, _prepared(name, network, device), frames, options, device)


def _prepared(name: str, network: Network, device: torch.device) -> Network:
    eight_bits = name == "lite" and eight_bit.is_faster(device)
    return prepare_for_inference(network, device, eight_bits=eight_bits)


def _bound(
    name: str, network: Network, frames: Frames, options: LoadOptions, device: torch.device
) -> CutieTracker:
    """Return the video model `name` made of a network that is ready for its device."""
    model = MODELS[name]
    small = name == "lite"  # enough to keep several frames at once in work
    run = RunOptions(
        short_side=_short_side(model, options),
        quality=options.quality,
        enlarge=model.enlarge,
        scales=options.scales or (1.0,),
        flip=options.flip,
        bfloat16=small and encoder_dtype(device) is torch.bfloat16,
        side_by_side=small and torch.get_num_threads() > 1,
        follow=_may_follow(network, options, usually=small and device.type == "cpu"),
    )
    return CutieTracker(network, frames, options=run, memory=_memory_for(model, options))


def _may_follow(network: Network, options: LoadOptions, *, usually: bool) -> bool:
    """Return whether the view may follow an object; a presence head knows places of whole frames.

    Where a GPU would wait for each mask to know where to look next, it usually does not.
    """
    alone = not options.flip and not options.scales and network.presence_head is None
    return alone and (usually if options.follow is None else options.follow)


def _short_side(model: Model, options: LoadOptions) -> int:
    if options.size is not None:
        return options.size
    return round(model.short_side * options.quality.share)


def load_segmenter(name: str, frames: Frames, options: LoadOptions) -> Segmenter:
    """Return the image model `name`, bound to `frames`: SAM 2's prompt heads on lite's encoder.

    Raises WeightsMissingError or WeightsInvalidError.
    """
    from models.sam.segmenter import PromptSegmenter  # noqa: PLC0415

    source = _Source.of(name, options)
    return PromptSegmenter(_SEGMENTER.take(source, lambda: _load_prompt_network(source)), frames)


def _load_prompt_network(source: _Source) -> "Sam2Network":
    """Return SAM 2's prompt heads on the encoder of a file, ready for its device."""
    from models.encoders.hiera import HieraEncoder, Levels  # noqa: PLC0415
    from models.sam.sam2_network import Sam2Network  # noqa: PLC0415

    spare_memory(source.device)
    state = read_state(source.path)
    encoder, heads = HieraEncoder(LITE.encoder.size, Levels.DECODER), PromptHeads()
    prefix = "pixel_encoder."
    own = {key.removeprefix(prefix): part for key, part in state.items() if key.startswith(prefix)}
    load_strict(encoder, own, source.path)
    load_strict(heads, heads.select(state), source.path)
    return Sam2Network(
        encoder,
        heads,
        device=source.device,
        square=_PROMPT_SQUARE,
        side=source.side,
        dtype=encoder_dtype(source.device),
    )


def prepare_for_inference(
    network: Network, device: torch.device, *, eight_bits: bool = False
) -> Network:
    """Return the network as inference wants it: on the device, batch norms folded.

    `eight_bits` lets a Hiera encoder multiply bytes, for weights that are stored in bytes.
    """
    fold_batch_norms(network)
    if device.type == "cpu":
        use_winograd(network)
        use_fused_blocks(network)
        use_cpu_hiera(network, encoder_dtype(device), eight_bits=eight_bits)
    network.eval().requires_grad_(requires_grad=False)
    return network.to(device).to(memory_format=torch.channels_last)


def _sized(model: Model, state: Mapping[str, Tensor]) -> NetworkConfig:
    """Return the model's network; where none has been published, with the weights' own sizes."""
    config = model.network
    return (
        config if model.published else replace(config, encoder=infer_sizes(config.encoder, state))
    )


def _find(name: str, given: Path | None) -> Path:
    if given is None and not MODELS[name].published:
        raise WeightsMissingError(
            f"No weights of {name} have been published. Train them with `maskwright train CONFIG`, "
            f"then give them with --weights FILE."
        )
    return weights.find(name, given)
