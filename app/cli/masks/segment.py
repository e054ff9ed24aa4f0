"""`maskwright segment`: one object's mask on an image, from prompts."""

import argparse
import sys
from pathlib import Path

from app.errors import FrameReadError, UsageError
from app.storage.files.apart import check_apart
from app.storage.formats.palette import read_palette_png, write_palette_png
from app.storage.video.image import read_image
from models import registry
from models.api import BoolMask, Box, Click, Image, LoadOptions, Prompt


def run(arguments: argparse.Namespace) -> int:
    """Segment, write the mask and print the predicted IoU."""
    if not arguments.image.is_file():
        raise UsageError(f"{arguments.image} does not exist. Check the path.")
    check_apart(arguments.out, (arguments.image, arguments.mask, arguments.weights))
    try:
        still = _Still(read_image(arguments.image))
    except FrameReadError as error:
        raise UsageError(str(error)) from error
    mask = _read_mask(arguments.mask, still.size) if arguments.mask else None
    clicks = tuple(Click(*point) for point in arguments.point)
    prompt = Prompt(clicks, Box(*arguments.box) if arguments.box else None, mask)
    options = LoadOptions(arguments.device, arguments.threads, arguments.weights)
    model = arguments.model or registry.default_segmenter(options)
    best = registry.load_segmenter(model, still, options).segment(0, prompt)[0]
    write_palette_png(arguments.out, best.mask.astype("uint8"))
    sys.stdout.write(f"predicted IoU {best.score:.3f}, {int(best.mask.sum())} pixels\n")
    return 0


class _Still:
    """A video of one frame."""

    def __init__(self, image: Image) -> None:
        self._image = image
        self.size = (image.shape[0], image.shape[1])

    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: int) -> Image:
        if index != 0:
            raise IndexError(index)
        return self._image


def _read_mask(path: Path, size: tuple[int, int]) -> BoolMask:
    mask: BoolMask = read_palette_png(path, size) > 0
    if not mask.any():
        raise UsageError(f"{path} has no pixel of 1 to 254. Give a mask with an object, or none.")
    return mask
