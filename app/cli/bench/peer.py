"""How fast a video model is, and how much memory it takes, beside the published one.

Speed needs no trained weights: they are random here, the same for both sides.
"""

import contextlib
import importlib.resources
import importlib.util
import multiprocessing
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from multiprocessing.connection import Connection
from typing import Any
from unittest import mock

import numpy as np
import torch
from numpy.typing import NDArray

from app.batch.predict import predict
from models.api import BoolMask, Image, LoadOptions, ModelError, Tracker
from models.cutie.config import CUTIE_BASE, CUTIE_SMALL, NetworkConfig
from models.cutie.loader import MODELS, tracker_of
from models.cutie.network.network import Network
from models.registry import FALLBACK, load_tracker
from models.runtime.device import pick_device

OURS, RIVAL = "maskwright", "rf-cutie"
_RIVAL_SIZES = {"cutie-small": "small", "cutie-base": "base"}
_TURN = 5  # frames: as often as one is remembered, so that turns cost the same


@dataclass(frozen=True, slots=True)
class Case:
    """One measurement: `side` is OURS or RIVAL, `short_side` the clip's in pixels, at 16:9.

    All models see the clip at its size but `lite` and `classic`, which have one of their own.
    """

    side: str
    model: str
    length: int
    objects: int
    short_side: int
    device: str = "auto"
    threads: int = 0


@dataclass(frozen=True, slots=True)
class Figures:
    """What came out. Memory in bytes; `device_peak` is 0 on a CPU.

    `early_s` and `late_s`: median seconds a frame from a twentieth to a tenth of the clip, and in
    its second half; of 2,000 frames 100 to 200 and 1,000 to 2,000. The first turn is not counted.
    """

    frames_per_second: float
    early_s: float
    late_s: float
    host_peak: int
    device_peak: int


def rival_of(model: str) -> str | None:
    """Return the published implementation of a model, None where it is not installed."""
    known = model in _RIVAL_SIZES and importlib.util.find_spec("cutie") is not None
    return RIVAL if known else None


def on_accelerator(device: str) -> bool:
    """Return whether `device`, see `LoadOptions`, comes to anything but the CPU."""
    return pick_device(device).type != "cpu"


def measure(cases: Sequence[Case]) -> list[Figures]:
    """Run cases of one length side by side, each in a fresh process, from which its peaks are.

    They take turns, so that whatever else the machine does slows all of them alike. Raises
    ModelError where a model or a device is not there.
    """
    context = multiprocessing.get_context("spawn")
    with contextlib.ExitStack() as stack:
        pipes = []
        for case in cases:
            ours, theirs = context.Pipe()
            process = context.Process(target=serve, args=(case, theirs), daemon=True)
            process.start()
            stack.callback(process.join)
            stack.callback(process.terminate)
            theirs.close()
            pipes.append(stack.enter_context(ours))
        turns = -(-cases[0].length // _TURN)
        seconds = [[_asked(pipe) for pipe in pipes] for _ in range(turns)]
        peaks = [_asked(pipe) for pipe in pipes]
    columns = zip(*seconds, strict=True)
    return [_figures(turns, *peak) for turns, peak in zip(columns, peaks, strict=True)]


def serve(case: Case, pipe: Connection) -> None:
    """Answer each request with the seconds a frame of one more turn, at last with the peaks."""
    try:
        device = pick_device(case.device, threads=case.threads)
        clip = _Drifting(case.length, (case.short_side, _wide(case.short_side)))
        run = (_theirs if case.side == RIVAL else _ours)(
            case, clip, clip.masks(case.objects), device
        )
        for first in range(0, case.length, _TURN):
            pipe.recv()
            started = time.perf_counter()
            frames = sum(1 for _ in islice(run, min(_TURN, case.length - first)))
            if device.type == "cuda":
                torch.cuda.synchronize(device)
            pipe.send((time.perf_counter() - started) / frames)
        pipe.recv()
        cuda = device.type == "cuda"
        pipe.send((_host_peak(), torch.cuda.max_memory_allocated(device) if cuda else 0))
    except ModelError as error:
        pipe.send(error)


def _asked(pipe: "Connection[object, Any]") -> Any:  # noqa: ANN401
    try:
        pipe.send(None)
        answer = pipe.recv()
    except (EOFError, OSError) as error:
        raise ModelError("A measurement was ended from outside, probably for memory.") from error
    if isinstance(answer, ModelError):
        raise answer
    return answer


class _Drifting:
    """A made clip: a textured plane that drifts, with some grain."""

    def __init__(self, length: int, size: tuple[int, int]) -> None:
        rng = np.random.default_rng(0)
        height, width = size
        coarse = rng.integers(0, 256, (height // 16 + 9, width // 16 + 9, 3), np.uint8)
        self._plane = coarse.repeat(16, 0).repeat(16, 1)
        self._grain = rng.integers(0, 16, (height, width, 3), np.uint8)
        self._length = length
        self.size = size

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: int) -> Image:
        height, width = self.size
        top, left = abs(index % 128 - 64), abs((index * 2) % 128 - 64)
        window = self._plane[top : top + height, left : left + width] // np.uint8(2)
        return np.asarray(window + self._grain, np.uint8)

    def masks(self, count: int) -> dict[int, BoolMask]:
        """Return `count` boxes side by side."""
        height, width = self.size
        step = width // count
        boxes = {}
        for slot in range(count):
            box = np.zeros(self.size, np.bool_)
            box[height // 4 : height * 3 // 4, slot * step + step // 5 : (slot + 1) * step] = True
            boxes[slot + 1] = box
        return boxes


def _ours(
    case: Case, clip: _Drifting, masks: dict[int, BoolMask], device: torch.device
) -> Iterator[None]:
    if case.model == FALLBACK:
        tracker = load_tracker(FALLBACK, clip, LoadOptions(threads=case.threads))
    else:
        tracker = _memory_model(case, clip, device)
    for _ in predict(tracker, {0: masks}, range(case.length)):
        yield


def _memory_model(case: Case, clip: _Drifting, device: torch.device) -> Tracker:
    model = MODELS[case.model]
    # What a person gets, but no clip enlarged.
    side = min(model.short_side, case.short_side) if case.model == "lite" else case.short_side
    options = LoadOptions(size=side)
    return tracker_of(case.model, _random(model.network), clip, options, device)


def _theirs(
    case: Case, clip: _Drifting, masks: dict[int, BoolMask], device: torch.device
) -> Iterator[None]:
    core, step = _rival(case, device)
    labels: NDArray[np.int64] = np.zeros(clip.size, np.int64)
    for object_id, mask in masks.items():
        labels[mask] = object_id
    for index in range(case.length):
        image = torch.from_numpy(clip[index]).to(device).permute(2, 0, 1).float() / 255
        first = (torch.from_numpy(labels).to(device), list(masks)) if index == 0 else ()
        core.output_prob_to_mask(step(image, *first)).to(torch.uint8).cpu().numpy()
        yield


def _rival(case: Case, device: torch.device) -> tuple[Any, Callable[..., torch.Tensor]]:
    """Return the published implementation with our random weights, and its step."""
    from cutie.inference.inference_core import InferenceCore  # noqa: PLC0415
    from cutie.model.cutie import CUTIE  # noqa: PLC0415
    from cutie.model.utils import resnet  # noqa: PLC0415
    from omegaconf import OmegaConf  # noqa: PLC0415

    folder = importlib.resources.files("cutie") / "config"
    parts = [(folder / "model" / f"{part}.yaml").read_text() for part in ("base", "small")]
    size = _RIVAL_SIZES[case.model]
    config: Any = OmegaConf.create((folder / "eval_config.yaml").read_text())
    config.model = OmegaConf.merge(*map(OmegaConf.create, parts[: 1 + (size == "small")]))
    long_term = MODELS[case.model].memory(case.length).long_term is not None
    config.update({"use_long_term": long_term, "mem_every": 5})
    with (
        mock.patch.object(resnet.model_zoo, "load_url", return_value={}),
        mock.patch.object(resnet, "load_weights_add_extra_dim"),
    ):
        network = CUTIE(config).eval()  # it would fetch ImageNet weights only to overwrite them
    network.load_state_dict(_random(CUTIE_SMALL if size == "small" else CUTIE_BASE).state_dict())
    core = InferenceCore(network.to(device), config)
    half = torch.autocast("cuda", enabled=True) if device.type == "cuda" else None

    @torch.inference_mode()
    def step(*arguments: Any) -> torch.Tensor:  # noqa: ANN401
        with warnings.catch_warnings(), half or contextlib.nullcontext():
            warnings.simplefilter("ignore", FutureWarning)  # its old spelling of autocast
            result: torch.Tensor = core.step(*arguments)
            return result

    return core, step


def _random(config: NetworkConfig) -> Network:
    torch.manual_seed(0)
    return Network(config)


def _figures(turns: Sequence[float], host_peak: int, device_peak: int) -> Figures:
    counted = turns[1:] or turns
    count = len(counted)
    early = counted[count // 20 : max(count // 10, count // 20 + 1)]
    late = counted[count // 2 :]
    speed = count / sum(counted)
    return Figures(speed, float(np.median(early)), float(np.median(late)), host_peak, device_peak)


def _host_peak() -> int:
    """Return the most memory that this process has held, in bytes; 0 where it is not known."""
    if sys.platform == "win32":
        return 0
    import resource  # noqa: PLC0415 - not on Windows

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _wide(short_side: int) -> int:
    return round(short_side * 16 / 9)
