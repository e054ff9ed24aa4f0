"""The memory network behind models.api.Tracker."""

from collections import deque
from collections.abc import Callable, Collection, Generator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from models.api import (
    Anchors,
    Frames,
    Prediction,
    PromptError,
    Quality,
    Seen,
    Tracked,
    Vote,
)
from models.cutie.config import MemoryConfig
from models.cutie.inference.encoder_threads import EncoderThreads, beside
from models.cutie.inference.following_pass import AnyPass, FollowingPass, following_memory
from models.cutie.inference.geometry import Geometry
from models.cutie.inference.plan import Plan
from models.cutie.inference.presence.usual import winner
from models.cutie.inference.propagation import Propagation
from models.cutie.inference.reader import FrameReader
from models.cutie.inference.single_pass import Pass, Views
from models.cutie.inference.view import FOLLOWED, Follower, View, follows
from models.cutie.network.network import Network
from models.prompt import check_anchors


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How a video is run: the short side in pixels (0 = the frame's), and test-time fusion.

    `quality` is what the short side was chosen by. `enlarge` brings smaller frames to that size,
    too. Probabilities of all `scales` are added up; `flip` also sees each frame mirrored. On a CPU,
    `bfloat16` computes what follows the image encoder with half the digits, too, and `side_by_side`
    encodes the next frames on threads of their own.
    """

    short_side: int = 480
    quality: Quality = Quality.NORMAL
    enlarge: bool = False
    scales: tuple[float, ...] = (1.0,)
    flip: bool = False
    bfloat16: bool = False
    side_by_side: bool = False
    follow: bool = False


class CutieTracker:
    """Follows objects through a video by what it remembers of them.

    A new memory is built for each `track`; only `explain` looks at that of the last one.
    """

    def __init__(
        self,
        network: Network,
        frames: Frames,
        *,
        options: RunOptions,
        memory: Callable[[int], MemoryConfig],
    ) -> None:
        """`memory` gives the memory's settings for the number of frames of a pass."""
        self._network = network
        self._frames = frames
        self._options = options
        self._memory = memory
        self._device = network.pixel_mean.device
        self._latest: Sequence[AnyPass] = ()
        self._seen: Seen = {}

    def track(
        self, anchors: Anchors, frames: Sequence[int], *, probabilities: bool = False
    ) -> Generator[Tracked, None, None]:
        """Yield the masks on `frames`; see models.api.Tracker."""
        check_anchors(anchors, frames, self._frames)
        return self._track(Plan.of(anchors, frames), probabilities=probabilities)

    def track_without(
        self, left_out: Collection[int], anchors: Anchors, frames: Sequence[int]
    ) -> Generator[Tracked, None, None]:
        """Yield masks with a memory without some frames; see models.api.SelectiveTracker."""
        check_anchors(anchors, frames, self._frames)
        return self._track(Plan.of(anchors, frames), left_out, probabilities=False)

    def track_as_before(
        self, anchors: Anchors, frames: Sequence[int]
    ) -> Generator[Tracked, None, None]:
        """Yield masks, frames seen as they were before; see models.api.RetracingTracker."""
        check_anchors(anchors, frames, self._frames)
        return self._track(Plan.of(anchors, frames), retrace=True, probabilities=False)

    def keep_seen(self, seen: Seen) -> None:
        """Keep here what is seen of frames; see models.api.SeenKeeper."""
        self._seen = seen

    def at(self, quality: Quality) -> "CutieTracker":
        """Return a tracker that looks at frames so finely; see models.api.ScalableTracker."""
        share = quality.share / self._options.quality.share
        side = round(share * self._options.short_side)
        options = replace(self._options, short_side=side, quality=quality)
        return CutieTracker(self._network, self._frames, options=options, memory=self._memory)

    def explain(
        self, frame: int, x: float, y: float, object_id: int | None = None
    ) -> tuple[Vote, ...]:
        """Return the remembered frames that vote for a pixel; see models.api.Explainer."""
        height, width = self._frames.size
        if not (0 <= x < width and 0 <= y < height):
            raise PromptError(f"({x:g}, {y:g}) lies outside the frame of {width} x {height}.")
        return self._latest[0].explain(frame, x, y, object_id) if self._latest else ()

    def _track(
        self,
        plan: Plan,
        left_out: Collection[int] = (),
        *,
        retrace: bool = False,
        probabilities: bool,
    ) -> Generator[Tracked, None, None]:
        threads = EncoderThreads() if self._side_by_side else None
        passes: Sequence[AnyPass] = ()
        try:
            with beside(threads):
                self._latest = passes = self._start_passes(plan, left_out, threads, retrace=retrace)
            yield from self._run(passes, plan, threads, probabilities=probabilities)
        finally:
            for each in passes:
                each.stop()
            if threads is not None:
                threads.close()

    def _run(
        self,
        passes: Sequence[AnyPass],
        plan: Plan,
        threads: EncoderThreads | None,
        *,
        probabilities: bool,
    ) -> Generator[Tracked, None, None]:
        # A CUDA device works on the next frame while the last one's masks are handed out.
        ahead = 1 if self._device.type == "cuda" else 0
        waiting: deque[_Pending] = deque()
        for frame in plan.frames:
            with beside(threads):
                waiting.append(self._step(passes, plan, frame, probabilities=probabilities))
            if len(waiting) > ahead:
                yield waiting.popleft().finish()
        while waiting:
            yield waiting.popleft().finish()

    @property
    def _side_by_side(self) -> bool:
        return self._options.side_by_side and self._device.type == "cpu"

    @torch.inference_mode()
    def _start_passes(
        self,
        plan: Plan,
        left_out: Collection[int],
        threads: EncoderThreads | None,
        *,
        retrace: bool,
    ) -> Sequence[AnyPass]:
        if not plan.anchors:
            return []
        config = self._memory(len(plan.frames))
        options = self._options
        if options.follow and follows(plan):
            return [self._following_pass(plan, config, left_out, threads, retrace=retrace)]
        geometries = map(self._geometry, options.scales)
        return [self._pass_at(each, plan, config, left_out, threads) for each in geometries]

    def _following_pass(
        self,
        plan: Plan,
        config: MemoryConfig,
        left_out: Collection[int],
        threads: EncoderThreads | None,
        *,
        retrace: bool,
    ) -> FollowingPass:
        whole, config = self._geometry(self._options.scales[0]), following_memory(config)
        views = self._views_of(plan, retrace=retrace)
        return FollowingPass(
            plan,
            self._pass_at(whole, plan, config, left_out, threads, views),
            lambda: self._pass_at(whole, plan, config, left_out, threads),
        )

    def _pass_at(
        self,
        geometry: Geometry,
        plan: Plan,
        config: MemoryConfig,
        left_out: Collection[int],
        threads: EncoderThreads | None,
        views: Views | None = None,
    ) -> Pass:
        """Return a pass, whose view follows the object where `views` are given."""
        mirrored = self._options.flip
        network, frames = self._network, self._frames
        reader = FrameReader(network, frames, geometry, mirrored=mirrored, threads=threads)
        anchors = len(plan.anchors)
        memory = Propagation(network, config, anchor_frames=anchors, left_out=left_out)
        bfloat16 = self._options.bfloat16
        return Pass(network, reader, plan, memory, bfloat16=bfloat16, views=views)

    def _views_of(self, plan: Plan, *, retrace: bool) -> Views:
        """Return the views of the one object that a plan is about."""
        number = next(each for masks in plan.anchors.values() for each in masks)
        kept = self._seen.setdefault(number, {})
        before = {frame: View(*part) for frame, part in kept.items()} if retrace else {}
        near = self._geometry(FOLLOWED * self._options.scales[0])
        return Views(near, Follower(self._frames.size, before), kept)

    def _geometry(self, scale: float) -> Geometry:
        return Geometry.of(
            self._frames.size,
            short_side=self._options.short_side,
            scale=scale,
            multiple=self._network.encoder.multiple,
            enlarge=self._options.enlarge,
        )

    @torch.inference_mode()
    def _step(
        self, passes: Sequence[AnyPass], plan: Plan, frame: int, *, probabilities: bool
    ) -> "_Pending":
        """Start on a frame; nothing is waited for."""
        results = [each.step(frame) for each in passes]
        probability, score = _fused(results, self._frames.size, self._device)
        labels = winner(probability)
        sent = [labels, score, *([probability[1:]] if probabilities else [])]
        objects = tuple(passes[0].objects) if passes else ()
        return _Pending(plan, frame, objects, _copy_to_host(sent))


def _fused(
    results: Sequence[tuple[Tensor, Tensor]], size: tuple[int, int], device: torch.device
) -> tuple[Tensor, Tensor]:
    """Return the mean of each run's probabilities (K + 1, H, W) and scores (K,)."""
    if not results:
        return torch.ones((1, *size), device=device), torch.ones(0, device=device)
    if len(results) == 1:
        return results[0]
    probability, score = results[0]
    for more, more_score in results[1:]:
        probability, score = probability + more, score + more_score
    return probability / len(results), score / len(results)


@dataclass(frozen=True, slots=True)
class _Pending:
    """One frame's result on its way from the device."""

    plan: Plan
    frame: int
    objects: tuple[int, ...]
    sent: "_HostCopy"

    def finish(self) -> Tracked:
        """Wait for the result and return it; anchors come back as they were given."""
        labels, score, *rest = self.sent.wait()
        given = self.plan.anchors.get(self.frame, {})
        taken = np.logical_or.reduce(list(given.values())) if given else np.bool_(False)
        found: dict[int, Prediction] = {}
        for slot, object_id in enumerate(self.objects):
            if object_id in given:
                found[object_id] = Prediction.certain(given[object_id], probabilities=bool(rest))
                continue
            mask = (labels == slot + 1) & ~taken
            found[object_id] = Prediction(mask, float(score[slot]), rest[0][slot] if rest else None)
        return self.frame, found | self._absent(with_probability=bool(rest))

    def _absent(self, *, with_probability: bool) -> dict[int, Prediction]:
        """Return empty masks of the objects that are nowhere to be seen."""
        height, width = self.sent.tensors[0].shape
        nothing = np.zeros((height, width), np.bool_)
        return {
            object_id: Prediction.certain(
                nothing, float(self.frame in absence.anchors), probabilities=with_probability
            )
            for object_id, absence in self.plan.absent.items()
            if self.frame in absence.known
        }


@dataclass(frozen=True, slots=True)
class _HostCopy:
    """Tensors on their way to the host."""

    tensors: tuple[Tensor, ...]
    arrived: torch.cuda.Event | None

    def wait(self) -> "list[np.ndarray[tuple[int, ...], np.dtype[np.float32]]]":
        """Wait for the tensors and return them as arrays."""
        if self.arrived is not None:
            self.arrived.synchronize()
        return [tensor.numpy() for tensor in self.tensors]


def _copy_to_host(tensors: Sequence[Tensor]) -> _HostCopy:
    """Start the way to the host; nothing is waited for."""
    if tensors[0].device.type != "cuda":
        return _HostCopy(tuple(tensor.cpu() for tensor in tensors), None)
    hosts = tuple(
        torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True).copy_(
            tensor, non_blocking=True
        )
        for tensor in tensors
    )
    arrived = torch.cuda.current_stream().record_event()
    return _HostCopy(hosts, arrived)
