"""The views of a frame: image, ground truth, prediction and errors, or a wipe between two."""

import enum

from PySide6.QtCore import Signal, Slot
from PySide6.QtGui import QAction, QActionGroup, QResizeEvent
from PySide6.QtWidgets import QGridLayout, QLabel, QSizePolicy, QToolBar, QVBoxLayout, QWidget

from app.core.colors import Rgb
from app.core.inspection.failures import FAILURES, Failure
from app.core.runs import Run
from app.gui.inspect.frames.drawing import errors_layer, frame_layer, masks_layer
from app.gui.inspect.frames.pane import Layer, Lens, Pane
from app.gui.inspect.palette import EXTRA, MISSING, RIGHT, object_color
from app.gui.widgets.theme import icon
from app.session.runs.runs import Runs
from app.session.state.masks import Masks
from app.session.state.video import CurrentVideo
from app.session.state.view import ViewState
from models.api import Image


class Arrangement(enum.Enum):
    """How the views lie."""

    SIDE_BY_SIDE = "side by side"
    WIPE = "wipe"


class Views(QWidget):
    """The panes of the current frame; they zoom and move together."""

    pixel_asked = Signal(float, float)  # x and y in pixels of the frame, with Ctrl and a click

    def __init__(
        self,
        video: CurrentVideo,
        view: ViewState,
        masks: Masks,
        runs: Runs,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._video, self._view, self._masks, self._runs = video, view, masks, runs
        self.arrangement = Arrangement.SIDE_BY_SIDE
        self._lens = Lens(self)
        self._lens.set_size(video.size)
        self._panes = [Pane(self._lens, self) for _ in range(4)]
        for pane in self._panes:
            pane.pixel_asked.connect(self.pixel_asked)
            pane.setToolTip(self.tr("Ctrl+click: which remembered frames voted for a pixel"))
        self._grid = QGridLayout()
        self._grid.setSpacing(2)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._bar())
        layout.addLayout(self._grid, 1)
        video.opened.connect(self._on_opened)
        view.frame_changed.connect(self.refresh)
        video.image_ready.connect(self._on_image_ready)
        runs.changed.connect(self.refresh)
        runs.measured.connect(self.refresh)
        self._arrange()

    def set_arrangement(self, arrangement: Arrangement) -> None:
        """Lay the views out in another way."""
        self.arrangement = arrangement
        self._arrange()
        self.refresh()

    @Slot()
    def refresh(self) -> None:
        """Show the current frame as it is now."""
        if not self.isVisible():
            return
        frame = self._view.frame
        image = self._video.image(frame)
        if image is None:
            return  # the last one stays until it is read
        layers = self._layers(frame, image)
        if self.arrangement is Arrangement.WIPE:
            self._panes[0].show_layers(layers[1], layers[2])
            return
        for pane, layer in zip(self._panes, layers, strict=True):
            pane.show_layers(layer)

    def showEvent(self, event: object) -> None:
        """Catch up with what changed while this was hidden."""
        super().showEvent(event)  # type: ignore[arg-type]
        self.refresh()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Lay the panes out so that the frame is as large as it can be."""
        super().resizeEvent(event)
        self._arrange()

    def _layers(self, frame: int, image: Image) -> tuple[Layer, Layer, Layer, Layer]:
        truth, run = self._runs.run(self._runs.truth), self._runs.run(self._runs.shown)
        count = self._video.frame_count
        return (
            frame_layer(self.tr("Image · frame {} of {}").format(frame, count - 1), image),
            self._masks_of(self.tr("Ground truth"), truth, frame, image),
            self._masks_of(self.tr("Prediction"), run, frame, image),
            self._errors(truth, run, frame, image),
        )

    def _masks_of(self, what: str, run: Run | None, frame: int, image: Image) -> Layer:
        if run is None:
            return Layer(self.tr("{}: none yet. Import one in the list of runs.").format(what))
        name = what if run.info.name == what.lower() else f"{what} · {run.info.name}"
        if frame not in run.frames:
            return frame_layer(self.tr("{} · nothing known of this frame").format(name), image)
        colors = {number: self._color(number) for number in run.objects}
        chosen = self._runs.object if len(run.objects) > 1 else None
        return masks_layer(name, image, run, frame, chosen, colors)

    def _errors(self, truth: Run | None, run: Run | None, frame: int, image: Image) -> Layer:
        number = self._runs.object
        if truth is None or run is None or number is None:
            return Layer(self.tr("Errors: they need a ground truth and a prediction."))
        drawn, predicted = (each.labels(frame, self._video.size) for each in (truth, run))
        if drawn is None or predicted is None:
            return Layer(self.tr("Errors · nothing to compare on this frame"))
        caption = self.tr("Errors · {}{}").format(
            truth.objects.get(number, number), self._score(frame, number)
        )
        return errors_layer(caption, image, drawn == number, predicted == number)

    def _score(self, frame: int, number: int) -> str:
        result = self._runs.results.get(self._runs.shown or 0)
        if result is None or frame not in result.positions:
            return ""
        place = result.positions.index(frame)
        failure = FAILURES[result.labelling.failures[place, number - 1]]
        words = "" if failure is Failure.GOOD else f" · {failure.value}"
        return f" · J&F {result.measures.jf[place, number - 1]:.3f}{words}"

    def _color(self, number: int) -> Rgb:
        known = {info.id: info.color for info in self._masks.objects}
        return known.get(number, object_color(number))

    def _bar(self) -> QToolBar:
        bar = QToolBar()
        group = QActionGroup(self)
        for arrangement, name, text, tip in (
            (
                Arrangement.SIDE_BY_SIDE, "view-grid-outline", self.tr("Side by side"),
                self.tr("Image, ground truth, prediction and errors beside each other"),
            ),
            (
                Arrangement.WIPE, "compare", self.tr("Wipe"),
                self.tr("Ground truth and prediction on one frame, with a divider to drag"),
            ),
        ):  # fmt: skip
            action = QAction(icon(f"mdi6.{name}"), text, self)
            action.setToolTip(tip)
            action.setCheckable(True)
            action.setChecked(arrangement is self.arrangement)
            action.triggered.connect(
                lambda _checked, chosen=arrangement: self.set_arrangement(chosen)
            )
            group.addAction(action)
            bar.addAction(action)
        fit = bar.addAction(icon("mdi6.fit-to-screen-outline"), self.tr("Fit the frame"))
        fit.triggered.connect(self._lens.fit)
        gap = QWidget()
        gap.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        bar.addWidget(gap)
        for text, color in (
            (self.tr("right"), RIGHT),
            (self.tr("too much"), EXTRA),
            (self.tr("missing"), MISSING),
        ):
            bar.addWidget(_legend(text, color))
        return bar

    def _arrange(self) -> None:
        """Choose rows and columns by the shape of the frame."""
        shown = 1 if self.arrangement is Arrangement.WIPE else 4
        columns = 1 if shown == 1 else self._best_columns()
        for place, pane in enumerate(self._panes):
            self._grid.removeWidget(pane)
            pane.setVisible(place < shown)
            if place < shown:
                self._grid.addWidget(pane, place // columns, place % columns)

    def _best_columns(self) -> int:
        height, width = self._video.size
        room = self.size()
        if not min(height, width, room.width(), room.height()):
            return 2
        scales = {
            columns: min(room.width() / columns / width, room.height() / (4 // columns) / height)
            for columns in (2, 4, 1)
        }
        return max(scales, key=lambda columns: scales[columns])

    @Slot()
    def _on_opened(self) -> None:
        self._lens.set_size(self._video.size)
        for pane in self._panes:
            pane.show_layers(Layer(""))
        self._arrange()
        self.refresh()

    @Slot(int)
    def _on_image_ready(self, frame: int) -> None:
        if frame == self._view.frame:
            self.refresh()


def _legend(text: str, color: Rgb) -> QLabel:
    label = QLabel(f'<span style="color: rgb{color}">■</span> {text}&nbsp;')
    label.setObjectName("dim")
    return label
