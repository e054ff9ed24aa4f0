"""The scene of the canvas: the current frame and all that lies over it, kept up to date."""

import math
from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtCore import QObject, QRectF, QTimer, Signal, Slot
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QGraphicsScene

from app.core.document import Key
from app.core.mask import Area, Mask
from app.core.paint import Point
from app.gui.canvas.scene.comparison import ComparisonItem
from app.gui.canvas.scene.layers import (
    BrushItem,
    ContourItem,
    FrameItem,
    LitItem,
    MarkItem,
    Outline,
    OverlayItem,
    contour_path,
)
from app.gui.canvas.scene.overlay import OverlayMode, OverlayStyle, labels_of, outlines
from app.gui.canvas.scene.proposals import ProposalItem
from app.gui.canvas.scene.waiting import WaitingItem
from app.gui.canvas.tools.choice import object_at
from app.session.comparison import Comparison
from app.session.state.masks import Masks
from app.session.state.video import CurrentVideo
from app.session.state.view import ViewState
from models.api import BoolMask, Box, Image

_WAIT_MS = 400  # how long a neighbouring frame stands in for one that is being read


class Picture(QGraphicsScene):
    """Shows the session's current frame, its masks, marks and previews.

    While the image of the current frame is being read, the last image stays, with the masks that
    belong to it. Satisfies `tools.tool.Surface`.
    """

    frame_shown = Signal(int)  # the frame whose image and masks are on the screen

    def __init__(
        self,
        video: CurrentVideo,
        view: ViewState,
        masks: Masks,
        compare: Comparison,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._video, self._view, self._masks, self._compare = video, view, masks, compare
        self.look = OverlayStyle(selected=view.selected)
        self.frame = 0
        self._painted: tuple[int, BoolMask] | None = None
        self._draft_box: Box | None = None
        self._ghost: tuple[int, int, Mask | None] | None = None
        self._image, self._overlay = FrameItem(), OverlayItem()
        self._contours, self._ghosts = ContourItem(), ContourItem()
        self._marks, self.brush = MarkItem(), BrushItem()
        self.waiting, self.proposals, self.lit = WaitingItem(), ProposalItem(), LitItem()
        self._difference = ComparisonItem(compare)
        self._over = (
            self._overlay,
            self._difference,
            self._contours,
            self.proposals,
            self.lit,
            self._ghosts,
            self._marks,
        )
        for item in (self._image, *self._over, self.waiting, self.brush):
            self.addItem(item)
        self._waits = False  # for the image of the current frame
        self._wait_limit = QTimer(self, singleShot=True, interval=_WAIT_MS)
        self._wait_limit.timeout.connect(self._stop_waiting)
        video.opened.connect(self._on_opened)
        view.frame_changed.connect(self._on_frame_changed)
        video.image_ready.connect(self._on_image_ready)
        masks.entries_changed.connect(self._on_entries_changed)
        masks.objects_changed.connect(self._on_objects_changed)
        masks.attributes_changed.connect(self._on_objects_changed)
        compare.changed.connect(self._on_objects_changed)
        view.selection_changed.connect(self._on_selection_changed)
        self._on_opened()

    def set_look(self, look: OverlayStyle) -> None:
        """Show the masks in another way."""
        before, self.look = self.look, look
        self._overlay.set_color_table(self._colors())
        alone = OverlayMode.SOLO in {before.mode, look.mode}
        if alone and (before.mode, before.selected) != (look.mode, look.selected):
            self._draw_masks()  # other objects lie open now
        else:
            self._draw_contours()

    def set_peek(self, *, raw: bool) -> None:
        """Hide all that lies over the frame, or show it again."""
        for item in self._over:
            item.setVisible(not raw)

    def show_painting(self, object_id: int, pixels: BoolMask, area: Area) -> None:
        """Show one object as `pixels` (H, W), changed within `area`, until the painting ends."""
        label = self._labels().get(object_id)
        if label is None:  # the object is gone
            return
        begins = self._painted is None
        self._painted = (object_id, pixels)
        self._overlay.labels.paint(label, pixels, area)
        self._overlay.update_area(area)
        if begins:
            # Outlines of a whole frame cannot keep up with the brush; the fill shows the edge.
            table = self._colors()
            table[label] |= 0x60000000
            self._overlay.set_color_table(table)
            self._draw_contours()

    def end_painting(self) -> None:
        """Show the objects as the session has them."""
        if self._painted is not None:
            self._painted = None
            self._overlay.set_color_table(self._colors())
            self._draw_masks()

    def show_draft(self, points: Sequence[Point] = (), box: Box | None = None) -> None:
        """Show an open line or a box that is being drawn, or neither."""
        self._draft_box = box
        self._marks.set_draft(points)
        self._draw_marks()

    def object_at(self, at: Point) -> int | None:
        """Return the topmost object that is shown at a point."""
        shown = self.look.visible(self._video.ordered(self.frame))
        return object_at(shown, self._masks.shown(self.frame), at)

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the frame."""
        return self._video.size

    @Slot()
    def _on_opened(self) -> None:
        height, width = size = self._video.size
        for item in (self._image, self._overlay, self._difference, self._marks, self.waiting):
            item.set_size(size)
        self.setSceneRect(QRectF(0, 0, width, height))
        self._painted, self._ghost, self._draft_box = None, None, None
        self._ghosts.set_outlines(())
        self._overlay.set_color_table(self._colors())
        self.frame = self._view.frame
        self._on_frame_changed(self.frame)

    @Slot(int)
    def _on_frame_changed(self, frame: int) -> None:
        image = self._video.image(frame)
        if image is not None or not self._video.is_open:
            self._show_frame(frame, image)
            return
        self._waits = True
        self._wait_limit.start()
        self._show_nearest()

    @Slot(int)
    def _on_image_ready(self, frame: int) -> None:
        if self._waits:
            self._show_nearest()
        lacks = self._waits or not self._image.has_image
        if lacks and frame == self._view.frame and self._video.is_open:  # it could not be read
            self._show_frame(frame, self._video.image(frame))

    def _show_nearest(self) -> None:
        """Show the frame that is wanted, or the nearest to it that is in memory."""
        wanted = self._view.frame
        near = self._video.nearest_image(wanted)
        if near is not None and (near[0] == wanted or abs(near[0] - wanted) < self._distance()):
            self._show_frame(*near)

    def _distance(self) -> float:
        return abs(self.frame - self._view.frame) if self._image.has_image else math.inf

    @Slot()
    def _stop_waiting(self) -> None:
        self._show_frame(self._view.frame, None)
        self._waits = True

    def _show_frame(self, frame: int, image: Image | None) -> None:
        if frame == self._view.frame:
            self._wait_limit.stop()
            self._waits = False
        self._image.set_image(image)
        self.frame = frame
        self._draw_masks()
        self._draw_marks()
        self._draw_ghost()
        self.waiting.set_frame(frame)
        self.frame_shown.emit(frame)

    @Slot(object)
    def _on_entries_changed(self, keys: frozenset[Key]) -> None:
        if any(Key(self.frame, item.id) in keys for item in self._masks.objects):
            self._draw_masks()
            self._draw_marks()

    @Slot()
    def _on_objects_changed(self) -> None:
        self._overlay.set_color_table(self._colors())
        self._draw_masks()

    @Slot(object)
    def _on_selection_changed(self, selected: int | None) -> None:
        self.set_look(replace(self.look, selected=selected))
        self._draw_marks()

    @Slot(object)
    def show_preview(self, ghost: tuple[int, int, Mask | None] | None) -> None:
        """Show a mask that is only proposed: frame, object, mask; None takes it away."""
        self._ghost = ghost
        self._draw_ghost()

    def _colors(self) -> list[int]:
        entries = self._masks.shown(self.frame)
        return self.look.color_table(self._masks.objects, entries, self._masks.confidence)

    def _labels(self) -> dict[int, int]:
        return labels_of(self._masks.objects)

    def _draw_masks(self) -> None:
        entries = self._masks.shown(self.frame)
        masks = {}
        for item in self.look.visible(self._video.ordered(self.frame)):
            entry = entries.get(item.id)
            if entry is not None and entry.mask is not None:
                masks[item.id] = entry.mask
        if self.look.mode is OverlayMode.CONFIDENCE:
            self._overlay.set_color_table(self._colors())
        labels = self._labels()
        compared = self._difference.compare(self.frame, masks)
        changed = self._overlay.labels.show(
            {labels[number]: mask for number, mask in compared.items() if number in labels}
        )
        if self._painted is not None and self._painted[0] in labels:
            object_id, pixels = self._painted
            area = (0, *pixels.shape[:1], 0, pixels.shape[1])
            self._overlay.labels.paint(labels[object_id], pixels, area)
        self._overlay.update_area(changed)
        self._draw_contours()

    def _draw_contours(self) -> None:
        painted = self._painted[0] if self._painted else None
        drawn, labels = [], self._labels()
        for item in self.look.contoured(self._masks.objects):
            contours = [] if item.id == painted else self._overlay.labels.contour(labels[item.id])
            if contours:
                color = QColor(*item.color).lighter(125)
                drawn.append(Outline(contour_path(contours), color))
        self._contours.set_outlines(drawn)

    def _draw_marks(self) -> None:
        selected = self._view.selected
        entry = self._masks.shown(self.frame).get(selected) if selected is not None else None
        self._marks.set_marks(entry.clicks if entry else (), self._draft_box)

    def _draw_ghost(self) -> None:
        mask = self._ghost[2] if self._ghost and self._ghost[0] == self.frame else None
        if mask is None:
            self._ghosts.set_outlines(())
            return
        path = contour_path(outlines(mask.crop(), mask.box))
        self._ghosts.set_outlines([Outline(path, QColor(255, 255, 255), dashed=True)])
