"""The loaders of the models of this package, by name."""

from models.api import Frames, LoadOptions, OptionError, Segmenter, Tracker
from models.runtime.device import encoder_dtype, pick_device
from models.sam.segmenter import PromptSegmenter
from models.weights import store as weights

_HQ_KINDS = {
    "mobile-sam": "vit_tiny",
    "hq-sam-tiny": "vit_tiny",
    "hq-sam-base": "vit_b",
    "hq-sam-large": "vit_l",
    "hq-sam-huge": "vit_h",
}
_SAM2 = "sam2.1-"


def load_segmenter(name: str, frames: Frames, options: LoadOptions) -> Segmenter:
    """Return the image model `name`, bound to `frames`.

    `options.size` is for SAM 2 alone; the others see the long side at 1024. Raises
    WeightsMissingError or WeightsInvalidError.
    """
    path = weights.find(name, options.weights)
    device = pick_device(options.device, threads=options.threads)
    if name in _HQ_KINDS:
        from models.sam.hq_network import HqNetwork  # noqa: PLC0415

        hq = HqNetwork.load(_HQ_KINDS[name], path, device=device, dtype=encoder_dtype(device))
        return PromptSegmenter(hq, frames)
    from models.sam.sam2_network import Sam2Network  # noqa: PLC0415

    size = name.removeprefix(_SAM2)
    return PromptSegmenter(Sam2Network.load(size, path, device=device, side=options.size), frames)


def load_tracker(name: str, frames: Frames, options: LoadOptions) -> Tracker:
    """Return the SAM 2 video model `name`, bound to `frames`.

    `options.size` is the side of the square that a frame is squeezed into, rounded to 32. Raises
    WeightsMissingError, WeightsInvalidError, or OptionError where scales or flip are asked for.
    """
    if options.scales or options.flip:
        raise OptionError(f"{name} has no fusion of scales or flips: leave them out.")
    from models.sam.video.tracker import Sam2Tracker  # noqa: PLC0415

    path = weights.find(name, options.weights)
    device = pick_device(options.device, threads=options.threads)
    return Sam2Tracker.load(
        name.removeprefix(_SAM2), path, frames, device=device, side=options.size or None
    )
