"""The scale of a view of the frame and the area it shows: pure arithmetic."""

from app.core.mask import Area

WIDEST, CLOSEST = 0.02, 64.0  # pixels of the screen for one of the frame
_STEP = 1.25  # one notch of the wheel


def fit_scale(size: tuple[int, int], view: tuple[float, float]) -> float:
    """Return the scale at which a frame of `size` just fits a view; both (height, width)."""
    height, width = size
    if min(height, width) <= 0 or min(view) <= 0:
        return 1.0
    return clamped(min(view[0] / height, view[1] / width))


def stepped(scale: float, notches: float) -> float:
    """Return the scale after so many notches of the wheel; positive ones enlarge."""
    return clamped(scale * _STEP**notches)


def clamped(scale: float) -> float:
    """Return the nearest scale that the view offers."""
    return min(max(scale, WIDEST), CLOSEST)


def to_percent(scale: float, pixel_ratio: float) -> float:
    """Return how many device pixels show one of the frame's, in percent.

    `scale` counts the window's logical pixels, of which each is `pixel_ratio` device pixels wide.
    """
    return scale * pixel_ratio * 100


def from_percent(percent: float, pixel_ratio: float) -> float:
    """Return the scale that is shown as `percent`."""
    return clamped(percent / 100 / pixel_ratio)


def around(area: Area, margin: float, size: tuple[int, int], least: float = 0.0) -> Area:
    """Return an area enlarged `margin` times about its centre, cut to a frame of `size`.

    Each side of it is at least that share of the frame's, but for what is cut.
    """
    y0, y1, x0, x1 = area
    height, width = size
    grow_y = (max((y1 - y0) * margin, least * height) - (y1 - y0)) / 2
    grow_x = (max((x1 - x0) * margin, least * width) - (x1 - x0)) / 2
    return (
        max(0, round(y0 - grow_y)),
        min(height, round(y1 + grow_y)),
        max(0, round(x0 - grow_x)),
        min(width, round(x1 + grow_x)),
    )
