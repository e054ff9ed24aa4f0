"""Masks from prompts, whatever SAM network answers."""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import nullcontext, suppress
from typing import Generic, Protocol, TypeVar

import torch
from torch import Tensor, nn

from models.api import Frames, Image, Prediction, Prompt
from models.prompt import check_prompt
from models.sam.choice import ranked
from models.sam.compute import computing
from models.sam.prompts import Points, hardened, mask_logits, points_of
from models.sam.stopping import StoppedError, stoppable

CACHE_BYTES = 512 << 20


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
    def encoder(self) -> nn.Module:
        """What `embed` takes its time in."""

    def embed(self, image: Image) -> E:
        """Return the embedding of an image (H, W, 3)."""

    def mask_size(self, embedding: E) -> tuple[int, int]:
        """Return the (H, W) of mask prompts and of logits."""

    def decode(self, embedding: E, points: Points, mask: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return logits (4, *mask_size) and predicted IoUs (4).

        The first is the single mask for a clear prompt, the others are for an ambiguous one.
        """

    def enlarge(self, embedding: E, logits: Tensor) -> Tensor:
        """Return logits (N, *mask_size) at the frame's size."""


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

    def prepare(self, frame: int, *, wanted: Callable[[], bool] | None = None) -> None:
        """Compute and keep the frame's embedding, unless `wanted` says no meanwhile."""
        if frame in self._embeddings:
            self._embeddings.move_to_end(frame)
            return
        given_up = stoppable(self._network.encoder, wanted) if wanted else nullcontext()
        with suppress(StoppedError), computing(self._network.device), given_up:
            self._embedding(frame)

    def segment(self, frame: int, prompt: Prompt) -> tuple[Prediction, ...]:
        """Return the candidate masks, best first: three for one click alone, else four.

        A single mask that is unstable is no candidate where neither a box nor an earlier mask tells
        more.
        """
        check_prompt(prompt, self._frames.size)
        with computing(self._network.device):
            network, embedding = self._network, self._embedding(frame)
            logits, ious, order = self._decoded(embedding, prompt)
            masks = (network.enlarge(embedding, logits[order]) > 0).cpu().numpy()
            scores = ious[order].clamp(0, 1).tolist()
        return tuple(Prediction(mask, score) for mask, score in zip(masks, scores, strict=True))

    def _decoded(self, embedding: E, prompt: Prompt) -> tuple[Tensor, Tensor, list[int]]:
        """Return the network's answer and its order, the prompt given one thing after the other.

        SAM was trained on clicks that mend its own last mask: three at once give IoU .85 in the
        mean, one after the other .90. It mends the mask in a box, too, when shown both again.
        """
        network, size = self._network, self._frames.size
        so_far = mask_logits(prompt, network.mask_size(embedding), network.device)
        for part in _before(prompt) if so_far is None else ():
            logits, ious = network.decode(embedding, points_of(part, network.device), so_far)
            best = logits[ranked(part, logits, ious, so_far, size)[0]]
            so_far = hardened(best) if (best > 0).any() else None
        logits, ious = network.decode(embedding, points_of(prompt, network.device), so_far)
        return logits, ious, ranked(prompt, logits, ious, so_far, size)

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


def _before(prompt: Prompt) -> Iterator[Prompt]:
    """Yield what a prompt grew from: the box, then one click after the other, but the last."""
    if prompt.box is not None:
        yield Prompt(box=prompt.box)
    for count in range(1, len(prompt.clicks)):
        part = Prompt(prompt.clicks[:count], prompt.box)
        # A mask of what is not meant would mislead.
        if part.box or any(click.positive for click in part.clicks):
            yield part
