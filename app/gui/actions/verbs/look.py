"""The verbs that change the look of the masks: confidence, differences, the map of the frame."""

from app.gui.actions.verbs.exchange import ExchangeVerbs
from app.gui.canvas.canvas import Canvas
from app.gui.canvas.scene.overlay import OverlayMode
from app.session.comparison import Comparison, Reference
from app.session.state.view import ViewState


class LookVerbs:
    """Each turns a view on and, asked again, off."""

    def __init__(
        self, view: ViewState, compare: Comparison, canvas: Canvas, exchange: ExchangeVerbs
    ) -> None:
        self._view, self._compare, self._canvas, self._exchange = view, compare, canvas, exchange

    def confidence(self) -> None:
        """Colour the masks by how sure the model was of them."""
        on = self._canvas.mode is not OverlayMode.CONFIDENCE
        self._canvas.set_mode(OverlayMode.CONFIDENCE if on else OverlayMode.FILL_AND_CONTOUR)

    def changes(self) -> None:
        """Show what the last propagation changed, from the nearest frame that it changed."""
        if self._compare.reference is Reference.BEFORE and not self._compare.shows_reference:
            self._compare.show(None)
            return
        nearest = self._compare.nearest_change(self._view.frame)
        if nearest is not None:
            self._compare.show(Reference.BEFORE)
            self._view.go_to(nearest)

    def next_change(self) -> None:
        """Show what the last propagation changed, where it changed most; asked again, the next."""
        frame = self._compare.next_change(self._view.frame)
        if frame is not None:
            self._compare.show(Reference.BEFORE)
            self._view.go_to(frame)

    def errors(self) -> None:
        """Show the difference to a ground truth, which is asked for the first time."""
        if self._compare.reference is Reference.TRUTH and not self._compare.shows_reference:
            self._compare.show(None)
        elif self._compare.has_truth:
            self._compare.show(Reference.TRUTH)
        else:
            self._exchange.read_truth()

    def swap(self) -> None:
        """Show the masks compared with in place of these, and these again."""
        reference = self._compare.reference
        if reference is None:
            has_before = self._compare.nearest_change(self._view.frame) is not None
            reference = Reference.BEFORE if has_before else Reference.TRUTH
        elif self._compare.shows_reference:
            self._compare.show(None)
            return
        self._compare.show(reference, swapped=True)

    def minimap(self) -> None:
        """Show the map of the frame, or hide it."""
        self._canvas.minimap.setVisible(self._canvas.minimap.isHidden())
