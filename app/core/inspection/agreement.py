"""How much two runs agree, without a ground truth."""

import numpy as np
from numpy.typing import NDArray

from app.core.document import Key
from app.core.inspection.measures import Floats
from app.core.runs import Run


def disagreement(one: Run, other: Run, number: int) -> tuple[NDArray[np.int64], Floats]:
    """Return 1 - IoU of an object's masks on the frames that both runs speak of, and these (T,).

    Two masks that are not there agree. Of a forward and a backward propagation it says where the
    two directions disagree.
    """
    known = frozenset(other.frames)
    frames = [frame for frame in one.frames if frame in known]
    values = [_apart(one, other, Key(frame, number)) for frame in frames]
    return np.array(frames, np.int64), np.array(values, np.float64)


def _apart(one: Run, other: Run, key: Key) -> float:
    mask, another = one.masks.get(key), other.masks.get(key)
    if mask is None or another is None:
        return float(mask is not another)
    return 1 - mask.iou(another)
