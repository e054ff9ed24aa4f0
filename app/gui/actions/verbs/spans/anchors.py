"""The verbs of the anchors: remove one, and which frame to annotate next."""

from app.core.anchors import most_worth
from app.gui.panels.anchors import AnchorsPanel
from app.session.edits.masks import MaskEdits
from app.session.state.masks import Masks
from app.session.state.status import Status
from app.session.state.view import ViewState


class AnchorVerbs:
    """What is done from the list of anchors."""

    def __init__(
        self,
        view: ViewState,
        masks: Masks,
        status: Status,
        edit: MaskEdits,
        panel: AnchorsPanel,
    ) -> None:
        self._view, self._masks, self._status = view, masks, status
        self._edit, self._panel = edit, panel

    def remove(self) -> None:
        """Let models overwrite the mask of the anchor that is chosen in the list."""
        key = self._panel.chosen()
        if key is None:
            self._status.report("warning", "Choose an anchor in the list of anchors first.")
        else:
            self._edit.unanchor([key])

    def suggest(self) -> None:
        """Go to the frame most worth annotating next: of the selected object, or of all."""
        masks, selected = self._masks, self._view.selected
        there = [info.id for info in masks.objects if selected in {None, info.id}]
        key = most_worth({number: masks.of_object(number) for number in there})
        if key is None:
            text = "Nothing has been propagated yet: every mask here is an anchor already."
            self._status.report("info", text)
            return
        self._view.go_to(key.frame)
        self._view.select(key.object)
        text = f"An anchor for {masks.name_of(key.object)} on frame {key.frame} helps most."
        self._status.report("info", text)
