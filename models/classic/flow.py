"""Dense optical flow, and carrying maps along it."""

from functools import lru_cache
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

FlowField = NDArray[
    np.float32
]  # (H, W, 2): where (x, y) of this image lies in the other, as offset
GreyImage = NDArray[np.uint8]  # (H, W)

Values = TypeVar("Values", NDArray[np.float32], NDArray[np.uint8])

_TOLERANCE_PX = 3.0
_LEAST_SIDE, _MOST_ASPECT = 32, 16  # of an image in which patches are searched for


class OpticalFlow:
    """Dense inverse search (Kroeger et al. 2016, "Fast Optical Flow ...")."""

    def __init__(self) -> None:
        self._search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)

    def between(
        self, image: GreyImage, other: GreyImage, start: FlowField | None = None
    ) -> FlowField:
        """Return the flow from `image` to `other`, refined from `start` where one is given."""
        height, width = image.shape
        # OpenCV ends the process where its coarsest level of an image is less than a patch.
        least = max(_LEAST_SIDE, max(height, width) // _MOST_ASPECT)
        more = ((0, max(0, least - height)), (0, max(0, least - width)))
        begin = None if start is None else np.pad(start, (*more, (0, 0)), mode="edge")
        images = [np.pad(each, more, mode="edge") for each in (image, other)]
        found = self._search.calc(*images, begin)  # type: ignore[call-overload]
        return np.ascontiguousarray(found[:height, :width], np.float32)


def carried(values: Values, flow: FlowField, *, edge: bool = False) -> Values:
    """Return `values` of the other image, seen through `flow` from this one.

    What comes from outside is 0, or the nearest value at the border with `edge`.
    """
    columns, rows = _positions(flow.shape[0], flow.shape[1])
    border = cv2.BORDER_REPLICATE if edge else cv2.BORDER_CONSTANT
    moved = cv2.remap(
        values, columns + flow[..., 0], rows + flow[..., 1], cv2.INTER_LINEAR, borderMode=border
    )
    return np.asarray(moved, values.dtype)


def consistency(flow: FlowField, back: FlowField) -> NDArray[np.float32]:
    """Return how well each pixel finds its way there and back, 0 to 1, (H, W)."""
    missed = np.linalg.norm(flow + carried(back, flow, edge=True), axis=-1)
    return np.asarray(np.exp(-((missed / _TOLERANCE_PX) ** 2)), np.float32)


@lru_cache(maxsize=2)
def _positions(height: int, width: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    columns, rows = np.meshgrid(
        np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)
    )
    return columns, rows
