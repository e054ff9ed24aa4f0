"""The submenu that gives two objects each other's masks."""

from functools import partial

from PySide6.QtWidgets import QMenu, QWidget

from app.core.document import ObjectInfo, why_not_editable
from app.gui.widgets.words import verbatim_item, verbatim_tip
from app.session.edits.masks import MaskEdits
from app.session.state.masks import Masks


class ExchangeMenu(QMenu):
    """Offers every other object, for where a model took two that look alike for each other."""

    def __init__(
        self,
        masks: Masks,
        edit: MaskEdits,
        item: ObjectInfo,
        frames: range | None = None,
        parent: QWidget | None = None,
    ) -> None:
        """Offer to exchange masks with `item` on `frames`; None = from here to the next anchor."""
        super().__init__(parent)
        here = self.tr("E&xchange from here on with")
        self.setTitle(here if frames is None else self.tr("E&xchange masks with"))
        self.setToolTipsVisible(True)
        others = [other for other in masks.objects if other.id != item.id]
        for other in others:
            action = self.addAction(verbatim_item(other.name))
            action.triggered.connect(partial(edit.exchange, item.id, other.id, frames))
            if (obstacle := why_not_editable(other)) is not None:
                action.setEnabled(False)
                action.setToolTip(verbatim_tip(obstacle))
        self.setEnabled(bool(others))
