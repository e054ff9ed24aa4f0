"""The context of an action: what it may reach."""

from dataclasses import dataclass
from typing import Protocol

from app.gui.actions.verbs.correct import CorrectVerbs
from app.gui.actions.verbs.files.dataset import DataSetVerbs
from app.gui.actions.verbs.files.exchange import ExchangeVerbs
from app.gui.actions.verbs.files.files import FileVerbs
from app.gui.actions.verbs.files.runs import RunVerbs
from app.gui.actions.verbs.look import LookVerbs
from app.gui.actions.verbs.masks import MaskVerbs
from app.gui.actions.verbs.objects import ObjectVerbs
from app.gui.actions.verbs.propagate import PropagateVerbs
from app.gui.actions.verbs.review import ReviewVerbs
from app.gui.actions.verbs.spans.anchors import AnchorVerbs
from app.gui.actions.verbs.spans.block import BlockVerbs
from app.gui.actions.verbs.spans.changes import ChangeVerbs
from app.gui.actions.verbs.spans.jobs import JobVerbs
from app.gui.actions.verbs.travel import TravelVerbs
from app.gui.actions.verbs.visor import VisorVerbs
from app.gui.canvas.canvas import Canvas
from app.gui.timeline.playback import Player


class Panels(Protocol):
    """What actions do to the window itself; `panels.PanelVerbs` does it.

    Named here because those verbs list the actions, which are made from this context.
    """

    def settings(self) -> None: ...
    def models(self) -> None: ...
    def go_to(self) -> None: ...
    def effort(self) -> None: ...
    def find(self) -> None: ...
    def sheet(self) -> None: ...
    def palette(self) -> None: ...
    def guide(self) -> None: ...
    def annotate(self) -> None: ...
    def inspect(self) -> None: ...
    def changes(self) -> None: ...
    def dense(self) -> None: ...
    def full_screen(self) -> None: ...
    def logs(self) -> None: ...
    def about(self) -> None: ...
    def quit(self) -> None: ...


@dataclass(frozen=True, slots=True)
class ActionContext:
    """The parts of the window that the rows of the action table call."""

    anchors: AnchorVerbs
    block: BlockVerbs
    canvas: Canvas
    changes: ChangeVerbs
    player: Player
    files: FileVerbs
    correct: CorrectVerbs
    data_set: DataSetVerbs
    exchange: ExchangeVerbs
    jobs: JobVerbs
    look: LookVerbs
    masks: MaskVerbs
    objects: ObjectVerbs
    panels: Panels
    propagate: PropagateVerbs
    review: ReviewVerbs
    runs: RunVerbs
    travel: TravelVerbs
    visor: VisorVerbs
