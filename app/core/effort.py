"""The effort of a person: their interactions, and what these add up to."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

Plain = None | bool | int | float | str | list["Plain"] | dict[str, "Plain"]
LONGEST_S = 60.0  # a longer pause is not work on the masks
NAVIGATION = "view"  # the part whose interactions change no mask


class Answer(NamedTuple):
    """What a model's answer was to: the nth request since the video was opened."""

    kind: str  # "masks" of a click, a "step" of a job, or its "end"
    request: int


@dataclass(frozen=True, slots=True)
class Interaction:
    """One thing that a person did.

    `what` is a part of the session and its method, `given` what it was called with. `seconds` have
    passed since the interaction before. `after` are the models' answers that had come since then,
    `within` those that were waited for.
    """

    what: str
    frame: int
    object: int | None
    seconds: float
    clicks: int = 0
    given: Mapping[str, Plain] = field(default_factory=dict)
    after: tuple[Answer, ...] = ()
    within: tuple[Answer, ...] = ()

    @property
    def is_work(self) -> bool:
        """Whether it did more than look elsewhere."""
        return self.what.partition(".")[0] != NAVIGATION


@dataclass
class Effort:
    """What some interactions add up to."""

    interactions: int = 0
    clicks: int = 0
    frames: set[int] = field(default_factory=set)  # on which a mask was clicked or drawn
    seconds: float = 0.0

    def add(self, interaction: Interaction) -> None:
        """Take an interaction in."""
        self.interactions += interaction.is_work
        self.clicks += interaction.clicks
        self.seconds += min(interaction.seconds, LONGEST_S)
        if interaction.clicks:
            self.frames.add(interaction.frame)


class Tally:
    """The effort for a clip as a whole, and for each of its objects."""

    def __init__(self, interactions: Iterable[Interaction] = ()) -> None:
        self.whole = Effort()
        self.objects: dict[int, Effort] = {}
        for each in interactions:
            self.add(each)

    def add(self, interaction: Interaction) -> None:
        """Take an interaction in."""
        self.whole.add(interaction)
        if interaction.object is not None:
            self.objects.setdefault(interaction.object, Effort()).add(interaction)
