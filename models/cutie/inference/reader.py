"""The reader of frames, which encodes them ahead of their use where that is faster."""

import contextlib
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future

import torch
from torch import Tensor

from models.api import FloatMap, Frames, Image
from models.cutie.inference.encoder_threads import EncoderThreads
from models.cutie.inference.geometry import Geometry, Size
from models.cutie.inference.propagation import EncodedFrame, FrameSizeError
from models.cutie.network.network import ImageFeatures, Network

_BATCH = {"cuda": 4}  # frames encoded at once, by device; elsewhere one


class FrameReader:
    """The frames of a video as the network knows them, in the order that `plan` announced.

    What is seen of a frame is what `look_at` said of it when it was encoded, or began to be: all of
    it, until told otherwise.
    `mirrored` adds each frame's mirror image. A few encoded frames are kept. With `threads` the
    next frames are encoded while the caller works on this one; they stay the caller's to close.
    """

    def __init__(
        self,
        network: Network,
        frames: Frames,
        geometry: Geometry,
        *,
        mirrored: bool,
        threads: EncoderThreads | None = None,
    ) -> None:
        self.geometry = geometry
        self.look_at: Callable[[int], Geometry] = lambda _: geometry
        self._network = network
        self._frames = frames
        self._mirrored = mirrored
        self._threads = threads
        self._device = network.pixel_mean.device
        ahead = threads.count + 1 if threads is not None else 1
        self._batch = _BATCH.get(self._device.type, ahead)
        # With threads frames come one by one, and those ahead wait elsewhere.
        self._kept = 2 if threads is not None else self._batch + 1
        self._order: list[int] = []
        self._encoded: dict[int, EncodedFrame] = {}
        # There may be other readers of the same video.
        self._reading = threading.Lock() if threads is None else threads.reading
        self._due: dict[int, Future[list[EncodedFrame]]] = {}

    def plan(self, order: Sequence[int]) -> None:
        """Announce the frames that `read` will be asked for, in order."""
        self._order = list(order)

    def read(self, number: int) -> EncodedFrame:
        """Return a frame's features."""
        if number not in self._encoded:
            self._keep(self._encode(number))
        return self._encoded[number]

    def read_as(self, number: int, geometry: Geometry) -> EncodedFrame:
        """Return a frame's features with another geometry than `read` may give them.

        It waits its turn among those that are encoded ahead: one more at a time would take the
        memory of one more.
        """
        known = self._encoded.get(number)
        if known is None or known.geometry != geometry:
            self._due.pop(number, None)
            if self._threads is None:
                self._keep(self._features([number], [geometry]))
            else:
                self._keep(self._threads.submit(self._features, [number], [geometry]).result())
        return self._encoded[number]

    def clear(self) -> None:
        """Let go of what is encoded, and of what is due."""
        self._encoded.clear()
        self._due.clear()

    def stop(self) -> None:
        """Encode nothing ahead from here on."""
        self._threads = None
        self._batch = 1
        self._due.clear()

    def _next(self, number: int) -> list[int]:
        """Return this frame and those that are due after it."""
        if number not in self._order:
            return [number]
        at = self._order.index(number)
        return self._order[at : at + self._batch]

    def _encode(self, number: int) -> list[EncodedFrame]:
        due = self._next(number)
        if self._threads is None:
            return self._features(due, [self.look_at(one) for one in due])
        for one in due:
            if one not in self._due and one not in self._encoded:
                seen = [self.look_at(one)]
                self._due[one] = self._threads.submit(self._features, [one], seen)
        return self._due.pop(number).result()

    def _keep(self, encoded: Sequence[EncodedFrame]) -> None:
        for frame in encoded:
            self._encoded.pop(frame.number, None)
            self._encoded[frame.number] = frame
        while len(self._encoded) > self._kept:
            del self._encoded[next(iter(self._encoded))]

    @torch.inference_mode()
    def _features(self, numbers: Sequence[int], seen: Sequence[Geometry]) -> list[EncodedFrame]:
        with self._reading:
            pixels = [self._pixels(number, self.geometry.frame) for number in numbers]
        images = torch.cat([self._image(*each) for each in zip(pixels, seen, strict=True)])
        each = 2 if self._mirrored else 1
        with half_precision(self._device):
            features = self._network.encode_image(images)
        parts = [slice(at * each, (at + 1) * each) for at in range(len(numbers))]
        return [
            EncodedFrame(number, images[own], _select(features, own), geometry)
            for number, geometry, own in zip(numbers, seen, parts, strict=True)
        ]

    def _pixels(self, number: int, size: Size) -> Image:
        pixels = self._frames[number]
        if pixels.shape[:2] != size:
            height, width = size
            raise FrameSizeError(
                f"Frame {number} is {pixels.shape[1]} x {pixels.shape[0]} pixels, the video is "
                f"{width} x {height}. Convert the video to one size."
            )
        return pixels

    def _image(self, pixels: Image, geometry: Geometry) -> Tensor:
        """Return (B, 3, H, W), 0 to 1."""
        image = geometry.image_in(upload(pixels, self._device).permute(2, 0, 1)[None] / 255)
        if self._mirrored:
            image = torch.cat([image, image.flip(-1)])
        return image.contiguous(memory_format=torch.channels_last)


def upload(pixels: Image | FloatMap, device: torch.device) -> Tensor:
    """Return pixels on the device; a CUDA device is not waited for."""
    tensor = torch.tensor(pixels)
    if device.type == "cuda":
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)


def half_precision(
    device: torch.device, *, on_cpu: bool = False
) -> contextlib.AbstractContextManager[object]:
    """Return half precision on a CUDA device, where the official weights were trained with it.

    With `on_cpu` there, too, as bfloat16. The affinity, the sensory memory and the masks'
    aggregation stay in float32.
    """
    if device.type == "cuda":
        return torch.autocast("cuda", dtype=torch.float16)
    if device.type == "cpu" and on_cpu:
        return torch.autocast("cpu", dtype=torch.bfloat16)
    return contextlib.nullcontext()


def _select(features: ImageFeatures, images: slice) -> ImageFeatures:
    pix_feat, key, shrinkage, selection, skips, edges = features
    return ImageFeatures(
        pix_feat[images],
        key[images],
        shrinkage[images],
        selection[images],
        (skips[0][images], skips[1][images]),
        None if edges is None else edges[images],
    )
