"""The processes that `torchrun` starts: who does what, and what they agree on."""

import os
from dataclasses import dataclass
from datetime import timedelta

import torch
from torch import nn

from models.runtime.device import pick_device

_PATIENCE = timedelta(days=1)  # the others wait while the first one validates


@dataclass(frozen=True)
class Workers:
    """This process among those that `torchrun` started; alone it is rank 0 of 1."""

    rank: int
    count: int

    @classmethod
    def from_environment(cls) -> "Workers":
        """Join the process group that `torchrun` describes, where it does."""
        count = int(os.environ.get("WORLD_SIZE", "1"))
        if count > 1 and not torch.distributed.is_initialized():
            torch.distributed.init_process_group(timeout=_PATIENCE)
        return cls(int(os.environ.get("RANK", "0")), count)

    def average_gradients(self, model: nn.Module) -> None:
        """Replace each gradient by its mean over all processes."""
        if self.count == 1:
            return
        for parameter in model.parameters():
            if not parameter.requires_grad:
                continue
            # Each process sees other clips, so a part may be used in one and not in another.
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
            torch.distributed.all_reduce(parameter.grad)
            parameter.grad /= self.count

    def any(self, here: bool) -> bool:  # noqa: FBT001 - the question itself
        """Return whether something holds in any process."""
        if self.count == 1:
            return here
        told = torch.tensor([int(here)])
        torch.distributed.all_reduce(told)
        return bool(told.item())

    def wait(self) -> None:
        """Return when all processes have come here."""
        if self.count > 1:
            torch.distributed.barrier()


def pick_worker_device(name: str, *, threads: int = 0) -> torch.device:
    """Return the device of this process: `torchrun` gives each one a GPU of its own."""
    device = pick_device(name, threads=threads)
    local = os.environ.get("LOCAL_RANK")
    if device.type == "cuda" and device.index is None and local is not None:
        device = torch.device("cuda", int(local))
        torch.cuda.set_device(device)
    return device
