"""The answers of an inference thread, and jobs to ask it for, as the tests of this package do."""

from typing import Any

from app.core.document import Document, Entry, Key, ObjectInfo, Origin
from app.core.mask import Mask
from app.core.plan import Direction, plan
from app.engine.inference import InferenceThread
from app.engine.jobs import Segment, Track
from models.api import Click
from tests.fakes import square


class Answers:
    """What a thread said, in order."""

    def __init__(self, thread: InferenceThread) -> None:
        self.all: list[tuple[str, int, Any]] = []
        for kind, signal in (
            ("seg", thread.segmented),
            ("votes", thread.explained),
            ("found", thread.found),
            ("step", thread.stepped),
            ("end", thread.ended),
        ):
            signal.connect(lambda number, value, kind=kind: self.all.append((kind, number, value)))

    def of(self, kind: str, number: int) -> list[Any]:
        return [value for what, job, value in self.all if (what, job) == (kind, number)]

    def entries(self, number: int) -> dict[Key, Entry]:
        """Return what the steps of a job gave, the later in place of the earlier."""
        return {
            key: entry for step in self.of("step", number) for key, entry in step.entries.items()
        }


def mask_at(x: int, side: int = 10) -> Mask:
    mask = Mask.encode(square(x, side=side))
    assert mask is not None
    return mask


def track_job(number: int, last: int = 49, left_out: frozenset[int] = frozenset()) -> Track:
    entry = Entry(mask_at(10), Origin.DRAWN)
    document = Document((ObjectInfo(1, "knife", (0, 0, 0)),), {Key(0, 1): entry})
    passes = plan(
        document,
        [1],
        first=0,
        last=last,
        direction=Direction.FORWARD,
        from_frame=0,
        to_nearest_anchor=True,
    )
    return Track(number, passes, left_out)


def click_job(number: int) -> Segment:
    return Segment(number, Key(5, 1), (Click(20, 20),))
