"""What the training loop asks of a network that learns."""

from collections.abc import Iterable
from typing import Protocol

from torch import Tensor, nn

from models.training.clips import ClipBatch
from models.training.features import Encode


class Learner(Protocol):
    """A network and what it is to learn from a batch of clips."""

    @property
    def module(self) -> nn.Module:
        """All of the network."""

    def encoder(self) -> Iterable[nn.Parameter]:
        """Return the image encoder's parameters: frozen, or learning at a rate of their own."""

    def frozen(self) -> Encode | None:
        """Return what gives features worth caching while the encoder is frozen, None for none."""

    def loss(self, batch: ClipBatch) -> Tensor:
        """Return the loss of a batch, a scalar."""
