"""The context menu of the canvas: repairs of one object's mask on the current frame."""

from collections.abc import Callable

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QWidget

from app.core import paint
from app.core.document import Key, ObjectInfo, why_not_editable
from app.core.paint import Point
from app.gui.widgets.exchange_menu import ExchangeMenu
from app.gui.widgets.words import verbatim_tip
from app.session.edits.masks import MaskEdits
from app.session.state.masks import Masks
from app.session.state.view import ViewState
from models.api import BoolMask

Explain = Callable[[float, float], None]  # x, y of a pixel
_REACH = 2  # pixels of the frame by which a mask grows or shrinks


def open_menu(
    view: ViewState,
    masks: Masks,
    edit: MaskEdits,
    explain: Explain,
    at: Point,
    place: QPoint,
    parent: QWidget,
) -> None:
    """Open the menu of the selected object, if one is, at a place of the screen."""
    for item in masks.objects:
        if item.id == view.selected:
            menu = MaskMenu(view, masks, edit, item, at, parent)
            menu.offer_explanation(explain)
            menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            menu.popup(place)


class MaskMenu(QMenu):
    """Offers what can be done to an object's mask; each choice is one undo step."""

    def __init__(
        self,
        view: ViewState,
        masks: Masks,
        edit: MaskEdits,
        item: ObjectInfo,
        at: Point,
        parent: QWidget | None = None,
    ) -> None:
        """Offer repairs of the mask of `item`; `at` is where the menu was asked for."""
        super().__init__(item.name, parent)
        self._edit = edit
        self._key, self._at = Key(view.frame, item.id), at
        entry = masks.shown(view.frame).get(item.id)
        self._mask = entry.mask if entry else None
        self.addSection(item.name)
        self._add_repairs(at)
        self.addSeparator()
        for text, call in (
            (self.tr("Verify"), edit.verify),
            (self.tr("Mark as absent"), edit.mark_absent),
            (self.tr("Mark as occluded"), edit.mark_occluded),
            (self.tr("Clear this frame"), edit.clear),
        ):
            action = self.addAction(text)
            action.triggered.connect(self._calling(call))
        self.addMenu(ExchangeMenu(masks, edit, item, parent=self))
        obstacle = why_not_editable(item)
        if obstacle is not None:
            self.setToolTipsVisible(True)
            for action in self.actions():
                action.setEnabled(False)
                action.setToolTip(verbatim_tip(obstacle))

    def offer_explanation(self, explain: Explain) -> None:
        """Offer to ask which frames decided about the pixel, of a locked object's mask, too."""
        x, y = self._at
        self.addSeparator()
        action = self.addAction(self.tr("Which frames decided here"))
        action.triggered.connect(lambda: explain(x, y))

    def _add_repairs(self, at: Point) -> None:
        self._repair(self.tr("Fill this hole"), lambda pixels: paint.fill_hole(pixels, at))
        self._repair(self.tr("Fill all holes"), paint.fill_holes)
        self._repair(self.tr("Keep the largest part"), paint.keep_largest)
        self._repair(
            self.tr("Grow by {0} pixels").format(_REACH), lambda pixels: paint.grow(pixels, _REACH)
        )
        self._repair(
            self.tr("Shrink by {0} pixels").format(_REACH),
            lambda pixels: paint.grow(pixels, -_REACH),
        )

    def _repair(self, text: str, change: Callable[[BoolMask], BoolMask]) -> QAction:
        mask, key = self._mask, self._key
        action = self.addAction(text)
        action.setEnabled(mask is not None)

        def repair() -> None:
            if mask is not None:
                pixels = mask.decode()
                changed = change(pixels)
                if (changed != pixels).any():
                    self._edit.draw_mask(key.frame, key.object, changed, text)

        action.triggered.connect(repair)
        return action

    def _calling(self, call: Callable[[list[Key]], None]) -> Callable[[], None]:
        key = self._key
        return lambda: call([key])
