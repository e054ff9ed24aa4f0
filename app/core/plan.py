"""Which anchors and frames a propagation uses."""

import enum


class Direction(enum.Enum):
    """Which way to propagate from a frame."""

    FORWARD = "forward"
    BACKWARD = "backward"
    BOTH = "both"
