"""The hook by which a network is stopped in the middle of its work."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from torch import nn


class StoppedError(Exception):
    """What the network was at is not wanted any more."""


@contextmanager
def stoppable(network: nn.Module, wanted: Callable[[], bool]) -> Iterator[None]:
    """Ask `wanted` before every layer of `network`; raises StoppedError at the first no."""

    def ask(*_: object) -> None:
        if not wanted():
            raise StoppedError

    hooks = [layer.register_forward_pre_hook(ask) for layer in network.modules()]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
