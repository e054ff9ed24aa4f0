"""The filmstrip: the annotated frames of a subsequence side by side, to check and to correct."""

from bisect import bisect_left, bisect_right

from PySide6.QtCore import QEvent, Qt, QTimer, Slot
from PySide6.QtGui import QAction, QKeyEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QScrollArea, QToolBar, QVBoxLayout, QWidget

from app.core.document import Key
from app.gui.canvas.tools.tool import Tool
from app.gui.panels.visor.tile import LEAST, LINE, OpenMenu, Tile, TileTools
from app.session.edits.prompts import Question
from app.session.state.masks import Masks
from app.session.state.video import CurrentVideo
from app.session.state.view import ViewState
from app.session.visor.subsequences import Subsequences

_SOON_MS = 100
_GAP = 6


class Filmstrip(QWidget):
    """The annotated frames, usually six, of the subsequence that the current frame lies in.

    The keys to the left and right go from one to the next while it has the focus.
    """

    def __init__(
        self,
        video: CurrentVideo,
        view: ViewState,
        masks: Masks,
        subsequences: Subsequences,
        open_menu: OpenMenu,
        tools: TileTools,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._video, self._view, self._masks = video, view, masks
        self._subsequences, self._open_menu = subsequences, open_menu
        self._tools, self._tool = tools, Tool.SELECT
        self._questions: tuple[Question, ...] = ()
        self.tiles: tuple[Tile, ...] = ()
        self._title = QLabel()
        self._title.setTextFormat(Qt.TextFormat.PlainText)
        self._bar = QToolBar()
        self._row = QWidget()
        self._row_layout = QHBoxLayout(self._row)
        self._row_layout.setContentsMargins(0, 0, 0, 0)
        self._row_layout.setSpacing(_GAP)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(self.tr("Filmstrip"))
        self._scroll = scroll = QScrollArea()
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # a press in a tile gives it to the strip
        scroll.setWidgetResizable(True)
        scroll.setWidget(self._row)
        scroll.setMinimumHeight(LEAST + LINE + 16)
        head = QHBoxLayout()
        head.addWidget(self._title, 1)
        head.addWidget(self._bar)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 0, 6, 4)
        layout.setSpacing(2)
        layout.addLayout(head)
        layout.addWidget(scroll, 1)
        self._stale: set[int] = set()
        self._soon = QTimer(self, singleShot=True, interval=_SOON_MS)
        self._soon.timeout.connect(self._redraw)
        video.opened.connect(self._make_anew)
        video.image_ready.connect(self._on_image_ready)
        view.frame_changed.connect(self._on_frame_changed)
        view.selection_changed.connect(self._on_selection_changed)
        tools.clicks.waiting_changed.connect(self._on_waiting)
        masks.entries_changed.connect(self._on_entries_changed)
        masks.objects_changed.connect(self._redraw_all)
        masks.attributes_changed.connect(self._redraw_all)

    @property
    def title(self) -> str:
        """The subsequence, in words."""
        return self._title.text()

    def set_actions(self, buttons: list[QAction]) -> None:
        """Offer actions beside the title."""
        self._bar.addActions(buttons)

    @Slot(object)
    def set_tool(self, tool: Tool) -> None:
        """Correct in the tiles with the tool that the picture has."""
        self._tool = tool
        for tile in self.tiles:
            tile.set_tool(tool)

    def event(self, event: QEvent) -> bool:
        """Keep Escape from the window's shortcuts while a box is drawn."""
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and event.key() == Qt.Key.Key_Escape
            and any(tile.busy for tile in self.tiles)
        ):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Go to the tile at the left or the right, or drop the box that is drawn."""
        if event.key() in {Qt.Key.Key_Left, Qt.Key.Key_Right}:
            self._step(forward=event.key() == Qt.Key.Key_Right)
        elif event.key() == Qt.Key.Key_Escape:
            for tile in self.tiles:
                tile.cancel()
        else:
            event.ignore()

    def showEvent(self, event: QShowEvent) -> None:
        """Show the subsequence of the current frame."""
        super().showEvent(event)
        self._make_anew()

    @Slot()
    def _make_anew(self) -> None:
        for tile in self.tiles:
            self._row_layout.removeWidget(tile)
            tile.deleteLater()
        self.tiles = ()
        if not self.isVisible() or not self._video.is_open:
            return
        here = self._subsequences.at(self._view.frame)
        frames = here.frames if here else ()
        words = self.tr("{0}: {1} annotated frames, {2} to {3}")
        self._title.setText(
            words.format(here.name, len(frames), here.first, here.last)
            if here
            else self.tr("This frame lies in no subsequence.")
        )
        self.tiles = tuple(
            Tile(self._video, self._view, self._masks, frame, self._open_menu, self._tools)
            for frame in frames
        )
        for tile in self.tiles:
            tile.set_tool(self._tool)
            tile.set_questions(self._questions)
            self._row_layout.addWidget(tile)
            tile.setMinimumWidth(LEAST)

    @Slot(int)
    def _on_frame_changed(self, frame: int) -> None:
        if not self.isVisible():
            return
        here = self._subsequences.at(frame)
        if (here.frames if here else ()) != tuple(tile.frame for tile in self.tiles):
            self._make_anew()
        for tile in self.tiles:
            tile.update()
            if tile.frame == frame:
                self._scroll.ensureWidgetVisible(tile, _GAP, 0)

    def _step(self, *, forward: bool) -> None:
        frames, here = [tile.frame for tile in self.tiles], self._view.frame
        if forward:
            beyond = frames[bisect_right(frames, here) :]
        else:
            beyond = frames[: bisect_left(frames, here)][::-1]
        if beyond:
            self._view.go_to(beyond[0])

    @Slot(object)
    def _on_waiting(self, questions: tuple[Question, ...]) -> None:
        self._questions = questions
        for tile in self.tiles:
            tile.set_questions(questions)

    @Slot(int)
    def _on_image_ready(self, frame: int) -> None:
        self._mark({frame})

    @Slot(object)
    def _on_entries_changed(self, keys: frozenset[Key]) -> None:
        self._mark({key.frame for key in keys})

    @Slot()
    def _on_selection_changed(self) -> None:
        for tile in self.tiles:
            tile.leave_object()
        self._redraw_all()

    @Slot()
    def _redraw_all(self) -> None:
        self._mark({tile.frame for tile in self.tiles})

    def _mark(self, frames: set[int]) -> None:
        self._stale |= frames.intersection(tile.frame for tile in self.tiles)
        if self._stale and not self._soon.isActive():
            self._soon.start()

    @Slot()
    def _redraw(self) -> None:
        stale, self._stale = self._stale, set()
        for tile in self.tiles:
            if tile.frame in stale:
                tile.refresh()
