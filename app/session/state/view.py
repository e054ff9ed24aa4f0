"""The view: which frame, object and range the person looks at."""

from PySide6.QtCore import QObject, Signal, Slot

from app.core.block import Block
from app.session.state.masks import Masks
from app.session.state.video import CurrentVideo


class ViewState(QObject):
    """The current frame, the selection and the range; begins anew with each video."""

    frame_changed = Signal(int)
    selection_changed = Signal(object)  # int | None
    range_changed = Signal()  # the in or the out point
    block_changed = Signal()

    def __init__(self, video: CurrentVideo, masks: Masks, parent: QObject) -> None:
        super().__init__(parent)
        self._video, self._masks = video, masks
        self._frame = 0
        self._in_point: int | None = None
        self._out_point: int | None = None
        self._selected: int | None = None
        self._block: Block | None = None
        self._there: frozenset[int] = frozenset()  # the objects, before they change
        self._selected_among: dict[frozenset[int], int | None] = {}  # when these were there last
        self._regained: int | None = None  # to be selected again if the change is an undo or redo
        video.opened.connect(self._reset)
        masks.objects_changed.connect(self._keep_selection)
        video.objects_restored.connect(self._restore_selection)

    @property
    def frame(self) -> int:
        """The current frame."""
        return self._frame

    @property
    def selected(self) -> int | None:
        """The selected object's id."""
        return self._selected

    @property
    def block(self) -> Block | None:
        """The frames and objects that are chosen on the timeline."""
        return self._block

    @property
    def in_point(self) -> int | None:
        """The first frame of the range to work in, where one is set."""
        return self._in_point

    @property
    def out_point(self) -> int | None:
        """The last frame of the range to work in, where one is set."""
        return self._out_point

    @property
    def first(self) -> int:
        """The first frame to work on."""
        return self._in_point or 0

    @property
    def last(self) -> int:
        """The last frame to work on."""
        return self._video.frame_count - 1 if self._out_point is None else self._out_point

    def go_to(self, frame: int) -> None:
        """Show `frame`, or the nearest there is."""
        frame = max(0, min(frame, self._video.frame_count - 1))
        if self._video.is_open and frame != self._frame:
            self._frame = frame
            self.frame_changed.emit(frame)

    def set_range(self, first: int | None, last: int | None) -> None:
        """Set the in and out points; None is the video's start or end."""
        if first is not None and last is not None and first > last:
            first, last = last, first
        self._in_point, self._out_point = first, last
        self.range_changed.emit()

    def choose_block(self, block: Block | None) -> None:
        """Choose frames and objects, or none."""
        if block != self._block:
            self._block = block
            self.block_changed.emit()

    def select(self, object_id: int | None) -> None:
        """Select an object, or none."""
        if object_id is not None and object_id not in self._ids():
            return
        if object_id != self._selected:
            self._selected = object_id
            self.selection_changed.emit(object_id)

    @Slot()
    def _reset(self) -> None:
        self._frame, self._selected = 0, None
        self._in_point = self._out_point = self._block = None
        self._there, self._selected_among, self._regained = self._ids(), {}, None

    @Slot()
    def _keep_selection(self) -> None:
        """Select no object that is gone, and remember what was selected while it was there."""
        there, self._regained = self._ids(), None
        if there == self._there:
            return
        self._selected_among[self._there] = self._selected
        before, is_lost = self._selected_among.get(there), self._selected not in there
        if is_lost or before not in self._there:
            self._regained = before
        self._there = there
        if is_lost:
            self.select(None)
        if self._block is not None and not there.issuperset(self._block.objects):
            self.choose_block(None)

    @Slot()
    def _restore_selection(self) -> None:
        """Select what was selected while the same objects were there last."""
        if self._regained is not None:
            self.select(self._regained)

    def _ids(self) -> frozenset[int]:
        return frozenset(info.id for info in self._masks.objects)
