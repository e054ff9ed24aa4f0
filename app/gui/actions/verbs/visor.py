"""The verbs of VISOR: attributes, order, subsequences, rules, dense runs."""

from collections.abc import Callable

from PySide6.QtCore import QPointF
from PySide6.QtGui import QCursor

from app.gui.canvas.canvas import Canvas
from app.gui.canvas.scene.layers import to_pixel
from app.gui.canvas.tools.choice import object_at
from app.gui.panels.visor.panels import VisorPanels
from app.session.state.masks import Masks
from app.session.state.video import CurrentVideo
from app.session.state.view import ViewState
from app.session.visor.visor import Visor


class VisorVerbs:
    """What is done to VISOR's annotations besides their masks."""

    def __init__(
        self,
        video: CurrentVideo,
        view: ViewState,
        masks: Masks,
        visor: Visor,
        canvas: Canvas,
        panels: VisorPanels,
        export_as: Callable[[str], None],
        bring_runs: Callable[[], None],
    ) -> None:
        """`export_as` asks where to write a format of this name, and exports.

        `bring_runs` shows the list of the dense runs, in front of others.
        """
        self._video, self._view, self._masks = video, view, masks
        self._visor, self._canvas, self._panels = visor, canvas, panels
        self._export_as, self._bring_runs = export_as, bring_runs

    def touch(self) -> None:
        """Say that the selected hand touches what is under the pointer, or borders it most."""
        self._visor.attributes.take_touched(self._under_pointer())

    def _under_pointer(self) -> int | None:
        """Return the topmost object under the mouse, None where none is or it is elsewhere."""
        canvas, frame = self._canvas, self._view.frame
        place = canvas.viewport().mapFromGlobal(QCursor.pos())
        if not canvas.underMouse() or not canvas.viewport().rect().contains(place):
            return None
        infos = tuple(info for info in self._video.ordered(frame) if info.visible)
        at = to_pixel(canvas.to_scene(QPointF(place)))
        return object_at(infos, self._masks.shown(frame), at)

    def touch_nothing(self) -> None:
        """Say that the selected hand touches nothing."""
        self._visor.attributes.touch_nothing()

    def exhaustive(self) -> None:
        """Say the next of y, n and inconclusive."""
        self._visor.attributes.cycle_exhaustive()

    def lift(self, steps: int | None) -> None:
        """Draw the selected object higher on this frame."""
        self._visor.attributes.lift(steps)

    def step_sequence(self, count: int) -> None:
        """Go to a subsequence further on, or back."""
        self._visor.subsequences.step(count)

    def keep_to_sequence(self) -> None:
        """Let propagation end with its subsequence, or no longer."""
        subsequences = self._visor.subsequences
        subsequences.set_bounds(bounds=not subsequences.bounds)

    def validate(self) -> None:
        """Apply the rules and show what they find."""
        self._panels.show_panel("rules")
        self._visor.validation.check()

    def mend(self) -> None:
        """Mend the defect that is chosen in the list, or else the first that can be."""
        validation = self._visor.validation
        chosen = self._panels.rules.chosen()
        mendable = (each for each in validation.findings if validation.can_mend(each))
        wanted = chosen or next(mendable, None)
        if wanted is not None:
            validation.mend([wanted])

    def mend_all(self) -> None:
        """Mend all defects that can be, as one undo step."""
        validation = self._visor.validation
        validation.mend([each for each in validation.findings if not each.defect.harmless])

    def densify(self) -> None:
        """Fill what lies between annotated frames, and show the runs as they come."""
        self._bring_runs()
        self._visor.dense.densify()

    def show_runs(self) -> None:
        """Show the runs between annotated frames."""
        self._bring_runs()

    def decide_run(self, *, accept: bool) -> None:
        """Accept or reject the run that is chosen in the list, and go to the next."""
        panel, dense = self._panels.dense, self._visor.dense
        found, row = panel.chosen(), panel.row
        if found is None:
            self._bring_runs()
            panel.choose_next(0)
            return
        (dense.accept if accept else dense.reject)(found)
        panel.refresh()
        after = panel.chosen()
        is_same = after is not None and (after.run, after.object) == (found.run, found.object)
        panel.choose_next(row + is_same)

    def export_dense(self) -> None:
        """Export the runs as a dense VISOR JSON."""
        self._export_as("visor-dense")

    def show(self, name: str) -> None:
        """Bring a panel to the front."""
        self._panels.show_panel(name)
