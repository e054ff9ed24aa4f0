"""Ray, where one machine is not enough: the same work on every node, by a known scheduler."""

import importlib
import time
from collections.abc import Callable, Generator, Iterable, Mapping
from pathlib import Path
from typing import Any

from app.batch.videos.carry_out import Outcome
from app.batch.videos.plan import VideoTask
from app.batch.videos.workers.local import TRIES, Work
from app.batch.videos.workers.node_weights import Held, provide
from app.batch.videos.workers.placement import share
from app.errors import UsageError

_AHEAD = 2  # tasks handed out for each place to work, so that none waits for the driver
_LOOK_AGAIN_S = 5.0  # nodes come and go

Memory = Callable[[], Mapping[str, int]]  # the bytes of each GPU of the node that it is called on


class RayWorkers:
    """A Ray cluster: one that runs, at an address, or with `auto` one of this machine's own.

    Where the cluster has GPUs each video gets one, or the part of one that its `need`, in bytes,
    takes. `weights` are files that the nodes are given where they lack them.
    """

    def __init__(
        self,
        work: Work,
        address: str,
        *,
        may_use_gpu: bool,
        memory: Memory,
        need: int | None = None,
        weights: Mapping[str, Path] | None = None,
    ) -> None:
        """Connect. Raises UsageError where no cluster answers, or a GPU has no room."""
        self._work = work
        self._ray = ray = _connect(address)
        self._kind, part = "CPU", 1.0
        if may_use_gpu and ray.cluster_resources().get("GPU"):
            self._kind = "GPU"
            part = share(self._memories(memory), need)
        self._places_of_one = 1 / part
        gpu = part if self._kind == "GPU" else 0
        # Ray would end a process that has a GPU after one video; starting another takes seconds.
        self._options = {"num_cpus": 1, "num_gpus": gpu, "max_retries": TRIES, "max_calls": 0}
        if need is not None and self._kind == "CPU":
            self._options["memory"] = need
        # Kept once in the cluster, and sent to a node once, however many videos it does.
        self._weights = {name: ray.put(file.read_bytes()) for name, file in (weights or {}).items()}
        self._places, self._looked = 1, 0.0

    def outcomes(self, tasks: Iterable[VideoTask]) -> Generator[Outcome, None, None]:
        """Yield each video's outcome as it ends; close it to stop the others.

        What is not handed out yet waits on disk: the driver holds a few tasks, not all.
        """
        ray, waiting = self._ray, iter(tasks)
        remote = ray.remote(**self._options)(_on_node)
        running: dict[Any, VideoTask] = {}
        try:
            while True:
                while len(running) < self._places_now() * _AHEAD:
                    task = next(waiting, None)
                    if task is None:
                        break
                    running[remote.remote(self._work, task, self._weights)] = task
                if not running:
                    return
                ended, _ = ray.wait(list(running), num_returns=1)
                for reference in ended:
                    task = running.pop(reference)
                    yield self._outcome(reference, task)
        finally:
            for reference in running:
                ray.cancel(reference, force=True)

    def close(self) -> None:
        """Leave the cluster; one that was started here ends."""
        self._ray.shutdown()

    def _outcome(self, reference: Any, task: VideoTask) -> Outcome:  # noqa: ANN401
        errors = self._ray.exceptions
        try:
            outcome: Outcome = self._ray.get(reference)
        except errors.RayTaskError as error:
            lines = str(error).strip().splitlines()
            return Outcome(task.name, error=lines[-1] if lines else "It failed.", log=str(error))
        except errors.RayError as error:
            first = str(error).splitlines()[0] if str(error) else type(error).__name__
            text = f"Its worker was lost {TRIES + 1} times: {first}"
            return Outcome(task.name, error=text, log=str(error))
        return outcome

    def _places_now(self) -> int:
        now = time.monotonic()
        if now - self._looked > _LOOK_AGAIN_S:
            self._looked = now
            found = self._ray.cluster_resources().get(self._kind, 1)
            self._places = max(int(found * self._places_of_one), 1)
        return self._places

    def _memories(self, memory: Memory) -> list[int]:
        """Ask a worker on each node with GPUs how much memory they have."""
        ray = self._ray
        strategies = importlib.import_module("ray.util.scheduling_strategies")
        nodes = [
            each["NodeID"] for each in ray.nodes() if each["Alive"] and each["Resources"].get("GPU")
        ]
        ask = ray.remote(num_cpus=0, num_gpus=1)(lambda: list(memory().values()))
        asked = [
            ask.options(
                scheduling_strategy=strategies.NodeAffinitySchedulingStrategy(node, soft=False)
            ).remote()
            for node in nodes
        ]
        return [size for found in ray.get(asked) for size in found] or [0]


def _on_node(work: Work, task: VideoTask, weights: Held) -> Outcome:
    """Do a video on a node, which gets the weights first where it lacks them."""
    provide(weights, _fetch)
    return work(task)


def _fetch(kept: object) -> bytes:
    found: bytes = importlib.import_module("ray").get(kept)
    return found


def _connect(address: str) -> Any:  # noqa: ANN401 - Ray is an extra and has no types of its own
    try:
        ray = importlib.import_module("ray")
    except ImportError as error:
        raise UsageError(
            "Ray is not installed. Install the extra: pip install 'maskwright[ray]', or leave "
            "--ray out to work on this machine alone."
        ) from error
    quiet = {"log_to_driver": False, "configure_logging": False}
    try:
        if address != "auto":
            ray.init(address=address, **quiet)
        else:  # never one of somebody else that runs on this machine
            ray.init(address="local", include_dashboard=False, **quiet)
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise UsageError(
            f"No Ray cluster answers at {address}: {error}. Where it asks for a token, which is "
            "Ray's default, set RAY_AUTH_MODE=token and RAY_AUTH_TOKEN, or copy ~/.ray/auth_token."
        ) from error
    return ray
