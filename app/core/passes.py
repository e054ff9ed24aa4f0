"""Which way a tracker goes to fill a whole video from anchors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.core.plan import Direction


@dataclass(frozen=True, slots=True)
class Pass:
    """One way through the video: `frames` in order of visit, and which of them it fills."""

    frames: tuple[int, ...]
    spans: Mapping[int, range]  # object -> the frames whose mask this pass gives

    def fills(self, frame: int) -> frozenset[int]:
        """Return the objects whose mask on `frame` comes from this pass."""
        return frozenset(number for number, span in self.spans.items() if frame in span)


def passes(
    anchored: Mapping[int, Sequence[int]], *, first: int, last: int, direction: Direction
) -> tuple[Pass, ...]:
    """Return the passes that fill frames `first` to `last` (inclusive).

    `anchored` holds the frames on which each object has an anchor. Forward, an object is filled
    from its first anchor on; backward, from its last anchor down; both ways, forward and then what
    lies before its first anchor. No frame of an object is filled twice.
    """
    if direction is Direction.BACKWARD:
        ends = {number: max(frames) for number, frames in anchored.items()}
        return _backward({n: range(first, min(end, last) + 1) for n, end in ends.items()})
    begins = {number: min(frames) for number, frames in anchored.items()}
    forward = _forward({n: range(max(first, begin), last + 1) for n, begin in begins.items()})
    if direction is Direction.FORWARD:
        return forward
    before = {n: range(first, min(begin, last + 1)) for n, begin in begins.items()}
    within = {n: begin for n, begin in begins.items() if begin <= last}
    return forward + _backward(before, within)


def _forward(spans: Mapping[int, range]) -> tuple[Pass, ...]:
    spans = {number: span for number, span in spans.items() if span}
    if not spans:
        return ()
    begin, end = min(s.start for s in spans.values()), max(s.stop for s in spans.values())
    return (Pass(tuple(range(begin, end)), spans),)


def _backward(
    spans: Mapping[int, range], starts: Mapping[int, int] | None = None
) -> tuple[Pass, ...]:
    """`starts` are frames above a span that the pass sets out from."""
    spans = {number: span for number, span in spans.items() if span}
    if not spans:
        return ()
    begin = max((starts or {}).get(number, span[-1]) for number, span in spans.items())
    return (Pass(tuple(range(begin, min(s.start for s in spans.values()) - 1, -1)), spans),)
