"""Masks from prompts, whatever SAM network answers."""

from collections import OrderedDict
from typing import Generic, Protocol, TypeVar

import torch
from torch import Tensor

from models.api import Frames, Image, Prediction, Prompt
from models.sam.compute import computing
from models.sam.prompts import Points, check, is_ambiguous, mask_logits, points_of

CACHE_BYTES = 512 << 20
_STABLE = 0.9  # below, a single mask is too uncertain and the best of several goes first
_USABLE = 0.6  # below, a mask is not what one click means
_LAST = 100.0
_LEAST_SHARE = 1e-5
_OFFSET = 1.0  # logits, by which the threshold is moved to see how stable a mask is


class Embedding(Protocol):
    """What a network has computed of one frame, independent of any prompt."""

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """All that it keeps."""


E = TypeVar("E", bound=Embedding)


class PromptNetwork(Protocol[E]):
    """A network that embeds an image once and then answers prompts quickly."""

    @property
    def device(self) -> torch.device:
        """Where it computes."""

    @property
    def size_weight(self) -> float:
        """How much predicted IoU it is worth, after one click, to be larger by the factor e.

        It depends on how far apart the network's own predictions lie.
        """

    def embed(self, image: Image) -> E:
        """Return the embedding of an image (H, W, 3)."""

    def mask_size(self, embedding: E) -> tuple[int, int]:
        """Return the size that a mask prompt must have."""

    def decode(self, embedding: E, points: Points, mask: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return logits (4, H, W) of the frame's size and predicted IoUs (4).

        The first is the single mask for a clear prompt, the others are for an ambiguous one.
        """


class PromptSegmenter(Generic[E]):
    """A Segmenter on a SAM network: one embedding a frame, kept within `cache_bytes`.

    Owned by one thread.
    """

    def __init__(
        self, network: PromptNetwork[E], frames: Frames, *, cache_bytes: int = CACHE_BYTES
    ) -> None:
        self._network = network
        self._frames = frames
        self._limit = cache_bytes
        self._embeddings: OrderedDict[int, E] = OrderedDict()

    def prepare(self, frame: int) -> None:
        """Compute and keep the frame's embedding."""
        with computing(self._network.device):
            self._embedding(frame)

    def segment(self, frame: int, prompt: Prompt) -> tuple[Prediction, ...]:
        """Return the candidate masks, best first.

        One click alone gives three candidates. A clearer prompt (more clicks, a box, a mask to
        refine) puts the network's single mask before them, unless that one is unstable.
        """
        check(prompt, self._frames.size)
        with computing(self._network.device):
            embedding = self._embedding(frame)
            device = self._network.device
            mask = mask_logits(prompt, self._network.mask_size(embedding), device)
            logits, ious = self._network.decode(embedding, points_of(prompt, device), mask)
            steady = stability(logits)
            worth = ious
            if is_ambiguous(prompt):
                worth = _worth(logits, ious, steady, self._network.size_weight)
            order = [1 + index for index in worth[1:].argsort(descending=True).tolist()]
            if not is_ambiguous(prompt) and steady[0] >= _STABLE:
                order = [0, *order]
            masks = (logits > 0).cpu().numpy()
            scores = ious.clamp(0, 1).tolist()
        return tuple(Prediction(masks[index], scores[index]) for index in order)

    def _embedding(self, frame: int) -> E:
        if frame in self._embeddings:
            self._embeddings.move_to_end(frame)
            return self._embeddings[frame]
        embedding = self._network.embed(self._frames[frame])
        self._embeddings[frame] = embedding
        while len(self._embeddings) > 1 and self._held() > self._limit:
            self._embeddings.popitem(last=False)
        return embedding

    def _held(self) -> int:
        return sum(tensor.nbytes for kept in self._embeddings.values() for tensor in kept.tensors)


def _worth(logits: Tensor, ious: Tensor, steady: Tensor, size_weight: float) -> Tensor:
    """Return how likely each mask is what one click means, (N).

    One click means the whole object more often than a part of it: of masks that the network thinks
    nearly as good, the larger is meant. An unstable mask comes after all others.
    """
    share = (logits > 0).flatten(1).float().mean(dim=1)
    worth = ious.clamp(max=1) + size_weight * (share + _LEAST_SHARE).log()
    return torch.where(steady >= _USABLE, worth, worth - _LAST)


def stability(logits: Tensor) -> Tensor:
    """Return how little each mask changes when the threshold moves: IoU (N), 1 = not at all."""
    inner = (logits > _OFFSET).flatten(1).sum(dim=1)
    outer = (logits > -_OFFSET).flatten(1).sum(dim=1)
    return inner / outer.clamp(min=1)
