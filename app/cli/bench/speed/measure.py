"""The speed and memory of trackers, measured in turns, each in a process of its own.

Speed needs no trained weights: they are random here, the same on both sides.
"""

import contextlib
import multiprocessing
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
import torch

from app.batch.passes.predict import predict
from app.cli.bench.parsers import REFERENCE
from app.cli.bench.speed import reference
from app.cli.bench.speed.clip import DriftingClip
from models.api import BoolMask, LoadOptions, ModelError, Tracker
from models.cutie.loader import MODELS, spare_memory, tracker_of
from models.registry import FALLBACK, load_tracker
from models.runtime.device import pick_device
from models.runtime.memory import give_back_memory
from models.vmos.config import VmosConfig
from models.vmos.network.network import Vmos
from models.vmos.tracker import VmosTracker

OURS = "maskwright"
_TURN = 5  # frames: as often as one is remembered, so that turns cost the same


@dataclass(frozen=True, slots=True)
class Case:
    """One measurement: `side` is OURS or REFERENCE, `short_side` the clip's in pixels, at 16:9.

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
        clip = DriftingClip(case.length, (case.short_side, _wide(case.short_side)))
        masks = clip.masks(case.objects)
        if case.side == REFERENCE:
            frames = reference.follow(case.model, clip, masks, device)
        else:
            frames = _follow(case, clip, masks, device)
        for first in range(0, case.length, _TURN):
            pipe.recv()
            started = time.perf_counter()
            count = sum(1 for _ in islice(frames, min(_TURN, case.length - first)))
            if device.type == "cuda":
                torch.cuda.synchronize(device)
            pipe.send((time.perf_counter() - started) / count)
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


def _follow(
    case: Case, clip: DriftingClip, masks: dict[int, BoolMask], device: torch.device
) -> Iterator[None]:
    if case.model == FALLBACK:
        tracker = load_tracker(FALLBACK, clip, LoadOptions(threads=case.threads))
    elif case.model == "vmos":
        torch.manual_seed(0)
        network = Vmos(VmosConfig()).eval().to(device)
        tracker = VmosTracker(network, clip, side=case.short_side)
    else:
        tracker = _memory_model(case, clip, device)
    for _ in predict(tracker, {0: masks}, range(case.length)):
        yield


def _memory_model(case: Case, clip: DriftingClip, device: torch.device) -> Tracker:
    model = MODELS[case.model]
    # What a person gets, but no clip enlarged.
    side = min(model.short_side, case.short_side) if case.model == "lite" else case.short_side
    options = LoadOptions(size=side)
    spare_memory(device)
    network = reference.random_network(model.network)
    tracker = tracker_of(case.model, network, clip, options, device)
    give_back_memory()
    return tracker


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
