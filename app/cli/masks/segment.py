"""`maskwright segment`: one object's mask on an image, from prompts."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from app.cli.arguments import output_file
from app.errors import FrameReadError, UsageError

if TYPE_CHECKING:
    from models.api import BoolMask, Box, Click, Image


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `segment`."""
    add = parser.add_argument
    add("image", type=Path, metavar="IMAGE", help="the picture")
    add("--point", type=_click, action="append", default=[], metavar="X,Y,+|-",
        help="a pixel on the object (+) or not (-); as often as needed")  # fmt: skip
    add("--box", type=_box, metavar="X0,Y0,X1,Y1", help="a box round the object")
    add("--mask", type=Path, metavar="PNG", help="the mask so far: pixels of 1 to 254")
    add("--out", type=output_file, required=True, metavar="PNG", help="where the mask is written")
    add("--model", metavar="NAME", help="the segmenter (default: the best without a download)")
    add("--weights", type=Path, metavar="FILE", help="weights to use instead of the known ones")


def run(arguments: argparse.Namespace) -> int:
    """Segment, write the mask and print the predicted IoU."""
    from app.storage.files.apart import check_apart  # noqa: PLC0415
    from app.storage.formats.palette import write_palette_png  # noqa: PLC0415 - keeps --help quick
    from app.storage.video.image import read_image  # noqa: PLC0415
    from models.api import LoadOptions, Prompt  # noqa: PLC0415
    from models.registry import default_segmenter, load_segmenter  # noqa: PLC0415

    if not arguments.image.is_file():
        raise UsageError(f"{arguments.image} does not exist. Check the path.")
    check_apart(arguments.out, (arguments.image, arguments.mask, arguments.weights))
    try:
        still = _Still(read_image(arguments.image))
    except FrameReadError as error:
        raise UsageError(str(error)) from error
    mask = _read_mask(arguments.mask, still.size) if arguments.mask else None
    prompt = Prompt(tuple(arguments.point), arguments.box, mask)
    options = LoadOptions(arguments.device, arguments.threads, arguments.weights)
    model = arguments.model or default_segmenter()
    best = load_segmenter(model, still, options).segment(0, prompt)[0]
    write_palette_png(arguments.out, best.mask.astype("uint8"))
    sys.stdout.write(f"predicted IoU {best.score:.3f}, {int(best.mask.sum())} pixels\n")
    return 0


class _Still:
    """A video of one frame."""

    def __init__(self, image: "Image") -> None:
        self._image = image
        self.size = (image.shape[0], image.shape[1])

    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: int) -> "Image":
        if index != 0:
            raise IndexError(index)
        return self._image


def _read_mask(path: Path, size: tuple[int, int]) -> "BoolMask":
    from app.storage.formats.palette import read_palette_png  # noqa: PLC0415

    mask: BoolMask = read_palette_png(path, size) > 0
    if not mask.any():
        raise UsageError(f"{path} has no pixel of 1 to 254. Give a mask with an object, or none.")
    return mask


def _click(text: str) -> "Click":
    from models.api import Click  # noqa: PLC0415

    parts = text.split(",")
    if len(parts) != 3 or parts[2] not in {"+", "-"}:
        raise argparse.ArgumentTypeError(f"{text!r} is not X,Y,+ or X,Y,-")
    return Click(_number(parts[0]), _number(parts[1]), parts[2] == "+")


def _box(text: str) -> "Box":
    from models.api import Box  # noqa: PLC0415

    parts = text.split(",")
    if len(parts) != 4:
        raise argparse.ArgumentTypeError(f"{text!r} is not X0,Y0,X1,Y1")
    return Box(*(_number(part) for part in parts))


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from error
