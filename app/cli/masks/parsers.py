"""The parsers of the commands that make, refine and score masks."""

import argparse
from pathlib import Path

from app.cli.command import output_file, whole
from models.api import Quality


def configure_propagate(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `propagate`."""
    add = parser.add_argument
    add("frames", type=Path, metavar="FRAMES", help="a video file or a folder of images")
    start = parser.add_mutually_exclusive_group(required=True)
    start.add_argument("--anchors", type=Path, metavar="DIR",
        help="the masks to start from: palette PNGs, pixel value = object id, named as their frame "
        "or by its index, 000000.png; an object that is missing from one is looked for there, "
        "unless the PNG is empty")  # fmt: skip
    start.add_argument("--text", action="append", default=[], metavar="PHRASE",
        help="find the objects to start from by words, in place of anchors: cup, left hand; as "
        "often as needed; of a sentence its main noun counts")  # fmt: skip
    _add_first_number(parser)
    add("--out", type=Path, required=True, metavar="DIR", help="where a PNG a frame is written")
    _add_finding(parser.add_argument_group("with --text"))
    _add_model(parser, "tracker")
    add("--size", type=int, metavar="N", help="short side at inference; 0 = as the frames are")
    add("--quality", choices=[each.value for each in Quality],
        help="of models with a memory of frames, the size they see a frame at: three quarters, "
        "all, five quarters or one and a half of their own (default: normal)")  # fmt: skip
    add("--start", type=int, metavar="N", help="the first frame to write, counted from 0")
    add("--stop", type=int, metavar="N", help="the last frame to write, itself written too")
    add("--direction", choices=("both", "forward", "backward"), default="both",
        help="where to go from the anchors (default: both)")  # fmt: skip
    add("--scores", action="store_true", help="write the probabilities, too: OUT/scores/*.npz")
    add("--scales", type=_scales, default=(), metavar="A,B,...", help="average over these scales")
    add("--flip", action="store_true", help="average with the mirrored video")
    add("--refine", metavar="NAME",
        help="sharpen the masks of each frame by this segmenter, such as hq-sam-large")  # fmt: skip
    _add_gate(parser)
    add("--presence", action=argparse.BooleanOptionalAction,
        help="remember an object only on frames on which it is seen and show no unsure mask, or "
        "remember it on all and show all (default: the model's choice)")  # fmt: skip
    add("--follow", action=argparse.BooleanOptionalAction,
        help="let the view follow an object that is alone and small, or look at whole frames "
        "(default: the model's choice)")  # fmt: skip
    add("--project", type=Path, metavar="FILE",
        help="put the masks in a project file, too; what a person made there stays")  # fmt: skip


def _add_gate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--iou-gate", type=float, default=0.1, metavar="X",
        help="keep a mask whose refined one overlaps it less than this (default: 0.1)")  # fmt: skip


def _add_finding(group: "argparse._ArgumentGroup") -> None:
    """Add how objects are found by words."""
    add = group.add_argument
    add("--every", type=whole(1), metavar="N",
        help="look at every N-th frame (default: at the first one alone)")  # fmt: skip
    add("--one", action="store_true", help="one object for each phrase, not all of the kind")
    add("--threshold", type=_share, metavar="X",
        help="how sure a detector has to be, 0 to 1 (default: as the detector has it)")  # fmt: skip
    add("--detector", metavar="NAME", help="the detector (default: one that suits the words)")
    add("--segmenter", metavar="NAME", help="what makes masks of boxes (default: the best here)")


def configure_segment(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `segment`."""
    add = parser.add_argument
    add("image", type=Path, metavar="IMAGE", help="the picture")
    add("--point", type=_click, action="append", default=[], metavar="X,Y,+|-",
        help="a pixel on the object (+) or not (-); as often as needed")  # fmt: skip
    add("--box", type=_box, metavar="X0,Y0,X1,Y1", help="a box round the object")
    add("--mask", type=Path, metavar="PNG", help="the mask so far: pixels of 1 to 254")
    add("--out", type=output_file, required=True, metavar="PNG", help="where the mask is written")
    _add_model(parser, "segmenter")


def configure_refine(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `refine`."""
    add = parser.add_argument
    add("frames", type=Path, metavar="FRAMES", help="a video file or a folder of images")
    add("--masks", type=Path, required=True, metavar="DIR",
        help="palette PNGs, named as their frames or by index")  # fmt: skip
    _add_first_number(parser)
    add("--out", type=Path, required=True, metavar="DIR",
        help="where all masks are written; those of other frames as they are")  # fmt: skip
    add("--frames", dest="chosen", type=_ranges, metavar="N,N-M",
        help="which frames, counted from 0 (default: all that have a mask)")  # fmt: skip
    _add_gate(parser)
    _add_model(parser, "refiner")


def configure_densify(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `densify`."""
    add = parser.add_argument
    add("source", type=Path, metavar="SRC", help="a sparse VISOR JSON, or a folder of them")
    add("target", type=Path, metavar="DST", help="the dense JSON, or a folder of them; "
        "the projects and the report of what was gated out lie beside")  # fmt: skip
    add("--frames", type=Path, metavar="DIR",
        help="where the videos are, as folders of images or files named as they are "
        "(default: beside the JSON)")  # fmt: skip
    add("--gate", type=float, default=0.85, metavar="IOU",
        help="keep masks of which both directions agree at least this much, with each other and "
        "with the masks at the ends (0.85)")  # fmt: skip
    _add_model(parser, "tracker")
    add("--size", type=whole(0), metavar="N",
        help="short side at inference; 0 = as the frames are")  # fmt: skip
    add("--quality", choices=[each.value for each in Quality],
        help="how finely frames are looked at, as for propagate (default: finest)")  # fmt: skip


def configure_vote(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `vote`."""
    add = parser.add_argument
    add("frames", type=Path, metavar="FRAMES",
        help="a video file or a folder of images; or, as MeViS has it, a folder of such "
        "folders")  # fmt: skip
    add("--coarse", type=Path, required=True, metavar="DIR",
        help="the masks to mend: PNGs, or folders VIDEO/EXPRESSION of PNGs")  # fmt: skip
    add("--masklets", type=Path, required=True, metavar="DIR",
        help="a tracker's masks of single things: PNGs, or folders VIDEO of PNGs")  # fmt: skip
    add("--out", type=Path, required=True, metavar="DIR", help="where the mended ones are written")
    add("--window", type=whole(1), default=15, metavar="N",
        help="frames that vote together (default: 15)")  # fmt: skip
    add("--overlap", type=_share, default=0.8, metavar="X",
        help="share of a masklet that has to lie in a coarse mask (default: 0.8)")  # fmt: skip


def configure_evaluate(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "--pred", type=Path, required=True, metavar="DIR",
        help="the masks to score: one sequence's PNGs, or a folder for each sequence",
    )  # fmt: skip
    parser.add_argument("--gt", type=Path, required=True, metavar="DIR", help="the ground truth")
    parser.add_argument(
        "--protocol", choices=("davis2016", "davis2017", "visor"), default="davis2017",
        help="davis2016: one object, first and last frame left out; davis2017 (default): the "
        "objects of the first frame, first and last frame left out; visor: only the first left out",
    )  # fmt: skip
    parser.add_argument(
        "--list", type=Path, metavar="FILE",
        help="score only these sequences, one a line, such as ImageSets/2022/val_unseen.txt",
    )  # fmt: skip
    parser.add_argument(
        "--json", type=output_file, metavar="FILE", help="write all numbers there, too"
    )


def configure_inspect(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `inspect`."""
    add = parser.add_argument
    add("--gt", type=Path, required=True, metavar="ROOT",
        help="the ground truth: one sequence's PNGs, a folder for each sequence, a DAVIS folder, "
        "or a VISOR or COCO JSON; it may lack frames")  # fmt: skip
    add("--pred", type=Path, action="append", required=True, metavar="A",
        help="the masks to inspect, likewise; a second --pred is compared with the "
        "first")  # fmt: skip
    add("--report", type=Path, metavar="OUT",
        help="write the report there: index.html, frames.csv, events.csv, summary.json, figures; "
        "what was there is replaced")  # fmt: skip
    add("--video", type=Path, metavar="OUT",
        help="write a video of each sequence there: image, ground truth, predictions and errors "
        "side by side")  # fmt: skip
    add("--frames", type=Path, metavar="ROOT",
        help="the images, a folder for each sequence (default: those that lie with the ground "
        "truth, if any): they are shown, and tell of blur, light, cuts and likeness")  # fmt: skip
    add("--protocol", choices=("davis2016", "davis2017", "visor"),
        help="which frames and objects count, as in evaluate (default: as the masks "
        "tell)")  # fmt: skip
    add("--worst", type=whole(0), default=6, metavar="N",
        help="how many episodes a prediction are shown (default: 6)")  # fmt: skip


def _add_model(parser: argparse.ArgumentParser, kind: str) -> None:
    """Add which model of its kind a command takes, and from which file."""
    add = parser.add_argument
    add(
        "--model",
        metavar="NAME",
        help=f"the {kind} (default: the best for this machine that is here)",
    )
    add("--weights", type=Path, metavar="FILE", help="weights to use instead of the known ones")


def _add_first_number(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--first-number", type=int, choices=(0, 1), metavar="0|1",
        help="the number of the first frame, where masks of a video file are numbered",
    )  # fmt: skip


def _scales(text: str) -> tuple[float, ...]:
    """Read `1.2,1.3`; argparse says what is wrong."""
    scales = tuple(float(part) for part in text.split(","))
    if not all(0 < scale <= 4 for scale in scales):
        raise argparse.ArgumentTypeError("scales must lie above 0 and be at most 4")
    return scales


def _share(text: str) -> float:
    """Read a number from 0 to 1."""
    share = _number(text)
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError(f"{text} does not lie from 0 to 1")
    return share


def _click(text: str) -> tuple[float, float, bool]:
    """Read x, y and whether the pixel is on the object."""
    parts = text.split(",")
    if len(parts) != 3 or parts[2] not in {"+", "-"}:
        raise argparse.ArgumentTypeError(f"{text!r} is not X,Y,+ or X,Y,-")
    return _number(parts[0]), _number(parts[1]), parts[2] == "+"


def _box(text: str) -> tuple[float, ...]:
    """Read x0, y0, x1 and y1."""
    parts = text.split(",")
    if len(parts) != 4:
        raise argparse.ArgumentTypeError(f"{text!r} is not X0,Y0,X1,Y1")
    return tuple(_number(part) for part in parts)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from error


def _ranges(text: str) -> list[range]:
    """Read `3,7-9` as 3 to 3 and 7 to 9, however far that goes."""
    spans = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()):
            raise argparse.ArgumentTypeError(f"{part!r} is neither a frame nor N-M")
        span = range(int(first), int(last or first) + 1)
        if not span:
            raise argparse.ArgumentTypeError(f"{part!r} runs backwards")
        spans.append(span)
    return spans
