"""Other ways to look at the masks: confidence, differences, the map of the frame."""

from app.gui.actions.verbs.files import FileVerbs
from app.gui.canvas.canvas import Canvas
from app.gui.canvas.scene.overlay import OverlayMode
from app.session.comparing import Reference
from app.session.session import Session


class LookVerbs:
    """Each turns a view on and, asked again, off."""

    def __init__(self, session: Session, canvas: Canvas, files: FileVerbs) -> None:
        self._session, self._canvas, self._files = session, canvas, files

    def confidence(self) -> None:
        """Colour the masks by how sure the model was of them."""
        on = self._canvas.mode is not OverlayMode.CONFIDENCE
        self._canvas.set_mode(OverlayMode.CONFIDENCE if on else OverlayMode.FILL_AND_CONTOUR)

    def changes(self) -> None:
        """Show what the last propagation changed, from the nearest frame that it changed."""
        session = self._session
        if session.reference is Reference.BEFORE and not session.shows_reference:
            session.compare(None)
            return
        nearest = session.nearest_change(session.frame)
        if nearest is not None:
            session.compare(Reference.BEFORE)
            session.go_to(nearest)

    def errors(self) -> None:
        """Show the difference to a ground truth, which is asked for the first time."""
        session = self._session
        if session.reference is Reference.TRUTH and not session.shows_reference:
            session.compare(None)
        elif session.has_truth:
            session.compare(Reference.TRUTH)
        else:
            self._files.read_truth()

    def swap(self) -> None:
        """Show the masks compared with in place of these, and these again."""
        session = self._session
        reference = session.reference
        if reference is None:
            has_before = session.nearest_change(session.frame) is not None
            reference = Reference.BEFORE if has_before else Reference.TRUTH
        elif session.shows_reference:
            session.compare(None)
            return
        session.compare(reference, swapped=True)

    def minimap(self) -> None:
        """Show the map of the frame, or hide it."""
        self._canvas.minimap.setVisible(self._canvas.minimap.isHidden())
