"""Masks from prompts, whatever SAM network answers."""

from collections import OrderedDict
from collections.abc import Callable
from contextlib import nullcontext, suppress
from typing import Generic, Protocol, TypeVar

import cv2
import torch
from torch import Tensor, nn

from models.api import Click, Frames, Image, Prediction, Prompt
from models.prompt import check_prompt
from models.sam.compute import computing
from models.sam.prompts import Points, hardened, is_ambiguous, mask_logits, points_of
from models.sam.stopping import StoppedError, stoppable

CACHE_BYTES = 512 << 20
_STABLE = 0.9  # below, a single mask is too uncertain and the best of several goes first
_OFFSET = 1.0  # logits, by which the threshold is moved to see how stable a mask is
# What one click means: fitted on 79 stills and video frames, checked on others.
_CENTRAL = 0.2  # how much quality it is worth that the click lies in the mask's middle
_SMALL = 0.03  # how much quality a mask loses for being a small part of the frame
_LEAST_SHARE = 1e-5


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
        """Return the candidate masks, best first.

        One click alone gives three candidates. A clearer prompt (more clicks, a box, a mask to
        refine) puts the network's single mask before them, unless that one is unstable.
        """
        check_prompt(prompt, self._frames.size)
        with computing(self._network.device):
            network, embedding = self._network, self._embedding(frame)
            logits, ious = self._decoded(embedding, prompt)
            order = self._ranked(prompt, logits, ious)
            masks = (network.enlarge(embedding, logits[order]) > 0).cpu().numpy()
            scores = ious[order].clamp(0, 1).tolist()
        return tuple(Prediction(mask, score) for mask, score in zip(masks, scores, strict=True))

    def _decoded(self, embedding: E, prompt: Prompt) -> tuple[Tensor, Tensor]:
        """Return the network's answer, to clicks alone as if they had come one after the other.

        SAM was trained on clicks that mend its own last mask: three at once give IoU .85 in the
        mean, one after the other .90.
        """
        network = self._network
        so_far = mask_logits(prompt, network.mask_size(embedding), network.device)
        if prompt.box is None and so_far is None:
            for count in range(1, len(prompt.clicks)):
                part = Prompt(prompt.clicks[:count])
                if not any(click.positive for click in part.clicks):
                    continue  # a mask of what is not meant would mislead
                answer = network.decode(embedding, points_of(part, network.device), so_far)
                best = answer[0][self._ranked(part, *answer)[0]]
                so_far = hardened(best) if (best > 0).any() else None
        return network.decode(embedding, points_of(prompt, network.device), so_far)

    def _ranked(self, prompt: Prompt, logits: Tensor, ious: Tensor) -> list[int]:
        """Return which masks are candidates, best first."""
        steady = stability(logits)
        worth = ious
        if is_ambiguous(prompt):
            worth = _worth(logits, ious, steady, self._in_grid(prompt.clicks[0], logits))
        order = [1 + index for index in worth[1:].argsort(descending=True).tolist()]
        single = not is_ambiguous(prompt) and bool(steady[0] >= _STABLE)
        return [0, *order] if single else order

    def _in_grid(self, click: Click, logits: Tensor) -> tuple[int, int]:
        """Return the row and column of a click in masks of another size than the frame's."""
        (height, width), (rows, columns) = self._frames.size, logits.shape[-2:]
        row, column = int((click.y + 0.5) * rows / height), int((click.x + 0.5) * columns / width)
        return min(max(row, 0), rows - 1), min(max(column, 0), columns - 1)

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


def _worth(logits: Tensor, ious: Tensor, steady: Tensor, at: tuple[int, int]) -> Tensor:
    """Return how well each mask answers one click in row and column `at`, (N).

    The mean of predicted IoU and stability, and what is known of people. They click near the
    middle of what they mean: a click at a mask's edge was hardly meant for it. And they mean a
    whole thing more often than a part: the share of the frame is taken as log-normal, so that it
    counts for much between a button and a shirt, for little between a shirt and a person.
    """
    masks = logits > 0
    share = masks.flatten(1).float().mean(dim=1) + _LEAST_SHARE
    quality = (ious.clamp(0, 1) + steady) / 2
    return quality + _CENTRAL * _centrality(masks, at) - _SMALL * share.log() ** 2


def _centrality(masks: Tensor, at: tuple[int, int]) -> Tensor:
    """Return how deep in each mask a pixel lies, (N): 0 = outside, 1 = at its innermost point."""
    depths = [
        cv2.distanceTransform(mask, cv2.DIST_L2, 5) for mask in masks.to(torch.uint8).cpu().numpy()
    ]
    return masks.new_tensor(
        [depth[at] / max(float(depth.max()), 1.0) for depth in depths], dtype=torch.float32
    )


def stability(logits: Tensor) -> Tensor:
    """Return how little each mask changes when the threshold moves: IoU (N), 1 = not at all."""
    inner = (logits > _OFFSET).flatten(1).sum(dim=1)
    outer = (logits > -_OFFSET).flatten(1).sum(dim=1)
    return inner / outer.clamp(min=1)
