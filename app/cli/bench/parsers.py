"""The parsers of `maskwright bench` and of what it measures."""

import argparse
from pathlib import Path

from app.cli.command import Command, listing, output_file, whole

REFERENCE, NOTHING = "rf-cutie", "nothing"  # what `bench propagate --against` takes
LONG_FRAMES = 5_000  # of `bench gui --long`
_DRIFTS = ("own", "swap", "occlusion", "leak", "loss", "re-entry")
_MODELS = ("lite", "cutie-small", "cutie-base", "hiera-depth", "css", "vmos", "classic")


def configure_bench(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `bench`."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = f"what:\n{listing(KINDS)}\n\n`maskwright bench WHAT --help` says more."
    parser.add_argument("what", choices=KINDS, metavar="WHAT", help=" or ".join(KINDS))
    parser.add_argument("rest", nargs=argparse.REMAINDER, metavar="...", help="its own options")


def configure_propagate(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `bench propagate`."""
    parser.add_argument("--model", choices=_MODELS, default="cutie-base", metavar="NAME")
    parser.add_argument(
        "--lengths",
        type=_numbers,
        metavar="N,...",
        help="frames, on an accelerator by default 100,1000,5000, on a CPU 100",
    )
    parser.add_argument(
        "--objects", type=_numbers, metavar="N,...", help="by default 1,3,10, on a CPU 1,3"
    )
    parser.add_argument(
        "--size", type=whole(1), default=480, metavar="N", help="short side in pixels"
    )
    parser.add_argument(
        "--against",
        choices=[REFERENCE, NOTHING],
        help=f"what to measure beside it, in turns: by default {REFERENCE} where it is installed",
    )
    parser.add_argument(
        "--json", type=output_file, metavar="FILE", help="write the figures there, too"
    )


def configure_gui(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `bench gui`."""
    parser.add_argument(
        "--json", type=output_file, metavar="FILE", help="write the figures there, too"
    )
    parser.add_argument(
        "--long",
        action="store_true",
        help=f"also propagate through {LONG_FRAMES:,} frames and watch the memory (many minutes)",
    )


def configure_hover(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `bench hover`."""
    add = parser.add_argument
    add("--model", metavar="NAME", help="the segmenter (default: the best without a download)")
    add("--json", type=output_file, metavar="FILE", help="write the figures there, too")


def configure_memory(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `bench memory`."""
    add = parser.add_argument
    add("clips", type=Path, nargs="+", metavar="VIDEO", help="opened and closed one by one")
    add("--model", metavar="NAME", help="the tracker (default: the best without a download)")
    add("--frames", type=whole(2), default=20, metavar="N", help="to propagate (default: 20)")
    add("--json", type=output_file, metavar="FILE", help="write the figures there, too")


def configure_io(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `bench io`."""
    parser.add_argument(
        "--json", type=output_file, metavar="FILE", help="write the figures there, too"
    )


def configure_clicks(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `bench clicks`."""
    add = parser.add_argument
    add("images", type=Path, metavar="IMAGES", help="a folder of images, or of folders of them")
    add("truth", type=Path, metavar="MASKS", help="mask PNGs, in folders and named as those")
    add("--model", metavar="NAME", help="the segmenter (default: the best without a download)")
    add("--weights", type=Path, metavar="FILE", help="weights to use instead of the known ones")
    add("--count", type=int, default=50, metavar="N", help="images, evenly spaced (default: 50)")
    add("--skip", type=int, default=0, metavar="N", help="images left out at the beginning")
    add("--json", type=output_file, metavar="FILE", help="write the figures there, too")


def configure_refine(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `bench refine`."""
    add = parser.add_argument
    add("frames", type=Path, metavar="FRAMES", help="a folder of frames, or of folders of them")
    add("truth", type=Path, metavar="MASKS", help="mask PNGs, in folders and named as those")
    add("--model", metavar="NAME", help="the refiner (default: the best without a download)")
    add("--weights", type=Path, metavar="FILE", help="weights to use instead of the known ones")
    add("--count", type=whole(1), default=10, metavar="N", help="sequences (default: the first 10)")
    add(
        "--every", type=whole(1), default=10, metavar="N", help="take every Nth frame (default: 10)"
    )
    add("--radius", type=whole(0), default=6, metavar="PX",
        help="by how much masks are worn and grown (default: 6)")  # fmt: skip
    add("--iou-gate", type=float, default=0.1, metavar="X", help="as of `refine` (default: 0.1)")


def configure_heal(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `bench heal`."""
    add = parser.add_argument
    add("root", type=Path, metavar="ROOT", help="a folder with JPEGImages/SEQ, Annotations/SEQ")
    add("--model", metavar="NAME", help="the model (default: the best without a download)")
    add("--rounds", type=whole(0), default=5, metavar="N",
        help="interactions (default: 5); 0 only measures the queue")  # fmt: skip
    add("--only", type=_names, metavar="SEQ,...", help="these sequences instead of all")
    add("--size", type=whole(0), metavar="N", help="short side at inference, 0 = the frame's")
    add("--frames", type=whole(3), metavar="N", help="of each sequence the first N frames only")
    add("--drifts", type=_drifts, default=_DRIFTS, metavar="KIND,...",
        help=f"what goes wrong: {', '.join(_DRIFTS)} (default: all)")  # fmt: skip
    add("--exact", action="store_true", help="correct with the true mask, not with clicks")
    add("--annotator", choices=("session", "masks"), default="session",
        help="work as in the window, through the session (default), or on the masks alone: only "
        "the object that is corrected is healed, and none gives to another")  # fmt: skip
    add("--only-heal", action="store_true", help="leave `forward` and `whole` out")
    add("--json", type=output_file, metavar="FILE", help="write the figures there, too")


def configure_neighbours(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `bench neighbours`."""
    add = parser.add_argument
    add("root", type=Path, metavar="ROOT", help="a folder in the DAVIS layout, two objects a frame")
    add("--model", metavar="NAME", help="the segmenter (default: the best without a download)")
    add("--weights", type=Path, metavar="FILE", help="weights to use instead of the known ones")
    add("--only", metavar="SEQ,...", help="these sequences alone")
    add("--every", type=whole(1), default=8, metavar="N", help="take every Nth frame (default: 8)")
    add("--json", type=output_file, metavar="FILE", help="write the figures there, too")


def _numbers(text: str) -> list[int]:
    numbers = [int(part) for part in text.split(",")]
    if min(numbers) < 1:
        raise argparse.ArgumentTypeError("numbers start at 1")
    return numbers


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds < 3600:
        raise argparse.ArgumentTypeError(f"{text} is no time that a video takes")
    return seconds


def _names(text: str) -> list[str]:
    return [name for name in text.split(",") if name]


def _drifts(text: str) -> tuple[str, ...]:
    kinds = tuple(text.split(","))
    if unknown := set(kinds) - set(_DRIFTS):
        raise argparse.ArgumentTypeError(f"{min(unknown)!r} is none of {', '.join(_DRIFTS)}")
    return kinds


def configure_batch(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `bench batch`."""
    add = parser.add_argument
    add("--videos", type=whole(100), default=10_000, metavar="N",
        help="videos that wait (default: 10000)")  # fmt: skip
    add("--seconds", type=_seconds, default=0.5, metavar="S",
        help="what the stub takes for a video (default: 0.5)")  # fmt: skip
    add("--workers", type=whole(1), default=16, metavar="N",
        help="processes, or the CPUs of the cluster (default: 16)")  # fmt: skip
    add("--ray", metavar="auto|ADDRESS", help="measure a Ray cluster in place of processes")
    add("--json", type=output_file, metavar="FILE", help="write the figures there, too")


KINDS = {
    "batch": Command(
        "the scheduling of many videos, with a stub: overhead, memory of the driver",
        configure_batch,
        "app.cli.bench.speed.batch",
    ),
    "propagate": Command(
        "models on a clip: frames per second, memory",
        configure_propagate,
        "app.cli.bench.speed.propagate",
    ),
    "gui": Command(
        "the window: clicks, strokes, scrubbing, playing",
        configure_gui,
        "app.cli.bench.window.gui",
    ),
    "hover": Command(
        "previews under the pointer: how often they come, whether the window waits",
        configure_hover,
        "app.cli.bench.window.hover",
    ),
    "memory": Command(
        "the window: whether closing a video gives back what it took",
        configure_memory,
        "app.cli.bench.window.memory",
    ),
    "io": Command(
        "videos and projects: opening, reading, writing",
        configure_io,
        "app.cli.bench.io",
    ),
    "clicks": Command(
        "masks from clicks and boxes against true ones: IoU, and how soon they come",
        configure_clicks,
        "app.cli.bench.masks.clicks",
    ),
    "neighbours": Command(
        "what a click does to a wrong mask and the one beside it: IoU, share made worse",
        configure_neighbours,
        "app.cli.bench.masks.neighbours",
    ),
    "heal": Command(
        "corrections: what they are worth, what they spoil, and what they cost",
        configure_heal,
        "app.cli.bench.healing.command",
    ),
    "refine": Command(
        "coarse masks made finer, against true ones: boundary F before and after",
        configure_refine,
        "app.cli.bench.masks.refine",
    ),
}
