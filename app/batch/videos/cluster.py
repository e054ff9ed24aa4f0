"""Ray, where one machine is not enough: the same work on every node, by a known scheduler."""

import importlib
from collections.abc import Generator, Iterable
from typing import Any

from app.batch.videos.carry_out import Outcome
from app.batch.videos.plan import VideoTask
from app.batch.videos.workers import TRIES, Work
from app.errors import UsageError

_AHEAD = 2  # tasks handed out for each place to work, so that none waits for the driver


class RayWorkers:
    """A Ray cluster: one that runs, at an address, or with `auto` one of this machine's own."""

    def __init__(self, work: Work, address: str, *, needs_gpu: bool) -> None:
        self._work, self._needs_gpu = work, needs_gpu
        self._ray = _connect(address)

    def outcomes(self, tasks: Iterable[VideoTask]) -> Generator[Outcome, None, None]:
        """Yield each video's outcome as it ends; close it to stop the others.

        What is not handed out yet waits on disk: the driver holds a few tasks, not all.
        """
        ray, waiting = self._ray, iter(tasks)
        options = {"num_cpus": 1, "num_gpus": 1 if self._needs_gpu else 0, "max_retries": TRIES}
        remote = ray.remote(**options)(self._work)
        running: dict[Any, VideoTask] = {}
        try:
            while True:
                while len(running) < self._places() * _AHEAD:
                    task = next(waiting, None)
                    if task is None:
                        break
                    running[remote.remote(task)] = task
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
        try:
            outcome: Outcome = self._ray.get(reference)
        except self._ray.exceptions.RayError as error:
            first = str(error).splitlines()[0] if str(error) else type(error).__name__
            return Outcome(task.name, error=f"Its worker was lost {TRIES + 1} times: {first}")
        return outcome

    def _places(self) -> int:
        found = self._ray.cluster_resources().get("GPU" if self._needs_gpu else "CPU", 1)
        return max(int(found), 1)


def _connect(address: str) -> Any:  # noqa: ANN401 - Ray is an extra and has no types of its own
    try:
        ray = importlib.import_module("ray")
    except ImportError as error:
        raise UsageError(
            "Ray is not installed. Install the extra: pip install 'maskwright[ray]', or leave "
            "--ray out to work on this machine alone."
        ) from error
    quiet = {"log_to_driver": False, "configure_logging": False, "include_dashboard": False}
    try:
        if address != "auto":
            ray.init(address=address, log_to_driver=False, configure_logging=False)
        else:
            ray.init(**quiet)
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise UsageError(f"No Ray cluster answers at {address}: {error}.") from error
    return ray
